"""Two networks small enough to draw on a blackboard: learnable filters, and filters in three levels.

    at 28 px             stage1              stage2                stage3
    simple_cnn           32 @ 28x28          64 @ 28x28
    hierarchical_cnn     64 @ 28x28          128 @ 28x28           256 @ 28x28
                         edges, textures     patterns, parts       parts of things

They are the teaching examples `SimpleCNN` and `HierarchicalCNN` of the book chapter: the feature layers are exactly its layers,
convolutions with a bias (also before a norm, where it changes nothing) and without any pooling. The chapter stops at the maps. To
make classifiers of them, a head is added here: the mean of each map and one linear layer.
"""

from __future__ import annotations

from collections import OrderedDict

from torch import nn

from wiesel.blocks.linear_head import linear_head
from wiesel.zoo.network import Network


def simple_cnn(classes: int, channels: int, size: tuple[int, int]) -> Network:
    """Two 3x3 convolutions. `size` is not needed: any picture will do."""
    features = nn.Sequential(
        OrderedDict(
            stage1=nn.Sequential(OrderedDict(conv=nn.Conv2d(channels, 32, kernel_size=3, padding=1), relu=nn.ReLU())),
            stage2=nn.Sequential(OrderedDict(conv=nn.Conv2d(32, 64, kernel_size=3, padding=1), relu=nn.ReLU())),
        )
    )
    return Network(features, linear_head(64, classes))


def hierarchical_cnn(classes: int, channels: int, size: tuple[int, int]) -> Network:
    """Three 3x3 convolutions with batch norm. `size` is not needed: any picture will do."""
    features = nn.Sequential(OrderedDict(stage1=_level(channels, 64), stage2=_level(64, 128), stage3=_level(128, 256)))
    return Network(features, linear_head(256, classes))


def _level(channels_in: int, channels_out: int) -> nn.Sequential:
    return nn.Sequential(
        OrderedDict(
            conv=nn.Conv2d(channels_in, channels_out, kernel_size=3, padding=1),
            norm=nn.BatchNorm2d(channels_out),
            relu=nn.ReLU(),
        )
    )
