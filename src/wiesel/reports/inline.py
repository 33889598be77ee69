"""Drawings small enough for a line of text or a row of a table."""

from __future__ import annotations

from markupsafe import Markup

from wiesel.evaluation import Interval
from wiesel.reports.svg import Scale, drawing, element


def whisker(interval: Interval, said: str) -> Markup:
    """A point with its interval on 0..1, small enough for a table's row."""
    x = Scale(0, 1, 4, 116)
    return drawing(
        120,
        14,
        said,
        "",
        element("line", x1=4, x2=116, y1=7, y2=7, class_="grid"),
        element("line", x1=x(interval.low), x2=x(interval.high), y1=7, y2=7, class_="whisker"),
        element("circle", cx=x(interval.value), cy=7, r=3.2, class_="mark a"),
        class_="inline",
    )


def share_bar(share: float, said: str) -> Markup:
    """Right and wrong as one bar; the wrong part is hatched too, so that it shows without colour."""
    cut = 400 * share
    return drawing(
        400,
        12,
        said,
        "",
        element("rect", x=0, y=0, width=cut, height=12, class_="bar truth"),
        element("rect", x=cut, y=0, width=400 - cut, height=12, class_="bar wrong"),
        class_="share",
        preserveAspectRatio="none",
    )
