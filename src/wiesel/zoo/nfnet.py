"""NFNet, a residual network without norms (Brock, De, Smith, Simonyan 2021, arXiv:2102.06171).

Batch norm keeps signals at size 1 but ties a picture to its batch. Here the sizes are reckoned with instead: filters are kept at
mean 0 and variance 1/fan in, activations are scaled to keep size 1, each block divides by the size that its input must have by
then, and adds a correction of variance 0.04, times a scalar that starts at 0.

    F0 at 256 px   stem       stage1    stage2    stage3     stage4     stage5
                   128        1 x 256   2 x 512   6 x 1536   3 x 1536   3072
    maps           64x64      64x64     32x32     16x16      8x8        8x8

A block is a bottleneck (half the width, two 3x3 in groups of 128 channels) with squeeze and excitation on its end. Without norms,
the paper needs to clip gradients (adaptively, section 4) to train in large batches; that is not a part of the network.

Differs from the paper: stochastic depth is off unless `survival` is given, and a little is added to the variances of filters (the
paper has a lower limit instead) because the weights in general use were measured so. Small pictures: the small stem halves once
instead of twice, so 28 px end as 2.
"""

from __future__ import annotations

from collections import OrderedDict
from functools import partial
from math import sqrt

import torch
from torch import Tensor, nn
from torch.nn import functional

from wiesel.blocks import initialisation
from wiesel.blocks.linear_head import linear_head
from wiesel.blocks.same_pad import SamePad
from wiesel.blocks.squeeze_excite import SqueezeExcite
from wiesel.blocks.stem import Stem, is_small
from wiesel.blocks.stochastic_depth import StochasticDepth, linear_decay
from wiesel.zoo.network import Network

WIDTHS = (256, 512, 1536, 1536)
STEM_WIDTHS = (16, 32, 64, 128)
GROUP = 128
ALPHA = 0.2
EPSILON = 1e-5


class StandardisedConv(nn.Conv2d):
    """Convolution whose filters are used with mean 0 and variance 1/fan in, times a learned `gain` each (section 2, equation 1).

    With stride 1: (B, Cin, H, W) -> (B, Cout, H, W); with another one the margin is left to a `SamePad` in front. `kernel` is odd.
    """

    def __init__(self, channels_in: int, channels_out: int, kernel: int, stride: int = 1, groups: int = 1) -> None:
        super().__init__(channels_in, channels_out, kernel, stride, padding=kernel // 2 if stride == 1 else 0, groups=groups)
        self.gain = nn.Parameter(torch.ones(channels_out, 1, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        fan_in = self.weight[0].numel()
        variance, mean = torch.var_mean(self.weight, dim=(1, 2, 3), correction=0, keepdim=True)
        weight = (self.weight - mean) * torch.rsqrt((variance + EPSILON) * fan_in) * self.gain
        return functional.conv2d(x, weight, self.bias, self.stride, self.padding, groups=self.groups)


class ScaledGELU(nn.Module):
    """GELU times the factor that gives it variance 1 for a normal input of variance 1."""

    GAMMA = 1.7015043497085571

    def forward(self, x: Tensor) -> Tensor:
        return functional.gelu(x) * self.GAMMA


class NormFreeBlock(nn.Module):
    """(B, Cin, H, W) -> (B, width, ceil(H/stride), ceil(W/stride)). `variance` is what the input must have by now."""

    def __init__(self, channels_in: int, width: int, stride: int, variance: float, survival: float) -> None:
        super().__init__()
        inner, groups = width // 2, width // 2 // GROUP
        self.beta = 1 / sqrt(variance)
        self.scale = nn.Parameter(torch.ones(()))
        same_shape = stride == 1 and channels_in == width
        self.shortcut = None if same_shape else _shortcut(channels_in, width, stride)
        self.gelu1 = ScaledGELU()
        self.conv1 = StandardisedConv(channels_in, inner, kernel=1)
        self.gelu2 = ScaledGELU()
        self.pad2 = SamePad(kernel=3, stride=stride) if stride > 1 else nn.Identity()
        self.conv2 = StandardisedConv(inner, inner, kernel=3, stride=stride, groups=groups)
        self.gelu3 = ScaledGELU()
        self.conv3 = StandardisedConv(inner, inner, kernel=3, groups=groups)
        self.gelu4 = ScaledGELU()
        self.conv4 = StandardisedConv(inner, width, kernel=1)
        self.squeeze_excite = SqueezeExcite(width, width // 2)
        self.stochastic_depth = StochasticDepth(survival)

    def forward(self, x: Tensor) -> Tensor:
        activated = self.gelu1(x) * self.beta
        correction = self.conv2(self.pad2(self.gelu2(self.conv1(activated))))
        correction = self.conv4(self.gelu4(self.conv3(self.gelu3(correction))))
        # A gate is 1/2 on average.
        correction = self.stochastic_depth(2 * self.squeeze_excite(correction))
        shortcut = x if self.shortcut is None else self.shortcut(activated)
        y: Tensor = shortcut + ALPHA * self.scale * correction
        return y


def _shortcut(channels_in: int, width: int, stride: int) -> nn.Sequential:
    layers: OrderedDict[str, nn.Module] = OrderedDict()
    if stride > 1:
        layers["pool"] = nn.AvgPool2d(2, stride, ceil_mode=True)
    layers["conv"] = StandardisedConv(channels_in, width, kernel=1)
    return nn.Sequential(layers)


def _stem(channels: int, small: bool) -> nn.Sequential:
    layers: OrderedDict[str, nn.Module] = OrderedDict()
    for number, (width, stride) in enumerate(zip(STEM_WIDTHS, (1 if small else 2, 1, 1, 2), strict=True), start=1):
        if stride > 1:
            layers[f"pad{number}"] = SamePad(kernel=3, stride=stride)
        layers[f"conv{number}"] = StandardisedConv(channels, width, kernel=3, stride=stride)
        if number < len(STEM_WIDTHS):
            layers[f"gelu{number}"] = ScaledGELU()
        channels = width
    return nn.Sequential(layers)


def _nfnet(
    depths: tuple[int, ...],
    dropout: float,
    classes: int,
    channels: int,
    size: tuple[int, int],
    stem: Stem = "auto",
    zero_init_last_norm: bool = True,
    survival: float = 1.0,
) -> Network:
    """`stem` "auto": "small" if a side is below 64 px, else "imagenet". `survival` is that of the last block.

    There is no norm to start at 0, but `zero_init_last_norm` means the scalar that stands in its place.
    """
    survivals = linear_decay(sum(depths), survival)
    stages: OrderedDict[str, nn.Module] = OrderedDict(stem=_stem(channels, is_small(stem, size)))
    channels_in, variance = STEM_WIDTHS[-1], 1.0
    for number, (depth, width) in enumerate(zip(depths, WIDTHS, strict=True), start=1):
        blocks: OrderedDict[str, nn.Module] = OrderedDict()
        for block in range(1, depth + 1):
            stride = 2 if block == 1 and number > 1 else 1
            blocks[f"block{block}"] = NormFreeBlock(channels_in, width, stride, variance, survivals.pop(0))
            # The shortcut of a stage's first block sees activated maps, of variance 1 again; then each correction adds its own.
            variance = (1 if block == 1 else variance) + ALPHA**2
            channels_in = width
        stages[f"stage{number}"] = nn.Sequential(blocks)
    last_width = 2 * channels_in
    stages[f"stage{len(depths) + 1}"] = nn.Sequential(
        OrderedDict(conv=StandardisedConv(channels_in, last_width, kernel=1), gelu=ScaledGELU())
    )
    head = linear_head(last_width, classes, dropout)
    network = Network(nn.Sequential(stages), head)
    initialisation.he(network)  # of filters, only the direction matters: they are standardised
    initialisation.normal(head, std=0.01)
    if zero_init_last_norm:
        for layer in network.modules():
            if isinstance(layer, NormFreeBlock):
                nn.init.zeros_(layer.scale)
    return network


nfnet_f0 = partial(_nfnet, (1, 2, 6, 3), 0.2)
