"""Sets of classes that contain the truth as often as promised: split conformal prediction.

Every class of a picture gets a score that says how badly it fits; the scores of the true classes of n calibration pictures, which
the network did not learn from, give a threshold; the set of a new picture holds all classes whose score is not above it. If the
new picture comes from where the calibration pictures come from (they are exchangeable), the set contains its class with a
probability of at least the level asked for, whatever the network is worth. A bad network gives large sets, not wrong promises.

    lac     1 - p(class): the smallest sets on average; where the network errs less often than allowed, some are empty.
    aps     sum of the probabilities before the class, in falling order, plus a random part u of its own: larger where the picture
            is harder. With u the coverage is exact; with u = 0 for all classes sets are never empty and cover more.
    raps    aps plus `penalty` for every class beyond the first `free` ones, so that long tails do not make sets huge.

The promise is for pictures on average. `by_class` gives every class its own threshold, and so the promise for each class.

Sources: Sadinle, Lei, Wasserman 2019, J. Am. Stat. Assoc. 114, 223-234 (LAC); Romano, Sesia, Candès 2020, arXiv:2006.02544 (APS);
Angelopoulos, Bates, Malik, Jordan 2021, arXiv:2009.14193 (RAPS); Vovk 2012, arXiv:1209.2673 (by class).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from wiesel.errors import BadValue, TooFewForSets
from wiesel.evaluation.checking import checked_labels, checked_logits
from wiesel.evaluation.intervals import Interval, wilson
from wiesel.language import say

Method = Literal["lac", "aps", "raps"]
Floats = NDArray[np.float64]

PENALTY, FREE = 0.05, 2
"""Of RAPS. Fixed beforehand, because tuning them would need further pictures."""


@dataclass(frozen=True)
class Threshold:
    """What calibration found. `values`: one for all classes, or one for each."""

    method: Method
    level: float
    """The share of sets that contain the truth, at least."""
    values: tuple[float, ...]
    pictures: int
    """Of calibration."""
    penalty: float = PENALTY
    free: int = FREE

    @property
    def by_class(self) -> bool:
        return len(self.values) > 1


@dataclass(frozen=True)
class SetSizes:
    """How sets turned out on pictures with known classes."""

    coverage: Interval
    """Share that contain the truth."""
    mean_size: float
    counts: tuple[int, ...]
    """How many sets have 0, 1, ..., K classes."""
    worst_class: int
    """The class whose pictures are covered most rarely, among those that have pictures."""
    worst_coverage: Interval


def needed(level: float) -> int:
    """The smallest number of calibration pictures from which a threshold at `level` exists: n >= level / (1 - level).

    >>> needed(0.9), needed(0.95), needed(0.99)
    (9, 19, 99)
    """
    _check_level(level)
    return max(1, math.ceil(level / (1 - level) - 1e-9))


def quantile(scores: ArrayLike, level: float) -> float:
    """The ceil((n + 1) level)-th smallest of n scores.

    Raises:
        TooFewForSets: that would be more than n; says how many are needed.
    """
    values = np.asarray(scores, np.float64)
    smallest = needed(level)
    if len(values) < smallest:
        raise TooFewForSets(have=len(values), needed=smallest, level=f"{100 * level:g}", whose="")
    rank = math.ceil((len(values) + 1) * level - 1e-9)  # 10 x 0.9 is 9 and not 9.000000000000002
    return float(np.partition(values, rank - 1)[rank - 1])


def scores(
    probabilities: ArrayLike,
    method: Method = "aps",
    *,
    random: ArrayLike | None = None,
    penalty: float = PENALTY,
    free: int = FREE,
) -> Floats:
    """How badly each class fits each picture: probabilities (N, K) -> (N, K), larger is worse.

    `random` (N,) in 0..1: the u of aps and raps, one for each picture; None: 0, the deterministic sets that are never empty.
    Equal probabilities count in the order of the list of classes, so that every set is determined.
    """
    if method not in ("lac", "aps", "raps"):
        raise BadValue(setting="method", value=method, expected="lac | aps | raps")
    given = checked_logits(probabilities, where="probabilities").astype(np.float64)
    if method == "lac":
        return 1 - given
    part = np.zeros(len(given)) if random is None else np.asarray(random, np.float64)
    if part.shape != (len(given),) or not ((part >= 0) & (part <= 1)).all():
        expected = say(en=f"{len(given)} numbers in 0..1", de=f"{len(given)} Zahlen in 0..1")
        raise BadValue(setting="random", value=part.shape, expected=expected)
    order = np.argsort(-given, axis=1, kind="stable")
    falling = np.take_along_axis(given, order, axis=1)
    before = np.concatenate([np.zeros((len(given), 1)), np.cumsum(falling, axis=1)[:, :-1]], axis=1)
    ranked = before + part[:, None] * falling
    if method == "raps":
        ranked += penalty * np.maximum(np.arange(1, given.shape[1] + 1) - free, 0)
    result = np.empty_like(ranked)
    np.put_along_axis(result, order, ranked, axis=1)
    return result


def calibrate(
    labels: ArrayLike,
    probabilities: ArrayLike,
    method: Method = "aps",
    *,
    level: float = 0.9,
    by_class: bool = False,
    rng: np.random.Generator | None = None,
    penalty: float = PENALTY,
    free: int = FREE,
) -> Threshold:
    """The threshold at `level` from labels (N,) and probabilities (N, K) of calibration pictures.

    `rng` draws the u of aps and raps; None: seed 0.

    Raises:
        TooFewForSets: fewer pictures (with `by_class`: of a class) than the level needs; says how many.
        BadValue; UnfitArray, NothingToMeasure, LogitNotFinite, LabelOutside.
    """
    given = checked_logits(probabilities, where="probabilities")
    truth = checked_labels(labels, classes=given.shape[1], pictures=len(given))
    drawn = (np.random.default_rng(0) if rng is None else rng).random(len(given))
    own = scores(given, method, random=drawn, penalty=penalty, free=free)[np.arange(len(given)), truth]
    groups = [own[truth == k] for k in range(given.shape[1])] if by_class else [own]
    smallest = needed(level)
    if by_class and (short := [k for k, group in enumerate(groups) if len(group) < smallest]):
        worst = min(short, key=lambda k: len(groups[k]))
        whose = say(en=f" of class {worst}", de=f" der Klasse {worst}")
        raise TooFewForSets(have=len(groups[worst]), needed=smallest, level=f"{100 * level:g}", whose=whose)
    return Threshold(method, level, tuple(quantile(group, level) for group in groups), len(given), penalty, free)


def sets(probabilities: ArrayLike, threshold: Threshold, *, rng: np.random.Generator | None = None) -> NDArray[np.bool_]:
    """Which classes (N, K) are in the set of each picture, from probabilities (N, K).

    With `rng`, aps and raps draw their u and cover as often as promised; without, u is 0: sets are supersets of these, are never
    empty, and do not depend on chance. A set of lac may be empty.
    """
    given = checked_logits(probabilities, classes=len(threshold.values) if threshold.by_class else None, where="probabilities")
    random = None if rng is None else rng.random(len(given))
    badness = scores(given, threshold.method, random=random, penalty=threshold.penalty, free=threshold.free)
    inside: NDArray[np.bool_] = badness <= np.array(threshold.values)
    return inside


def measure(labels: ArrayLike, members: NDArray[np.bool_]) -> SetSizes:
    """Coverage and size of sets (N, K) of pictures with labels (N,)."""
    truth = checked_labels(labels, classes=members.shape[1], pictures=len(members))
    hit, size = members[np.arange(len(members)), truth], members.sum(axis=1)
    found = [
        (wilson(int(hit[truth == k].sum()), int((truth == k).sum())), k) for k in range(members.shape[1]) if (truth == k).any()
    ]
    worst = min(found, key=lambda entry: entry[0].value)
    return SetSizes(
        coverage=wilson(int(hit.sum()), len(hit)),
        mean_size=float(size.mean()),
        counts=tuple(np.bincount(size, minlength=members.shape[1] + 1).tolist()),
        worst_class=worst[1],
        worst_coverage=worst[0],
    )


def _check_level(level: float) -> None:
    if not 0 < level < 1:
        expected = say(en="between 0 and 1, both excluded", de="zwischen 0 und 1, beide ausgeschlossen")
        raise BadValue(setting="level", value=level, expected=expected)
