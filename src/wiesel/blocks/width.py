"""Numbers of channels that processors like: multiples of 8, by the rule of the MobileNet authors' code."""

from __future__ import annotations


def multiple_of_8(width: float) -> int:
    """The nearest multiple of 8, or the next one if that would lose more than 10 %.

    >>> multiple_of_8(24 * 1.1), multiple_of_8(18), multiple_of_8(1)
    (24, 24, 8)
    """
    nearest = max(8, int(width + 4) // 8 * 8)
    return nearest if nearest >= 0.9 * width else nearest + 8
