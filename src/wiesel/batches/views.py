"""A network that looks at each picture several times and averages its logits: test-time augmentation.

It costs as many forward passes as there are views and gains some tenths of a point, so its figures always stand apart from plain ones.

    2    the picture and its mirror image (only where mirroring changes no class)
    6    the same, and both moved by one pixel up and left, and down and right; the unmoved pair counts half
         (Jordan 2024, arXiv:2404.00498, section 3.5)
"""

from __future__ import annotations

from typing import Literal

import torch.nn.functional as F
from torch import Tensor, nn

from wiesel.batches.inference import logits_in

NumberOfViews = Literal[1, 2, 6]


class Views(nn.Module):
    """Pictures (B, C, H, W) to the mean logits (B, K) of their views."""

    def __init__(self, network: nn.Module, number: NumberOfViews) -> None:
        super().__init__()
        self.network = network
        self.number = number

    def forward(self, pictures: Tensor) -> Tensor:
        if self.number == 1:
            return logits_in(self.network(pictures))
        if self.number == 2:
            return self._both_ways(pictures)
        height, width = pictures.shape[-2:]
        wide = F.pad(pictures, (1, 1, 1, 1), mode="reflect")
        up_left, down_right = wide[..., 2:, 2:], wide[..., :height, :width]
        return 0.5 * self._both_ways(pictures) + 0.25 * self._both_ways(up_left) + 0.25 * self._both_ways(down_right)

    def _both_ways(self, pictures: Tensor) -> Tensor:
        return (logits_in(self.network(pictures)) + logits_in(self.network(pictures.flip(-1)))) / 2
