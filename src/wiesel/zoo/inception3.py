"""Inception v3 (Szegedy, Vanhoucke, Ioffe, Shlens, Wojna 2015, arXiv:1512.00567, "Rethinking the Inception architecture").

Large filters are made of small ones: two 3x3 see as much as a 5x5 with 18 weights instead of 25, a 1x7 and a 7x1 as much as a 7x7
with 14 instead of 49. Maps are narrowed and widened side by side, never first the one and then the other.

    at 299 px   stem            stage1           stage2                    stage3            head
                5 conv, 2 pool  3 x five_by_five reduce, 4 x seven_by_one  reduce, 2 x wide  mean, dropout, linear
    maps        35x35           35x35            17x17                     8x8
    channels    192             256, 288, 288    768                       1280, 2048, 2048
    figure                      5                10, 6                     10, 7

Version 2 is the same network without factorised filters in the stem, without batch norm in the auxiliary head and without the
training tricks of the paper (RMSProp, label smoothing): the rows of its table 3.

Differs from the paper, as the authors' code (TF-Slim) does: the stem ends in a 1x1, a 3x3 and a pool where table 1 has three 3x3, the
modules of stage1 have a 5x5 where figure 5 has a 3x3, and there is one seven_by_one less. The paper does not print the counts of
filters; these are the code's. Filters start from He's distribution. The auxiliary head is there only if asked for (`auxiliary`), and
gives logits in training only: 27 161 264 instead of 23 834 568 parameters.

Small pictures: most convolutions of the stem and the reductions have no margin, so at least 75 px are needed; the auxiliary head,
whose own filters are 5x5 on means of 5x5, needs 299.
"""

from __future__ import annotations

from collections import OrderedDict

from torch import nn

from wiesel.blocks import initialisation
from wiesel.blocks.branches import Branches, chain
from wiesel.blocks.inception_conv import inception_conv as conv
from wiesel.blocks.linear_head import linear_head
from wiesel.zoo.auxiliary import NetworkWithAuxiliaryHeads
from wiesel.zoo.network import Network

SMALLEST = 75
SMALLEST_WITH_AUXILIARY = 299
LAST_WIDTH = 2048


def inception_v3(classes: int, channels: int, size: tuple[int, int], auxiliary: bool = False) -> Network:
    """`size` is not needed: any picture from 75 px will do, with `auxiliary` from 299 px."""
    features = nn.Sequential(
        OrderedDict(
            stem=_stem(channels),
            stage1=chain(
                inception5b=five_by_five(192, pool_width=32),
                inception5c=five_by_five(256, pool_width=64),
                inception5d=five_by_five(288, pool_width=64),
            ),
            stage2=chain(
                reduction6a=_reduction6a(288),
                inception6b=seven_by_one(768, width=128),
                inception6c=seven_by_one(768, width=160),
                inception6d=seven_by_one(768, width=160),
                inception6e=seven_by_one(768, width=192),
            ),
            stage3=chain(
                reduction7a=_reduction7a(768),
                inception7b=wide(1280),
                inception7c=wide(2048),
            ),
        )
    )
    head = linear_head(LAST_WIDTH, classes, dropout=0.5)
    network = (
        NetworkWithAuxiliaryHeads(
            features,
            head,
            OrderedDict(inception6e=_auxiliary_head(768, classes)),
            smallest=(SMALLEST_WITH_AUXILIARY, SMALLEST_WITH_AUXILIARY),
        )
        if auxiliary
        else Network(features, head, smallest=(SMALLEST, SMALLEST))
    )
    initialisation.he(network)
    return network


def five_by_five(channels_in: int, pool_width: int) -> Branches:
    """A 5x5, and another one made of two 3x3: (B, Cin, H, W) -> (B, 224 + pool_width, H, W)."""
    return Branches(
        branch1x1=conv(channels_in, 64, 1),
        branch5x5=chain(reduce=conv(channels_in, 48, 1), conv=conv(48, 64, 5)),
        branch3x3_twice=chain(reduce=conv(channels_in, 64, 1), conv1=conv(64, 96, 3), conv2=conv(96, 96, 3)),
        branch_pool=chain(pool=_mean(), project=conv(channels_in, pool_width, 1)),
    )


def seven_by_one(channels_in: int, width: int) -> Branches:
    """A 7x7 made of 1x7 and 7x1, and two of them in a row, `width` maps wide inside: (B, Cin, H, W) -> (B, 768, H, W)."""
    return Branches(
        branch1x1=conv(channels_in, 192, 1),
        branch7x7=chain(
            reduce=conv(channels_in, width, 1),
            wide=conv(width, width, (1, 7)),
            tall=conv(width, 192, (7, 1)),
        ),
        branch7x7_twice=chain(
            reduce=conv(channels_in, width, 1),
            tall1=conv(width, width, (7, 1)),
            wide1=conv(width, width, (1, 7)),
            tall2=conv(width, width, (7, 1)),
            wide2=conv(width, 192, (1, 7)),
        ),
        branch_pool=chain(pool=_mean(), project=conv(channels_in, 192, 1)),
    )


def wide(channels_in: int) -> Branches:
    """Branches that branch again, since the coarsest maps want many channels: (B, Cin, H, W) -> (B, 2048, H, W)."""
    return Branches(
        branch1x1=conv(channels_in, 320, 1),
        branch3x3=chain(reduce=conv(channels_in, 384, 1), split=_split(384)),
        branch3x3_twice=chain(reduce=conv(channels_in, 448, 1), conv=conv(448, 384, 3), split=_split(384)),
        branch_pool=chain(pool=_mean(), project=conv(channels_in, 192, 1)),
    )


def _split(channels_in: int) -> Branches:
    return Branches(wide=conv(channels_in, 384, (1, 3)), tall=conv(channels_in, 384, (3, 1)))


def _reduction6a(channels_in: int) -> Branches:
    """Convolutions and a pool halve the maps side by side: (B, Cin, H, W) -> (B, Cin + 480, (H - 1)/2, (W - 1)/2), rounded down."""
    return Branches(
        branch3x3=conv(channels_in, 384, 3, stride=2, margin=False),
        branch3x3_twice=chain(
            reduce=conv(channels_in, 64, 1),
            conv1=conv(64, 96, 3),
            conv2=conv(96, 96, 3, stride=2, margin=False),
        ),
        branch_pool=nn.MaxPool2d(3, stride=2),
    )


def _reduction7a(channels_in: int) -> Branches:
    """(B, Cin, H, W) -> (B, Cin + 512, (H - 1)/2, (W - 1)/2), rounded down."""
    return Branches(
        branch3x3=chain(reduce=conv(channels_in, 192, 1), conv=conv(192, 320, 3, stride=2, margin=False)),
        branch7x7=chain(
            reduce=conv(channels_in, 192, 1),
            wide=conv(192, 192, (1, 7)),
            tall=conv(192, 192, (7, 1)),
            conv=conv(192, 192, 3, stride=2, margin=False),
        ),
        branch_pool=nn.MaxPool2d(3, stride=2),
    )


def _mean() -> nn.AvgPool2d:
    return nn.AvgPool2d(3, stride=1, padding=1)


def _stem(channels: int) -> nn.Sequential:
    return chain(
        conv1a=conv(channels, 32, 3, stride=2, margin=False),
        conv2a=conv(32, 32, 3, margin=False),
        conv2b=conv(32, 64, 3),
        pool3a=nn.MaxPool2d(3, stride=2),
        conv3b=conv(64, 80, 1),
        conv4a=conv(80, 192, 3, margin=False),
        pool5a=nn.MaxPool2d(3, stride=2),
    )


def _auxiliary_head(channels_in: int, classes: int) -> nn.Sequential:
    """Half-way logits: (B, Cin, 17, 17) -> (B, classes). Figure 8, with batch norm."""
    return chain(
        mean=nn.AvgPool2d(5, stride=3),
        reduce=conv(channels_in, 128, 1),
        conv=conv(128, 768, 5, margin=False),
        pool=nn.AdaptiveAvgPool2d(1),  # the identity at 299 px
        flatten=nn.Flatten(),
        linear=nn.Linear(768, classes),
    )
