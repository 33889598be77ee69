"""How many times longer one arm trains than the other.

Times multiply rather than add (a busy machine makes everything slower by a factor), so the comparison is made on logarithms, by Welch's
method, and turned back: ratio = exp(mean log t_B - mean log t_A), the ratio of geometric means. Runs that diverged stop at another
time than the others and say nothing about how long a training takes; they are left out here, and only here.

Source: Welch 1947, Biometrika 34, 28-35.
"""

from __future__ import annotations

import math

import numpy as np

from wiesel.comparison.difference import degrees_of_freedom, quantile
from wiesel.comparison.outcomes import Arm
from wiesel.evaluation.intervals import Interval


def seconds_ratio(baseline: Arm, challenger: Arm, alpha: float = 0.05) -> Interval | None:
    """Seconds of the challenger for each second of the baseline; None where an arm has fewer than two runs that ended.

    Says nothing about other machines.
    """
    logs = [np.log(one.seconds[~one.diverged]) for one in (baseline, challenger)]
    runs = (len(logs[0]), len(logs[1]))
    if min(runs) < 2:
        return None
    spreads = (float(np.var(logs[0], ddof=1)), float(np.var(logs[1], ddof=1)))
    centre = float(logs[1].mean() - logs[0].mean())
    error = math.sqrt(spreads[0] / runs[0] + spreads[1] / runs[1])
    half = quantile(1 - alpha / 2, degrees_of_freedom(spreads, runs)) * error
    return Interval(math.exp(centre), math.exp(centre - half), math.exp(centre + half))
