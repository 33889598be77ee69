"""The plain head: softmax regression on the features. What the other heads are compared with, in particular on few labels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from wiesel.uncertainty.answer import Answer, of_logits, table
from wiesel.uncertainty.logistic import ENOUGH, PRECISIONS, checked, fit_map, scaling, some, with_one

FOLDS = 5


@dataclass(frozen=True, eq=False)
class Softmax:
    """Logits = weights · (1, standardised features)."""

    kind: ClassVar[str] = "softmax"
    weights: Tensor
    """(K, D + 1)"""
    mean: Tensor
    scale: Tensor
    precision: float
    """Of the Gaussian prior: the strength of weight decay."""

    def logits(self, features: ArrayLike) -> Tensor:
        return with_one((table(features) - self.mean) / self.scale) @ self.weights.T

    def answer(self, features: ArrayLike) -> Answer:
        return of_logits(self.logits(features))

    def probabilities(self, features: ArrayLike) -> NDArray[np.float64]:
        """(N, D) -> (N, K)"""
        return self.answer(features).probabilities

    def tensors(self) -> dict[str, Tensor]:
        return {"weights": self.weights, "mean": self.mean, "scale": self.scale}

    def facts(self) -> dict[str, Any]:
        return {"precision": self.precision}

    @classmethod
    def restored(cls, tensors: Mapping[str, Tensor], facts: Mapping[str, Any]) -> Softmax:
        return cls(**tensors, precision=float(facts["precision"]))


def fit(features: ArrayLike, labels: NDArray[np.int64], classes: int, seed: int = 0) -> Softmax:
    """Weight decay chosen by cross-validation (5 folds, at most 5000 pictures), then all pictures.

    Raises:
        BadValue: labels or features that cannot be used.
    """
    raw = table(features)
    truth = checked(raw, labels, classes)
    mean, scale = scaling(raw)
    inputs = with_one((raw - mean) / scale)
    generator = torch.Generator().manual_seed(seed)
    rows = some(truth, ENOUGH, generator)
    precision = _best_precision(inputs[rows], truth[rows], classes, generator)
    return Softmax(fit_map(inputs, truth, classes, precision), mean, scale, precision)


def _best_precision(inputs: Tensor, labels: Tensor, classes: int, generator: torch.Generator) -> float:
    """Every class is spread over the folds as evenly as it goes."""
    order = torch.randperm(len(labels), generator=generator)
    order = order[labels[order].argsort(stable=True)]
    fold = torch.empty(len(labels), dtype=torch.int64)
    fold[order] = torch.arange(len(labels)) % FOLDS
    losses = dict.fromkeys(PRECISIONS, 0.0)
    for number in range(FOLDS if len(labels) >= 2 * FOLDS else 0):
        held, start = fold == number, None
        for precision in reversed(PRECISIONS):  # from simple to free, each starting where the last ended
            start = fit_map(inputs[~held], labels[~held], classes, precision, start)
            losses[precision] += float(F.cross_entropy(inputs[held] @ start.T, labels[held], reduction="sum"))
    return min(reversed(PRECISIONS), key=losses.__getitem__)
