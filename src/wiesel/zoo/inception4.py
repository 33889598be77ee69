"""Inception v4 and Inception-ResNet v2 (Szegedy, Ioffe, Vanhoucke, Alemi 2016, arXiv:1602.07261).

Is an Inception with shortcuts better than one without? The paper builds one of each for about the same cost. Version 4 is version 3
tidied up: the same three kinds of modules everywhere. Inception-ResNet has cheaper modules, widened by a 1x1 convolution and added
to what they got. The residual one learns faster and ends a little better.

    at 299 px             stem       stage1        stage2                  stage3                   head
    maps                  35x35      35x35         17x17                   8x8
    inception_v4          384        4 x A, 384    reduce, 7 x B, 1024     reduce, 3 x C, 1536      mean, dropout, linear
    inception_resnet_v2   192        mixed,        reduce,                 reduce,
                                     10 x A, 320   20 x B, 1088            10 x C, 2080, 1x1 1536

With more than 1000 filters the residual networks died early in training; corrections scaled down (0.17, 0.10, 0.20) keep them alive
(section 3.3).

Differs from the paper: the residual network is the one of the authors' code (TF-Slim), whose weights are in general use: the stem of
version 3 and one Inception module instead of the stem of version 4, twice as many blocks (paper: 5, 10, 5), and widths of 320, 1088,
2080 (paper, as printed: 384, 1154, 2048). Filters start from He's distribution.

Small pictures: most convolutions of the stems and reductions have no margin, so at least 75 px are needed.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from functools import partial

from torch import Tensor, nn

from wiesel.blocks import initialisation
from wiesel.blocks.branches import Branches, chain
from wiesel.blocks.inception_conv import inception_conv as conv
from wiesel.blocks.linear_head import linear_head
from wiesel.zoo.network import Network

SMALLEST = 75
LAST_WIDTH = 1536


def inception_v4(classes: int, channels: int, size: tuple[int, int]) -> Network:
    """`size` is not needed: any picture from 75 px will do."""
    features = nn.Sequential(
        OrderedDict(
            stem=_stem_v4(channels),
            stage1=chain(**_row("inception_a", 4, inception_a)),
            stage2=chain(reduction_a=_reduction_a(384, 192, 224, 256), **_row("inception_b", 7, inception_b)),
            stage3=chain(reduction_b=_reduction_b(), **_row("inception_c", 3, inception_c)),
        )
    )
    return _network(features, classes)


def inception_a() -> Branches:
    """Figure 4: (B, 384, H, W) -> (B, 384, H, W)."""
    return Branches(
        branch1x1=conv(384, 96, 1),
        branch3x3=chain(reduce=conv(384, 64, 1), conv=conv(64, 96, 3)),
        branch3x3_twice=chain(reduce=conv(384, 64, 1), conv1=conv(64, 96, 3), conv2=conv(96, 96, 3)),
        branch_pool=chain(pool=_mean(), project=conv(384, 96, 1)),
    )


def inception_b() -> Branches:
    """Figure 5: (B, 1024, H, W) -> (B, 1024, H, W)."""
    return Branches(
        branch1x1=conv(1024, 384, 1),
        branch7x7=chain(reduce=conv(1024, 192, 1), wide=conv(192, 224, (1, 7)), tall=conv(224, 256, (7, 1))),
        branch7x7_twice=chain(
            reduce=conv(1024, 192, 1),
            tall1=conv(192, 192, (7, 1)),
            wide1=conv(192, 224, (1, 7)),
            tall2=conv(224, 224, (7, 1)),
            wide2=conv(224, 256, (1, 7)),
        ),
        branch_pool=chain(pool=_mean(), project=conv(1024, 128, 1)),
    )


def inception_c() -> Branches:
    """Figure 6: (B, 1536, H, W) -> (B, 1536, H, W). Two of the branches branch again."""
    return Branches(
        branch1x1=conv(1536, 256, 1),
        branch3x3=chain(reduce=conv(1536, 384, 1), split=_split(384)),
        branch3x3_twice=chain(
            reduce=conv(1536, 384, 1),
            tall=conv(384, 448, (3, 1)),
            wide=conv(448, 512, (1, 3)),
            split=_split(512),
        ),
        branch_pool=chain(pool=_mean(), project=conv(1536, 256, 1)),
    )


def _split(channels_in: int) -> Branches:
    return Branches(wide=conv(channels_in, 256, (1, 3)), tall=conv(channels_in, 256, (3, 1)))


def _reduction_a(channels_in: int, narrow: int, middle: int, last: int) -> Branches:
    """Figure 7, whose k, l, m are `narrow`, `middle`, `last`: (B, Cin, H, W) -> (B, Cin + 384 + last, (H - 1)/2, (W - 1)/2)."""
    return Branches(
        branch3x3=conv(channels_in, 384, 3, stride=2, margin=False),
        branch3x3_twice=chain(
            reduce=conv(channels_in, narrow, 1),
            conv1=conv(narrow, middle, 3),
            conv2=conv(middle, last, 3, stride=2, margin=False),
        ),
        branch_pool=nn.MaxPool2d(3, stride=2),
    )


def _reduction_b() -> Branches:
    """Figure 8: (B, 1024, H, W) -> (B, 1536, (H - 1)/2, (W - 1)/2)."""
    return Branches(
        branch3x3=chain(reduce=conv(1024, 192, 1), conv=conv(192, 192, 3, stride=2, margin=False)),
        branch7x7=chain(
            reduce=conv(1024, 256, 1),
            wide=conv(256, 256, (1, 7)),
            tall=conv(256, 320, (7, 1)),
            conv=conv(320, 320, 3, stride=2, margin=False),
        ),
        branch_pool=nn.MaxPool2d(3, stride=2),
    )


def _stem_v4(channels: int) -> nn.Sequential:
    """Figure 3: where other stems pool or convolve, this one does both."""
    return chain(
        conv1=conv(channels, 32, 3, stride=2, margin=False),
        conv2=conv(32, 32, 3, margin=False),
        conv3=conv(32, 64, 3),
        mixed1=Branches(pool=nn.MaxPool2d(3, stride=2), conv=conv(64, 96, 3, stride=2, margin=False)),
        mixed2=Branches(
            branch3x3=chain(reduce=conv(160, 64, 1), conv=conv(64, 96, 3, margin=False)),
            branch7x7=chain(
                reduce=conv(160, 64, 1),
                wide=conv(64, 64, (1, 7)),
                tall=conv(64, 64, (7, 1)),
                conv=conv(64, 96, 3, margin=False),
            ),
        ),
        mixed3=Branches(conv=conv(192, 192, 3, stride=2, margin=False), pool=nn.MaxPool2d(3, stride=2)),
    )


def inception_resnet_v2(classes: int, channels: int, size: tuple[int, int]) -> Network:
    """`size` is not needed: any picture from 75 px will do."""
    features = nn.Sequential(
        OrderedDict(
            stem=_stem_v3(channels),
            stage1=chain(mixed=_mixed(), **_row("block_a", 10, partial(residual_a, scale=0.17))),
            stage2=chain(
                reduction_a=_reduction_a(320, 256, 256, 384),
                **_row("block_b", 20, partial(residual_b, scale=0.10)),
            ),
            stage3=chain(
                reduction_b=_residual_reduction_b(),
                **_row("block_c", 9, partial(residual_c, scale=0.20)),
                block_c10=residual_c(scale=1.0, activation=nn.Identity),
                conv=conv(2080, LAST_WIDTH, 1),
            ),
        )
    )
    return _network(features, classes)


class InceptionResidual(nn.Module):
    """Branches, a 1x1 convolution back to the width of the input, and a shortcut: (B, C, H, W) -> (B, C, H, W).

    y = activation(x + scale * widen(branches(x))); no norm follows `widen`, so it has a bias.
    """

    def __init__(self, branches: Branches, width: int, channels: int, scale: float, activation: type[nn.Module] = nn.ReLU) -> None:
        super().__init__()
        self.branches = branches
        self.widen = nn.Conv2d(width, channels, kernel_size=1)
        self.scale = scale
        self.shortcut = nn.Identity()
        self.activation = activation()

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.activation(self.shortcut(x) + self.scale * self.widen(self.branches(x)))
        return y

    def extra_repr(self) -> str:
        return f"scale={self.scale}"


def residual_a(scale: float) -> InceptionResidual:
    """Figure 16: 3x3, and two of them in a row."""
    branches = Branches(
        branch1x1=conv(320, 32, 1),
        branch3x3=chain(reduce=conv(320, 32, 1), conv=conv(32, 32, 3)),
        branch3x3_twice=chain(reduce=conv(320, 32, 1), conv1=conv(32, 48, 3), conv2=conv(48, 64, 3)),
    )
    return InceptionResidual(branches, 32 + 32 + 64, 320, scale)


def residual_b(scale: float) -> InceptionResidual:
    """Figure 17: 7x7 made of 1x7 and 7x1."""
    branches = Branches(
        branch1x1=conv(1088, 192, 1),
        branch7x7=chain(reduce=conv(1088, 128, 1), wide=conv(128, 160, (1, 7)), tall=conv(160, 192, (7, 1))),
    )
    return InceptionResidual(branches, 192 + 192, 1088, scale)


def residual_c(scale: float, activation: type[nn.Module] = nn.ReLU) -> InceptionResidual:
    """Figure 19: 3x3 made of 1x3 and 3x1."""
    branches = Branches(
        branch1x1=conv(2080, 192, 1),
        branch3x3=chain(reduce=conv(2080, 192, 1), wide=conv(192, 224, (1, 3)), tall=conv(224, 256, (3, 1))),
    )
    return InceptionResidual(branches, 192 + 256, 2080, scale, activation)


def _mixed() -> Branches:
    """A module of version 3: (B, 192, H, W) -> (B, 320, H, W)."""
    return Branches(
        branch1x1=conv(192, 96, 1),
        branch5x5=chain(reduce=conv(192, 48, 1), conv=conv(48, 64, 5)),
        branch3x3_twice=chain(reduce=conv(192, 64, 1), conv1=conv(64, 96, 3), conv2=conv(96, 96, 3)),
        branch_pool=chain(pool=_mean(), project=conv(192, 64, 1)),
    )


def _residual_reduction_b() -> Branches:
    """Figure 18: (B, 1088, H, W) -> (B, 2080, (H - 1)/2, (W - 1)/2)."""
    return Branches(
        branch3x3_wide=chain(reduce=conv(1088, 256, 1), conv=conv(256, 384, 3, stride=2, margin=False)),
        branch3x3=chain(reduce=conv(1088, 256, 1), conv=conv(256, 288, 3, stride=2, margin=False)),
        branch3x3_twice=chain(
            reduce=conv(1088, 256, 1),
            conv1=conv(256, 288, 3),
            conv2=conv(288, 320, 3, stride=2, margin=False),
        ),
        branch_pool=nn.MaxPool2d(3, stride=2),
    )


def _stem_v3(channels: int) -> nn.Sequential:
    return chain(
        conv1=conv(channels, 32, 3, stride=2, margin=False),
        conv2=conv(32, 32, 3, margin=False),
        conv3=conv(32, 64, 3),
        pool3=nn.MaxPool2d(3, stride=2),
        conv4=conv(64, 80, 1),
        conv5=conv(80, 192, 3, margin=False),
        pool5=nn.MaxPool2d(3, stride=2),
    )


def _row(name: str, depth: int, module: Callable[[], nn.Module]) -> dict[str, nn.Module]:
    """`depth` modules called `name`1, `name`2, ..."""
    return {f"{name}{number}": module() for number in range(1, depth + 1)}


def _mean() -> nn.AvgPool2d:
    return nn.AvgPool2d(3, stride=1, padding=1, count_include_pad=False)


def _network(features: nn.Sequential, classes: int) -> Network:
    network = Network(features, linear_head(LAST_WIDTH, classes, dropout=0.2), smallest=(SMALLEST, SMALLEST))
    initialisation.he(network)
    return network
