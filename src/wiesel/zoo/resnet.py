"""ResNet (He, Zhang, Ren, Sun 2015, arXiv:1512.03385), and the same networks without shortcuts ("plain").

A block learns a correction, y = relu(x + f(x)): with nothing to add it can stay near the identity, so depth stops hurting.

    at 224 px    stem 56x56   stage1 56x56   stage2 28x28   stage3 14x14   stage4 7x7
    resnet18     64           2 x 64         2 x 128        2 x 256        2 x 512       basic blocks
    resnet34     64           3 x 64         4 x 128        6 x 256        3 x 512
    resnet50     64           3 x 256        4 x 512        6 x 1024       3 x 2048      bottlenecks
    resnet101    64           3 x 256        4 x 512        23 x 1024      3 x 2048
    resnet152    64           3 x 256        8 x 512        36 x 1024      3 x 2048

The paper's stem (7x7 stride 2, max-pool) has shrunk a picture four times before the first block looks at it: of 28 px it leaves 7,
and 1 in the end. The small stem (3x3, no pool) keeps all pixels and costs 14 times the multiply-adds there.

Differs from the paper: bottlenecks stride in their 3x3, not in the first 1x1 (often called v1.5), and blocks may start as the
identity (`zero_init_last_norm`). Only the plain twins of 18 and 34 layers are in the paper.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from functools import partial

from torch import Tensor, nn

from wiesel.blocks import initialisation
from wiesel.blocks.conv_norm import conv, conv_norm
from wiesel.blocks.linear_head import linear_head
from wiesel.blocks.stem import Stem, is_small
from wiesel.zoo.network import Network

Shortcut = Callable[[int, int, int], nn.Module | None]  # (channels in, channels out, stride)

WIDTHS = (64, 128, 256, 512)


def projection(channels_in: int, channels_out: int, stride: int) -> nn.Module:
    """A 1x1 projection only where shapes differ: option B of section 3.3."""
    if stride == 1 and channels_in == channels_out:
        return nn.Identity()
    return conv_norm(channels_in, channels_out, kernel=1, stride=stride)


def no_shortcut(channels_in: int, channels_out: int, stride: int) -> None:
    """Leave the shortcut out: the plain networks of the paper, whose training error grows with their depth."""


class BasicBlock(nn.Module):
    """Two 3x3 convolutions around a shortcut: (B, Cin, H, W) -> (B, width, ceil(H/stride), ceil(W/stride))."""

    expansion = 1

    def __init__(self, channels_in: int, width: int, stride: int, shortcut: Shortcut) -> None:
        super().__init__()
        self.conv1 = conv(channels_in, width, kernel=3, stride=stride)
        self.norm1 = nn.BatchNorm2d(width)
        self.relu1 = nn.ReLU()
        self.conv2 = conv(width, width, kernel=3)
        self.norm2 = nn.BatchNorm2d(width)
        self.shortcut = shortcut(channels_in, width, stride)
        self.relu2 = nn.ReLU()

    @property
    def last_norm(self) -> nn.BatchNorm2d | None:
        return None if self.shortcut is None else self.norm2

    def forward(self, x: Tensor) -> Tensor:
        correction = self.relu1(self.norm1(self.conv1(x)))
        correction = self.norm2(self.conv2(correction))
        total = correction if self.shortcut is None else self.shortcut(x) + correction
        y: Tensor = self.relu2(total)
        return y


class Bottleneck(nn.Module):
    """A 3x3 convolution between two 1x1 that narrow and widen: (B, Cin, H, W) -> (B, 4 width, ceil(H/stride), ceil(W/stride)).

    Later papers made the 3x3 wider (by the factor `widening`), or split it into `groups`.
    """

    expansion = 4
    widening = 1
    groups = 1

    def __init__(self, channels_in: int, width: int, stride: int, shortcut: Shortcut) -> None:
        super().__init__()
        channels_out = width * self.expansion
        inner = width * self.widening
        self.conv1 = conv(channels_in, inner, kernel=1)
        self.norm1 = nn.BatchNorm2d(inner)
        self.relu1 = nn.ReLU()
        self.conv2 = conv(inner, inner, kernel=3, stride=stride, groups=self.groups)
        self.norm2 = nn.BatchNorm2d(inner)
        self.relu2 = nn.ReLU()
        self.conv3 = conv(inner, channels_out, kernel=1)
        self.norm3 = nn.BatchNorm2d(channels_out)
        self.shortcut = shortcut(channels_in, channels_out, stride)
        self.relu3 = nn.ReLU()

    @property
    def last_norm(self) -> nn.BatchNorm2d | None:
        return None if self.shortcut is None else self.norm3

    def forward(self, x: Tensor) -> Tensor:
        correction = self.relu1(self.norm1(self.conv1(x)))
        correction = self.relu2(self.norm2(self.conv2(correction)))
        correction = self.norm3(self.conv3(correction))
        total = correction if self.shortcut is None else self.shortcut(x) + correction
        y: Tensor = self.relu3(total)
        return y


Block = type[BasicBlock] | type[Bottleneck]


def stage(block: Block, channels_in: int, width: int, depth: int, stride: int, shortcut: Shortcut) -> nn.Sequential:
    """`depth` blocks, `block1`, `block2`, ...; the first one strides and changes the number of channels."""
    blocks: OrderedDict[str, nn.Module] = OrderedDict(block1=block(channels_in, width, stride, shortcut))
    for number in range(2, depth + 1):
        blocks[f"block{number}"] = block(width * block.expansion, width, 1, shortcut)
    return nn.Sequential(blocks)


def _stem(channels: int, small: bool) -> nn.Sequential:
    if small:
        return conv_norm(channels, WIDTHS[0], kernel=3, activation=nn.ReLU)
    stem = conv_norm(channels, WIDTHS[0], kernel=7, stride=2, activation=nn.ReLU)
    stem.add_module("pool", nn.MaxPool2d(3, stride=2, padding=1))
    return stem


def resnet(
    block: Block,
    depths: tuple[int, ...],
    classes: int,
    channels: int,
    size: tuple[int, int],
    stem: Stem = "auto",
    zero_init_last_norm: bool = True,
    shortcut: Shortcut = projection,
) -> Network:
    """Four stages of such blocks. `stem` "auto": "small" if a side is below 64 px, else "imagenet"."""
    stages: OrderedDict[str, nn.Module] = OrderedDict(stem=_stem(channels, is_small(stem, size)))
    channels_in = WIDTHS[0]
    for number, (depth, width) in enumerate(zip(depths, WIDTHS, strict=True), start=1):
        stride = 1 if number == 1 else 2
        stages[f"stage{number}"] = stage(block, channels_in, width, depth, stride, shortcut)
        channels_in = width * block.expansion
    network = Network(nn.Sequential(stages), linear_head(channels_in, classes))
    initialisation.he(network)
    if zero_init_last_norm:
        initialisation.zero_last_norms(network)
    return network


resnet18 = partial(resnet, BasicBlock, (2, 2, 2, 2))
resnet34 = partial(resnet, BasicBlock, (3, 4, 6, 3))
resnet50 = partial(resnet, Bottleneck, (3, 4, 6, 3))
resnet101 = partial(resnet, Bottleneck, (3, 4, 23, 3))
resnet152 = partial(resnet, Bottleneck, (3, 8, 36, 3))
plain18 = partial(resnet, BasicBlock, (2, 2, 2, 2), shortcut=no_shortcut)
plain34 = partial(resnet, BasicBlock, (3, 4, 6, 3), shortcut=no_shortcut)
plain50 = partial(resnet, Bottleneck, (3, 4, 6, 3), shortcut=no_shortcut)
plain101 = partial(resnet, Bottleneck, (3, 4, 23, 3), shortcut=no_shortcut)
plain152 = partial(resnet, Bottleneck, (3, 8, 36, 3), shortcut=no_shortcut)
