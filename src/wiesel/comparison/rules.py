"""What is decided about a comparison before its first run: the margin, the looks and their shares of the error, the cap."""

from __future__ import annotations

import math
from dataclasses import dataclass

from wiesel.errors import BadValue
from wiesel.language import grouped, say

ENGINE = 1
"""Version of these statistics; part of a plan's fingerprint and kept with every verdict."""


MOST_RUNS = 1000
"""Of each arm. Each is a whole training, and what a plan asks for is written out before the first."""


@dataclass(frozen=True, kw_only=True)
class Rules:
    """The rules of one verdict.

    Raises:
        BadValue: names the setting, its value and the range.
    """

    margin: float = 0.0
    """The smallest difference of accuracies worth caring about, 0..1 (0.003 is 0.3 points); 0: see `margin_for`."""
    looks: tuple[int, ...] = (3, 5, 10)
    """After how many runs per arm the question is asked."""
    alphas: tuple[float, ...] = (0.01, 0.015, 0.025)
    """How often each look may be wrong; what counts for the reader is the sum."""
    cap: int = 10
    """The most runs per arm. Below the last look, the last look takes place here, with all that is left of the error."""

    def __post_init__(self) -> None:
        many, total = say(en="or more", de="oder mehr"), sum(self.alphas)
        rules = [
            ("margin", self.margin, math.isfinite(self.margin) and 0 <= self.margin < 1, "0 <= margin < 1"),
            ("looks", self.looks, len(self.looks) > 0 and self.looks[0] >= 2, f"2 {many}"),
            (
                "looks",
                self.looks,
                max(self.looks, default=0) <= MOST_RUNS,
                say(en="at most ", de="höchstens ") + grouped(MOST_RUNS),
            ),
            (
                "looks",
                self.looks,
                all(a < b for a, b in zip(self.looks, self.looks[1:], strict=False)),
                say(en="each later than the one before", de="jeder später als der vorige"),
            ),
            ("alphas", self.alphas, len(self.alphas) == len(self.looks), say(en="one per look", de="eines je Blick")),
            ("alphas", self.alphas, all(alpha > 0 for alpha in self.alphas), say(en="above 0", de="über 0")),
            ("alphas", self.alphas, total <= 0.2, say(en="at most 0.2 together", de="zusammen höchstens 0.2")),
            (
                "cap",
                self.cap,
                2 <= self.cap <= (self.looks[-1] if self.looks else 0),
                say(
                    en="2 to the last look; runs beyond it would never be looked at",
                    de="2 bis zum letzten Blick; Läufe danach sähe nie jemand an",
                ),
            ),
        ]
        for setting, value, fine, expected in rules:
            if not fine:
                raise BadValue(setting=setting, value=value, expected=expected)

    @property
    def confidence(self) -> float:
        """How often all intervals of one plan hold together, at least: 1 - the sum of the alphas."""
        return 1 - sum(self.alphas)


def margin_for(rules: Rules, baseline_error: float) -> float:
    """The margin in force: the plan's own, or by default the larger of 0.1 points and 5 % of the baseline's error rate.

    `baseline_error` (0..1) is that of the runs of the first look, at every look, so that the margin never moves.

    >>> margin_for(Rules(), baseline_error=0.06)
    0.003
    """
    return rules.margin or max(0.001, 0.05 * baseline_error)
