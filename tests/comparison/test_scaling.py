"""Growing networks: what counts as a doubling, what goes on, and what whole blocks and channels make of factors."""

from __future__ import annotations

import math
from fractions import Fraction

import pytest

from wiesel.comparison.scaling import Base, Design, doublings, factors_of, grown, kept

BASE = Base(blocks=3, size=14, grain=16)


def ideal(design: Design) -> int:
    """Multiply-adds as the rule of thumb has them."""
    alpha, beta, gamma = BASE.factors(design)
    return round(1e6 * alpha * beta**2 * gamma**2)


def test_every_design_of_the_grid_has_twice_the_work_within_five_percent() -> None:
    found = doublings(BASE, ideal)
    assert len(found) >= 10
    for design, macs in found:
        alpha, beta, gamma = BASE.factors(design)
        assert macs == ideal(design)
        assert 1.9 <= alpha * beta**2 * gamma**2 <= 2.1
        assert min(alpha, beta, gamma) >= 1
    assert len({(design.depth, design.size) for design, _ in found}) == len(found)
    corners = {(3, Fraction(1), 14), (0, Fraction(1), 20)}
    assert corners <= {(design.depth, design.width, design.size) for design, _ in found}


def test_the_best_third_goes_on_and_what_chance_may_have_put_below_it() -> None:
    scores = [0.90, 0.80, 0.91, 0.70, 0.60, 0.50, 0.899, 0.40, 0.30]
    assert kept(scores, pictures=1_000_000) == [2, 0, 6]
    # One standard deviation on 100 pictures is 3 points; at 0.80 it is out, at 0.88 in.
    assert kept([*scores, 0.88], pictures=100)[:5] == [2, 0, 6, 9]
    assert kept([0.5, 0.9], pictures=100) == [1, 0]


def test_growth_is_rounded_to_whole_blocks_channels_and_pixels() -> None:
    assert grown(BASE, (1.2, 1.1, 1.15), 0) == Design(0, Fraction(1), 14)
    assert grown(BASE, (1.2, 1.1, 1.15), 1) == Design(1, Fraction(18, 16), 16)
    assert grown(BASE, factors_of("depth", (1.2, 1.1, 1.15)), 2) == Design(9, Fraction(1), 14)
    assert grown(BASE, factors_of("width", (1.2, 1.1, 1.15)), 2) == Design(0, Fraction(2), 14)
    assert grown(BASE, factors_of("resolution", (1.2, 1.1, 1.15)), 2) == Design(0, Fraction(1), 28)


@pytest.mark.parametrize("rule", ["depth", "width", "resolution"])
def test_each_rule_alone_doubles_the_work(rule: str) -> None:
    alpha, beta, gamma = factors_of(rule, (1.0, 1.0, 1.0))  # type: ignore[arg-type]
    assert math.isclose(alpha * beta**2 * gamma**2, 2)


def test_a_design_says_what_turns_the_base_into_it() -> None:
    assert Design(2, Fraction(9, 8), 16).changes() == ("depth=+2", "width=9/8")
    assert Design(0, Fraction(1), 14).changes() == ()
