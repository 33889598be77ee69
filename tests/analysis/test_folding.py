"""Folding changes how much is computed, never what comes out."""

import pytest
import torch
from torch import nn

from wiesel import zoo
from wiesel.analysis.folding import foldable, folded

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


def lived_in(name, side=32):
    """A network whose norms have something to say."""
    torch.manual_seed(1)
    network = zoo.build(name, classes=5, channels=3, size=side, zero_init_last_norm=False).eval()
    for layer in network.modules():
        if isinstance(layer, nn.BatchNorm2d):
            layer.running_mean.normal_(0, 0.3)
            layer.running_var.uniform_(0.5, 2)
            nn.init.uniform_(layer.weight, 0.5, 1.5)
            nn.init.normal_(layer.bias, 0, 0.3)
    return network


@pytest.mark.parametrize(
    ("name", "norms_left"),
    [
        ("resnet18", 0),
        ("vgg11_bn", 0),
        ("mobilenet_v3_small", 0),
        ("efficientnet_b0", 0),
        ("wiesel_s", 3),
        ("densenet121", None),
        ("lenet5", 0),
    ],
)
def test_answers_stay_the_same(name, norms_left):
    network = lived_in(name)
    pictures = torch.randn(4, 3, 32, 32)
    before = {key: value.clone() for key, value in network.state_dict().items()}
    with torch.inference_mode():
        plain, lean = network(pictures), folded(network, (3, 32, 32))(pictures)
    assert (plain - lean).abs().max() <= 1e-5 * plain.abs().max()
    assert all(torch.equal(value, before[key]) for key, value in network.state_dict().items())
    if norms_left is not None:
        assert sum(isinstance(layer, nn.BatchNorm2d) for layer in folded(network, (3, 32, 32)).modules()) == norms_left


class Forked(nn.Module):
    """The convolution's result is read twice: by the norm, and beside it."""

    def __init__(self):
        super().__init__()
        self.conv, self.norm = nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4)

    def forward(self, pictures):
        maps = self.conv(pictures)
        return self.norm(maps) + maps


class Twice(Forked):
    """One convolution, two norms in turn."""

    def __init__(self):
        super().__init__()
        self.other = nn.BatchNorm2d(4)

    def forward(self, pictures):
        return self.norm(self.conv(pictures)) + self.other(self.conv(pictures))


@pytest.mark.parametrize("kind", [Forked, Twice])
def test_what_somebody_else_reads_is_not_folded(kind):
    assert foldable(kind().eval(), (1, 8, 8)) == []


def test_a_pair_by_hand():
    """One 1x1 filter of weight 2, mean 3, variance 4, scale 5, shift 6: 5 (2x - 3) / 2 + 6 = 5x - 1.5."""
    network = nn.Sequential(nn.Conv2d(1, 1, 1, bias=False), nn.BatchNorm2d(1, eps=0.0))
    nn.init.constant_(network[0].weight, 2)
    network[1].running_mean.fill_(3)
    network[1].running_var.fill_(4)
    nn.init.constant_(network[1].weight, 5)
    nn.init.constant_(network[1].bias, 6)
    lean = folded(network, (1, 4, 4))
    assert (lean[0].weight.item(), lean[0].bias.item()) == (5.0, -1.5)
    assert isinstance(lean[1], nn.Identity)
