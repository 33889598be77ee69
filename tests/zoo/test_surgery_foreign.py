"""Networks from anywhere: torchvision's, built without memory. What they are made of is theirs, so counts are compared with ours."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn import functional

from wiesel import zoo
from wiesel.errors import BadChange

IMAGE = (3, 64, 64)
models = pytest.importorskip("torchvision.models")


@pytest.fixture(autouse=True)
def _english(monkeypatch):
    monkeypatch.setenv("WIESEL_LANG", "en")


def sizes(network):
    return sum(parameter.numel() for parameter in network.parameters())


@pytest.fixture(scope="module")
def pair():
    with torch.device("meta"):
        return models.resnet18(num_classes=10), zoo.build("resnet18", channels=3, size=64)


@pytest.mark.parametrize(
    "change",
    [
        "activation=prelu@layer1",
        "norm=off",
        "norm=group",
        "kernel=5",
        "width=0.5",
        "depth=+1",
        "depth=-1",
        "residual=off",
        "pooling=stride",
    ],
)
def test_a_resnet_of_torchvision_changes_like_ours(change, pair):
    theirs, ours = pair
    done = zoo.change(theirs, change, image=IMAGE)
    assert done.network is not theirs
    if "@" not in change:  # their blocks use one activation twice
        assert sizes(done.network) == sizes(zoo.change(ours, change, image=IMAGE).network)


def test_without_shortcuts_blocks_of_torchvision_compute_the_correction_alone():
    torch.manual_seed(0)
    block = models.resnet.BasicBlock(4, 8, 2, nn.Sequential(nn.Conv2d(4, 8, 1, 2, bias=False), nn.BatchNorm2d(8)))
    network = nn.Sequential(nn.Conv2d(3, 4, 3), block).eval()
    changed = zoo.change(network, "residual=off", image=IMAGE).network
    maps = network[0](torch.randn(1, 3, 16, 16))
    expected = torch.relu(block.bn2(block.conv2(torch.relu(block.bn1(block.conv1(maps))))))
    torch.testing.assert_close(changed[1](maps), expected)
    assert [name for name, _ in changed.named_parameters() if "downsample" in name] == []


@pytest.mark.parametrize(
    ("layer", "change", "reason"),
    [
        (lambda: models.inception.BasicConv2d(4, 4, kernel_size=3), "activation=gelu", "in 1 places: 1 (BasicConv2d: relu)"),
        (
            lambda: models.convnext.CNBlock(4, 1.0, 0.0),
            "residual=off",
            "1 adds maps in its forward, in a way that is not known here",
        ),
        (lambda: models.densenet._DenseBlock(2, 4, 2, 4, 0.0), "depth=+1", "no stage in this network has a block that could be"),
        (lambda: models.convnext.CNBlock(4, 1.0, 0.0), "norm=group", "there is no norm in this network that could be replaced"),
    ],
)
def test_what_cannot_be_reached_is_refused_with_the_place(layer, change, reason):
    network = nn.Sequential(nn.Conv2d(3, 4, 3), layer())
    with pytest.raises(BadChange) as caught:
        zoo.change(network, change, image=IMAGE)
    assert reason in str(caught.value)


def test_layers_counted_like_a_list_are_counted_anew():
    network = nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(4 * 32 * 32, 2))
    done = zoo.change(network, "depth=+1", image=IMAGE)
    assert [type(layer).__name__ for layer in done.network] == [
        "Conv2d",
        "ReLU",
        "Conv2d",
        "ReLU",
        "MaxPool2d",
        "Flatten",
        "Linear",
    ]
    assert done.parameters[1] - done.parameters[0] == 4 * 4 * 9 + 4
    assert done.network(torch.zeros(1, *IMAGE)).shape == (1, 2)


def test_a_norm_that_holds_its_activation_leaves_it_there():
    class NormAct(nn.BatchNorm2d):
        def __init__(self, channels):
            super().__init__(channels)
            self.act = nn.SiLU()

        def forward(self, x):
            return self.act(super().forward(x))

    network = nn.Sequential(nn.Conv2d(3, 4, 3, bias=False), NormAct(4), nn.Flatten())
    done = zoo.change(network, "norm=off", image=(3, 8, 8)).network
    assert isinstance(done[1].act, nn.SiLU)
    assert done[0].bias is not None
    x = torch.randn(1, 3, 8, 8)
    torch.testing.assert_close(done(x), functional.silu(done[0](x)).flatten(1))


def test_a_network_that_holds_tensors_of_its_own_is_looked_through_all_the_same():
    class Shifted(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv = nn.Conv2d(3, 4, 3)
            self.relu = nn.ReLU()
            self.shift = torch.ones(1, 4, 1, 1)  # neither parameter nor buffer

        def forward(self, x):
            return self.relu(self.conv(x) + self.shift).mean((2, 3))

    assert zoo.change(Shifted(), "activation=tanh", image=(3, 8, 8)).layers == ("relu",)
