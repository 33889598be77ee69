"""ResNeXt (Xie, Girshick, Dollár, Tu, He 2016, arXiv:1611.05431).

Split the 3x3 of a ResNet's bottleneck into many thin paths that do not see each other. A split costs nothing but saves weights, and
what is saved is spent on twice the channels in the 3x3: for the same cost, many thin paths are better than one wide one.

    at 224 px          stem 56x56   stage1 56x56   stage2 28x28   stage3 14x14   stage4 7x7
    resnext50_32x4d    64           3 x 256        4 x 512        6 x 1024       3 x 2048
    its 3x3 see                     128            256            512            1024         in 32 groups, of 4 channels at first

All else is as in `resnet.py`: stems, shortcuts, and what differs from the paper.
"""

from __future__ import annotations

from functools import partial

from wiesel.zoo.resnet import Bottleneck, resnet


class SplitBottleneck(Bottleneck):
    """A bottleneck whose 3x3 has twice the channels, in 32 groups (figure 3c of the paper)."""

    widening = 2
    groups = 32


resnext50_32x4d = partial(resnet, SplitBottleneck, (3, 4, 6, 3))
