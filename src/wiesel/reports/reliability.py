"""The reliability diagram: is the network right as often as it says?"""

from __future__ import annotations

from markupsafe import Markup

from wiesel.evaluation import Calibration
from wiesel.reports.svg import Scale, drawing, element, text, x_axis, y_axis
from wiesel.reports.words import Words

LEFT = 50.0


def reliability(found: Calibration, words: Words) -> Markup:
    """Share of right answers over confidence, with intervals; below it how many pictures fall into each bin."""
    side, strip = 300.0, 56.0
    left, top = LEFT, 26.0
    width, height = left + side + 20, top + side + 24 + strip + 44
    x, y = Scale(0, 1, left, left + side), Scale(0, 1, top + side, top)
    marks = [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]
    base = top + side + 24 + strip
    count = Scale(0, max(row.count for row in found.bins), 0, strip)
    parts = [
        y_axis(marks, y, left, left + side, lambda value: words.number(value, "%0")),
        element("line", x1=x(0), y1=y(0), x2=x(1), y2=y(1), class_="diagonal"),
        text(0, 14, words("calibration.share_right"), class_="heading"),
    ]
    for row in found.bins:
        at = x(row.confidence)
        said = words(
            "calibration.bin",
            low=row.low,
            high=row.high,
            count=row.count,
            confidence=row.confidence,
            accuracy=row.accuracy.value,
            under=row.accuracy.low,
            over=row.accuracy.high,
        )
        parts.append(element("line", x1=at, x2=at, y1=y(row.confidence), y2=y(row.accuracy.value), class_="gap"))
        parts.append(element("line", x1=at, x2=at, y1=y(row.accuracy.low), y2=y(row.accuracy.high), class_="whisker"))
        parts.append(element("circle", element("title", said), cx=at, cy=y(row.accuracy.value), r=4, class_="mark a"))
        wide = max(1.0, x(row.high) - x(row.low) - 2)
        tall = max(1.0, count(row.count))
        parts.append(
            element("rect", element("title", said), x=x(row.low) + 1, y=base - tall, width=wide, height=tall, class_="bar other")
        )
    parts += [
        text(
            left + side,
            top + side + 18,
            words("calibration.count", most=max(row.count for row in found.bins)),
            anchor="end",
            class_="label",
        ),
        element("line", x1=left, x2=left + side, y1=base, y2=base, class_="axis"),
        x_axis(marks, x, base, lambda value: words.number(value, "%0")),
        text(left + side / 2, height - 6, words("calibration.confidence"), anchor="middle", class_="label"),
    ]
    facts = words("calibration.facts", ece=found.ece.value, low=found.ece.low, high=found.ece.high, bins=len(found.bins))
    return drawing(width, height, words("calibration.title"), facts, *parts)
