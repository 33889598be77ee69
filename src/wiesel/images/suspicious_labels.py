"""Labels that a quick probe, which never saw the picture, doubts: confident learning.

Out-of-fold probabilities come from multinomial logistic regression on `patch_features`. A picture is suspicious if the probe gives
it to another class with more than that class's own usual confidence.
Source: Northcutt, Jiang, Chuang 2021, "Confident learning: estimating uncertainty in dataset labels", section 3.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from wiesel.images.patch_features import patch_features
from wiesel.images.thumbnails import Floats

FOLDS = 4
FEWEST = 40
"""Pictures below which no probe is fitted; and no class may have fewer than FOLDS."""
_STEPS = 25
_MOST_FITTED = 15_000
"""Pictures, about, that a probe of 513 numbers per class is fitted to; more would cost time and change little."""
_RIDGE = 30
"""Chosen by the loss on 5,000 pictures of clothes."""


class Doubt(NamedTuple):
    row: int
    given: int
    suggested: int
    given_probability: float
    suggested_probability: float


class Doubted(NamedTuple):
    doubts: list[Doubt]
    """The most doubtful first."""
    accuracy: float
    """How often the probe agrees with the labels: how far to trust it."""


def doubtful_labels(
    pixels: NDArray[np.uint8], labels: NDArray[np.int64], classes: int, *, groups: NDArray[np.int64] | None = None
) -> Doubted | None:
    """Suspicious labels (N,) of uint8 (N, H, W, C); None if there are too few pictures for a probe.

    Args:
        groups: (N,): pictures of one group (copies of each other) are always in one fold.
    """
    present = np.flatnonzero(np.bincount(labels, minlength=classes))
    if len(labels) < FEWEST or len(present) < 2 or np.bincount(labels, minlength=classes)[present].min() < FOLDS:
        return None
    number = np.searchsorted(present, labels)
    folds = _folds(number, np.arange(len(labels)) if groups is None else groups)
    probabilities = out_of_fold(patch_features(pixels), number, len(present), folds)
    found = confident_joint_errors(probabilities, number)
    each = np.arange(len(labels))
    own = probabilities[each, number]
    doubts = [
        Doubt(int(row), int(labels[row]), int(present[other]), float(own[row]), float(probabilities[row, other]))
        for row, other in found
    ]
    doubts.sort(key=lambda doubt: doubt.given_probability - doubt.suggested_probability)
    return Doubted(doubts, float((probabilities.argmax(axis=1) == number).mean()))


def confident_joint_errors(probabilities: Floats, labels: NDArray[np.int64]) -> list[tuple[int, int]]:
    """(row, other class) of every picture off the diagonal of the confident joint.

    A class's threshold is the mean of its probability over the pictures labelled so. A picture counts for the most probable class
    among those whose threshold it reaches.
    """
    classes = probabilities.shape[1]
    counts = np.maximum(np.bincount(labels, minlength=classes), 1)
    own = probabilities[np.arange(len(labels)), labels]
    thresholds = np.bincount(labels, own, minlength=classes) / counts
    reached = np.where(probabilities >= thresholds, probabilities, -1.0)
    other = reached.argmax(axis=1)
    rows = np.flatnonzero((reached.max(axis=1) > 0) & (other != labels))
    return [(int(row), int(other[row])) for row in rows]


def out_of_fold(features: Floats, labels: NDArray[np.int64], classes: int, folds: NDArray[np.int64]) -> Floats:
    """Probabilities (N, K) of each picture by a probe that was fitted to the other folds."""
    wide = np.concatenate([features, np.ones((len(features), 1), np.float32)], axis=1)
    products = [wide[folds == fold].T @ wide[folds == fold] for fold in range(FOLDS)]
    total = np.sum(products, axis=0)
    found = np.empty((len(wide), classes), np.float32)
    for fold in range(FOLDS):
        inside = folds == fold
        others = np.flatnonzero(~inside)
        some = others[:: max(1, len(others) // _MOST_FITTED)]
        scale = np.float32(len(some) / len(others))
        weights = _fitted(wide[some], labels[some], classes, (total - products[fold]) * scale)
        found[inside] = _softmax(wide[inside] @ weights)
    return found


def _fitted(features: Floats, labels: NDArray[np.int64], classes: int, products: Floats) -> Floats:
    """Weights (D, K) of a multinomial logistic regression, penalised in the whitened space, where few steps are enough."""
    from scipy.linalg import cholesky, solve_triangular
    from scipy.optimize import minimize

    count, size = features.shape
    penalty = 1 / np.sqrt(count)
    root = cholesky(products.astype(np.float64) / count + _RIDGE * penalty * np.eye(size))  # upper: root.T @ root
    white = (features @ solve_triangular(root, np.eye(size)).astype(np.float32)).astype(np.float32)
    each = np.arange(count)

    def loss(flat: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        weights = flat.reshape(size, classes)
        chances = _softmax(white @ weights.astype(np.float32))
        value = -np.log(np.maximum(chances[each, labels], 1e-12)).mean(dtype=np.float64)
        chances[each, labels] -= 1
        slope = (white.T @ chances).astype(np.float64) / count + penalty / 4 * weights
        return float(value + penalty / 8 * np.square(weights).sum()), slope.reshape(-1)

    best = minimize(loss, np.zeros(size * classes), jac=True, method="L-BFGS-B", options={"maxiter": _STEPS})
    weights: Floats = solve_triangular(root, best.x.reshape(size, classes)).astype(np.float32)
    return weights


def _softmax(logits: Floats) -> Floats:
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    chances: Floats = powers / powers.sum(axis=1, keepdims=True)
    return chances


def _folds(labels: NDArray[np.int64], groups: NDArray[np.int64]) -> NDArray[np.int64]:
    """(N,): each group in one fold, each class spread over all."""
    _, first, group = np.unique(groups, return_index=True, return_inverse=True)
    order = np.random.default_rng(0).permutation(len(first))
    order = order[np.argsort(labels[first[order]], kind="stable")]
    fold = np.empty(len(first), np.int64)
    fold[order] = np.arange(len(first)) % FOLDS
    return fold[group.reshape(-1)]
