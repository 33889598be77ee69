import pytest
import torch
import torchvision
from torch import nn

from wiesel import zoo
from wiesel.zoo.wide_resnet import PreActivatedBlock


def test_logits_equal_torchvision_s_with_the_same_weights(same_logits):
    same_logits("wide_resnet50_2", torchvision.models.wide_resnet50_2(), 64, 64)


@pytest.mark.parametrize(("name", "depth", "widening"), [("wrn_16_4", 16, 4), ("wrn_28_10", 28, 10), ("wrn_40_4", 40, 4)])
def test_depth_and_width_are_those_of_the_name(name, depth, widening):
    with torch.device("meta"):
        network = zoo.build(name)
    layers = [m for m in network.modules() if isinstance(m, (nn.Conv2d, nn.Linear))]
    # One projection in each of three stages; the paper counts these as layers, but not the linear one.
    assert len(layers) - 1 == depth
    assert [stage.block1.conv1.out_channels for stage in list(network.features)[1:]] == [16 * widening * n for n in (1, 2, 4)]


@pytest.mark.parametrize(("millions", "name"), [(2.7, "wrn_16_4"), (36.5, "wrn_28_10"), (8.9, "wrn_40_4")])
def test_parameters_are_those_of_the_paper(millions, name):
    assert int(zoo.find(name).parameters / 1e5) / 10 == pytest.approx(millions, abs=0.11)


def test_a_block_keeps_its_picture_untouched_beside_the_correction():
    torch.manual_seed(0)
    block, x = PreActivatedBlock(8, 8, 1), torch.randn(2, 8, 5, 5)
    nn.init.zeros_(block.conv2.weight)
    assert torch.equal(block(x), x)


def test_a_projection_sees_the_activated_picture():
    torch.manual_seed(0)
    block, x = PreActivatedBlock(8, 12, 2), torch.randn(2, 8, 5, 7)
    nn.init.zeros_(block.conv2.weight)
    torch.testing.assert_close(block(x), block.projection(block.norm1(x).relu()))
    assert block(x).shape == (2, 12, 3, 4)


@pytest.mark.parametrize(("side", "expected"), [(32, [32, 32, 16, 8]), (27, [27, 27, 14, 7])])
def test_map_sizes(side, expected, sides):
    assert sides("wrn_16_4", side) == expected
