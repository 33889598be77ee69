"""How good is a network that may decline? Accuracy among the pictures it is surest of, against the share of them (coverage).

Pictures of equal confidence cannot be told apart, so they are accepted together, and the area takes the mean over all their orders:
no number here depends on the order of the pictures.

Source: Geifman, El-Yaniv 2017, arXiv:1705.08500; Geifman, Uziel, El-Yaniv 2019, arXiv:1805.08206 (area, and area in excess).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from wiesel.errors import BadValue, NothingToMeasure, UnfitArray
from wiesel.evaluation.checking import kind_of
from wiesel.evaluation.intervals import Interval, wilson
from wiesel.language import say

Floats = NDArray[np.float64]

COVERAGES = (0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 1.0)


@dataclass(frozen=True)
class Accepted:
    """The surest pictures: at least the share asked for, and all that are as sure as the last of them."""

    coverage: float
    """Their share of all."""
    confidence: float
    """The least confidence among them."""
    accuracy: Interval
    """With the Wilson interval for this least confidence."""


@dataclass(frozen=True)
class Selective:
    """`area`: mean error among the i surest pictures, over i = 1..N (area under risk against coverage); 0 is best."""

    points: tuple[Accepted, ...]
    area: Interval
    """With a percentile bootstrap interval."""
    best_area: float
    """The area if every error were less sure than every right answer: what no confidence can go below at this accuracy."""


def selective(
    confidence: ArrayLike,
    correct: ArrayLike,
    *,
    coverages: Sequence[float] = COVERAGES,
    resamples: int = 300,
    rng: np.random.Generator | None = None,
    level: float = 0.95,
) -> Selective:
    """From a confidence (N,), any numbers of which larger means surer, and whether each prediction was right (N,).

    `resamples` bootstrap samples from `rng` (None: seed 0) give the interval of the area; 0: an interval without width.

    Raises:
        NothingToMeasure, UnfitArray; BadValue: a coverage outside 0..1.
    """
    sure, right = _checked(confidence, correct)
    for share in coverages:
        if not 0 < share <= 1:
            expected = say(en="above 0, at most 1", de="über 0, höchstens 1")
            raise BadValue(setting="coverages", value=share, expected=expected)
    count = len(sure)
    order = np.argsort(-sure, kind="stable")
    falling, hits = sure[order], np.cumsum(right[order])
    points = []
    for share in coverages:
        last = falling[math.ceil(share * count - 1e-9) - 1]
        taken = int(np.searchsorted(-falling, -last, side="right"))
        points.append(Accepted(taken / count, float(last), wilson(int(hits[taken - 1]), taken, level)))
    area = risk_area(sure, right)
    low = high = area
    if resamples:
        generator = np.random.default_rng(0) if rng is None else rng
        group, groups = _groups(sure)
        harmonic = _harmonic(count)
        areas = []
        for _ in range(resamples):
            rows = generator.integers(0, count, count)
            drawn = group[rows]
            errors = np.bincount(drawn, 1 - right[rows], groups).astype(np.float64)
            areas.append(_area(np.bincount(drawn, minlength=groups), errors, harmonic))
        bounds = np.quantile(areas, ((1 - level) / 2, (1 + level) / 2))
        low, high = min(float(bounds[0]), area), max(float(bounds[1]), area)
    return Selective(tuple(points), Interval(area, low, high), risk_area(right, right))


def risk_area(confidence: Floats, correct: Floats) -> float:
    """Mean over i of the expected error among the i surest, where equally sure pictures come in random order."""
    group, count = _groups(confidence)
    errors = np.bincount(group, 1 - correct, count).astype(np.float64)
    return _area(np.bincount(group, minlength=count), errors, _harmonic(len(group)))


def _groups(confidence: Floats) -> tuple[NDArray[np.int64], int]:
    """Number of the group of equal confidences that each picture is in, the surest group first, and how many there are."""
    distinct, group = np.unique(-confidence, return_inverse=True)
    return group, len(distinct)


def _harmonic(count: int) -> Floats:
    """1 + 1/2 + ... + 1/i for i = 0..count."""
    return np.concatenate([[0.0], np.cumsum(1 / np.arange(1, count + 1))])


def _area(sizes: NDArray[np.int64], errors: Floats, harmonic: Floats) -> float:
    """From pictures and errors of each group. Within a group of m pictures and e errors after n pictures and E errors, the sum of
    (E + (i - n) e / m) / i over i = n + 1..n + m is e + (E - n e / m) (H(n + m) - H(n)).
    """
    after = np.cumsum(sizes)
    before = after - sizes
    rate = errors / np.maximum(sizes, 1)
    earlier = np.cumsum(errors) - errors
    return float((errors + (earlier - rate * before) * (harmonic[after] - harmonic[before])).sum() / after[-1])


def curve(confidence: ArrayLike, correct: ArrayLike, *, points: int = 100) -> tuple[Floats, Floats]:
    """Coverages and accuracies for a drawing: about `points` of the distinct confidences, always with the last one."""
    sure, right = _checked(confidence, correct)
    order = np.argsort(-sure, kind="stable")
    falling, hits = sure[order], np.cumsum(right[order])
    ends = np.flatnonzero(np.append(falling[1:] != falling[:-1], True)) + 1  # only where all of one confidence are in
    wanted = np.unique(np.linspace(0, len(ends) - 1, points).round().astype(np.int64))
    chosen = ends[wanted]
    return chosen / len(sure), hits[chosen - 1] / chosen


def _checked(confidence: ArrayLike, correct: ArrayLike) -> tuple[Floats, Floats]:
    sure, right = np.asarray(confidence), np.asarray(correct)
    if sure.ndim != 1 or sure.dtype.kind not in "fiu" or not np.isfinite(sure).all():
        raise UnfitArray(where="selective", array="confidence", found=kind_of(sure), expected="float (N,)")
    if not len(sure):
        raise NothingToMeasure(where="selective")
    if right.shape != sure.shape or not np.isin(right, (0, 1)).all():
        raise UnfitArray(where="selective", array="correct", found=kind_of(right), expected=f"bool ({len(sure)},)")
    return sure.astype(np.float64), right.astype(np.float64)
