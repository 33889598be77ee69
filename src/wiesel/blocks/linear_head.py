"""The head of most networks since 2013: the mean of each map, then one linear layer.

Source: Lin, Chen, Yan 2013, arXiv:1312.4400, section 3.2 (global average pooling), with the linear layer of later papers.
"""

from __future__ import annotations

from collections import OrderedDict

from torch import nn


def linear_head(channels: int, classes: int, dropout: float = 0.0) -> nn.Sequential:
    """Maps of any size to logits: (B, channels, H, W) -> (B, classes).

    Children: `pool`, `flatten`, `dropout` if there is any, `linear`.
    """
    layers: OrderedDict[str, nn.Module] = OrderedDict(pool=nn.AdaptiveAvgPool2d(1), flatten=nn.Flatten())
    if dropout:
        layers["dropout"] = nn.Dropout(dropout)
    layers["linear"] = nn.Linear(channels, classes)
    return nn.Sequential(layers)
