"""A small network on top of features that cannot fold far places onto near ones.

    standardise  →  linear, D → width, started at the principal components  →  blocks  h + relu(W h + b)   with |W| <= bound < 1

With |W| < 1 a block stretches and shrinks no distance beyond 1 ± |W|, so what lies far from all training features stays far: a kernel
on the output can notice it. The linear layer's norm is bounded as well, from above only: it may lose directions, but amplifies none.

Source: Liu et al. 2020, arXiv:2006.10108, section 3.1; van Amersfoort et al. 2021, arXiv:2102.11409, for Gaussian processes.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from wiesel.uncertainty.logistic import scaling


class Projection(nn.Module):
    """Features (N, D) to (N, width)."""

    mean: Tensor
    scale: Tensor

    def __init__(self, size: int, width: int, depth: int, bound: float = 0.95) -> None:
        super().__init__()
        self.bound = bound
        self.register_buffer("mean", torch.zeros(size, dtype=torch.float64))
        self.register_buffer("scale", torch.ones(size, dtype=torch.float64))
        with torch.random.fork_rng(devices=[]):  # what nn.Linear draws is not kept, and must not change the caller's draws
            self.first = nn.Linear(size, width, dtype=torch.float64)
            self.blocks = nn.ModuleList(nn.Linear(width, width, dtype=torch.float64) for _ in range(depth))
        self._iterates: dict[nn.Linear, Tensor] = {}

    def forward(self, features: Tensor) -> Tensor:
        hidden: Tensor = self.first((features - self.mean) / self.scale)
        for block in self.blocks:
            hidden = hidden + F.relu(block(hidden))
        return hidden

    @torch.no_grad()
    def start(self, features: Tensor, generator: torch.Generator) -> None:
        """Standardise with these features; begin with their principal components and nearly idle blocks."""
        mean, scale = scaling(features)
        self.mean.copy_(mean)
        self.scale.copy_(scale)
        standard = (features - mean) / scale
        _, vectors = torch.linalg.eigh(standard.T @ standard)
        components = vectors.flip(1).T[: self.first.out_features]
        self.first.weight.zero_()
        self.first.weight[: len(components)] = components
        self.first.bias.zero_()
        for block in self._blocks():
            block.weight.copy_(torch.randn(block.weight.shape, generator=generator, dtype=torch.float64))
            block.weight.mul_(0.1 / torch.linalg.matrix_norm(block.weight, 2))
            block.bias.zero_()

    @torch.no_grad()
    def keep_bounds(self, *, exact: bool = False) -> None:
        """After each step: scale down weights whose spectral norm has left its bound, as estimated by power iteration (at the end: exactly)."""
        for layer, limit in [(self.first, 1.0), *((block, self.bound) for block in self._blocks())]:
            norm = torch.linalg.matrix_norm(layer.weight, 2) if exact else self._norm(layer)
            if float(norm) > limit:
                layer.weight.mul_(limit / norm)

    def _norm(self, layer: nn.Linear) -> Tensor:
        """One step of the power iteration, which goes on where the last call ended."""
        before = self._iterates.get(layer)
        if before is None:
            before = torch.linalg.svd(layer.weight, full_matrices=False).Vh[0]
        across = F.normalize(layer.weight @ before, dim=0)
        back = layer.weight.T @ across
        self._iterates[layer] = F.normalize(back, dim=0)
        norm: Tensor = back.norm()
        return norm

    def _blocks(self) -> Iterator[nn.Linear]:
        for block in self.blocks:
            assert isinstance(block, nn.Linear)
            yield block


def middle_distance(places: Tensor, labels: Tensor, generator: torch.Generator, pairs: int = 20_000) -> float:
    """Median distance of randomly drawn places (N, d) with the same label (N,): the size of a class, and so the length on which a
    kernel should look. The gaps between the classes are larger; with their length, what lies in a gap would pass for familiar.

    Half the median of all distances where no two places share a label; 1 if all are equal.
    """
    first, second = torch.randint(len(places), (2, pairs), generator=generator)
    distances = (places[first] - places[second]).norm(dim=1)
    alike = distances[(labels[first] == labels[second]) & (distances > 0)]
    if len(alike):
        return float(alike.median())
    apart = distances[distances > 0]
    return float(apart.median()) / 2 if len(apart) else 1.0
