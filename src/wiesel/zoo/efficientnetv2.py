"""EfficientNetV2 (Tan, Le 2021, arXiv:2104.00298).

EfficientNet's depthwise convolutions save multiplications, but on large maps they save no time: processors wait for memory there.
So the early stages have "fused" MBConv, which widen by a full 3x3, and the search was for training time.

    S at 384 px     stem      stage1    stage2   stage3   stage4    stage5    stage6     stage7
                    24        2 x 24    4 x 48   4 x 64   6 x 128   9 x 160   15 x 256   1280
    maps            192x192   192x192   96x96    48x48    24x24     24x24     12x12      12x12
    expansion                 1         4        4        4         6         6
                              fused     fused    fused    excite    excite    excite

Differs from the paper: norms have PyTorch's momentum. Stochastic depth is off unless `survival` is given (paper: 0.8
for the last block). Small pictures: the small stem has stride 1, so 28 px end as 2 (else 1).
"""

from __future__ import annotations

from collections import OrderedDict
from functools import partial
from typing import NamedTuple

from torch import Tensor, nn

from wiesel.blocks import initialisation
from wiesel.blocks.conv_norm import conv_norm, set_epsilon
from wiesel.blocks.linear_head import linear_head
from wiesel.blocks.mbconv import MBConv
from wiesel.blocks.squeeze_excite import SqueezeExcite
from wiesel.blocks.stem import Stem, is_small
from wiesel.blocks.stochastic_depth import StochasticDepth, linear_decay
from wiesel.zoo.network import Network


class Stage(NamedTuple):
    """`depth` blocks of 3x3, of which the first has the `stride` and brings the `width`."""

    fused: bool
    expansion: int
    stride: int
    width: int
    depth: int


S = (
    Stage(fused=True, expansion=1, stride=1, width=24, depth=2),
    Stage(fused=True, expansion=4, stride=2, width=48, depth=4),
    Stage(fused=True, expansion=4, stride=2, width=64, depth=4),
    Stage(fused=False, expansion=4, stride=2, width=128, depth=6),
    Stage(fused=False, expansion=6, stride=1, width=160, depth=9),
    Stage(fused=False, expansion=6, stride=2, width=256, depth=15),
)
STEM_WIDTH = 24
LAST_WIDTH = 1280
EPSILON = 1e-3
"""Of the authors' code, hence of the weights made with it."""


class FusedMBConv(nn.Module):
    """A 3x3 that widens, a 1x1 that narrows: (B, Cin, H, W) -> (B, Cout, ceil(H/stride), ceil(W/stride)).

    Without anything to widen it is one 3x3. The shortcut is left out where shapes differ.
    """

    def __init__(self, channels_in: int, expanded: int, channels_out: int, stride: int, survival: float) -> None:
        super().__init__()
        widens = expanded != channels_in
        self.expand = conv_norm(channels_in, expanded if widens else channels_out, 3, stride, activation=nn.SiLU)
        self.project = conv_norm(expanded, channels_out, kernel=1) if widens else None
        same_shape = stride == 1 and channels_in == channels_out
        self.stochastic_depth = StochasticDepth(survival) if same_shape else None

    def forward(self, x: Tensor) -> Tensor:
        correction: Tensor = self.expand(x)
        if self.project is not None:
            correction = self.project(correction)
        if self.stochastic_depth is None:
            return correction
        y: Tensor = x + self.stochastic_depth(correction)
        return y


def _efficientnetv2(
    table: tuple[Stage, ...],
    classes: int,
    channels: int,
    size: tuple[int, int],
    stem: Stem = "auto",
    survival: float = 1.0,
) -> Network:
    """`stem` "auto": "small" if a side is below 64 px, else "imagenet". `survival` is that of the last block."""
    survivals = linear_decay(sum(stage.depth for stage in table), survival)
    channels_in = STEM_WIDTH
    stages: OrderedDict[str, nn.Module] = OrderedDict(
        stem=conv_norm(channels, channels_in, kernel=3, stride=1 if is_small(stem, size) else 2, activation=nn.SiLU)
    )
    for number, stage in enumerate(table, start=1):
        blocks: OrderedDict[str, nn.Module] = OrderedDict()
        for block in range(1, stage.depth + 1):
            stride = stage.stride if block == 1 else 1
            blocks[f"block{block}"] = _block(channels_in, stage, stride, survivals.pop(0))
            channels_in = stage.width
        stages[f"stage{number}"] = nn.Sequential(blocks)
    stages[f"stage{len(table) + 1}"] = conv_norm(channels_in, LAST_WIDTH, kernel=1, activation=nn.SiLU)
    network = Network(nn.Sequential(stages), linear_head(LAST_WIDTH, classes, dropout=0.2))
    set_epsilon(network, EPSILON)
    initialisation.he(network)
    return network


def _block(channels_in: int, stage: Stage, stride: int, survival: float) -> nn.Module:
    expanded = channels_in * stage.expansion
    if stage.fused:
        return FusedMBConv(channels_in, expanded, stage.width, stride, survival)
    squeeze_excite = SqueezeExcite(expanded, channels_in // 4, activation=nn.SiLU)
    return MBConv(channels_in, expanded, stage.width, 3, stride, nn.SiLU, squeeze_excite, survival)


efficientnetv2_s = partial(_efficientnetv2, S)
