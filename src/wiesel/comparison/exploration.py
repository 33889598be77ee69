"""Where the arms differ: class by class and picture by picture. For looking, never for a verdict.

Somewhere among the classes two equal arms always differ. The intervals here are widened for the number of classes (alpha divided by
it), and still nothing in this file enters the verdict.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from wiesel.comparison.difference import difference
from wiesel.comparison.outcomes import Arm
from wiesel.evaluation.intervals import Interval


@dataclass(frozen=True)
class ClassDifference:
    name: str
    images: int
    interval: Interval
    """Share of the class's pictures that is right, challenger minus baseline."""


def class_differences(
    baseline: Arm, challenger: Arm, labels: NDArray[np.int64], classes: tuple[str, ...], alpha: float = 0.05
) -> tuple[ClassDifference, ...]:
    """One per class that has test pictures, the largest difference first."""
    assert baseline.correct is not None
    assert challenger.correct is not None
    present = [number for number in range(len(classes)) if (labels == number).any()]
    found = []
    for number in present:
        chosen = labels == number
        pair = [_restricted(one, one.correct[:, chosen]) for one in (baseline, challenger) if one.correct is not None]
        interval = difference(*pair).interval(alpha / len(present))
        found.append(ClassDifference(classes[number], int(chosen.sum()), interval))
    return tuple(sorted(found, key=lambda one: -abs(one.interval.value)))


def _restricted(one: Arm, correct: NDArray[np.bool_]) -> Arm:
    return replace(one, correct=correct, accuracies=correct.mean(axis=1))


def told_apart(better: Arm, worse: Arm, *, often: float = 0.8, seldom: float = 0.2) -> NDArray[np.int64]:
    """Numbers of the test pictures that `better` gets right in at least `often` and `worse` in at most `seldom` of its runs."""
    assert better.correct is not None
    assert worse.correct is not None
    return np.flatnonzero((better.correct.mean(axis=0) >= often) & (worse.correct.mean(axis=0) <= seldom))
