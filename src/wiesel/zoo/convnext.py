"""ConvNeXt (Liu, Mao, Wu, Feichtenhofer, Darrell, Xie 2022, arXiv:2201.03545).

A ResNet that took over, step by step, what vision transformers do: patches for a stem, layers between stages, wide depthwise
convolutions instead of attention, a bottleneck that is wide within, few norms (over the channels of one position) and few
activations. So it is as good as they are, and still nothing but convolutions.

    at 224 px        stem 56x56   stage1 56x56   stage2 28x28   stage3 14x14   stage4 7x7
    convnext_tiny    96           3 x 96         3 x 192        9 x 384        3 x 768
    convnext_small   96           3 x 96         3 x 192        27 x 384       3 x 768
    convnext_base    128          3 x 128        3 x 256        27 x 512       3 x 1024

Differs from the paper: stochastic depth is off unless `survival` is given (paper: 0.9, 0.6, 0.5 for the last block of the three).
Small pictures: the small stem is a 3x3 convolution with stride 1 instead of patches of 4x4, so 28 px end as 3. The smallest side is
8 px, with patches 32.
"""

from __future__ import annotations

from collections import OrderedDict
from functools import partial

import torch
from torch import Tensor, nn

from wiesel.blocks import initialisation
from wiesel.blocks.stem import Stem, is_small
from wiesel.blocks.stochastic_depth import StochasticDepth, linear_decay
from wiesel.zoo.network import Network

INITIAL_SCALE = 1e-6


class ChannelNorm(nn.LayerNorm):
    """Layer norm over the channels of each position: (B, C, H, W) -> the same shape."""

    def __init__(self, channels: int) -> None:
        super().__init__(channels, eps=1e-6)

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


class ConvNeXtBlock(nn.Module):
    """A depthwise 7x7, then two 1x1 that widen to four times and narrow again, around a shortcut: (B, C, H, W) -> the same shape.

    `scale` weighs the channels of the correction and starts near 0, so that blocks start near the identity (Touvron et al. 2021,
    arXiv:2103.17239).
    """

    def __init__(self, channels: int, survival: float) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.full((channels, 1, 1), INITIAL_SCALE))
        self.depthwise = nn.Conv2d(channels, channels, kernel_size=7, padding=3, groups=channels)
        self.norm = ChannelNorm(channels)
        self.widen = nn.Conv2d(channels, 4 * channels, kernel_size=1)
        self.gelu = nn.GELU()
        self.narrow = nn.Conv2d(4 * channels, channels, kernel_size=1)
        self.stochastic_depth = StochasticDepth(survival)
        self.shortcut = nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        correction = self.narrow(self.gelu(self.widen(self.norm(self.depthwise(x)))))
        y: Tensor = self.shortcut(x) + self.stochastic_depth(self.scale * correction)
        return y


def _stem(channels: int, width: int, small: bool) -> nn.Sequential:
    patches = nn.Conv2d(channels, width, kernel_size=3, padding=1) if small else nn.Conv2d(channels, width, kernel_size=4, stride=4)
    return nn.Sequential(OrderedDict(conv=patches, norm=ChannelNorm(width)))


def _downsampling(channels_in: int, width: int) -> nn.Sequential:
    """(B, Cin, H, W) -> (B, width, H/2, W/2), rounded down."""
    return nn.Sequential(OrderedDict(norm=ChannelNorm(channels_in), conv=nn.Conv2d(channels_in, width, kernel_size=2, stride=2)))


def _convnext(
    depths: tuple[int, ...],
    width: int,
    classes: int,
    channels: int,
    size: tuple[int, int],
    stem: Stem = "auto",
    survival: float = 1.0,
) -> Network:
    """`stem` "auto": "small" if a side is below 64 px, else "imagenet". `survival` is that of the last block."""
    small = is_small(stem, size)
    survivals = linear_decay(sum(depths), survival)
    stages: OrderedDict[str, nn.Module] = OrderedDict(stem=_stem(channels, width, small))
    for number, depth in enumerate(depths, start=1):
        layers: OrderedDict[str, nn.Module] = OrderedDict()
        if number > 1:
            layers["downsampling"] = _downsampling(width, 2 * width)
            width *= 2
        for block in range(1, depth + 1):
            layers[f"block{block}"] = ConvNeXtBlock(width, survivals.pop(0))
        stages[f"stage{number}"] = nn.Sequential(layers)
    head = nn.Sequential(
        OrderedDict(
            pool=nn.AdaptiveAvgPool2d(1),
            norm=ChannelNorm(width),
            flatten=nn.Flatten(),
            linear=nn.Linear(width, classes),
        )
    )
    needed = 8 if small else 32
    network = Network(nn.Sequential(stages), head, smallest=(needed, needed))
    initialisation.normal(network, std=0.02)
    return network


convnext_tiny = partial(_convnext, (3, 3, 9, 3), 96)
convnext_small = partial(_convnext, (3, 3, 27, 3), 96)
convnext_base = partial(_convnext, (3, 3, 27, 3), 128)
