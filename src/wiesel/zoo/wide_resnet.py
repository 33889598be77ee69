"""Wide ResNets (Zagoruyko, Komodakis 2016, arXiv:1605.07146).

In a very deep ResNet few blocks do most of the work. Take fewer and make them wider: 16 wide layers are as good as a thousand thin
ones, and faster, since a processor has more to do at once.

    at 32 px     stem 32x32   stage1 32x32   stage2 16x16   stage3 8x8
    wrn_16_4     16           2 x 64         2 x 128        2 x 256       depth 6n + 4 = 16, width 4 times that of a small ResNet
    wrn_28_10    16           4 x 160        4 x 320        4 x 640
    wrn_40_4     16           6 x 64         6 x 128        6 x 256

    at 224 px          stem 56x56   stage1 56x56   stage2 28x28   stage3 14x14   stage4 7x7
    wide_resnet50_2    64           3 x 256        4 x 512        6 x 1024       3 x 2048      resnet50, its 3x3 twice as wide

Blocks of the first three are "pre-activated" (He et al. 2016, arXiv:1603.05027): norm and ReLU come before a convolution, nothing
after the sum, so shortcuts reach from the stem to the last norm untouched. wide_resnet50_2 is else as in `resnet.py`.

Differs from the paper: there is no dropout between the convolutions (with it, the paper's WRN-28-10 errs 3.89 % instead of 4.00 %).
"""

from __future__ import annotations

from collections import OrderedDict
from functools import partial

from torch import Tensor, nn

from wiesel.blocks import initialisation
from wiesel.blocks.conv_norm import conv
from wiesel.blocks.linear_head import linear_head
from wiesel.zoo.network import Network
from wiesel.zoo.resnet import Bottleneck, resnet

STEM_WIDTH = 16


class PreActivatedBlock(nn.Module):
    """Two 3x3 convolutions around a shortcut: (B, Cin, H, W) -> (B, width, ceil(H/stride), ceil(W/stride)).

    Where shapes differ, the shortcut is a 1x1 convolution of what the first norm and ReLU made of the maps.
    """

    def __init__(self, channels_in: int, width: int, stride: int) -> None:
        super().__init__()
        self.norm1 = nn.BatchNorm2d(channels_in)
        self.relu1 = nn.ReLU()
        self.conv1 = conv(channels_in, width, kernel=3, stride=stride)
        self.norm2 = nn.BatchNorm2d(width)
        self.relu2 = nn.ReLU()
        self.conv2 = conv(width, width, kernel=3)
        same_shape = stride == 1 and channels_in == width
        self.projection = None if same_shape else conv(channels_in, width, kernel=1, stride=stride)

    def forward(self, x: Tensor) -> Tensor:
        activated = self.relu1(self.norm1(x))
        correction: Tensor = self.conv2(self.relu2(self.norm2(self.conv1(activated))))
        return (x if self.projection is None else self.projection(activated)) + correction


def _wrn(depth: int, widening: int, classes: int, channels: int, size: tuple[int, int]) -> Network:
    """`depth` is 6n + 4. `size` is not needed: any picture will do, the paper's are of 32 px."""
    stages: OrderedDict[str, nn.Module] = OrderedDict(
        stem=nn.Sequential(OrderedDict(conv=conv(channels, STEM_WIDTH, kernel=3))),
    )
    channels_in = STEM_WIDTH
    for number, stride in enumerate((1, 2, 2), start=1):
        width = STEM_WIDTH * widening * 2 ** (number - 1)
        blocks: OrderedDict[str, nn.Module] = OrderedDict()
        for block in range(1, (depth - 4) // 6 + 1):
            blocks[f"block{block}"] = PreActivatedBlock(channels_in, width, stride if block == 1 else 1)
            channels_in = width
        if number == 3:
            blocks["norm"], blocks["relu"] = nn.BatchNorm2d(width), nn.ReLU()
        stages[f"stage{number}"] = nn.Sequential(blocks)
    network = Network(nn.Sequential(stages), linear_head(channels_in, classes))
    initialisation.he(network)
    return network


class WideBottleneck(Bottleneck):
    """A bottleneck whose 3x3 has twice the channels."""

    widening = 2


wrn_16_4 = partial(_wrn, 16, 4)
wrn_28_10 = partial(_wrn, 28, 10)
wrn_40_4 = partial(_wrn, 40, 4)
wide_resnet50_2 = partial(resnet, WideBottleneck, (3, 4, 6, 3))
