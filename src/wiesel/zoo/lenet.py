"""LeNet-5 (LeCun, Bottou, Bengio, Haffner 1998, "Gradient-based learning applied to document recognition", Proc. IEEE 86(11)).

Convolution and subsampling in turn, until a picture of a digit has become 120 numbers.

    at 32 px    C1         S2         C3          S4         C5         F6    output
                6 @ 28x28  6 @ 14x14  16 @ 10x10  16 @ 5x5   120 @ 1x1  84    10
    parameters  156                   2 416                  48 120     10 164  850     together 61 706

Differs from the paper, as the network that everybody calls LeNet-5 today does: subsampling is a plain mean (the paper scales and
shifts it, 12 and 32 parameters more), every map of C3 sees all maps of S2 (the paper: a table of 60 of the 96 pairs), tanh is not
scaled, and the output is linear (the paper: distances to drawn characters). The paper's own count is 60 000.
"""

from __future__ import annotations

from collections import OrderedDict

from torch import nn

from wiesel.blocks import initialisation
from wiesel.zoo.network import Network

PAPER_SIDE = 32


def lenet5(classes: int, channels: int, size: tuple[int, int]) -> Network:
    """`size` (H, W): a side below 32 px gets a margin of zeros up to 32, as the 28 px digits of MNIST did in the paper.

    Larger pictures leave C5 with more than one position, as the paper foresees in its section VII; their mean goes on.
    """
    margin_y, margin_x = (max(0, PAPER_SIDE - side + 1) // 2 for side in size)
    features = nn.Sequential(
        OrderedDict(
            stage1=nn.Sequential(
                OrderedDict(
                    c1=nn.Conv2d(channels, 6, kernel_size=5, padding=(margin_y, margin_x)),
                    tanh1=nn.Tanh(),
                    s2=nn.AvgPool2d(2),
                )
            ),
            stage2=nn.Sequential(
                OrderedDict(
                    c3=nn.Conv2d(6, 16, kernel_size=5),
                    tanh3=nn.Tanh(),
                    s4=nn.AvgPool2d(2),
                )
            ),
            stage3=nn.Sequential(
                OrderedDict(
                    c5=nn.Conv2d(16, 120, kernel_size=5),
                    tanh5=nn.Tanh(),
                )
            ),
        )
    )
    head = nn.Sequential(
        OrderedDict(
            pool=nn.AdaptiveAvgPool2d(1),  # the identity at 32 px
            flatten=nn.Flatten(),
            f6=nn.Linear(120, 84),
            tanh6=nn.Tanh(),
            output=nn.Linear(84, classes),
        )
    )
    network = Network(features, head, smallest=(PAPER_SIDE - 2 * margin_y, PAPER_SIDE - 2 * margin_x))
    initialisation.xavier(network)
    return network
