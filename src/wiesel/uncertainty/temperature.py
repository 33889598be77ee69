"""Temperature scaling: one number by which all logits are divided, so that the probabilities fit. The predicted class never changes.

The loss is convex in 1 / T, so its slope, mean of (expected logit - logit of the truth), has at most one zero; it is found by
Newton's method within a bracket. No step size to choose, nothing random.

Source: Guo, Pleiss, Sun, Weinberger 2017, arXiv:1706.04599, section 4.2.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from wiesel.evaluation.checking import checked_labels, checked_logits
from wiesel.evaluation.intervals import Interval, separator
from wiesel.evaluation.probabilities import BLOCK
from wiesel.language import number, say

Floats = NDArray[np.float64]
Outcome = Literal["fitted", "not needed", "undetermined"]

COLDEST, HOTTEST = 0.02, 50.0
"""Between these the best temperature is looked for."""


@dataclass(frozen=True)
class Temperature:
    """`value` and its 95 % interval (sandwich variance on log T: the softmax need not be the true model)."""

    value: float
    low: float
    high: float
    pictures: int
    """On how many pictures it was fitted."""
    outcome: Outcome
    """fitted: it changes something; not needed: 1 lies in the interval, yet the value is used; undetermined: there is no best one, and it is left at 1."""

    def sentence(self) -> str:
        """In the reader's language."""
        if self.outcome == "undetermined":
            return say(
                en=f"Temperature: left at 1. No temperature fits the {self.pictures} pictures best (all right, or right no more often than by guessing).",
                de=f"Temperatur: bei 1 belassen. Zu den {self.pictures} Bildern passt keine am besten (alle richtig, oder nicht öfter als durch Raten).",
            )
        facts = f"{number(self.value, 3)} [{number(self.low, 3)}{separator()} {number(self.high, 3)}]"
        if self.outcome == "not needed":
            return say(
                en=f"Temperature: {facts}, which cannot be told from 1, that is from none; it is used all the same.",
                de=f"Temperatur: {facts}; von 1, also von keiner, ist sie nicht zu unterscheiden; benutzt wird sie trotzdem.",
            )
        return say(
            en=f"Temperature: {facts}: the network is too {'sure' if self.value > 1 else 'unsure'} of itself.",
            de=f"Temperatur: {facts}: Das Netz ist sich zu {'sicher' if self.value > 1 else 'unsicher'}.",
        )


def fit_temperature(labels: ArrayLike, logits: ArrayLike, *, level: float = 0.95) -> Temperature:
    """The T that minimises the mean of -log softmax(logits / T)[label] over labels (N,) and logits (N, K).

    The pictures must be others than those on which the gain is then measured, and others than those the network learned from.

    Raises:
        NothingToMeasure, UnfitArray, LogitNotFinite, LabelOutside: the arrays cannot be measured.
    """
    scores = checked_logits(logits)
    truth = checked_labels(labels, classes=scores.shape[1], pictures=len(scores))
    count = len(truth)

    if not _slopes(truth, scores, 1 / HOTTEST)[0].mean() < 0 < _slopes(truth, scores, 1 / COLDEST)[0].mean():
        return Temperature(1.0, 1.0, 1.0, count, "undetermined")
    inverse, slopes, curvatures = _best(truth, scores)
    if not curvatures.mean() > 0:  # so sure that rounding hides it
        return Temperature(1.0, 1.0, 1.0, count, "undetermined")
    # Sandwich: Var(1/T) = mean(slope²) / (n mean(curvature)²); by the delta rule d(log T) = -T d(1/T).
    error = math.sqrt(float(np.square(slopes).mean()) / count) / float(curvatures.mean()) / inverse
    # A few pictures may say next to nothing: the interval then spans all that was searched.
    half = min(NormalDist().inv_cdf((1 + level) / 2) * error, math.log(HOTTEST / COLDEST))
    low, high = math.exp(-half) / inverse, math.exp(half) / inverse
    return Temperature(1 / inverse, low, high, count, "not needed" if low <= 1 <= high else "fitted")


def _best(truth: NDArray[np.int64], logits: NDArray[np.generic]) -> tuple[float, Floats, Floats]:
    """(1 / T where the slope is 0, both derivatives there): Newton's steps, and halvings of the bracket where these leave it."""
    low, high, inverse = 1 / HOTTEST, 1 / COLDEST, 1.0
    for _ in range(200):
        slopes, curvatures = _slopes(truth, logits, inverse)
        slope, curvature = float(slopes.mean()), float(curvatures.mean())
        low, high = (low, inverse) if slope > 0 else (inverse, high)
        step = inverse - slope / curvature if curvature > 0 else math.inf
        if not low <= step <= high:
            step = math.sqrt(low * high)
        if abs(step - inverse) <= 1e-12 * inverse:
            break
        inverse = step
    return inverse, slopes, curvatures


def scaled(logits: ArrayLike, temperature: float) -> Floats:
    """logits / T in float64."""
    result: Floats = checked_logits(logits).astype(np.float64) / temperature
    return result


def nll_gain(labels: ArrayLike, logits: ArrayLike, temperature: float, *, level: float = 0.95) -> Interval:
    """Mean over pictures of (loss without - loss with the temperature), nats; above 0: it helps. Normal interval of paired differences."""
    from wiesel.evaluation.probabilities import outcomes

    difference = outcomes(labels, logits).loss - outcomes(labels, scaled(logits, temperature)).loss
    mean = float(difference.mean())
    if len(difference) < 2:
        return Interval(mean, -math.inf, math.inf)
    half = NormalDist().inv_cdf((1 + level) / 2) * float(difference.std(ddof=1)) / math.sqrt(len(difference))
    return Interval(mean, mean - half, mean + half)


def _slopes(truth: NDArray[np.int64], logits: NDArray[np.generic], inverse: float) -> tuple[Floats, Floats]:
    """First and second derivative (N,) of each picture's loss along 1 / T: E[z] - z[truth] and Var[z] under softmax(z / T)."""
    first, second = np.empty(len(truth)), np.empty(len(truth))
    step = max(1, BLOCK // logits.shape[1])
    for start in range(0, len(truth), step):
        part = slice(start, start + step)
        wide = logits[part].astype(np.float64)
        wide -= wide.max(axis=1, keepdims=True)  # E and Var of the shifted logits are exact where softmax is saturated
        weights = np.exp(wide * inverse)
        weights /= weights.sum(axis=1, keepdims=True)
        mean = (weights * wide).sum(axis=1)
        first[part] = mean - wide[np.arange(len(wide)), truth[part]]
        second[part] = (weights * np.square(wide - mean[:, None])).sum(axis=1)
    return first, second
