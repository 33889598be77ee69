"""Stochastic depth (Huang, Sun, Liu, Sedra, Weinberger 2016, arXiv:1603.09382): train a random shorter network at each step.

A residual block whose correction is left out is its shortcut. Each picture of a batch draws for itself.

Differs from the paper, as networks since 2019 do: a correction that stays is divided by its probability to stay while training,
instead of multiplied by it in evaluation, so evaluation knows nothing of it.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn


class StochasticDepth(nn.Module):
    """A correction (B, C, H, W), or zeros for some of its pictures; the identity in evaluation and with `survival` 1.

    `survival`, above 0 and at most 1, is the probability to stay. Draws from torch's global generator.
    """

    def __init__(self, survival: float) -> None:
        super().__init__()
        self.survival = survival

    def forward(self, correction: Tensor) -> Tensor:
        if not self.training or self.survival == 1:
            return correction
        pictures = correction.shape[0]
        stays = torch.empty((pictures, 1, 1, 1), dtype=correction.dtype, device=correction.device).bernoulli_(self.survival)
        return correction * stays / self.survival

    def extra_repr(self) -> str:
        return f"survival={self.survival:.4g}"


def linear_decay(blocks: int, last: float) -> list[float]:
    """Survival of each block: from nearly 1 down to `last`, since early blocks are needed by all later ones (equation 4).

    >>> linear_decay(4, last=0.5)
    [0.875, 0.75, 0.625, 0.5]
    """
    return [1 - number / blocks * (1 - last) for number in range(1, blocks + 1)]
