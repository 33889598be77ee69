"""Growing a network: deeper, wider, or with larger pictures, and all three together in the proportions that a search found.

A network of n blocks per stage grows by alpha in depth, beta in width and gamma in the side of its pictures; its multiply-adds grow by
about alpha * beta^2 * gamma^2. Blocks, channels and pixels are whole, so nothing is rounded in secret: a design counts if its measured
multiply-adds lie within 5 % of what was asked for.

Source: Tan & Le 2019, arXiv:1905.11946, section 3.3 (compound scaling); Jamieson & Talwalkar 2016, AISTATS, 240-248 (successive halving).
Differs: every rung is a complete short schedule, because a run that is stopped at a third of a decaying schedule is not a run of a third.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

TOLERANCE = 0.05
"""Of the multiply-adds that a doubling asks for."""
FEWEST = 3
"""Designs that at least stay in the search."""

Rule = Literal["compound", "depth", "width", "resolution"]
RULES: tuple[Rule, ...] = ("compound", "depth", "width", "resolution")


@dataclass(frozen=True, order=True)
class Design:
    """One size of a network, against a base with `depth` 0 and `width` 1."""

    depth: int
    """Blocks more in each stage."""
    width: Fraction
    """Factor on all numbers of channels."""
    size: int
    """Side of the pictures in pixels."""

    def changes(self) -> tuple[str, ...]:
        """What turns the base into it."""
        deeper = (f"depth=+{self.depth}",) if self.depth else ()
        return deeper + ((f"width={self.width}",) if self.width != 1 else ())


@dataclass(frozen=True)
class Base:
    """What grows."""

    blocks: int
    """In each stage."""
    size: int
    grain: int
    """Widths are multiples of 1/grain: the greatest common divisor of the numbers of channels."""

    def factors(self, design: Design) -> tuple[float, float, float]:
        """alpha, beta, gamma"""
        return 1 + design.depth / self.blocks, float(design.width), design.size / self.size


def doublings(base: Base, macs: Callable[[Design], int]) -> list[tuple[Design, int]]:
    """All designs with twice the base's multiply-adds, within 5 %, and how many they have: for each depth and size the width that comes
    nearest. `macs` counts them."""
    wanted = 2 * macs(Design(0, Fraction(1), base.size))
    found = []
    for depth in range(base.blocks + 1):
        for size in range(base.size, math.floor(base.size * 2**0.5 * (1 + TOLERANCE)) + 1):
            plain = macs(Design(depth, Fraction(1), size))
            if plain > wanted * (1 + TOLERANCE):
                continue
            middle = base.grain * math.sqrt(wanted / plain)
            near = {Fraction(max(base.grain, round_), base.grain) for round_ in (math.floor(middle), math.ceil(middle))}
            counted = [(Design(depth, width, size), macs(Design(depth, width, size))) for width in sorted(near)]
            design, count = min(counted, key=lambda one: abs(one[1] - wanted))
            if abs(count - wanted) <= TOLERANCE * wanted:
                found.append((design, count))
    return found


def kept(scores: Sequence[float], pictures: int) -> list[int]:
    """Which designs go on to the next rung, best first: the best third (at least three), and all that chance may have put below them.

    `scores`: validation accuracy of each, one run; `pictures`: how many it was measured on. Chance is taken as one standard deviation of
    an accuracy on so many pictures; that of training comes on top and is not known yet.
    """
    order = sorted(range(len(scores)), key=lambda one: -scores[one])
    number = min(len(order), max(FEWEST, math.ceil(len(order) / 3)))
    cut = scores[order[number - 1]]
    deviation = math.sqrt(max(cut * (1 - cut), 1 / pictures) / pictures)
    return [one for one in order if scores[one] >= cut - deviation]


def grown(base: Base, factors: tuple[float, float, float], phi: int) -> Design:
    """The base after `phi` steps of these factors, each rounded to whole blocks, channels and pixels."""
    alpha, beta, gamma = (factor**phi for factor in factors)
    width = Fraction(max(base.grain, round(base.grain * beta)), base.grain)
    return Design(round(base.blocks * alpha) - base.blocks, width, round(base.size * gamma))


def factors_of(rule: Rule, found: tuple[float, float, float]) -> tuple[float, float, float]:
    """alpha, beta, gamma of a doubling by this rule; `found`: by the search."""
    root = math.sqrt(2)
    return {"compound": found, "depth": (2.0, 1.0, 1.0), "width": (1.0, root, 1.0), "resolution": (1.0, 1.0, root)}[rule]
