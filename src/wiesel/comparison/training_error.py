"""Do the arms differ in how well they fit the pictures they learn from? The share of training pictures that is wrong in the last
epoch, measured while it trains (so with augmentation, and with weights that still move), as learning curves show it.

It tells apart two reasons for a bad test result: a network that cannot fit (degradation: He et al. 2015, section 1) from one that fits
and does not generalise. Each run has one number here and no pictures are shared, so the interval is Welch's alone; with m
challengers it is widened to alpha/m.

Source: Welch 1947, Biometrika 34, 28-35.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from wiesel.comparison.difference import degrees_of_freedom, quantile
from wiesel.comparison.sentences import points
from wiesel.evaluation.intervals import Interval, decimal
from wiesel.language import Language


@dataclass(frozen=True)
class TrainingDifference:
    """One challenger against its baseline."""

    baseline: str
    challenger: str
    errors: tuple[float, float]
    """Means over the runs that ended, 0..1."""
    interval: Interval
    """Challenger minus baseline: above 0 is worse."""

    @property
    def word(self) -> Literal["higher", "lower", "open"]:
        if self.interval.low > 0:
            return "higher"
        return "lower" if self.interval.high < 0 else "open"

    def sentence(self, reader: Language) -> str:
        before, after = (decimal(100 * error, 2, reader) for error in self.errors)
        value, low, high = (points(one, reader) for one in (self.interval.value, self.interval.low, self.interval.high))
        if reader == "de":
            word = {"higher": "höher", "lower": "tiefer", "open": "nicht zu unterscheiden"}[self.word]
            start = f"Trainingsfehler von {self.challenger} {word}: {after} % gegen {before} % bei {self.baseline}"
            return f"{start}, {value} Punkte ({low} bis {high})."
        word = {"higher": "is higher", "lower": "is lower", "open": "cannot be told apart"}[self.word]
        start = f"Training error of {self.challenger} {word}: {after} % against {before} % of {self.baseline}"
        return f"{start}, {value} points ({low} to {high})."


def training_difference(
    baseline: tuple[str, Sequence[float]], challenger: tuple[str, Sequence[float]], alpha: float
) -> TrainingDifference | None:
    """Of (name, errors of the runs that ended); None where an arm has fewer than two of them."""
    errors = [np.asarray(one[1], np.float64) for one in (baseline, challenger)]
    runs = (len(errors[0]), len(errors[1]))
    if min(runs) < 2:
        return None
    spreads = (float(np.var(errors[0], ddof=1)), float(np.var(errors[1], ddof=1)))
    means = (float(errors[0].mean()), float(errors[1].mean()))
    centre, error = means[1] - means[0], math.sqrt(spreads[0] / runs[0] + spreads[1] / runs[1])
    half = quantile(1 - alpha / 2, degrees_of_freedom(spreads, runs)) * error if error else 0.0
    return TrainingDifference(baseline[0], challenger[0], means, Interval(centre, centre - half, centre + half))
