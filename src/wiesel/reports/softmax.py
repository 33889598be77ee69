"""Softmax of one picture: a bar per class on a logarithmic axis, labelled with the names of the classes."""

from __future__ import annotations

import math
from collections.abc import Sequence

from markupsafe import Markup

from wiesel.reports.facts import Softmax
from wiesel.reports.svg import Scale, drawing, element, text, y_axis
from wiesel.reports.words import Words, shown

LOWEST_FLOOR = -8
"""Bars reach down to 10^-8 at most."""
MOST_BARS = 20
LONGEST_NAME = 16
TALL, TOP = 130.0, 22.0


def softmax_floor(pictures: Sequence[Softmax]) -> int:
    """Exponent of the power of ten at which all bars start: below the smallest probability, but not below `LOWEST_FLOOR`."""
    smallest = min(float(one.probabilities.min()) for one in pictures)
    floor = max(LOWEST_FLOOR, min(-1, math.floor(math.log10(max(smallest, 1e-300)))))
    return floor - 1 if floor in (-5, -7) else floor  # an even number can be labelled in steps of two


def bars_shown(one: Softmax) -> list[int]:
    """Classes in their own order; of many, the most probable and the true one."""
    if len(one.probabilities) <= MOST_BARS:
        return list(range(len(one.probabilities)))
    likeliest: list[int] = (-one.probabilities).argsort(kind="stable").tolist()
    first = likeliest[:MOST_BARS]
    return sorted(first if one.picture.truth in first else [*first[:-1], one.picture.truth])


def softmax_bars(one: Softmax, classes: Sequence[str], floor: int, words: Words) -> Markup:
    """Probabilities of one picture from 10^`floor` to 1, a bar per class; see `bars_shown` for which."""
    order = bars_shown(one)
    names = [shown(classes[i], LONGEST_NAME) for i in order]
    pitch = max(14.0, min(24.0, 280 / len(order)))
    longest = 6.4 * max(map(len, names))
    upright = len(order) > 12  # narrow bars leave no room for slanted names
    left = 42.0 if upright else max(42.0, 0.7 * longest - pitch / 2 + 4)
    y = Scale(floor, 0, TOP + TALL, TOP)
    right = left + pitch * len(order)
    parts = [y_axis(range(0, floor - 1, -1 if floor > -5 else -2), y, left, right, lambda exponent: words.power(round(exponent)))]
    for place, (index, name) in enumerate(zip(order, names, strict=True)):
        middle = left + pitch * (place + 0.5)
        kind = "truth" if index == one.picture.truth else "wrong" if index == one.picture.prediction else "other"
        said = words("softmax.bar", name=classes[index], p=words.number(float(one.probabilities[index]), "sig3"))
        parts.append(_bar(float(one.probabilities[index]), middle, pitch, y, kind, said))
        if index == one.picture.prediction:
            height = y(math.log10(one.picture.confidence)) if one.picture.confidence >= 10.0**floor else y.start
            parts.append(text(middle, height - 5, words.number(one.picture.confidence, "~%"), anchor="middle", class_="value"))
        at = (middle + 4, TOP + TALL + 7) if upright else (middle + 2, TOP + TALL + 12)
        turn = f"rotate({-90 if upright else -48} {at[0]:.1f} {at[1]:.1f})"
        parts.append(text(*at, name, anchor="end", class_=f"name {kind}", transform=turn))
    facts = "; ".join(f"{shown(classes[i])} {words.number(float(one.probabilities[i]), 'sig3')}" for i in order)
    height = TOP + TALL + (1.15 * longest + 12 if upright else 0.75 * longest + 22)
    title = words("softmax.chart", number=one.picture.index + 1)
    return drawing(right + 14, height, title, facts, *parts, class_="chart softmax")


def _bar(probability: float, middle: float, pitch: float, y: Scale, kind: str, said: str) -> Markup:
    if probability < 10.0**y.low:
        return element("text", element("title", said), "<", x=middle, y=y.start - 3, text_anchor="middle")
    top = y(math.log10(probability))
    return element(
        "rect",
        element("title", said),
        x=middle - 0.36 * pitch,
        y=top,
        width=0.72 * pitch,
        height=y.start - top,
        class_=f"bar {kind}",
    )
