"""DenseNet (Huang, Liu, van der Maaten, Weinberger 2016, arXiv:1608.06993).

A layer sees the maps of all layers before it in its stage and adds `growth` new ones to the pile. Nothing that was found is lost or
has to be found again, so layers can be very narrow. Between stages a transition halves the number of maps and their size.

    at 224 px           stem 56x56   stage1 56x56   stage2 28x28   stage3 14x14   stage4 7x7   growth
    densenet121         64           6 -> 256       12 -> 512      24 -> 1024     16 -> 1024   32
    densenet169         64           6 -> 256       12 -> 512      32 -> 1280     32 -> 1664   32

    at 32 px            stem 32x32   stage1 32x32   stage2 16x16   stage3 8x8
    densenet_bc_100     24           16 -> 216      16 -> 300      16 -> 342                   12

All have bottlenecks (B): a 1x1 convolution to four times the growth comes before the 3x3; and compression (C): the halving in the
transitions. Small pictures: the small stem of the first two is a 3x3 with stride 1 and no pool. densenet_bc_100 is the paper's
network for CIFAR, 100 layers with growth 12, at any size.
"""

from __future__ import annotations

from collections import OrderedDict
from functools import partial

import torch
from torch import Tensor, nn

from wiesel.blocks import initialisation
from wiesel.blocks.conv_norm import conv, conv_norm
from wiesel.blocks.linear_head import linear_head
from wiesel.blocks.stem import Stem, is_small
from wiesel.zoo.network import Network

BOTTLENECK = 4


class DenseLayer(nn.Module):
    """The maps, and `growth` more behind them: (B, C, H, W) -> (B, C + growth, H, W)."""

    def __init__(self, channels_in: int, growth: int) -> None:
        super().__init__()
        width = BOTTLENECK * growth
        self.norm1 = nn.BatchNorm2d(channels_in)
        self.relu1 = nn.ReLU()
        self.conv1 = conv(channels_in, width, kernel=1)
        self.norm2 = nn.BatchNorm2d(width)
        self.relu2 = nn.ReLU()
        self.conv2 = conv(width, growth, kernel=3)

    def forward(self, maps: Tensor) -> Tensor:
        new = self.conv1(self.relu1(self.norm1(maps)))
        new = self.conv2(self.relu2(self.norm2(new)))
        return torch.cat((maps, new), dim=1)


def _transition(channels_in: int) -> nn.Sequential:
    """Half the maps at half the size: (B, C, H, W) -> (B, C/2, H/2, W/2), all rounded down."""
    return nn.Sequential(
        OrderedDict(
            norm=nn.BatchNorm2d(channels_in),
            relu=nn.ReLU(),
            conv=conv(channels_in, channels_in // 2, kernel=1),
            pool=nn.AvgPool2d(2),
        )
    )


def _densenet(growth: int, depths: tuple[int, ...], stem: nn.Sequential, shrinks: int, stem_width: int, classes: int) -> Network:
    """`shrinks`: how many times the stem halves the picture."""
    stages: OrderedDict[str, nn.Module] = OrderedDict(stem=stem)
    channels_in = stem_width
    for number, depth in enumerate(depths, start=1):
        layers: OrderedDict[str, nn.Module] = OrderedDict()
        if number > 1:
            layers["transition"] = _transition(channels_in)
            channels_in //= 2
        for layer in range(1, depth + 1):
            layers[f"layer{layer}"] = DenseLayer(channels_in, growth)
            channels_in += growth
        if number == len(depths):
            layers["norm"], layers["relu"] = nn.BatchNorm2d(channels_in), nn.ReLU()
        stages[f"stage{number}"] = nn.Sequential(layers)
    # The transitions round down, so they need this many pixels; the stem rounds up, so one pixel more than makes one fewer will do.
    after_stem = 2 ** (len(depths) - 1)
    needed = (after_stem - 1) * 2**shrinks + 1
    network = Network(nn.Sequential(stages), linear_head(channels_in, classes), smallest=(needed, needed))
    initialisation.he(network)
    return network


def _densenet_imagenet(depths: tuple[int, ...], classes: int, channels: int, size: tuple[int, int], stem: Stem = "auto") -> Network:
    """`stem` "auto": "small" if a side is below 64 px, else "imagenet"."""
    growth = 32
    width = 2 * growth
    if is_small(stem, size):
        return _densenet(growth, depths, conv_norm(channels, width, kernel=3, activation=nn.ReLU), 0, width, classes)
    layers = conv_norm(channels, width, kernel=7, stride=2, activation=nn.ReLU)
    layers.add_module("pool", nn.MaxPool2d(3, stride=2, padding=1))
    return _densenet(growth, depths, layers, 2, width, classes)


def _densenet_bc(depth: int, growth: int, classes: int, channels: int, size: tuple[int, int]) -> Network:
    """`depth` is 6n + 4: three stages of n layers of two convolutions. `size` is not needed; the paper's pictures are of 32 px."""
    width = 2 * growth
    stem = nn.Sequential(OrderedDict(conv=conv(channels, width, kernel=3)))
    return _densenet(growth, ((depth - 4) // 6,) * 3, stem, 0, width, classes)


densenet121 = partial(_densenet_imagenet, (6, 12, 24, 16))
densenet169 = partial(_densenet_imagenet, (6, 12, 32, 32))
densenet_bc_100 = partial(_densenet_bc, 100, 12)
