"""Convolution, batch norm, activation: the piece that nearly every network after 2015 is made of.

The convolution has no bias: the norm that follows subtracts the mean of each channel, so a bias would change nothing
(Ioffe, Szegedy 2015, arXiv:1502.03167, section 3.2).
"""

from __future__ import annotations

from collections import OrderedDict

from torch import nn

from wiesel.blocks.same_pad import SamePad


def conv(channels_in: int, channels_out: int, kernel: int, stride: int = 1, groups: int = 1) -> nn.Conv2d:
    """Convolution without bias: (B, Cin, H, W) -> (B, Cout, ceil(H/stride), ceil(W/stride)). `kernel` is odd."""
    return nn.Conv2d(channels_in, channels_out, kernel, stride, padding=kernel // 2, groups=groups, bias=False)


def conv_norm(
    channels_in: int,
    channels_out: int,
    kernel: int,
    stride: int = 1,
    groups: int = 1,
    activation: type[nn.Module] | None = None,
    same: bool = False,
) -> nn.Sequential:
    """`conv`, then `norm`, then the activation if there is one, as children of these names (the last one: `activation`).

    `same` lays the margin of a strided convolution as TensorFlow does, by a child `pad` in front.

    >>> [name for name, _ in conv_norm(3, 8, kernel=3, activation=nn.ReLU).named_children()]
    ['conv', 'norm', 'activation']
    """
    layers: OrderedDict[str, nn.Module] = OrderedDict()
    convolution = conv(channels_in, channels_out, kernel, stride, groups)
    if same and stride > 1:
        layers["pad"] = SamePad(kernel, stride)
        convolution.padding = (0, 0)
    layers["conv"] = convolution
    layers["norm"] = nn.BatchNorm2d(channels_out)
    if activation is not None:
        layers["activation"] = activation()
    return nn.Sequential(layers)


def set_epsilon(network: nn.Module, epsilon: float) -> None:
    """What every batch norm of the network adds to its variances. It belongs to the weights: with another one they answer otherwise."""
    for layer in network.modules():
        if isinstance(layer, nn.BatchNorm2d):
            layer.eps = epsilon
