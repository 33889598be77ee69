import pytest
import torch
from torch import nn

from wiesel.blocks.conv_norm import conv_norm, set_epsilon
from wiesel.blocks.same_pad import SamePad


@pytest.mark.parametrize(
    ("kernel", "stride", "side", "before", "after"),
    [(3, 2, 8, 0, 1), (3, 2, 7, 1, 1), (5, 2, 8, 1, 2), (5, 2, 9, 2, 2), (3, 1, 8, 1, 1), (1, 2, 8, 0, 0), (3, 2, 1, 1, 1)],
)
def test_the_larger_part_of_an_odd_margin_lies_behind(kernel, stride, side, before, after):
    ones = SamePad(kernel, stride)(torch.ones(1, 1, side, side))[0, 0]
    filled = ones[:, ones.shape[1] // 2].nonzero().flatten().tolist()
    assert (filled[0], len(ones) - 1 - filled[-1]) == (before, after)


@pytest.mark.parametrize("side", [8, 9])
def test_height_and_width_have_their_own_margins_and_positions_are_rounded_up(side):
    layer = conv_norm(2, 3, kernel=3, stride=2, same=True)
    assert [name for name, _ in layer.named_children()] == ["pad", "conv", "norm"]
    assert layer(torch.zeros(1, 2, side, 5)).shape == (1, 3, (side + 1) // 2, 3)


def test_without_a_stride_the_convolution_keeps_its_own_margin():
    assert [name for name, _ in conv_norm(2, 3, kernel=3, same=True).named_children()] == ["conv", "norm"]


def test_the_epsilon_reaches_every_norm():
    network = nn.Sequential(conv_norm(1, 2, 3), nn.Sequential(conv_norm(2, 2, 3)))
    set_epsilon(network, 0.5)
    assert [layer.eps for layer in network.modules() if isinstance(layer, nn.BatchNorm2d)] == [0.5, 0.5]
