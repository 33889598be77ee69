"""Softmax regression with a Gaussian prior: the most probable weights (MAP), to convergence.

    minimise over W:   sum_n -log softmax(W x_n)[y_n]  +  precision/2 |W|²

The last entry of each x_n is 1, so the bias is a weight like the others. The problem is convex: any good optimiser finds the one minimum.
"""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from wiesel.errors import BadValue

PRECISIONS = (1e-2, 1e-1, 1e0, 1e1, 1e2)
"""Of the prior, from which the data choose."""

ENOUGH = 5000
"""Pictures that suffice to choose a prior: its effect fades with more, and the cost grows."""

VARIATION = 0.01
"""Features whose variance is below this share of the mean variance are not blown up to deviation 1: they are noise, or dead."""


def checked(features: Tensor, labels: NDArray[np.int64], classes: int) -> Tensor:
    """The labels as a tensor.

    Raises:
        BadValue: not one label from 0 to classes - 1 per row, no row, or features that are not finite.
    """
    truth = torch.from_numpy(np.array(labels, dtype=np.int64))
    if features.ndim != 2 or len(features) == 0 or truth.shape != (len(features),):
        raise BadValue(setting="labels", value=tuple(truth.shape), expected=f"({len(features)},)")
    if int(truth.min()) < 0 or int(truth.max()) >= classes:
        raise BadValue(setting="labels", value=f"{int(truth.min())}..{int(truth.max())}", expected=f"0..{classes - 1}")
    if not bool(torch.isfinite(features).all()):
        raise BadValue(setting="features", value="NaN / infinity", expected="finite")
    return truth


def scaling(features: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and scale (D,) that standardise features (N, D)."""
    variance, mean = torch.var_mean(features, dim=0, correction=0)
    floor = VARIATION * variance.mean()
    return mean, (variance + floor).sqrt() if float(floor) > 0 else torch.ones_like(mean)


def with_one(features: Tensor) -> Tensor:
    """(N, D) -> (N, D + 1), the last column 1."""
    return torch.cat([features, features.new_ones(len(features), 1)], 1)


def fit_map(inputs: Tensor, labels: Tensor, classes: int, precision: float, start: Tensor | None = None) -> Tensor:
    """Weights (K, P) for inputs (N, P), both float64."""
    weights = (inputs.new_zeros(classes, inputs.shape[1]) if start is None else start.clone()).requires_grad_()
    count = len(inputs)
    optimiser = torch.optim.LBFGS(
        [weights], lr=1.0, max_iter=100, history_size=20, tolerance_grad=1e-6, tolerance_change=1e-9, line_search_fn="strong_wolfe"
    )

    def closure() -> Tensor:
        optimiser.zero_grad()
        loss = F.cross_entropy(inputs @ weights.T, labels) + precision / (2 * count) * weights.square().sum()
        loss.backward()  # type: ignore[no-untyped-call]
        return loss

    with torch.enable_grad():
        optimiser.step(closure)  # type: ignore[no-untyped-call]
    return weights.detach()


def some(labels: Tensor, count: int, generator: torch.Generator) -> Tensor:
    """Indices of at most `count` pictures, drawn without regard to class, in order."""
    if len(labels) <= count:
        return torch.arange(len(labels))
    return torch.randperm(len(labels), generator=generator)[:count].sort().values
