"""The convolution that GoogLeNet and all Inceptions after it are made of.

Unlike `conv_norm` it comes in any shape, since these networks have filters of 1x7 and 7x1 and often leave the margin out.
"""

from __future__ import annotations

from collections import OrderedDict

from torch import nn

# Larger than PyTorch's 1e-5: the epsilon of the authors' code (TF-Slim, `inception_arg_scope`), hence of the weights made with it.
EPSILON = 1e-3


def inception_conv(
    channels_in: int,
    channels_out: int,
    kernel: int | tuple[int, int],
    stride: int = 1,
    margin: bool = True,
) -> nn.Sequential:
    """Convolution without bias, batch norm, ReLU, as children `conv`, `norm`, `activation`.

    `kernel` is odd, one number or (height, width). With a `margin` of zeros, (B, Cin, H, W) -> (B, Cout, ceil(H/stride),
    ceil(W/stride)); without, only where the whole kernel fits: floor((H - height)/stride) + 1.
    """
    height, width = kernel if isinstance(kernel, tuple) else (kernel, kernel)
    padding = (height // 2, width // 2) if margin else 0
    return nn.Sequential(
        OrderedDict(
            conv=nn.Conv2d(channels_in, channels_out, (height, width), stride, padding, bias=False),
            norm=nn.BatchNorm2d(channels_out, eps=EPSILON),
            activation=nn.ReLU(),
        )
    )
