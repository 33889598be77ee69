"""The difference of two mean accuracies, and how far chance alone could have moved it.

Y_A[r, i] is 1 if run r of arm A is right about picture i; R_A runs, n pictures, the same for both arms. With A_r the mean over
pictures (a run's accuracy), a_i the mean over runs (a picture's ease), and the same for B:

    D       = mean_r B_r - mean_r A_r                                           the second arm minus the first
    V_seed  = s_A²/R_A + s_B²/R_B                                               s²: sample variance of the accuracies of runs
    V_image = max(0, Var_i(b_i - a_i) - mean_i(v_i^A/R_A + v_i^B/R_B)) / n      v_i^A = R_A/(R_A - 1) a_i (1 - a_i)
    nu      = (V_seed + V_image)² / [(s_A²/R_A)²/(R_A - 1) + (s_B²/R_B)²/(R_B - 1)]

Runs are not paired: their chance is chaotic, and equal seeds of two designs have nothing in common. Pictures are: what is hard for
one network is hard for the other. In V_image the noise that the pictures inherit from the runs is subtracted, because V_seed has it
already; what is left is the luck of having drawn these n pictures, which no number of runs removes. It is known from n pictures, so
it counts as known exactly in the degrees of freedom (Welch 1947; Satterthwaite 1946, where nu has the same numerator).

Where hardly any picture tells the arms apart, both variances are near zero by accident rather than by knowledge. So the total is at
least 2 / (n + 2)², the variance that one imagined disagreement in each direction would have (Bonett & Price 2012 for two paired
proportions); for n = 10 000 that is a standard error of 0.014 points and changes nothing else.

Sources: Welch 1947, Biometrika 34, 28-35; Satterthwaite 1946, Biometrics Bulletin 2(6), 110-114; Cameron, Gelbach & Miller 2011,
J. Bus. Econ. Stat. 29(2), 238-249 (variances of two crossed samples add up, less what both count); Sellam et al. 2022,
arXiv:2106.16163 (the same target by resampling seeds and examples); Jordan 2024, arXiv:2304.01910 (what runs of one network share);
Bonett & Price 2012, J. Educ. Behav. Stat. 37(4), 479-488.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri, stdtr, stdtrit

from wiesel.comparison.outcomes import Arm
from wiesel.errors import OtherTestPictures, TooFewRuns
from wiesel.evaluation.intervals import Interval


@dataclass(frozen=True)
class Difference:
    """An estimate and what is known about its error. All variances are squares of accuracies on the scale 0..1."""

    value: float
    """Mean accuracy of the challenger minus that of the baseline, -1..1."""
    run_variances: tuple[float, float]
    """s² of the accuracies of single runs, baseline and challenger; (s² of the pairwise differences, 0) for divisions."""
    runs: tuple[int, int]
    run_part: float
    """What more runs would make smaller, V_seed."""
    fixed_part: float
    """What they would not, V_image, or for repeated divisions the overlap of their training pictures."""
    degrees: float
    """Of freedom; may be infinite."""
    by_division: bool = False
    """Repeated divisions, paired by division, instead of a fixed test set."""

    @property
    def standard_error(self) -> float:
        return math.sqrt(self.run_part + self.fixed_part)

    def interval(self, alpha: float) -> Interval:
        """Misses the true difference with probability `alpha`, in equal parts to both sides."""
        half = quantile(1 - alpha / 2, self.degrees) * self.standard_error
        return Interval(self.value, self.value - half, self.value + half)

    def chance(self) -> float:
        """How often chance alone would put two equal arms at least this far apart (two-sided): for Holm's order and the expert's view."""
        if not self.standard_error:
            return 0.0 if self.value else 1.0
        return min(1.0, 2 * float(stdtr(min(self.degrees, 1e9), -abs(self.value) / self.standard_error)))


def difference(baseline: Arm, challenger: Arm) -> Difference:
    """Compare two arms on the same test pictures; formulas above.

    Raises:
        TooFewRuns: an arm with a single run, of which no spread can be known.
        OtherTestPictures: no answers, or answers to different numbers of pictures.
    """
    for one in (baseline, challenger):
        if len(one) < 2:
            raise TooFewRuns(name=one.name, have=len(one), needed=2)
        if one.correct is None or baseline.correct is None or one.correct.shape[1] != baseline.correct.shape[1]:
            expected = 0 if baseline.correct is None else baseline.correct.shape[1]
            raise OtherTestPictures(name=one.name, have=0 if one.correct is None else one.correct.shape[1], expected=expected)
    assert baseline.correct is not None
    assert challenger.correct is not None
    images, runs = baseline.correct.shape[1], (len(baseline), len(challenger))
    spreads = (float(np.var(baseline.accuracies, ddof=1)), float(np.var(challenger.accuracies, ddof=1)))
    run_part = spreads[0] / runs[0] + spreads[1] / runs[1]
    ease, inherited = zip(*(_ease(one) for one in (baseline.correct, challenger.correct)), strict=True)
    between = float(np.var(ease[1] - ease[0], ddof=1)) if images > 1 else 0.0
    image_part = max(0.0, between - sum(inherited)) / images
    fixed_part = max(image_part, least_variance(images) - run_part)
    return Difference(
        value=float(challenger.accuracies.mean() - baseline.accuracies.mean()),
        run_variances=spreads,
        runs=runs,
        run_part=run_part,
        fixed_part=fixed_part,
        degrees=degrees_of_freedom(spreads, runs, fixed_part),
    )


def least_variance(images: int) -> float:
    """Of a difference on so many pictures, however rarely the arms disagree; see the floor above."""
    return 2 / (images + 2) ** 2


def _ease(correct: NDArray[np.bool_]) -> tuple[NDArray[np.float64], float]:
    """a_i, and mean_i v_i / R = mean_i a_i (1 - a_i) / (R - 1)."""
    ease = correct.mean(axis=0)
    return ease, float((ease * (1 - ease)).mean()) / (len(correct) - 1)


def degrees_of_freedom(spreads: tuple[float, float], runs: tuple[int, int], fixed_part: float = 0.0) -> float:
    """nu above: `spreads` are the variances of single runs. Infinite where the runs do not vary at all."""
    parts = [spread / count for spread, count in zip(spreads, runs, strict=True)]
    below = sum(part**2 / (count - 1) for part, count in zip(parts, runs, strict=True))
    return (sum(parts) + fixed_part) ** 2 / below if below > 0 else math.inf


def quantile(probability: float, degrees: float) -> float:
    """Of Student's distribution."""
    return float(stdtrit(degrees, probability) if degrees < 1e9 else ndtri(probability))
