"""RegNetY (Radosavovic, Kosaraju, Girshick, He, Dollár 2020, arXiv:2003.13678).

Not one network but a rule: good networks, of thousands tried, get wider along a straight line. Block j wants u = w0 + wa * j
channels; it gets the nearest of w0, w0 wm, w0 wm², ... (measured by their logarithms), and blocks of equal width form a stage. So
five numbers say it all.

    at 224 px        stem      stage1    stage2     stage3     stage4     w0   wa      wm     blocks   channels of a group
    regnet_y_400mf   32        1 x 48    3 x 104    6 x 208    6 x 440    48   27.89   2.09   16       8
    regnet_y_800mf   32        1 x 64    3 x 144    8 x 320    2 x 784    56   38.84   2.4    14       16
    maps             112x112   56x56     28x28      14x14      7x7

A block is a bottleneck of even width: 1x1, 3x3 in groups, squeeze and excitation (the Y; a quarter of the channels that enter the
block), 1x1, around a shortcut. In the end all widths are multiples of the group's.

Differs from the paper: blocks may start as the identity (`zero_init_last_norm`), and half a group is rounded up, as torchvision
does. The authors' code rounds it to an even number of groups, so its regnet_y_800mf has widths of 128 and 768, and 6.3 instead of
6.4 million parameters. Small pictures: the small stem has stride 1, so 28 px end as 2 (else 1).
"""

from __future__ import annotations

from collections import OrderedDict
from functools import partial
from itertools import groupby
from math import log

from torch import Tensor, nn

from wiesel.blocks import initialisation
from wiesel.blocks.conv_norm import conv, conv_norm
from wiesel.blocks.linear_head import linear_head
from wiesel.blocks.squeeze_excite import SqueezeExcite
from wiesel.blocks.stem import Stem, is_small
from wiesel.zoo.network import Network
from wiesel.zoo.resnet import projection

STEM_WIDTH = 32


def widths(first: int, slope: float, factor: float, blocks: int, group: int) -> list[int]:
    """The width of each block: w0, wa and wm of section 3.3, equations 2 to 4, as multiples of 8 and then of `group`.

    >>> widths(48, 27.89, 2.09, 16, 8)
    [48, 104, 104, 104, 208, 208, 208, 208, 208, 208, 440, 440, 440, 440, 440, 440]
    """
    found = []
    for block in range(blocks):
        step = round(log((first + slope * block) / first, factor))
        of_eight = 8 * round(first * factor**step / 8)
        found.append(group * int(of_eight / group + 0.5))
    return found


class YBlock(nn.Module):
    """A bottleneck that does not narrow: (B, Cin, H, W) -> (B, width, ceil(H/stride), ceil(W/stride))."""

    def __init__(self, channels_in: int, width: int, stride: int, group: int) -> None:
        super().__init__()
        self.shortcut = projection(channels_in, width, stride)
        self.conv1 = conv(channels_in, width, kernel=1)
        self.norm1 = nn.BatchNorm2d(width)
        self.relu1 = nn.ReLU()
        self.conv2 = conv(width, width, kernel=3, stride=stride, groups=width // group)
        self.norm2 = nn.BatchNorm2d(width)
        self.relu2 = nn.ReLU()
        self.squeeze_excite = SqueezeExcite(width, round(channels_in / 4))
        self.conv3 = conv(width, width, kernel=1)
        self.norm3 = nn.BatchNorm2d(width)
        self.relu3 = nn.ReLU()

    @property
    def last_norm(self) -> nn.BatchNorm2d:
        return self.norm3

    def forward(self, x: Tensor) -> Tensor:
        correction = self.relu1(self.norm1(self.conv1(x)))
        correction = self.relu2(self.norm2(self.conv2(correction)))
        correction = self.norm3(self.conv3(self.squeeze_excite(correction)))
        y: Tensor = self.relu3(self.shortcut(x) + correction)
        return y


def _regnet_y(
    first: int,
    slope: float,
    factor: float,
    blocks: int,
    group: int,
    classes: int,
    channels: int,
    size: tuple[int, int],
    stem: Stem = "auto",
    zero_init_last_norm: bool = True,
) -> Network:
    """`stem` "auto": "small" if a side is below 64 px, else "imagenet"."""
    channels_in = STEM_WIDTH
    stages: OrderedDict[str, nn.Module] = OrderedDict(
        stem=conv_norm(channels, channels_in, kernel=3, stride=1 if is_small(stem, size) else 2, activation=nn.ReLU)
    )
    for number, (width, equal) in enumerate(groupby(widths(first, slope, factor, blocks, group)), start=1):
        layers: OrderedDict[str, nn.Module] = OrderedDict()
        for block, _ in enumerate(equal, start=1):
            layers[f"block{block}"] = YBlock(channels_in, width, 2 if block == 1 else 1, group)
            channels_in = width
        stages[f"stage{number}"] = nn.Sequential(layers)
    network = Network(nn.Sequential(stages), linear_head(channels_in, classes))
    initialisation.he(network)
    if zero_init_last_norm:
        initialisation.zero_last_norms(network)
    return network


regnet_y_400mf = partial(_regnet_y, 48, 27.89, 2.09, 16, 8)
regnet_y_800mf = partial(_regnet_y, 56, 38.84, 2.4, 14, 16)
