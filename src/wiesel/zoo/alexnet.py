"""AlexNet, as it won in 2012 (Krizhevsky, Sutskever, Hinton 2012, NIPS 25) and as it is used since 2014 (arXiv:1404.5997).

Five convolutions and three linear layers, ReLU instead of tanh, dropout, and two graphics cards: half as deep as anything that came
after it, and the reason why it came.

    at 227 px     stage1         stage2          stage3          stage4          stage5          head
    alexnet2012   96 11x11 /4    256 5x5         384 3x3         384 3x3         256 3x3         4096, 4096, classes
                  norm, pool     norm, pool                                      pool
    alexnet       64 11x11 /4    192 5x5         384 3x3         256 3x3         256 3x3         4096, 4096, classes
                  pool           pool                                            pool
    maps after    27x27          13x13           13x13           13x13           6x6

The network of 2012 lay on two cards of 3 GB. Convolutions 2, 4 and 5 see only the maps of their own card: two groups here. That of
2014 ("one weird trick") fits on one card, has fewer maps at the bottom, and no response normalisation.

Parameters of the grouped one: 34 944 + 307 456 + 885 120 + 663 936 + 442 624 in the convolutions, 37 752 832 + 16 781 312 +
4 097 000 in the linear layers, together 60 965 224. The paper says 224 px, but only 227 px give its 55x55 maps without a margin; the
network of 2014 has a margin of 2 and takes 224 px.

Differs from the paper: filters start from He's distribution and biases at 0 (paper: N(0, 0.01²), some biases at 1). Pictures of
other sizes are brought to 6x6 maps by (a kind of) mean; below 67 px (`alexnet`: 63 px) nothing is left for the last pool.
"""

from __future__ import annotations

from collections import OrderedDict

from torch import nn

from wiesel.blocks import initialisation
from wiesel.zoo.network import Network

LAST_WIDTH = 256


def alexnet(classes: int, channels: int, size: tuple[int, int]) -> Network:
    """The single tower of 2014. `size` is not needed: any picture from 63 px will do."""
    features = nn.Sequential(
        OrderedDict(
            stage1=_stage(nn.Conv2d(channels, 64, kernel_size=11, stride=4, padding=2), pool=True),
            stage2=_stage(nn.Conv2d(64, 192, kernel_size=5, padding=2), pool=True),
            stage3=_stage(nn.Conv2d(192, 384, kernel_size=3, padding=1)),
            stage4=_stage(nn.Conv2d(384, 256, kernel_size=3, padding=1)),
            stage5=_stage(nn.Conv2d(256, LAST_WIDTH, kernel_size=3, padding=1), pool=True),
        )
    )
    return _network(features, classes, smallest=63)


def alexnet2012(classes: int, channels: int, size: tuple[int, int]) -> Network:
    """The two towers of 2012. `size` is not needed: any picture from 67 px will do."""
    features = nn.Sequential(
        OrderedDict(
            stage1=_stage(nn.Conv2d(channels, 96, kernel_size=11, stride=4), norm=True, pool=True),
            stage2=_stage(nn.Conv2d(96, 256, kernel_size=5, padding=2, groups=2), norm=True, pool=True),
            stage3=_stage(nn.Conv2d(256, 384, kernel_size=3, padding=1)),  # the towers meet
            stage4=_stage(nn.Conv2d(384, 384, kernel_size=3, padding=1, groups=2)),
            stage5=_stage(nn.Conv2d(384, LAST_WIDTH, kernel_size=3, padding=1, groups=2), pool=True),
        )
    )
    return _network(features, classes, smallest=67)


def response_norm() -> nn.LocalResponseNorm:
    """Each value over (2 + 0.0001 * sum of the squares of the five maps around its own)^0.75: section 3.3."""
    # PyTorch's alpha is for the mean of the five squares, the paper's for their sum.
    return nn.LocalResponseNorm(size=5, alpha=5 * 1e-4, beta=0.75, k=2.0)


def _stage(conv: nn.Conv2d, norm: bool = False, pool: bool = False) -> nn.Sequential:
    layers: OrderedDict[str, nn.Module] = OrderedDict(conv=conv, relu=nn.ReLU())
    if norm:
        layers["norm"] = response_norm()
    if pool:
        layers["pool"] = nn.MaxPool2d(3, stride=2)  # windows overlap: section 3.4
    return nn.Sequential(layers)


def _network(features: nn.Sequential, classes: int, smallest: int) -> Network:
    head = nn.Sequential(
        OrderedDict(
            pool=nn.AdaptiveAvgPool2d(6),  # the identity at 224 and 227 px
            flatten=nn.Flatten(),
            linear1=nn.Linear(LAST_WIDTH * 6 * 6, 4096),
            relu1=nn.ReLU(),
            dropout1=nn.Dropout(0.5),
            linear2=nn.Linear(4096, 4096),
            relu2=nn.ReLU(),
            dropout2=nn.Dropout(0.5),
            linear3=nn.Linear(4096, classes),
        )
    )
    network = Network(features, head, smallest=(smallest, smallest))
    initialisation.he(network)
    initialisation.normal(head, std=0.01)
    return network
