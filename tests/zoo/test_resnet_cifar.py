import pytest
import torch
from torch import nn

from wiesel import zoo
from wiesel.zoo.resnet_cifar import SubsampleAndPad, subsampling


def by_hand(n, channels, classes):
    """Parameters from the formulas of section 4.2: a 3x3 filter has 9 numbers per channel in, a norm 2 per channel out."""

    def convolution(channels_in, channels_out):
        return 9 * channels_in * channels_out + 2 * channels_out

    total = convolution(channels, 16)
    for channels_in, width in ((16, 16), (16, 32), (32, 64)):
        total += convolution(channels_in, width) + (2 * n - 1) * convolution(width, width)
    return total + 64 * classes + classes


@pytest.mark.parametrize("depth", [20, 32, 44, 56, 110])
@pytest.mark.parametrize("kind", ["resnet", "plain"])
def test_parameters_follow_the_formulas_of_the_paper(kind, depth):
    with torch.device("meta"):
        network = zoo.build(f"{kind}{depth}", classes=100, channels=1)
        assert sum(p.numel() for p in network.parameters()) == by_hand((depth - 2) // 6, channels=1, classes=100)
        assert sum(isinstance(m, (nn.Conv2d, nn.Linear)) for m in network.modules()) == depth


def test_twenty_layers_have_269_722_parameters():
    assert by_hand(3, 3, 10) == 464 + 14_016 + 51_072 + 203_520 + 650 == 269_722
    assert by_hand(3, 1, 10) == 269_434


@pytest.mark.parametrize(("side", "sizes"), [(32, [32, 32, 16, 8]), (28, [28, 28, 14, 7]), (27, [27, 27, 14, 7])])
@pytest.mark.parametrize("name", ["resnet20", "plain20"])
def test_map_sizes(name, side, sizes):
    found = []
    with torch.device("meta"), torch.no_grad():
        maps = torch.zeros(1, 3, side, side)
        for stage in zoo.build(name, channels=3, size=side).features:
            maps = stage(maps)
            found.append(maps.shape[-1])
    assert found == sizes


def test_option_a_takes_every_second_pixel_and_appends_zeros():
    shortcut = SubsampleAndPad(1, 3, stride=2)
    x = torch.arange(9.0).view(1, 1, 3, 3)
    expected = torch.zeros(1, 3, 2, 2)
    expected[0, 0] = torch.tensor([[0.0, 2.0], [6.0, 8.0]])
    assert torch.equal(shortcut(x), expected)
    assert list(shortcut.parameters()) == []
    assert isinstance(subsampling(16, 16, 1), nn.Identity)


def test_a_resnet_and_its_plain_twin_can_exchange_weights():
    """They differ in nothing but the shortcuts, so the comparison of the paper is one of shortcuts alone."""
    torch.manual_seed(0)
    residual, plain = zoo.build("resnet20", channels=3).eval(), zoo.build("plain20", channels=3).eval()
    residual.load_state_dict(plain.state_dict())
    picture = torch.randn(2, 3, 32, 32)
    assert not torch.allclose(residual(picture), plain(picture))


def test_plain_networks_are_never_cut_by_a_zero_norm():
    plain = zoo.build("plain56", channels=3, zero_init_last_norm=True)
    assert min(p.abs().min().item() for name, p in plain.named_parameters() if "norm" in name and name.endswith("weight")) == 1
