import pytest
import torch
import torchvision
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from wiesel import zoo
from wiesel.blocks.mbconv import MBConv
from wiesel.blocks.stochastic_depth import StochasticDepth
from wiesel.zoo.efficientnet import B0, SCALINGS, scaled

# Stem and last width around the widths of the seven stages, then their depths, as the authors' code builds them
# (tensorflow/tpu, efficientnet_builder.py, from its rounding rules), and the side of the pictures.
MEMBERS = {
    "b0": ((32, 16, 24, 40, 80, 112, 192, 320, 1280), (1, 2, 2, 3, 3, 4, 1), 224),
    "b1": ((32, 16, 24, 40, 80, 112, 192, 320, 1280), (2, 3, 3, 4, 4, 5, 2), 240),
    "b2": ((32, 16, 24, 48, 88, 120, 208, 352, 1408), (2, 3, 3, 4, 4, 5, 2), 260),
    "b3": ((40, 24, 32, 48, 96, 136, 232, 384, 1536), (2, 3, 3, 5, 5, 6, 2), 300),
    "b4": ((48, 24, 32, 56, 112, 160, 272, 448, 1792), (2, 4, 4, 6, 6, 8, 2), 380),
    "b5": ((48, 24, 40, 64, 128, 176, 304, 512, 2048), (3, 5, 5, 7, 7, 9, 3), 456),
    "b6": ((56, 32, 40, 72, 144, 200, 344, 576, 2304), (3, 6, 6, 8, 8, 11, 3), 528),
    "b7": ((64, 32, 48, 80, 160, 224, 384, 640, 2560), (4, 7, 7, 10, 10, 13, 4), 600),
    "l2": ((136, 72, 104, 176, 344, 480, 824, 1376, 5504), (6, 11, 11, 16, 16, 22, 6), 800),
}


@pytest.mark.parametrize("member", MEMBERS)
def test_every_member_is_b0_scaled(member):
    widths, depths, side = MEMBERS[member]
    scaling, stages = SCALINGS[member], scaled(B0, SCALINGS[member])
    assert tuple(stage.width for stage in stages) == widths[1:-1]
    assert tuple(stage.depth for stage in stages) == depths
    assert [stage._replace(width=0, depth=0) for stage in stages] == [stage._replace(width=0, depth=0) for stage in B0]
    assert zoo.find(f"efficientnet_{member}").input == (3, side, side) == (3, scaling.side, scaling.side)
    with torch.device("meta"):
        network = zoo.build(f"efficientnet_{member}", channels=3)
    last_norms = [[m for m in stage.modules() if isinstance(m, nn.BatchNorm2d)][-1] for stage in network.features]
    assert tuple(norm.num_features for norm in last_norms) == widths
    assert tuple(sum(isinstance(m, MBConv) for m in stage.modules()) for stage in list(network.features)[1:-1]) == depths
    assert network.head.dropout.p == scaling.dropout


def test_logits_equal_torchvision_s_with_the_same_weights(same_logits):
    same_logits("efficientnet_b0", torchvision.models.efficientnet_b0(), 75, 64)


def test_b2_costs_what_torchvision_counts_at_288_pixels():
    with torch.device("meta"), torch.no_grad():
        network = zoo.build("efficientnet_b2", classes=1000, channels=3).eval()
        with FlopCounterMode(display=False) as counter:
            network(torch.zeros(1, 3, 288, 288))
    # torchvision 0.29.1, EfficientNet_B2_Weights.IMAGENET1K_V1, `_ops`
    assert counter.get_total_flops() / 2e9 == pytest.approx(1.088, rel=0.005)


@pytest.mark.parametrize(
    ("side", "stem", "expected"),
    [
        (28, "auto", [28, 28, 14, 7, 4, 4, 2, 2, 2]),
        (28, "imagenet", [14, 14, 7, 4, 2, 2, 1, 1, 1]),
        (224, "auto", [112, 112, 56, 28, 14, 14, 7, 7, 7]),
    ],
)
def test_map_sizes(side, stem, expected, sides):
    assert sides("efficientnet_b0", side, stem=stem) == expected


def test_stochastic_depth_is_off_unless_asked_for_and_grows_with_depth():
    def survivals(network):
        return [layer.survival for layer in network.modules() if isinstance(layer, StochasticDepth)]

    with torch.device("meta"):
        assert set(survivals(zoo.build("efficientnet_b0"))) == {1.0}
        found = survivals(zoo.build("efficientnet_b0", survival=0.8))
    # 16 blocks; these of them have a shortcut, which is what stays when the correction goes.
    assert found == pytest.approx([1 - number / 16 * 0.2 for number in (3, 5, 7, 8, 10, 11, 13, 14, 15)])
