"""How well a proportion is known: the Wilson score interval.

An accuracy is a count of right answers among n pictures. The interval speaks for other pictures of the same kind, not for other
seeds: what a second training run would do, it cannot know.
"""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import ArrayLike, NDArray

from wiesel.errors import BadValue
from wiesel.language import Language, language, say


@dataclass(frozen=True)
class Interval:
    """A measured value and the bounds between which the true one plausibly lies; all three on the scale of the value."""

    value: float
    low: float
    high: float

    def percent(self, digits: int = 1) -> str:
        """In the reader's language: `92.3 % [91.8, 92.8]` or `92,3 % [91,8; 92,8]`. Meant for proportions (0..1)."""
        value, low, high = (decimal(100 * number, digits) for number in (self.value, self.low, self.high))
        return f"{value} % [{low}{separator()} {high}]"


def decimal(number: float, digits: int, reader: Language | None = None) -> str:
    """`number` with so many decimals and the decimal sign of `reader` (None: the language of `wiesel.language`)."""
    text = f"{number:.{digits}f}"
    return text.replace(".", ",") if (reader or language()) == "de" else text


def separator(reader: Language | None = None) -> str:
    """What stands between two numbers: a semicolon where the comma is the decimal sign."""
    return ";" if (reader or language()) == "de" else ","


def wilson(successes: int, trials: int, level: float = 0.95) -> Interval:
    """The Wilson score interval of a proportion of `successes` in `trials`.

    All p that a two-sided score test would not reject, |p - k/n| <= z sqrt(p (1 - p) / n), with z the (1 + level) / 2 quantile of
    the normal distribution. Solved for p:

        low, high = (k + z²/2 ∓ z sqrt(k (n - k) / n + z²/4)) / (n + z²)

    It never leaves 0..1 and is not empty at k = 0 or k = n. Without any trial it is 0..1 and the value is 0 by convention.

    >>> wilson(0, 20).high
    0.1611...

    Raises:
        BadValue: `level` not inside 0..1, or not 0 <= successes <= trials.
    Source: Wilson 1927, J. Am. Stat. Assoc. 22(158), 209-212, doi:10.1080/01621459.1927.10502953.
    """
    low, high = wilson_bounds(successes, trials, level)
    return Interval(successes / trials if trials else 0.0, float(low), float(high))


def wilson_bounds(successes: ArrayLike, trials: ArrayLike, level: float = 0.95) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """`wilson` for arrays of counts of one shape (or a shape that broadcasts): lower and upper bounds of that shape."""
    if not 0 < level < 1:
        raise BadValue(
            setting="level",
            value=level,
            expected=say(en="between 0 and 1, both excluded", de="zwischen 0 und 1, beide ausgeschlossen"),
        )
    hits, total = np.broadcast_arrays(np.asarray(successes, np.float64), np.asarray(trials, np.float64))
    possible = (hits >= 0) & (hits <= total)
    if not possible.all():
        worst = np.unravel_index(np.argmin(possible), possible.shape)
        expected = say(en=f"0 to {total[worst]:g}, the number of trials", de=f"0 bis {total[worst]:g}, die Anzahl der Versuche")
        raise BadValue(setting="successes", value=float(hits[worst]), expected=expected)
    misses, square = total - hits, NormalDist().inv_cdf((1 + level) / 2) ** 2
    counted = np.maximum(total, 1)
    half = np.sqrt(square * (hits * misses / counted + square / 4))
    # The two roots' product is k² / (n (n + z²)): dividing by the larger one instead of subtracting keeps low exact at k = 0, and,
    # with successes and failures swapped, high at k = n.
    low = hits**2 / counted / (hits + square / 2 + half)
    high = 1 - misses**2 / counted / (misses + square / 2 + half)
    return low, high
