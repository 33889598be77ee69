"""Does a map depend on what the network learned? (Adebayo et al. 2018, arXiv:1810.03292)

Scramble the weights and explain again: a method whose map stays the same draws the picture's edges, not the network's reasons.
Scrambled means: the numbers of every tensor in another order, so that the sizes of weights and activations stay about what they were.
"""

from __future__ import annotations

import copy
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from wiesel.explanation.explanation import Explanation

LIMIT = 0.5
"""Rank correlation from which on a map counts as unchanged. A convention of ours: the paper looks at the whole curve."""

Explain = Callable[[nn.Module], Explanation]
"""Explains one picture and one class (the same each time) with the network it is given."""


@dataclass(frozen=True)
class Step:
    layer: str
    """Scrambled now, after all those before; "" means every layer at once."""
    correlation: float
    """Spearman's, -1..1, between the map with these weights and the map of the trained network; NaN if either is constant."""


@dataclass(frozen=True)
class Sanity:
    """`complete`: every layer scrambled, once per seed. `cascading`: from the last layer to the first, each on top of the ones before."""

    complete: tuple[Step, ...]
    cascading: tuple[Step, ...] = ()

    @property
    def correlation(self) -> float:
        """Mean over the seeds of `complete`; a constant map counts as 0, since it resembles nothing."""
        return float(np.mean(np.nan_to_num([step.correlation for step in self.complete])))

    @property
    def passed(self) -> bool:
        """Whether the map changes when the weights are scrambled."""
        return abs(self.correlation) < LIMIT

    def to_json(self) -> dict[str, Any]:
        return {
            "correlation": self.correlation,
            "passed": self.passed,
            "limit": LIMIT,
            "complete": [_number(step.correlation) for step in self.complete],
            "cascading": [{"layer": step.layer, "correlation": _number(step.correlation)} for step in self.cascading],
        }


def sanity(network: nn.Module, explain: Explain, *, seeds: int = 3, cascading: bool = False) -> Sanity:
    """Compare the map of `network` with those of copies whose weights are scrambled; the network itself is not touched.

    A small map correlates with any other by chance: of 4 x 4 cells, rank correlations have a deviation of 0.26. Hence several seeds.
    """
    trained = explain(network).raw
    names = weighted_layers(network)
    complete = [Step("", rank_correlation(trained, explain(scrambled(network, names, seed)).raw)) for seed in range(seeds)]
    steps = []
    if cascading:
        for count in range(1, len(names) + 1):
            changed = scrambled(network, names[-count:], 0)
            steps.append(Step(names[-count], rank_correlation(trained, explain(changed).raw)))
    return Sanity(tuple(complete), tuple(steps))


def weighted_layers(network: nn.Module) -> list[str]:
    """Names of the modules that have parameters of their own, as the network defines them (the last is taken for the output's)."""
    return [name for name, module in network.named_modules() if any(True for _ in module.parameters(recurse=False))]


def scrambled(network: nn.Module, layers: list[str], seed: int) -> nn.Module:
    """A copy whose parameters of `layers` are in another order."""
    changed = copy.deepcopy(network)
    with torch.no_grad():
        for name in layers:
            # A generator for each layer: that another one is scrambled too does not change this one's order.
            generator = torch.Generator().manual_seed(zlib.crc32(f"{seed}/{name}".encode()))  # it looks at 32 bits only
            for parameter in changed.get_submodule(name).parameters(recurse=False):
                order = torch.randperm(parameter.numel(), generator=generator).to(parameter.device)
                parameter.copy_(parameter.reshape(-1)[order].reshape(parameter.shape))
    return changed


def rank_correlation(one: NDArray[np.floating], other: NDArray[np.floating]) -> float:
    """Spearman's, ties with their mean rank; NaN if either is constant or not finite."""
    from scipy.stats import rankdata

    if not (np.isfinite(one).all() and np.isfinite(other).all()) or np.ptp(one) == 0 or np.ptp(other) == 0:
        return float("nan")
    return float(np.corrcoef(rankdata(one.ravel()), rankdata(other.ravel()))[0, 1])


def _number(value: float) -> float | None:
    return None if np.isnan(value) else value
