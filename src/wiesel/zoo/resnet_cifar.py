"""The small ResNets for CIFAR-10 and their plain twins (He, Zhang, Ren, Sun 2015, arXiv:1512.03385, section 4.2).

With these the paper shows the degradation problem: 56 plain layers train worse than 20, and shortcuts turn the order around. The
shortcuts have no parameters (option A), so a ResNet and its plain twin of the same depth differ in nothing else.

    at 32 px             stem 32x32   stage1 32x32   stage2 16x16   stage3 8x8
    20 = 6n + 2, n = 3   16           3 x 16         3 x 32         3 x 64
    32, 44, 56, 110      16           n x 16         n x 32         n x 64        n = 5, 7, 9, 18

Parameters of the 20 layers for 10 classes: stem 464, stages 14 016 + 51 072 + 203 520, linear 650; together 269 722.

Differs from the paper: blocks may start as the identity (`zero_init_last_norm`).
"""

from __future__ import annotations

from collections import OrderedDict
from functools import partial

from torch import Tensor, nn
from torch.nn import functional

from wiesel.blocks import initialisation
from wiesel.blocks.conv_norm import conv_norm
from wiesel.blocks.linear_head import linear_head
from wiesel.zoo.network import Network
from wiesel.zoo.resnet import BasicBlock, Shortcut, no_shortcut, stage

WIDTHS = (16, 32, 64)


class SubsampleAndPad(nn.Module):
    """Every `stride`-th pixel, and zeros for the new channels, which come last: (B, Cin, H, W) -> (B, Cout, H/stride, W/stride)."""

    def __init__(self, channels_in: int, channels_out: int, stride: int) -> None:
        super().__init__()
        self.stride = stride
        self.new_channels = channels_out - channels_in

    def forward(self, x: Tensor) -> Tensor:
        return functional.pad(x[:, :, :: self.stride, :: self.stride], (0, 0, 0, 0, 0, self.new_channels))

    def extra_repr(self) -> str:
        return f"stride={self.stride}, new_channels={self.new_channels}"


def subsampling(channels_in: int, channels_out: int, stride: int) -> nn.Module:
    """A shortcut without parameters: option A of section 3.3."""
    if stride == 1 and channels_in == channels_out:
        return nn.Identity()
    return SubsampleAndPad(channels_in, channels_out, stride)


def _resnet_cifar(
    depth: int,
    classes: int,
    channels: int,
    size: tuple[int, int],
    zero_init_last_norm: bool = True,
    shortcut: Shortcut = subsampling,
) -> Network:
    """`depth` is 6n + 2. `size` is not needed: any picture will do, the paper's are of 32 px."""
    blocks = (depth - 2) // 6
    features = nn.Sequential(
        OrderedDict(
            stem=conv_norm(channels, WIDTHS[0], kernel=3, activation=nn.ReLU),
            stage1=stage(BasicBlock, WIDTHS[0], WIDTHS[0], blocks, 1, shortcut),
            stage2=stage(BasicBlock, WIDTHS[0], WIDTHS[1], blocks, 2, shortcut),
            stage3=stage(BasicBlock, WIDTHS[1], WIDTHS[2], blocks, 2, shortcut),
        )
    )
    network = Network(features, linear_head(WIDTHS[-1], classes))
    initialisation.he(network)
    if zero_init_last_norm:
        initialisation.zero_last_norms(network)
    return network


resnet20 = partial(_resnet_cifar, 20)
resnet32 = partial(_resnet_cifar, 32)
resnet44 = partial(_resnet_cifar, 44)
resnet56 = partial(_resnet_cifar, 56)
resnet110 = partial(_resnet_cifar, 110)
plain20 = partial(_resnet_cifar, 20, shortcut=no_shortcut)
plain32 = partial(_resnet_cifar, 32, shortcut=no_shortcut)
plain44 = partial(_resnet_cifar, 44, shortcut=no_shortcut)
plain56 = partial(_resnet_cifar, 56, shortcut=no_shortcut)
plain110 = partial(_resnet_cifar, 110, shortcut=no_shortcut)
