"""VGG (Simonyan, Zisserman 2014, arXiv:1409.1556).

Nothing but 3x3 convolutions, and a max-pool when the map has been looked at long enough: two of them see 5x5, three see 7x7, with
fewer weights and more ReLUs than one large filter.

    at 224 px    stage1   stage2    stage3    stage4    stage5    head
    maps after   112x112  56x56     28x28     14x14     7x7
    vgg11 (A)    1 x 64   1 x 128   2 x 256   2 x 512   2 x 512   4096, 4096, classes
    vgg13 (B)    2 x 64   2 x 128   2 x 256   2 x 512   2 x 512
    vgg16 (D)    2 x 64   2 x 128   3 x 256   3 x 512   3 x 512
    vgg19 (E)    2 x 64   2 x 128   4 x 256   4 x 512   4 x 512

Differs from the paper: the `_bn` twins have a batch norm after each convolution, and filters start from He's distribution (the
paper trained A first and copied its layers). Below 64 px, as usual for CIFAR: one linear layer as head, since the three
above hold 124 of vgg11's 133 million weights; pools round up, so that 28 px becomes 14, 7, 4, 2, 1.
"""

from __future__ import annotations

from collections import OrderedDict
from functools import partial

from torch import nn

from wiesel.blocks import initialisation
from wiesel.blocks.linear_head import linear_head
from wiesel.zoo.network import Network

WIDTHS = (64, 128, 256, 512, 512)
SMALL_BELOW = 64


def _vgg(depths: tuple[int, ...], classes: int, channels: int, size: tuple[int, int], norm: bool = False) -> Network:
    small = min(size) < SMALL_BELOW
    stages: OrderedDict[str, nn.Module] = OrderedDict()
    channels_in = channels
    for number, (depth, width) in enumerate(zip(depths, WIDTHS, strict=True), start=1):
        stages[f"stage{number}"] = _stage(channels_in, width, depth, norm, round_up=small)
        channels_in = width
    features = nn.Sequential(stages)
    head = linear_head(WIDTHS[-1], classes) if small else _paper_head(classes)
    network = Network(features, head, smallest=(1, 1) if small else (32, 32))
    initialisation.he(network)
    if not small:
        initialisation.normal(head, std=0.01)
    return network


def _stage(channels_in: int, width: int, depth: int, norm: bool, round_up: bool) -> nn.Sequential:
    """`depth` times convolution and ReLU, then half the size: (B, Cin, H, W) -> (B, width, H/2, W/2), rounded down or up."""
    layers: OrderedDict[str, nn.Module] = OrderedDict()
    for number in range(1, depth + 1):
        layers[f"conv{number}"] = nn.Conv2d(channels_in, width, kernel_size=3, padding=1)
        if norm:
            layers[f"norm{number}"] = nn.BatchNorm2d(width)
        layers[f"relu{number}"] = nn.ReLU()
        channels_in = width
    layers["pool"] = nn.MaxPool2d(2, ceil_mode=round_up)
    return nn.Sequential(layers)


def _paper_head(classes: int) -> nn.Sequential:
    """Three linear layers on 7x7 maps; pictures of other sizes than 224 px are brought there by (a kind of) mean."""
    return nn.Sequential(
        OrderedDict(
            pool=nn.AdaptiveAvgPool2d(7),
            flatten=nn.Flatten(),
            linear1=nn.Linear(WIDTHS[-1] * 7 * 7, 4096),
            relu1=nn.ReLU(),
            dropout1=nn.Dropout(0.5),
            linear2=nn.Linear(4096, 4096),
            relu2=nn.ReLU(),
            dropout2=nn.Dropout(0.5),
            linear3=nn.Linear(4096, classes),
        )
    )


vgg11 = partial(_vgg, (1, 1, 2, 2, 2))
vgg13 = partial(_vgg, (2, 2, 2, 2, 2))
vgg16 = partial(_vgg, (2, 2, 3, 3, 3))
vgg19 = partial(_vgg, (2, 2, 4, 4, 4))
vgg11_bn = partial(_vgg, (1, 1, 2, 2, 2), norm=True)
vgg13_bn = partial(_vgg, (2, 2, 2, 2, 2), norm=True)
vgg16_bn = partial(_vgg, (2, 2, 3, 3, 3), norm=True)
vgg19_bn = partial(_vgg, (2, 2, 4, 4, 4), norm=True)
