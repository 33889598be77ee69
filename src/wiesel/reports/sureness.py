"""Two drawings of an assessment: accuracy among the surest pictures, and how many classes a set has."""

from __future__ import annotations

from markupsafe import Markup

from wiesel.reports.svg import Scale, drawing, element, polyline, text, ticks, x_axis, y_axis
from wiesel.reports.words import Words
from wiesel.uncertainty.assessment import Assessment, Sets

WIDTH, HEIGHT = 400.0, 260.0
LEFT, RIGHT, TOP, BOTTOM = 54.0, 24.0, 34.0, 42.0
LARGEST = 5
"""Sets of so many classes and more share a bar."""


def accuracy_against_coverage(found: Assessment, words: Words) -> Markup:
    """The share right among the surest pictures, from few of them to all, with intervals where the table has a row."""
    points = found.selective.points
    lowest = min(
        [point.accuracy.low for point in points] + [accuracy for share, accuracy in found.curve if share >= points[0].coverage]
    )
    marks = [mark for mark in ticks(lowest, 1.0, 4) if mark <= 1 + 1e-9]
    x, y = Scale(0, 1, LEFT, WIDTH - RIGHT), Scale(marks[0], marks[-1], HEIGHT - BOTTOM, TOP)
    digits = "%1" if marks[1] - marks[0] < 0.00999 else "%0"
    parts = [
        text(0, 14, words("uncertainty.right_among"), class_="heading"),
        y_axis(marks, y, LEFT, WIDTH - RIGHT, lambda value: words.number(value, digits)),
        x_axis([0.0, 0.2, 0.4, 0.6, 0.8, 1.0], x, HEIGHT - BOTTOM, lambda value: words.number(value, "%0")),
        text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 6, words("uncertainty.coverage"), anchor="middle", class_="label"),
        polyline([(x(share), y(max(accuracy, marks[0]))) for share, accuracy in found.curve], "line a"),
    ]
    for point in points:
        said = words(
            "uncertainty.point",
            share=point.coverage,
            accuracy=point.accuracy.value,
            low=point.accuracy.low,
            high=point.accuracy.high,
        )
        at = x(point.coverage)
        parts.append(element("line", x1=at, x2=at, y1=y(point.accuracy.low), y2=y(point.accuracy.high), class_="whisker"))
        parts.append(element("circle", element("title", said), cx=at, cy=y(point.accuracy.value), r=3.4, class_="mark a"))
    facts = words("uncertainty.area", area=found.selective.area.value, low=found.selective.area.low, high=found.selective.area.high)
    return drawing(WIDTH, HEIGHT, words("uncertainty.right_among"), facts, *parts)


def set_sizes(found: Assessment, words: Words) -> Markup:
    """How many of the sets have 0, 1, 2, … classes, one bar beside the other for each kind of sets."""
    shown = [one for one in found.sets if not one.threshold.by_class and one.threshold.method != "raps"]
    shares = [_shares(one) for one in shown]
    x = Scale(0, len(shares[0]), LEFT, WIDTH - RIGHT)
    marks = [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]
    y = Scale(0, 1, HEIGHT - BOTTOM, TOP)
    wide = (x(1) - x(0)) * 0.36
    parts = [
        text(0, 14, words("uncertainty.classes_per_set"), class_="heading"),
        y_axis(marks, y, LEFT, WIDTH - RIGHT, lambda value: words.number(value, "%0")),
        text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 6, words("uncertainty.set_size"), anchor="middle", class_="label"),
    ]
    for size in range(len(shares[0])):
        more = size == LARGEST and len(shown[0].found.counts) > LARGEST + 1
        parts.append(text(x(size + 0.5), HEIGHT - BOTTOM + 17, f"{size}+" if more else str(size), anchor="middle"))
        for place, (one, share) in enumerate(zip(shown, shares, strict=True)):
            said = words("uncertainty.bar", kind=one.threshold.method.upper(), size=size, share=share[size])
            top = min(y(share[size]), HEIGHT - BOTTOM - (1 if share[size] else 0))
            parts.append(
                element(
                    "rect",
                    element("title", said),
                    x=x(size + 0.5) + (place - 1) * wide if len(shown) > 1 else x(size + 0.5) - wide / 2,
                    y=top,
                    width=wide - 2,
                    height=HEIGHT - BOTTOM - top,
                    class_="bar other" if place == 0 and len(shown) > 1 else "bar truth",
                )
            )
    parts += _legend(shown)
    facts = "; ".join(
        words(
            "uncertainty.kind_facts", kind=one.threshold.method.upper(), size=one.found.mean_size, coverage=one.found.coverage.value
        )
        for one in shown
    )
    return drawing(WIDTH, HEIGHT, words("uncertainty.classes_per_set"), facts, *parts)


def _shares(one: Sets) -> list[float]:
    """Of sets with 0, 1, …, LARGEST - 1 classes, and with LARGEST or more."""
    counts = one.found.counts
    kept = [*counts[:LARGEST], sum(counts[LARGEST:])] if len(counts) > LARGEST else list(counts)
    return [count / sum(counts) for count in kept]


def _legend(shown: list[Sets]) -> list[Markup]:
    parts, at = [], WIDTH - RIGHT
    for place, one in reversed(list(enumerate(shown))):
        name = one.threshold.method.upper()
        at -= 8.0 * len(name) + 26
        parts.append(
            element("rect", x=at, y=5, width=12, height=10, class_="bar other" if place == 0 and len(shown) > 1 else "bar truth")
        )
        parts.append(text(at + 17, 14, name))
    return parts
