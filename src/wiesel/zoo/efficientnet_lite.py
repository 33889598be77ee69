"""EfficientNet-Lite (tensorflow/tpu, `efficientnet/lite`, March 2020): EfficientNet for small processors that reckon in integers.

Squeeze and excitation is gone (it is awkward there), and SiLU gives way to ReLU6, whose range is known beforehand. Members grow as
EfficientNet's do, except for the stem, the last convolution, and the depths of the first and last stage.

    member    lite0   lite1   lite2
    width     1.0     1.0     1.1
    depth     1.0     1.1     1.2
    side      224     240     260

Margins and the norms' epsilon are those of the authors' code, because weights made with it are in general use. Small pictures: the
small stem has stride 1, so 28 px end as 2 (else 1).
"""

from __future__ import annotations

from collections import OrderedDict
from functools import partial

from torch import nn

from wiesel.blocks import initialisation
from wiesel.blocks.conv_norm import conv_norm, set_epsilon
from wiesel.blocks.linear_head import linear_head
from wiesel.blocks.mbconv import MBConv
from wiesel.blocks.stem import Stem, is_small
from wiesel.blocks.stochastic_depth import linear_decay
from wiesel.zoo.efficientnet import B0, LAST_WIDTH, STEM_WIDTH, Scaling, scaled
from wiesel.zoo.network import Network

EPSILON = 1e-3

SCALINGS = {
    "lite0": Scaling(width=1.0, depth=1.0, side=224, dropout=0.2),
    "lite1": Scaling(width=1.0, depth=1.1, side=240, dropout=0.2),
    "lite2": Scaling(width=1.1, depth=1.2, side=260, dropout=0.3),
}


def _efficientnet_lite(
    member: str,
    classes: int,
    channels: int,
    size: tuple[int, int],
    stem: Stem = "auto",
    survival: float = 1.0,
) -> Network:
    """`stem` "auto": "small" if a side is below 64 px, else "imagenet". `survival` is that of the last block."""
    scaling = SCALINGS[member]
    first, *middle, last = scaled(B0, scaling)
    stages = (first._replace(depth=B0[0].depth), *middle, last._replace(depth=B0[-1].depth))
    survivals = linear_decay(sum(stage.depth for stage in stages), survival)
    stride, channels_in = 1 if is_small(stem, size) else 2, STEM_WIDTH
    layers: OrderedDict[str, nn.Module] = OrderedDict(
        stem=conv_norm(channels, channels_in, kernel=3, stride=stride, activation=nn.ReLU6, same=True)
    )
    for number, stage in enumerate(stages, start=1):
        blocks: OrderedDict[str, nn.Module] = OrderedDict()
        for block in range(1, stage.depth + 1):
            expanded = channels_in * stage.expansion
            stride = stage.stride if block == 1 else 1
            blocks[f"block{block}"] = MBConv(
                channels_in, expanded, stage.width, stage.kernel, stride, nn.ReLU6, None, survivals.pop(0), same=True
            )
            channels_in = stage.width
        layers[f"stage{number}"] = nn.Sequential(blocks)
    layers[f"stage{len(stages) + 1}"] = conv_norm(channels_in, LAST_WIDTH, kernel=1, activation=nn.ReLU6)
    network = Network(nn.Sequential(layers), linear_head(LAST_WIDTH, classes, scaling.dropout))
    set_epsilon(network, EPSILON)
    initialisation.he(network)
    return network


efficientnet_lite0 = partial(_efficientnet_lite, "lite0")
efficientnet_lite1 = partial(_efficientnet_lite, "lite1")
efficientnet_lite2 = partial(_efficientnet_lite, "lite2")
