"""MobileNetV2 (Sandler et al. 2018, arXiv:1801.04381) and MobileNetV3 (Howard et al. 2019, arXiv:1905.02244).

Made of MBConv, the inverted bottleneck: a depthwise convolution and a 1x1 together cost an eighth of a full 3x3, so these networks
fit into a telephone. V3 was found by a search that measured time on one: it adds squeeze and excitation where that pays, and
hardswish, a SiLU made of a parabola between two straight lines, in the later half.

    at 224 px   stem      stage1    stage2   stage3   stage4   stage5   stage6    stage7    stage8   head
    V2          32        1 x 16    2 x 24   3 x 32   4 x 64   3 x 96   3 x 160   1 x 320   1280
    maps        112x112   112x112   56x56    28x28    14x14    14x14    7x7       7x7       7x7
    V3 large    16        1 x 16    2 x 24   3 x 40   4 x 80   2 x 112  3 x 160   960                1280, classes
    maps        112x112   112x112   56x56    28x28    14x14    14x14    7x7       7x7
    V3 small    16        1 x 16    2 x 24   3 x 40   2 x 48   3 x 96   576                          1024, classes
    maps        112x112   56x56     28x28    14x14    14x14    7x7      7x7

Differs from the papers: norms have PyTorch's momentum, and in V2 its epsilon. Small pictures: the small stem has stride 1, so 28 px end as 2
(else 1).
"""

from __future__ import annotations

from collections import OrderedDict
from functools import partial
from typing import NamedTuple

from torch import nn

from wiesel.blocks import initialisation
from wiesel.blocks.conv_norm import conv_norm, set_epsilon
from wiesel.blocks.linear_head import linear_head
from wiesel.blocks.mbconv import MBConv
from wiesel.blocks.squeeze_excite import SqueezeExcite
from wiesel.blocks.stem import Stem, is_small
from wiesel.blocks.width import multiple_of_8
from wiesel.zoo.network import Network

V3_EPSILON = 1e-3
"""Of the authors' code, hence of the weights made with it."""


class Cell(NamedTuple):
    """One MBConv: `expanded` channels within, `width` at its end; `excite` is squeeze and excitation, `hard` is hardswish."""

    kernel: int
    expanded: int
    width: int
    excite: bool
    hard: bool
    stride: int


V2 = (
    # expansion, width, depth, stride of the first block: table 2
    (1, 16, 1, 1),
    (6, 24, 2, 2),
    (6, 32, 3, 2),
    (6, 64, 4, 2),
    (6, 96, 3, 1),
    (6, 160, 3, 2),
    (6, 320, 1, 1),
)

V3_LARGE = (
    # kernel, expanded, width, excite, hard, stride: table 1
    (Cell(3, 16, 16, False, False, 1),),
    (Cell(3, 64, 24, False, False, 2), Cell(3, 72, 24, False, False, 1)),
    (Cell(5, 72, 40, True, False, 2), Cell(5, 120, 40, True, False, 1), Cell(5, 120, 40, True, False, 1)),
    (
        Cell(3, 240, 80, False, True, 2),
        Cell(3, 200, 80, False, True, 1),
        Cell(3, 184, 80, False, True, 1),
        Cell(3, 184, 80, False, True, 1),
    ),
    (Cell(3, 480, 112, True, True, 1), Cell(3, 672, 112, True, True, 1)),
    (Cell(5, 672, 160, True, True, 2), Cell(5, 960, 160, True, True, 1), Cell(5, 960, 160, True, True, 1)),
)

V3_SMALL = (
    # kernel, expanded, width, excite, hard, stride: table 2
    (Cell(3, 16, 16, True, False, 2),),
    (Cell(3, 72, 24, False, False, 2), Cell(3, 88, 24, False, False, 1)),
    (Cell(5, 96, 40, True, True, 2), Cell(5, 240, 40, True, True, 1), Cell(5, 240, 40, True, True, 1)),
    (Cell(5, 120, 48, True, True, 1), Cell(5, 144, 48, True, True, 1)),
    (Cell(5, 288, 96, True, True, 2), Cell(5, 576, 96, True, True, 1), Cell(5, 576, 96, True, True, 1)),
)


def mobilenet_v2(classes: int, channels: int, size: tuple[int, int], stem: Stem = "auto") -> Network:
    """`stem` "auto": "small" if a side is below 64 px, else "imagenet"."""
    channels_in, last_width = 32, 1280
    stages: OrderedDict[str, nn.Module] = OrderedDict(
        stem=conv_norm(channels, channels_in, kernel=3, stride=1 if is_small(stem, size) else 2, activation=nn.ReLU6)
    )
    for number, (expansion, width, depth, stride) in enumerate(V2, start=1):
        blocks: OrderedDict[str, nn.Module] = OrderedDict()
        for block in range(1, depth + 1):
            expanded = channels_in * expansion
            blocks[f"block{block}"] = MBConv(channels_in, expanded, width, 3, stride if block == 1 else 1, nn.ReLU6)
            channels_in = width
        stages[f"stage{number}"] = nn.Sequential(blocks)
    stages[f"stage{len(V2) + 1}"] = conv_norm(channels_in, last_width, kernel=1, activation=nn.ReLU6)
    network = Network(nn.Sequential(stages), linear_head(last_width, classes, dropout=0.2))
    initialisation.he(network)
    return network


def _mobilenet_v3(
    cells: tuple[tuple[Cell, ...], ...],
    head_width: int,
    classes: int,
    channels: int,
    size: tuple[int, int],
    stem: Stem = "auto",
) -> Network:
    """`stem` "auto": "small" if a side is below 64 px, else "imagenet"."""
    channels_in = 16
    stages: OrderedDict[str, nn.Module] = OrderedDict(
        stem=conv_norm(channels, channels_in, kernel=3, stride=1 if is_small(stem, size) else 2, activation=nn.Hardswish)
    )
    for number, stage in enumerate(cells, start=1):
        blocks: OrderedDict[str, nn.Module] = OrderedDict()
        for block, cell in enumerate(stage, start=1):
            blocks[f"block{block}"] = _mbconv(channels_in, cell)
            channels_in = cell.width
        stages[f"stage{number}"] = nn.Sequential(blocks)
    last_width = 6 * channels_in
    stages[f"stage{len(cells) + 1}"] = conv_norm(channels_in, last_width, kernel=1, activation=nn.Hardswish)
    # The head's first layer used to be a convolution; after the pool it costs 1/49 of that.
    head = nn.Sequential(
        OrderedDict(
            pool=nn.AdaptiveAvgPool2d(1),
            flatten=nn.Flatten(),
            linear1=nn.Linear(last_width, head_width),
            activation=nn.Hardswish(),
            dropout=nn.Dropout(0.2),
            linear2=nn.Linear(head_width, classes),
        )
    )
    network = Network(nn.Sequential(stages), head)
    set_epsilon(network, V3_EPSILON)
    initialisation.he(network)
    return network


def _mbconv(channels_in: int, cell: Cell) -> MBConv:
    # Squeezed to a quarter of the wide maps; in EfficientNet it is a quarter of the narrow ones.
    squeezed = multiple_of_8(cell.expanded / 4)
    squeeze_excite = SqueezeExcite(cell.expanded, squeezed, gate=nn.Hardsigmoid) if cell.excite else None
    activation = nn.Hardswish if cell.hard else nn.ReLU
    return MBConv(channels_in, cell.expanded, cell.width, cell.kernel, cell.stride, activation, squeeze_excite)


mobilenet_v3_large = partial(_mobilenet_v3, V3_LARGE, 1280)
mobilenet_v3_small = partial(_mobilenet_v3, V3_SMALL, 1024)
