"""Small pieces of SVG: elements, axes, ticks. Colours come from the style sheet, by class, so that dark mode and print work."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

Number = float | int
Label = Callable[[float], str]


def element(name: str, *children: str, **attributes: Number | str | None) -> Markup:
    """`element("line", x1=0, class_="grid")`; `class_` is class, other underscores are hyphens. Text is escaped, None left out."""
    parts = []
    for key, value in attributes.items():
        if value is not None:
            text = f"{value:.2f}".rstrip("0").rstrip(".") if isinstance(value, float) else value
            parts.append(Markup(' {}="{}"').format(key.rstrip("_").replace("_", "-"), text))
    inside = Markup("").join(escape(child) for child in children)
    start = Markup("<{}{}").format(Markup(name), Markup("").join(parts))
    return start + (Markup(">{}</{}>").format(inside, Markup(name)) if children else Markup("/>"))


def drawing(
    width: Number,
    height: Number,
    title: str,
    description: str,
    *children: str,
    class_: str = "chart",
    preserveAspectRatio: str | None = None,
) -> Markup:
    """A whole picture; `title` names it and `description` says its facts to those who do not see it."""
    return element(
        "svg",
        element("title", title),
        *([element("desc", description)] if description else []),
        *children,
        viewBox=f"0 0 {width:g} {height:g}",
        class_=class_,
        role="img",
        width=width,
        height=height,
        preserveAspectRatio=preserveAspectRatio,
    )


def text(
    x: Number, y: Number, content: str, *, anchor: str = "start", class_: str | None = None, transform: str | None = None
) -> Markup:
    return element("text", content, x=x, y=y, text_anchor=None if anchor == "start" else anchor, class_=class_, transform=transform)


@dataclass(frozen=True)
class Scale:
    """A straight map of values `low`..`high` to positions `start`..`end`; also upside down."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        return self.start + (value - self.low) / (self.high - self.low) * (self.end - self.start)


def ticks(low: float, high: float, count: int = 5) -> list[float]:
    """About `count` round numbers that enclose low..high: multiples of 1, 2 or 5 times a power of ten."""
    if not high > low:
        low, high = low - 0.5 * (abs(low) or 1), high + 0.5 * (abs(high) or 1)
    rough = (high - low) / count
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough * 0.999)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [i * step for i in range(first, last + 1)]


def y_axis(values: Sequence[float], y: Scale, left: float, right: float, label: Label) -> Markup:
    """Grid lines from `left` to `right`, with labels before them."""
    lines = [element("line", x1=left, x2=right, y1=y(value), y2=y(value), class_="grid") for value in values]
    labels = [text(left - 6, y(value) + 4, label(value), anchor="end") for value in values]
    return Markup("").join([*lines, *labels])


def x_axis(values: Sequence[float], x: Scale, bottom: float, label: Label) -> Markup:
    """Small strokes below `bottom`, with labels under them."""
    strokes = [element("line", x1=x(value), x2=x(value), y1=bottom, y2=bottom + 4, class_="axis") for value in values]
    labels = [text(x(value), bottom + 17, label(value), anchor="middle") for value in values]
    return Markup("").join([*strokes, *labels])


def polyline(points: Sequence[tuple[float, float]], class_: str) -> Markup:
    return element("polyline", points=" ".join(f"{x:.1f},{y:.1f}" for x, y in points), class_=class_)
