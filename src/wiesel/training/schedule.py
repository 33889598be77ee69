"""The learning rate as a pure function of the step, so that a resumed run needs no schedule state."""

from __future__ import annotations

import math

from wiesel.recipe import Schedule


def rate_at(step: int, steps: int, *, peak: float, schedule: Schedule, warmup: float) -> float:
    """Learning rate for step 0..steps-1.

    constant    always the peak
    linear      rises linearly during the first `warmup` share of all steps, then falls linearly towards 0
    cosine      rises linearly, then falls along half a cosine towards 0 (Loshchilov and Hutter 2016, arXiv:1608.03983, without restarts)
    one_cycle   rises along half a cosine from peak / 25, falls along half a cosine towards peak / 10,000
                (Smith and Topin 2017, arXiv:1708.07120, with cosine legs and constant momentum)
    """
    if schedule == "constant":
        return peak
    rising = warmup * steps
    if step < rising:
        risen = (step + 1) / rising if schedule != "one_cycle" else step / rising
        if schedule == "one_cycle":
            low = peak / 25
            return low + (peak - low) * (1 - math.cos(math.pi * risen)) / 2
        return peak * min(1.0, risen)
    left = 1 - (step - rising) / max(1.0, steps - rising)
    if schedule == "linear":
        return peak * left
    low = peak / 10_000 if schedule == "one_cycle" else 0.0
    return low + (peak - low) * (1 + math.cos(math.pi * (1 - left))) / 2
