"""Several looks at the same maps, side by side: the idea of GoogLeNet and all Inceptions after it.

Source: Szegedy et al. 2014, arXiv:1409.4842, section 4.
"""

from __future__ import annotations

from collections import OrderedDict

import torch
from torch import Tensor, nn


class Branches(nn.Module):
    """Every branch gets the same maps, and what they give is stacked in their order: (B, Cin, H, W) -> (B, sum of Couts, h, w).

    >>> network = Branches(fine=nn.Conv2d(3, 4, 1), coarse=nn.Conv2d(3, 5, 3, padding=1), pool=nn.MaxPool2d(3, 1, padding=1))
    >>> network(torch.zeros(2, 3, 8, 6)).shape
    torch.Size([2, 12, 8, 6])
    """

    def __init__(self, **branches: nn.Module) -> None:
        super().__init__()
        for name, branch in branches.items():
            self.add_module(name, branch)

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([branch(x) for branch in self.children()], dim=1)


def chain(**layers: nn.Module) -> nn.Sequential:
    """One layer after the other, under the names given: how a branch of several layers is written."""
    return nn.Sequential(OrderedDict(layers))
