import pytest
import torch
import torchvision
from torch import nn

from wiesel import zoo
from wiesel.blocks.mbconv import MBConv
from wiesel.blocks.squeeze_excite import SqueezeExcite


@pytest.mark.parametrize("name", ["mobilenet_v2", "mobilenet_v3_small", "mobilenet_v3_large"])
def test_logits_equal_torchvision_s_with_the_same_weights(name, same_logits):
    same_logits(name, getattr(torchvision.models, name)(), 75, 64)


@pytest.mark.parametrize(
    ("name", "side", "stem", "expected"),
    [
        ("mobilenet_v2", 224, "auto", [112, 112, 56, 28, 14, 14, 7, 7, 7]),
        ("mobilenet_v2", 28, "auto", [28, 28, 14, 7, 4, 4, 2, 2, 2]),
        ("mobilenet_v2", 28, "imagenet", [14, 14, 7, 4, 2, 2, 1, 1, 1]),
        ("mobilenet_v3_large", 224, "auto", [112, 112, 56, 28, 14, 14, 7, 7]),
        ("mobilenet_v3_small", 224, "auto", [112, 56, 28, 14, 14, 7, 7]),
        ("mobilenet_v3_small", 28, "auto", [28, 14, 7, 4, 4, 2, 2]),
    ],
)
def test_map_sizes(name, side, stem, expected, sides):
    assert sides(name, side, stem=stem) == expected


@pytest.mark.parametrize(("name", "blocks", "excited"), [("large", 15, 8), ("small", 11, 9)])
def test_v3_excites_where_the_tables_of_the_paper_say(name, blocks, excited):
    with torch.device("meta"):
        found = [m for m in zoo.build(f"mobilenet_v3_{name}").modules() if isinstance(m, MBConv)]
    assert len(found) == blocks
    assert sum(isinstance(m.squeeze_excite, SqueezeExcite) for m in found) == excited


def test_v2_has_17_blocks_and_no_activation_but_relu6():
    with torch.device("meta"):
        modules = list(zoo.build("mobilenet_v2").modules())
    assert sum(isinstance(m, MBConv) for m in modules) == 17
    assert not [m for m in modules if isinstance(m, (nn.ReLU, nn.SiLU, nn.Hardswish))]
