"""EfficientNet (Tan, Le 2019, arXiv:1905.11946): one small network that a search found, and a rule that makes it larger.

A larger picture wants more layers (to see as much of it) and more channels (for its finer patterns), so depth, width and side grow
together: by 1.2, 1.1 and 1.15 for each doubling of the cost. The factors that were published for the members (`SCALINGS`) follow
these steps only roughly. All networks here are B0 multiplied by its member's factors: widths to the nearest multiple of 8, but
never below 90 %, and depths up.

    B0 at 224 px   stem      stage1    stage2    stage3   stage4   stage5     stage6     stage7     stage8
                   32        1 x 16    2 x 24    2 x 40   3 x 80   3 x 112    4 x 192    1 x 320    1280
    maps           112x112   112x112   56x56     28x28    14x14    14x14      7x7        7x7        7x7
    kernel         3         3          3        5        3        5          5          3          1
    expansion                1          6        6        6        6          6          6

    member         B0     B1     B2     B3     B4     B5     B6     B7     L2
    width          1.0    1.0    1.1    1.2    1.4    1.6    1.8    2.0    4.3
    depth          1.0    1.1    1.2    1.4    1.8    2.2    2.6    3.1    5.3
    side in px     224    240    260    300    380    456    528    600    800

L2 is from a later paper (Xie, Luong, Hovy, Le 2019, arXiv:1911.04252), by the same rule.

Differs from the paper: norms have PyTorch's momentum, and except in B5 to B7 its epsilon. Stochastic depth is off unless `survival` is given (paper: 0.8
for the last block). Small pictures: the small stem has stride 1, so 28 px end as 2 (else 1).
"""

from __future__ import annotations

from collections import OrderedDict
from functools import partial
from math import ceil
from typing import NamedTuple

from torch import nn

from wiesel.blocks import initialisation
from wiesel.blocks.conv_norm import conv_norm, set_epsilon
from wiesel.blocks.linear_head import linear_head
from wiesel.blocks.mbconv import MBConv
from wiesel.blocks.squeeze_excite import SqueezeExcite
from wiesel.blocks.stem import Stem, is_small
from wiesel.blocks.stochastic_depth import linear_decay
from wiesel.blocks.width import multiple_of_8
from wiesel.zoo.network import Network


class Stage(NamedTuple):
    """`depth` MBConv blocks, of which the first has the `stride` and brings the `width`."""

    expansion: int
    kernel: int
    stride: int
    width: int
    depth: int


class Scaling(NamedTuple):
    """Factors on B0's widths and depths, the side of the pictures in px, and the dropout that goes with this much capacity."""

    width: float
    depth: float
    side: int
    dropout: float


B0 = (
    Stage(expansion=1, kernel=3, stride=1, width=16, depth=1),
    Stage(expansion=6, kernel=3, stride=2, width=24, depth=2),
    Stage(expansion=6, kernel=5, stride=2, width=40, depth=2),
    Stage(expansion=6, kernel=3, stride=2, width=80, depth=3),
    Stage(expansion=6, kernel=5, stride=1, width=112, depth=3),
    Stage(expansion=6, kernel=5, stride=2, width=192, depth=4),
    Stage(expansion=6, kernel=3, stride=1, width=320, depth=1),
)
STEM_WIDTH = 32
LAST_WIDTH = 1280

EPSILONS = {"b5": 1e-3, "b6": 1e-3, "b7": 1e-3}
"""The authors' code has 1e-3 throughout, but the weights in general use (torchvision) were made with it from B5 only."""

SCALINGS = {
    "b0": Scaling(width=1.0, depth=1.0, side=224, dropout=0.2),
    "b1": Scaling(width=1.0, depth=1.1, side=240, dropout=0.2),
    "b2": Scaling(width=1.1, depth=1.2, side=260, dropout=0.3),
    "b3": Scaling(width=1.2, depth=1.4, side=300, dropout=0.3),
    "b4": Scaling(width=1.4, depth=1.8, side=380, dropout=0.4),
    "b5": Scaling(width=1.6, depth=2.2, side=456, dropout=0.4),
    "b6": Scaling(width=1.8, depth=2.6, side=528, dropout=0.5),
    "b7": Scaling(width=2.0, depth=3.1, side=600, dropout=0.5),
    "l2": Scaling(width=4.3, depth=5.3, side=800, dropout=0.5),
}


def scaled(stages: tuple[Stage, ...], scaling: Scaling) -> tuple[Stage, ...]:
    """The stages with wider and more blocks. A part of a block is a whole one."""
    return tuple(
        stage._replace(width=multiple_of_8(stage.width * scaling.width), depth=ceil(stage.depth * scaling.depth))
        for stage in stages
    )


def _efficientnet(
    member: str,
    classes: int,
    channels: int,
    size: tuple[int, int],
    stem: Stem = "auto",
    survival: float = 1.0,
) -> Network:
    """`stem` "auto": "small" if a side is below 64 px, else "imagenet". `survival` is that of the last block."""
    scaling = SCALINGS[member]
    stages = scaled(B0, scaling)
    survivals = linear_decay(sum(stage.depth for stage in stages), survival)
    channels_in, last_width = multiple_of_8(STEM_WIDTH * scaling.width), multiple_of_8(LAST_WIDTH * scaling.width)
    layers: OrderedDict[str, nn.Module] = OrderedDict(
        stem=conv_norm(channels, channels_in, kernel=3, stride=1 if is_small(stem, size) else 2, activation=nn.SiLU)
    )
    for number, stage in enumerate(stages, start=1):
        layers[f"stage{number}"] = _stage(channels_in, stage, survivals[: stage.depth])
        channels_in, survivals = stage.width, survivals[stage.depth :]
    layers[f"stage{len(stages) + 1}"] = conv_norm(channels_in, last_width, kernel=1, activation=nn.SiLU)
    network = Network(nn.Sequential(layers), linear_head(last_width, classes, scaling.dropout))
    set_epsilon(network, EPSILONS.get(member, 1e-5))
    initialisation.he(network)
    return network


def _stage(channels_in: int, stage: Stage, survivals: list[float]) -> nn.Sequential:
    blocks: OrderedDict[str, nn.Module] = OrderedDict()
    for number, survival in enumerate(survivals, start=1):
        expanded = channels_in * stage.expansion
        # Squeezed to a quarter of the narrow maps, not of the wide ones.
        squeeze_excite = SqueezeExcite(expanded, channels_in // 4, activation=nn.SiLU)
        stride = stage.stride if number == 1 else 1
        blocks[f"block{number}"] = MBConv(
            channels_in, expanded, stage.width, stage.kernel, stride, nn.SiLU, squeeze_excite, survival
        )
        channels_in = stage.width
    return nn.Sequential(blocks)


efficientnet_b0 = partial(_efficientnet, "b0")
efficientnet_b1 = partial(_efficientnet, "b1")
efficientnet_b2 = partial(_efficientnet, "b2")
efficientnet_b3 = partial(_efficientnet, "b3")
efficientnet_b4 = partial(_efficientnet, "b4")
efficientnet_b5 = partial(_efficientnet, "b5")
efficientnet_b6 = partial(_efficientnet, "b6")
efficientnet_b7 = partial(_efficientnet, "b7")
efficientnet_l2 = partial(_efficientnet, "l2")
