"""A learner's grid and scaling rule against direct enumeration."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from wiesel.language import say
from wiesel.lessons.checking import Own, Result


def check(own: Own) -> Iterator[Result]:
    yield own.part("grid", "grid", _grid, say(en="all triples and no others.", de="alle Tripel und keine anderen."))
    yield own.part("scaled", "scaled", _scaled, say(en="right for φ from 0 to 7.", de="für φ von 0 bis 7 richtig."))
    yield own.text("derivation", "derivation")


def _grid(theirs: Any) -> str | None:
    for step, highest, tolerance in ((0.1, 2.0, 0.1), (0.05, 1.5, 0.05)):
        values = [1 + step * i for i in range(round((highest - 1) / step) + 1)]
        right = {
            tuple(round(v, 6) for v in (a, b, c))
            for a in values
            for b in values
            for c in values
            if abs(a * b**2 * c**2 - 2) <= tolerance + 1e-12
        }
        given = {tuple(round(float(v), 6) for v in one) for one in theirs(step, highest, tolerance)}
        border = {
            one for one in right | given if abs(abs(one[0] * one[1] ** 2 * one[2] ** 2 - 2) - tolerance) < 1e-9
        }  # rounding decides
        if missing := right - given - border:
            return say(
                en=f"step {step}: {len(missing)} are missing, {min(missing)} for one",
                de=f"Schritt {step}: {len(missing)} fehlen, etwa {min(missing)}",
            )
        if more := given - right - border:
            return say(
                en=f"step {step}: {min(more)} does not meet the condition",
                de=f"Schritt {step}: {min(more)} erfüllt die Bedingung nicht",
            )
    return None


def _scaled(theirs: Any) -> str | None:
    for phi in range(8):
        right = (math.ceil(18 * 1.2**phi - 1e-9), 8 * math.floor(32 * 1.1**phi / 8 + 0.5), math.floor(224 * 1.15**phi + 0.5))
        given = tuple(theirs(phi, 18, 32, 224))
        if given != right:
            return say(en=f"φ = {phi}: {given}, right is {right}", de=f"φ = {phi}: {given}, richtig ist {right}")
    return None
