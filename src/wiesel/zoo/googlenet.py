"""GoogLeNet, the first Inception (Szegedy et al. 2014, arXiv:1409.4842).

Which size should a filter have? All of them: a module looks with 1x1, 3x3 and 5x5 filters and a pool at once, and the next layer
takes from it what it needs. 1x1 convolutions narrow the maps first, or the large filters could not be paid for.

    at 224 px      stem    stage1     stage2          stage3    head
                           3a, 3b     4a .. 4e        5a, 5b
    maps           28x28   28x28      14x14           7x7
    channels       192     256, 480   512, 512, 512,  832,      mean, dropout, linear
                                      528, 832        1024

    at 28 px       28x28   28x28      14x14           7x7       small stem: 3x3, stride 1, no pools

The small stem leaves out what shrinks a picture eight times, so that 28 px have the maps of 224 px from stage1 on.

`googlenet` has 3x3 filters where the paper has 5x5, and a 2x2 pool before 5a where it has 3x3, as the network whose weights are in
general use (torchvision): 6 624 904 parameters. `googlenet_5x5` has the filters and pools of the paper: 16 more weights for each pair
of channels there, 7 005 832.

Differs from the paper: batch norm in place of response normalisation (the second paper of the series brought it), filters start from
He's distribution. The auxiliary heads are there only if asked for (`auxiliary`), and give logits in training only.
"""

from __future__ import annotations

from collections import OrderedDict
from functools import partial

import torch
from torch import Tensor, nn

from wiesel.blocks import initialisation
from wiesel.blocks.branches import chain
from wiesel.blocks.inception_conv import inception_conv
from wiesel.blocks.linear_head import linear_head
from wiesel.blocks.stem import Stem, is_small
from wiesel.zoo.auxiliary import NetworkWithAuxiliaryHeads
from wiesel.zoo.network import Network

# Channels of the modules, in the order of table 1: 1x1, 3x3 reduced, 3x3, 5x5 reduced, 5x5, pool.
STAGES = {
    "stage1": {
        "inception3a": (64, 96, 128, 16, 32, 32),
        "inception3b": (128, 128, 192, 32, 96, 64),
    },
    "stage2": {
        "inception4a": (192, 96, 208, 16, 48, 64),
        "inception4b": (160, 112, 224, 24, 64, 64),
        "inception4c": (128, 128, 256, 24, 64, 64),
        "inception4d": (112, 144, 288, 32, 64, 64),
        "inception4e": (256, 160, 320, 32, 128, 128),
    },
    "stage3": {
        "inception5a": (256, 160, 320, 32, 128, 128),
        "inception5b": (384, 192, 384, 48, 128, 128),
    },
}
STEM_WIDTH = 192
LAST_WIDTH = 1024


class InceptionModule(nn.Module):
    """Four branches, stacked: (B, channels_in, H, W) -> (B, out_1x1 + out_3x3 + out_5x5 + out_pool, H, W).

    Figure 2(b) of the paper; each convolution is followed by batch norm and ReLU. `large_kernel` is the side of the largest filters.

    >>> InceptionModule(3, 64, 96, 128, 16, 32, 32)(torch.zeros(1, 3, 28, 28)).shape
    torch.Size([1, 256, 28, 28])
    """

    def __init__(
        self,
        channels_in: int,
        out_1x1: int,
        out_3x3_reduce: int,
        out_3x3: int,
        out_5x5_reduce: int,
        out_5x5: int,
        out_pool: int,
        large_kernel: int = 5,
    ) -> None:
        super().__init__()
        self.branch1x1 = inception_conv(channels_in, out_1x1, kernel=1)
        self.branch3x3 = chain(
            reduce=inception_conv(channels_in, out_3x3_reduce, kernel=1),
            conv=inception_conv(out_3x3_reduce, out_3x3, kernel=3),
        )
        self.branch5x5 = chain(
            reduce=inception_conv(channels_in, out_5x5_reduce, kernel=1),
            conv=inception_conv(out_5x5_reduce, out_5x5, kernel=large_kernel),
        )
        self.branch_pool = chain(
            pool=nn.MaxPool2d(3, stride=1, padding=1),
            project=inception_conv(channels_in, out_pool, kernel=1),
        )
        self.channels_out = out_1x1 + out_3x3 + out_5x5 + out_pool

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([self.branch1x1(x), self.branch3x3(x), self.branch5x5(x), self.branch_pool(x)], dim=1)


def _googlenet(
    large_kernel: int,
    last_pool: int,
    classes: int,
    channels: int,
    size: tuple[int, int],
    stem: Stem = "auto",
    auxiliary: bool = False,
) -> Network:
    """`stem` "auto": "small" if a side is below 64 px, else "imagenet"."""
    small = is_small(stem, size)
    stages: OrderedDict[str, nn.Module] = OrderedDict(stem=_stem(channels, small))
    heads: OrderedDict[str, nn.Module] = OrderedDict()
    pools = {"stage2": _halve(3), "stage3": _halve(last_pool)}
    channels_in = STEM_WIDTH
    for stage, modules in STAGES.items():
        layers: OrderedDict[str, nn.Module] = OrderedDict()
        if stage in pools:
            layers["pool"] = pools[stage]
        for name, widths in modules.items():
            layers[name] = module = InceptionModule(channels_in, *widths, large_kernel=large_kernel)
            channels_in = module.channels_out
            if auxiliary and name in ("inception4a", "inception4d"):
                heads[name] = _auxiliary_head(channels_in, classes)
        stages[stage] = nn.Sequential(layers)
    features, head = nn.Sequential(stages), linear_head(LAST_WIDTH, classes, dropout=0.4)
    # The last pool needs 1 position if it is 2x2, 2 if it is 3x3; the pool before it 2 or 4, and so on up to the picture.
    side = (2 if small else 15) if last_pool == 2 else (4 if small else 31)
    network = NetworkWithAuxiliaryHeads(features, head, heads, (side, side)) if auxiliary else Network(features, head, (side, side))
    initialisation.he(network)
    return network


def _halve(kernel: int) -> nn.MaxPool2d:
    return nn.MaxPool2d(kernel, stride=2, ceil_mode=True)


def _stem(channels: int, small: bool) -> nn.Sequential:
    conv1 = inception_conv(channels, 64, kernel=3 if small else 7, stride=1 if small else 2)
    conv2, conv3 = inception_conv(64, 64, kernel=1), inception_conv(64, STEM_WIDTH, kernel=3)
    if small:
        return chain(conv1=conv1, conv2=conv2, conv3=conv3)
    return chain(conv1=conv1, pool1=_halve(3), conv2=conv2, conv3=conv3, pool2=_halve(3))


def _auxiliary_head(channels_in: int, classes: int) -> nn.Sequential:
    """Half-way logits: (B, Cin, H, W) -> (B, classes). Section 5; the paper's 5x5 mean of stride 3 also makes 4x4 of 14x14 maps."""
    return chain(
        pool=nn.AdaptiveAvgPool2d(4),
        conv=inception_conv(channels_in, 128, kernel=1),
        flatten=nn.Flatten(),
        linear1=nn.Linear(128 * 4 * 4, 1024),
        relu=nn.ReLU(),
        dropout=nn.Dropout(0.7),
        linear2=nn.Linear(1024, classes),
    )


googlenet = partial(_googlenet, 3, 2)
googlenet_5x5 = partial(_googlenet, 5, 3)
