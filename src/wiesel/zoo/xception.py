"""Xception (Chollet 2016, arXiv:1610.02357): Inception taken to its end.

An Inception module looks at a few groups of maps in a few ways. Here each map is looked at on its own (a 3x3 filter per map, called
depthwise), and a 1x1 convolution mixes what was seen: where and what are learnt apart. 3x3 from 728 maps to 728 so costs an eighth.

    at 299 px   stem       stage1    stage2    stage3                     stage4                        head
                2 conv     1 block   1 block   1 block, 8 middle blocks   1 block, 2 separable conv     mean, linear
    maps        147x147    74x74     37x37     19x19                      10x10
    channels    32, 64     128       256       728                        1024, 1536, 2048

The paper calls stem to the first block of stage3 the entry flow, the 8 blocks the middle flow, the rest the exit flow.

Differs from the paper: norms have PyTorch's epsilon and momentum, filters start from He's distribution, and blocks may start as
their shortcut (`zero_init_last_norm`). No dropout (the paper: 0.5 before the last layer).

Small pictures: the stem has no margin, so at least 7 px are needed, and below 64 px little is left for the middle blocks to look at.
"""

from __future__ import annotations

from collections import OrderedDict
from itertools import pairwise

from torch import Tensor, nn

from wiesel.blocks import initialisation
from wiesel.blocks.conv_norm import conv, conv_norm
from wiesel.blocks.linear_head import linear_head
from wiesel.zoo.network import Network

SMALLEST = 7
LAST_WIDTH = 2048


def xception(classes: int, channels: int, size: tuple[int, int], zero_init_last_norm: bool = True) -> Network:
    """`size` is not needed: any picture from 7 px will do."""
    middle: OrderedDict[str, nn.Module] = OrderedDict((f"middle{n}", XceptionBlock((728, 728, 728, 728))) for n in range(1, 9))
    features = nn.Sequential(
        OrderedDict(
            stem=nn.Sequential(
                OrderedDict(
                    conv1=nn.Conv2d(channels, 32, kernel_size=3, stride=2, bias=False),
                    norm1=nn.BatchNorm2d(32),
                    relu1=nn.ReLU(),
                    conv2=nn.Conv2d(32, 64, kernel_size=3, bias=False),
                    norm2=nn.BatchNorm2d(64),
                    relu2=nn.ReLU(),
                )
            ),
            stage1=nn.Sequential(OrderedDict(entry1=XceptionBlock((64, 128, 128), stride=2, first_relu=False))),
            stage2=nn.Sequential(OrderedDict(entry2=XceptionBlock((128, 256, 256), stride=2))),
            stage3=nn.Sequential(OrderedDict(entry3=XceptionBlock((256, 728, 728), stride=2)) | middle),
            stage4=nn.Sequential(
                OrderedDict(
                    exit1=XceptionBlock((728, 728, 1024), stride=2),
                    separable1=separable(1024, 1536),
                    norm1=nn.BatchNorm2d(1536),
                    relu1=nn.ReLU(),
                    separable2=separable(1536, LAST_WIDTH),
                    norm2=nn.BatchNorm2d(LAST_WIDTH),
                    relu2=nn.ReLU(),
                )
            ),
        )
    )
    network = Network(features, linear_head(LAST_WIDTH, classes), smallest=(SMALLEST, SMALLEST))
    initialisation.he(network)
    if zero_init_last_norm:
        initialisation.zero_last_norms(network)
    return network


def separable(channels_in: int, channels_out: int) -> nn.Sequential:
    """A 3x3 filter for each map, then 1x1 across the maps, nothing in between: (B, Cin, H, W) -> (B, Cout, H, W)."""
    return nn.Sequential(
        OrderedDict(
            depthwise=conv(channels_in, channels_in, kernel=3, groups=channels_in),
            pointwise=conv(channels_in, channels_out, kernel=1),
        )
    )


class XceptionBlock(nn.Module):
    """Two or three times ReLU and separable convolution, around a shortcut: (B, widths[0], H, W) -> (B, widths[-1], h, w).

    h = ceil(H/stride): a max-pool at the end of the correction, a stride in the shortcut's 1x1 projection.
    """

    def __init__(self, widths: tuple[int, ...], stride: int = 1, first_relu: bool = True) -> None:
        super().__init__()
        same_shape = stride == 1 and widths[0] == widths[-1]
        self.shortcut = nn.Identity() if same_shape else conv_norm(widths[0], widths[-1], kernel=1, stride=stride)
        layers: OrderedDict[str, nn.Module] = OrderedDict()
        for number, (channels_in, channels_out) in enumerate(pairwise(widths), start=1):
            if number > 1 or first_relu:
                layers[f"relu{number}"] = nn.ReLU()
            layers[f"separable{number}"] = separable(channels_in, channels_out)
            layers[f"norm{number}"] = nn.BatchNorm2d(channels_out)
        if stride > 1:
            layers["pool"] = nn.MaxPool2d(3, stride, padding=1)
        self.correction = nn.Sequential(layers)

    @property
    def last_norm(self) -> nn.BatchNorm2d:
        return [layer for layer in self.correction if isinstance(layer, nn.BatchNorm2d)][-1]

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.shortcut(x) + self.correction(x)
        return y
