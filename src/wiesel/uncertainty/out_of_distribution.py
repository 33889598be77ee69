"""Does a network notice pictures that are none of its business? Scores, of which larger means stranger, and how well they separate.

AUROC is the probability that a picture from elsewhere gets a larger score than one of the kind learned (equal ones count half).
FPR at 95 % TPR: the score below which 95 % of the pictures learned from lie is the limit; it is the share of the pictures from elsewhere
that pass it.

Any method that gives a number for each picture can stand in the same table: see `table`.

Sources: Hendrycks, Gimpel 2017, arXiv:1610.02136 (maximum probability, both measures); Liu et al. 2020, arXiv:2010.03759 (energy);
Lee et al. 2018, arXiv:1807.03888 (Mahalanobis); DeLong, DeLong, Clarke-Pearson 1988, Biometrics 44, 837-845 (variance); Sun, Xu 2014,
IEEE Signal Process. Lett. 21, 1389-1393 (by ranks); Ledoit, Wolf 2004, J. Multivar. Anal. 88, 365-411 (shrinkage).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import ArrayLike, NDArray

from wiesel.errors import BadValue, NothingToMeasure, UnfitArray
from wiesel.evaluation.checking import checked_labels, checked_logits, kind_of
from wiesel.evaluation.intervals import Interval, wilson
from wiesel.evaluation.probabilities import log_softmax
from wiesel.language import say

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Detection:
    """How well one method tells pictures from elsewhere; intervals at 95 %."""

    method: str
    auroc: Interval
    """0.5 is guessing, 1 is perfect."""
    fpr95: Interval
    """0 is perfect."""
    inside: int
    outside: int


# --- scores from logits ------------------------------------------------------------------------------------------------------


def max_softmax(logits: ArrayLike) -> Floats:
    """1 - the largest probability: (N, K) -> (N,). Exact, too, where that probability rounds to 1."""
    rest = np.exp(log_softmax(logits))
    rest[np.arange(len(rest)), rest.argmax(axis=1)] = 0
    result: Floats = rest.sum(axis=1)
    return result


def entropy(logits: ArrayLike) -> Floats:
    """Of the probabilities, nats: (N, K) -> (N,)."""
    log_p = log_softmax(logits)
    result: Floats = -(np.exp(log_p) * log_p).sum(axis=1)
    return result


def energy(logits: ArrayLike) -> Floats:
    """-log sum exp logits: (N, K) -> (N,). Unlike the others it changes if a constant is added to all logits of a picture."""
    wide = checked_logits(logits).astype(np.float64)
    largest = wide.max(axis=1)
    result: Floats = -(largest + np.log(np.exp(wide - largest[:, None]).sum(axis=1)))
    return result


def margin(logits: ArrayLike) -> Floats:
    """Second largest minus largest logit: (N, K) -> (N,), at most 0."""
    two = np.partition(checked_logits(logits).astype(np.float64), -2, axis=1)[:, -2:]
    result: Floats = two[:, 0] - two[:, 1]
    return result


FROM_LOGITS = {"max-softmax": max_softmax, "entropy": entropy, "energy": energy, "margin": margin}


# --- scores from features ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Mahalanobis:
    """A normal distribution for each class in the space of features, all with the same covariance."""

    means: Floats
    """(K', D), of the classes that have pictures."""
    whitener: Floats
    """(D, D): features times it have unit covariance within classes."""
    shrinkage: float
    """Share of the covariance that was replaced by a multiple of the identity, 0..1 (Ledoit-Wolf)."""

    @classmethod
    def fit(cls, features: ArrayLike, labels: ArrayLike) -> Mahalanobis:
        """From features (N, D) and labels (N,) of pictures that the network learned from."""
        given = _features(features)
        truth = np.asarray(labels)
        truth = checked_labels(truth, classes=int(truth.max(initial=0)) + 1, pictures=len(given))
        present, group = np.unique(truth, return_inverse=True)
        means = np.stack([given[group == k].mean(axis=0) for k in range(len(present))])
        centred = given - means[group]
        covariance, shrinkage = ledoit_wolf(centred)
        values, vectors = np.linalg.eigh(covariance)
        floor = max(float(values[-1]), np.finfo(np.float64).tiny) * 1e-12  # features that never vary
        return cls(means, vectors / np.sqrt(np.maximum(values, floor)), shrinkage)

    def __call__(self, features: ArrayLike) -> Floats:
        """Squared distance (N,) to the nearest class."""
        given, centres = _features(features) @ self.whitener, self.means @ self.whitener
        squares = np.square(given).sum(axis=1)[:, None] - 2 * given @ centres.T + np.square(centres).sum(axis=1)
        result: Floats = np.maximum(squares.min(axis=1), 0)
        return result


def ledoit_wolf(centred: Floats) -> tuple[Floats, float]:
    """(covariance, shrinkage): the covariance of rows (N, D) with mean 0, drawn towards a multiple of the identity as far as pays."""
    count, size = centred.shape
    sample = centred.T @ centred / count
    scale = float(np.trace(sample)) / size
    square = np.square(centred)
    whole = float(np.square(sample).sum())
    distance = (whole - size * scale**2) / size
    noise = (float(np.square(square.sum(axis=1)).sum()) / count - whole) / (count * size)
    shrinkage = min(max(noise, 0.0), distance) / distance if distance > 0 else 0.0
    return (1 - shrinkage) * sample + shrinkage * scale * np.eye(size), shrinkage


# --- how well they separate --------------------------------------------------------------------------------------------------


def auroc(inside: ArrayLike, outside: ArrayLike, *, level: float = 0.95) -> Interval:
    """Probability that a score of `outside` (M,) is above one of `inside` (N,), ties half; DeLong's interval on the logit scale.

    Where the two are separated without an error, DeLong's variance is 0; the far bound is then Wilson's for no error in min(M, N) trials.
    """
    own, other = _scores(inside, "inside"), _scores(outside, "outside")
    of_inside, of_outside = _placements(own, other)
    value = float(of_outside.mean())
    if value in (0.0, 1.0):
        bound = wilson(round(value * min(len(own), len(other))), min(len(own), len(other)), level)
        return Interval(value, min(bound.low, value), max(bound.high, value))
    error = math.sqrt(_variance_of_mean(of_inside) + _variance_of_mean(of_outside))
    centre = math.log(value / (1 - value))
    half = NormalDist().inv_cdf((1 + level) / 2) * error / (value * (1 - value))
    return Interval(value, 1 / (1 + math.exp(half - centre)), 1 / (1 + math.exp(-half - centre)))


def auroc_difference(first: tuple[ArrayLike, ArrayLike], second: tuple[ArrayLike, ArrayLike], *, level: float = 0.95) -> Interval:
    """AUROC of the first method minus that of the second on the same pictures; each is (inside, outside) in the same order.

    DeLong's interval for paired curves: it uses that both methods saw the same pictures, so it is narrower than the two intervals suggest.
    """
    parts = [_placements(_scores(inside, "inside"), _scores(outside, "outside")) for inside, outside in (first, second)]
    if parts[0][0].shape != parts[1][0].shape or parts[0][1].shape != parts[1][1].shape:
        raise UnfitArray(where="auroc_difference", array="second", found=str(parts[1][0].shape), expected=str(parts[0][0].shape))
    value = float(parts[0][1].mean() - parts[1][1].mean())
    error = math.sqrt(sum(_variance_of_mean(parts[0][side] - parts[1][side]) for side in (0, 1)))
    half = NormalDist().inv_cdf((1 + level) / 2) * error
    return Interval(value, max(value - half, -1.0), min(value + half, 1.0))


def fpr_at_tpr(
    inside: ArrayLike,
    outside: ArrayLike,
    *,
    tpr: float = 0.95,
    resamples: int = 300,
    rng: np.random.Generator | None = None,
    level: float = 0.95,
) -> Interval:
    """Share of `outside` (M,) at or below the limit that lets at least `tpr` of `inside` (N,) through.

    Percentile bootstrap over both (`rng` None: seed 0), because the limit is uncertain too; at least as wide as Wilson's for a fixed limit.
    """
    if not 0 < tpr <= 1:
        raise BadValue(setting="tpr", value=tpr, expected=say(en="above 0, at most 1", de="über 0, höchstens 1"))
    own, other = _scores(inside, "inside"), _scores(outside, "outside")
    generator = np.random.default_rng(0) if rng is None else rng
    place = math.ceil(tpr * len(own) - 1e-9) - 1

    def share(accepted: Floats, strange: Floats) -> float:
        return float((strange <= np.partition(accepted, place)[place]).mean())

    value = share(own, other)
    fixed = wilson(round(value * len(other)), len(other), level)
    low, high = fixed.low, fixed.high
    if resamples:
        drawn = [
            share(own[generator.integers(0, len(own), len(own))], other[generator.integers(0, len(other), len(other))])
            for _ in range(resamples)
        ]
        bounds = np.quantile(drawn, ((1 - level) / 2, (1 + level) / 2))
        low, high = min(low, float(bounds[0])), max(high, float(bounds[1]))
    return Interval(value, low, high)


def table(
    methods: Mapping[str, tuple[ArrayLike, ArrayLike]], *, resamples: int = 300, rng: np.random.Generator | None = None
) -> tuple[Detection, ...]:
    """One row for each method: name -> (scores of pictures of the kind learned, scores of pictures from elsewhere), larger: stranger.

    This is where any other method joins: a Gaussian process, dropout or a Laplace approximation gives two arrays as well.
    """
    rows = []
    for name, (inside, outside) in methods.items():
        own, other = _scores(inside, f"{name}: inside"), _scores(outside, f"{name}: outside")
        rows.append(Detection(name, auroc(own, other), fpr_at_tpr(own, other, resamples=resamples, rng=rng), len(own), len(other)))
    return tuple(rows)


def _placements(inside: Floats, outside: Floats) -> tuple[Floats, Floats]:
    """For each of `inside` the share of `outside` above it, and for each of `outside` the share of `inside` below it; ties half."""
    sorted_in, sorted_out = np.sort(inside), np.sort(outside)
    below = np.searchsorted(sorted_in, outside, "left") + np.searchsorted(sorted_in, outside, "right")
    above = 2 * len(outside) - np.searchsorted(sorted_out, inside, "left") - np.searchsorted(sorted_out, inside, "right")
    return above / (2 * len(outside)), below / (2 * len(inside))


def _variance_of_mean(values: Floats) -> float:
    return float(values.var(ddof=1)) / len(values) if len(values) > 1 else 0.25


def _scores(values: ArrayLike, where: str) -> Floats:
    given = np.asarray(values)
    if given.ndim != 1 or given.dtype.kind not in "fiu" or np.isnan(given).any():
        raise UnfitArray(where=where, array="scores", found=kind_of(given), expected="float (N,)")
    if not len(given):
        raise NothingToMeasure(where=where)
    return given.astype(np.float64)


def _features(values: ArrayLike) -> Floats:
    given = np.asarray(values)
    if given.ndim != 2 or given.dtype.kind not in "fiu" or not np.isfinite(given).all():
        raise UnfitArray(where="Mahalanobis", array="features", found=kind_of(given), expected="float (N, D)")
    if not len(given):
        raise NothingToMeasure(where="Mahalanobis")
    return given.astype(np.float64)
