"""From an interval and a margin to one of the words.

With lo..hi the interval of the difference and delta the margin:

    lo > 0, or hi < 0                  the arms differ ("better", "worse"); by more than the margin if lo > delta or hi < -delta
    -delta < lo and hi < delta         practically the same
    otherwise                          open

"Practically the same" is two one-sided tests, each at alpha/2: more careful than the usual alpha, but it lets one interval carry every
word. An interval that is above 0 and below delta says both; the difference is named, and that it is smaller than what matters.

Source: Schuirmann 1987, J. Pharmacokinet. Biopharm. 15(6), 657-680 (two one-sided tests); Kruschke 2018, doi:10.1177/2515245918771304
(one interval against a region of practical equivalence).
"""

from __future__ import annotations

from typing import Literal

from wiesel.evaluation.intervals import Interval

Word = Literal["better", "worse", "same", "undecided", "test_set_too_small"]


def decide(interval: Interval, margin: float) -> Word:
    """`better`, `worse`, `same` or `undecided`; nothing else comes from an interval alone."""
    if interval.low > 0:
        return "better"
    if interval.high < 0:
        return "worse"
    return "same" if max(-interval.low, interval.high) < margin else "undecided"


def beyond_margin(interval: Interval, margin: float) -> bool:
    """The whole interval lies further from zero than the margin: clearly better or worse."""
    return interval.low > margin or interval.high < -margin


def within_margin(interval: Interval, margin: float) -> bool:
    """The whole interval lies nearer to zero than the margin: whatever the difference is, it is smaller than what matters."""
    return max(-interval.low, interval.high) < margin
