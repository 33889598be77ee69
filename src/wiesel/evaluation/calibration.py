"""Does 90 % sure mean right nine times in ten? Calibration error of the predicted class, and its reliability table.

Pictures are put into bins by the confidence of their prediction; in each bin the mean confidence is compared with the share that
was right. Two ways to make the bins:

    width   M bins of equal width over 0..1, each without its lower and with its upper edge (Guo et al. 2017). Comparable with the
            literature, but a good network leaves most bins nearly empty.
    mass    M bins of (nearly) equally many pictures. Equal confidences are never torn apart, so the result does not depend on the
            order of the pictures; with many equal ones there are fewer bins.

The expected calibration error (ECE) is biased upwards: chance alone opens a gap in every bin. `noise` says how much of it a
perfectly calibrated network would show; it belongs beside the number.

Sources: Naeini, Cooper, Hauskrecht 2015 (AAAI) for ECE and MCE; Guo, Pleiss, Sun, Weinberger 2017, arXiv:1706.04599, section 2.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from wiesel.errors import BadValue, NothingToMeasure, UnfitArray
from wiesel.evaluation.checking import kind_of
from wiesel.evaluation.intervals import Interval, wilson
from wiesel.language import say

Scheme = Literal["width", "mass"]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class ReliabilityBin:
    """One bar of the reliability diagram. `low` and `high`: edges (width) or smallest and largest confidence (mass)."""

    low: float
    high: float
    count: int
    confidence: float
    """Mean confidence of its pictures."""
    accuracy: Interval
    """Share of them that was right, with the Wilson interval."""


@dataclass(frozen=True)
class Calibration:
    """Calibration of the predicted class, all numbers on the scale 0..1."""

    scheme: Scheme
    ece: Interval
    """Expected calibration error: sum over bins of (share of pictures) |accuracy - confidence|. Interval: `bootstrap_interval`."""
    noise: float
    """The ECE that a perfectly calibrated network with these confidences would show on average (normal approximation)."""
    mce: float
    """Maximum calibration error: the largest |accuracy - confidence| of a bin, however few pictures it has."""
    bins: tuple[ReliabilityBin, ...]
    """From the least to the most confident; bins without a picture are left out."""


def calibration(
    confidence: ArrayLike,
    correct: ArrayLike,
    *,
    scheme: Scheme = "width",
    bins: int = 15,
    resamples: int = 300,
    rng: np.random.Generator | None = None,
    level: float = 0.95,
) -> Calibration:
    """Calibration from the confidence (N,) in 0..1 of each prediction and whether it was right (N,).

    `resamples` bootstrap samples are drawn from `rng` (None: a generator seeded with 0, so the same data give the same interval);
    0 gives an interval without width.

    Raises:
        NothingToMeasure, UnfitArray; BadValue: a confidence outside 0..1, or `bins`, `resamples`, `level` out of range.
    """
    sure, right = _checked(confidence, correct)
    if bins < 1:
        raise BadValue(setting="bins", value=bins, expected=say(en="1 or more", de="1 oder mehr"))
    if scheme not in ("width", "mass"):
        raise BadValue(setting="scheme", value=scheme, expected=say(en="'width' or 'mass'", de="'width' oder 'mass'"))
    if scheme == "width":
        edges = np.arange(bins + 1) / bins
        place = np.maximum(np.searchsorted(edges, sure, side="left") - 1, 0)
    else:
        place = _equal_mass(sure, bins)
    gaps = _gaps(place, right - sure, bins)
    ece = float(np.abs(gaps).sum())
    interval = Interval(ece, ece, ece)
    if resamples:
        generator = np.random.default_rng(0) if rng is None else rng
        interval = bootstrap_interval(place, right - sure, bins, resamples, generator, level)
    spread = np.sqrt(np.bincount(place, sure * (1 - sure), bins)) / len(sure)
    table = []
    for index in np.unique(place).tolist():
        members = place == index
        inside, hits = sure[members], int(right[members].sum())
        low, high = (index / bins, (index + 1) / bins) if scheme == "width" else (float(inside.min()), float(inside.max()))
        table.append(ReliabilityBin(low, high, len(inside), float(inside.mean()), wilson(hits, len(inside), level)))
    return Calibration(
        scheme=scheme,
        ece=interval,
        noise=float(np.sqrt(2 / np.pi) * spread.sum()),
        mce=max(abs(row.accuracy.value - row.confidence) for row in table),
        bins=tuple(table),
    )


def bootstrap_interval(
    place: NDArray[np.int64], difference: Floats, bins: int, resamples: int, rng: np.random.Generator, level: float = 0.95
) -> Interval:
    """ECE with a bootstrap interval; `place` (N,): the bin of each picture, `difference` (N,): right (0 or 1) - confidence.

    The percentile bootstrap is of no use here: resampling adds the same upward bias a second time, and where a network is well
    calibrated its interval hardly ever contains the truth. So the bootstrap is used the other way round, as a test. Let g be the
    gaps found in the bins (ECE = sum of |g|) and e what resampling adds to them. Were the true gaps s g, a sample would show an ECE
    of sum |s g + e|. The interval has all true values s ECE for which the ECE found is not in the outer (1 - level) / 2 of these.
    Its lower end is 0 exactly if perfect calibration could have given what was found. Bins are those of the original pictures.

    Source for tests inverted by bootstrap: Carpenter 1999, J. R. Stat. Soc. B 61(1), 159-172.
    """
    if resamples < 20 or not 0 < level < 1:
        expected = say(en="at least 20 resamples, level between 0 and 1", de="mindestens 20 Stichproben, level zwischen 0 und 1")
        raise BadValue(setting="resamples, level", value=(resamples, level), expected=expected)
    gaps, size = _gaps(place, difference, bins), len(place)
    found = float(np.abs(gaps).sum())
    extra = np.empty((resamples, bins))
    for row in extra:
        drawn = rng.integers(0, size, size)
        row[:] = _gaps(place[drawn], difference[drawn], bins) - gaps
    low_scale = _scale(gaps, extra, found, (1 + level) / 2)
    high_scale = _scale(gaps, extra, found, (1 - level) / 2)
    # Less than even chance alone would leave: scaling g says nothing then, the triangle inequality still does.
    high = high_scale * found if high_scale else found + float(np.quantile(np.abs(extra).sum(axis=1), level))
    return Interval(found, min(low_scale * found, found), max(min(high, 1.0), found))


def _scale(gaps: Floats, extra: Floats, found: float, quantile: float) -> float:
    """The s >= 0 from which on the `quantile` of sum |s gaps + extra| exceeds `found`, by bisection; 0 if it does everywhere."""

    def exceeds(scale: float) -> bool:
        return bool(np.quantile(np.abs(scale * gaps + extra).sum(axis=1), quantile) >= found)

    if exceeds(0.0):
        return 0.0
    below, above = 0.0, 1 + float(np.abs(extra).sum(axis=1).max()) / found
    for _ in range(40):
        middle = (below + above) / 2
        below, above = (below, middle) if exceeds(middle) else (middle, above)
    return above


def _gaps(place: NDArray[np.int64], difference: Floats, bins: int) -> Floats:
    """Per bin the sum of right - confidence, as a share of all pictures: accuracy - confidence, weighted by the bin's share."""
    return np.bincount(place, difference, bins) / len(place)


def _equal_mass(confidence: Floats, bins: int) -> NDArray[np.int64]:
    """The bin of each picture: its rank (equal confidences share their mean rank) cut into `bins` equal pieces."""
    _, inverse, counts = np.unique(confidence, return_inverse=True, return_counts=True)
    doubled_rank = 2 * np.cumsum(counts) - counts  # 2 x (mean rank from 0, plus 1/2): an integer, so no rounding at the cuts
    place = doubled_rank * bins // (2 * len(confidence))
    return np.asarray(place[inverse], np.int64)


def _checked(confidence: ArrayLike, correct: ArrayLike) -> tuple[Floats, Floats]:
    sure, right = np.asarray(confidence), np.asarray(correct)
    if sure.ndim != 1 or sure.dtype.kind not in "fiu":
        raise UnfitArray(where="calibration", array="confidence", found=kind_of(sure), expected="float (N,)")
    if not len(sure):
        raise NothingToMeasure(where="calibration")
    if right.shape != sure.shape or not np.isin(right, (0, 1)).all():
        raise UnfitArray(where="calibration", array="correct", found=kind_of(right), expected=f"bool ({len(sure)},)")
    inside = (sure >= 0) & (sure <= 1)
    if not inside.all():
        row = int(np.argmin(inside))
        raise BadValue(setting=f"confidence[{row}]", value=float(sure[row]), expected=say(en="0 to 1", de="0 bis 1"))
    return sure.astype(np.float64), right.astype(np.float64)
