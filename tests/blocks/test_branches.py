import torch
from torch import nn

from wiesel.blocks.branches import Branches, chain


def test_branches_are_stacked_in_the_order_in_which_they_are_named():
    one, two = nn.Conv2d(2, 3, 1), chain(first=nn.Conv2d(2, 5, 3, padding=1), second=nn.ReLU())
    network, x = Branches(two=two, one=one), torch.randn(2, 2, 4, 5, generator=torch.Generator().manual_seed(0))
    assert [name for name, _ in network.named_children()] == ["two", "one"]
    found = network(x)
    assert found.shape == (2, 8, 4, 5)
    torch.testing.assert_close(found[:, :5], two.first(x).relu())
    torch.testing.assert_close(found[:, 5:], one(x))


def test_a_chain_names_its_layers():
    assert [name for name, _ in chain(reduce=nn.Conv2d(1, 1, 1), pool=nn.MaxPool2d(2)).named_children()] == ["reduce", "pool"]
