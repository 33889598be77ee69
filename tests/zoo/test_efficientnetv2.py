import pytest
import torch
import torchvision

from wiesel import zoo
from wiesel.blocks.mbconv import MBConv
from wiesel.zoo.efficientnetv2 import FusedMBConv


def test_logits_equal_torchvision_s_with_the_same_weights(same_logits):
    same_logits("efficientnetv2_s", torchvision.models.efficientnet_v2_s(), 75, 64)


def test_the_early_stages_are_fused():
    with torch.device("meta"):
        network = zoo.build("efficientnetv2_s")
    found = [[type(block) for block in stage] for stage in list(network.features)[1:-1]]
    assert found == [[FusedMBConv] * n for n in (2, 4, 4)] + [[MBConv] * n for n in (6, 9, 15)]


def test_a_fused_block_is_its_picture_plus_the_correction():
    torch.manual_seed(0)
    x = torch.randn(2, 8, 7, 6)
    block = FusedMBConv(8, 32, 8, stride=1, survival=1.0).eval()
    torch.testing.assert_close(block(x), x + block.project(block.expand(x)))
    single = FusedMBConv(8, 8, 8, stride=1, survival=1.0).eval()
    assert single.project is None
    torch.testing.assert_close(single(x), x + single.expand(x))
    assert FusedMBConv(8, 8, 12, stride=2, survival=1.0)(x).shape == (2, 12, 4, 3)
    down = FusedMBConv(8, 32, 12, stride=2, survival=1.0).eval()
    assert down(x).shape == (2, 12, 4, 3)
    assert down.stochastic_depth is None


@pytest.mark.parametrize(
    ("side", "stem", "expected"),
    [(384, "auto", [192, 192, 96, 48, 24, 24, 12, 12]), (28, "auto", [28, 28, 14, 7, 4, 4, 2, 2])],
)
def test_map_sizes(side, stem, expected, sides):
    assert sides("efficientnetv2_s", side, stem=stem) == expected
