"""What a scaling search found -> scaling.html: accuracy against multiply-adds for each way of growing, and the ladder of the search."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from markupsafe import Markup

from wiesel.language import Language, language
from wiesel.reports.page import rendered
from wiesel.reports.svg import Scale, drawing, element, polyline, text, ticks, x_axis, y_axis
from wiesel.reports.words import Words
from wiesel.runs.commit import write_file

WIDTH, HEIGHT = 560.0, 340.0
LEFT, RIGHT, TOP, BOTTOM = 56.0, 96.0, 30.0, 46.0
KINDS = {"compound": "a", "depth": "b", "width": "c", "resolution": "d"}


def write(folder: Path, document: Mapping[str, Any]) -> Path:
    """Write `scaling.html` into `folder`; its path."""
    path = folder / "scaling.html"
    write_file(path, html(document, folder=folder.name).encode())
    return path


def html(document: Mapping[str, Any], *, folder: str = "") -> str:
    both: tuple[Language, ...] = ("en", "de")
    return rendered(
        "scaling.html.j2",
        ("report", "comparison"),
        pages=[Edition(document, Words(one)) for one in both],
        folder=folder,
        first=language(),
    )


class Edition:
    """What the template needs to write the page in one language."""

    def __init__(self, document: Mapping[str, Any], words: Words) -> None:
        self.document, self.words, self.language, self.number = document, words, words.language, words.number
        self.sentence = str(document["sentence"][self.language])
        self.finalists = str(document["finalists"]["sentence"][self.language])

    def names(self) -> dict[str, str]:
        words = self.words
        return {
            "compound": words("scaling.compound"),
            "depth": words("scaling.depth"),
            "width": words("scaling.width"),
            "resolution": words("scaling.resolution"),
        }

    def chart(self) -> Markup:
        return growth(self.document["growth"], self.names(), self.words)

    def grown(self) -> list[dict[str, str]]:
        names = self.names()
        return [
            {
                "rule": names[one["rule"]],
                "phi": str(one["phi"]),
                **self._design(one),
                "accuracy": self.number(_mean(one), "%2"),
            }
            for one in self.document["growth"]
        ]

    def ladder(self) -> list[dict[str, Any]]:
        return [
            {
                "heading": self.words("scaling.rung", epochs=rung["epochs"], n=len(rung["designs"])),
                "rows": [
                    {**self._design(one), "accuracy": self.number(one["validation"], "%2"), "kept": one["kept"]}
                    for one in sorted(rung["designs"], key=lambda one: -one["validation"])
                ],
            }
            for rung in self.document["search"]
        ]

    def _design(self, one: Mapping[str, Any]) -> dict[str, str]:
        factors = {key: self.number(one[key], ".2") for key in ("alpha", "beta", "gamma")}
        return {**factors, "macs": self.number(one["macs"], "si")}


def growth(rows: Sequence[Mapping[str, Any]], names: Mapping[str, str], words: Words) -> Markup:
    """A line per rule through the means; a small dot for each run. Each step to the right is a doubling of the work."""
    across = [math.log2(one["macs"]) for one in rows]
    shares = [value for one in rows for value in one["accuracies"]]
    spread, middle = max(max(shares) - min(shares), 0.004), (max(shares) + min(shares)) / 2
    marks = ticks(middle - spread / 2, middle + spread / 2)
    low, high = math.floor(min(across)), math.ceil(max(across))
    x = Scale(low, max(high, low + 1), LEFT, WIDTH - RIGHT)
    y = Scale(marks[0], marks[-1], HEIGHT - BOTTOM, TOP)
    title = words("scaling.chart")
    parts = [
        text(0, 14, title, class_="heading"),
        y_axis(marks, y, LEFT, WIDTH - RIGHT, lambda value: words.number(value, "%1")),
        x_axis(
            [float(one) for one in range(low, max(high, low + 1) + 1)], x, HEIGHT - BOTTOM, lambda one: words.number(2.0**one, "si")
        ),
        text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 8, words("scaling.macs"), anchor="middle", class_="label"),
    ]
    ends: list[float] = []
    for rule, kind in KINDS.items():
        mine = [one for one in rows if one["rule"] == rule]
        points = [(x(math.log2(one["macs"])), y(_mean(one))) for one in mine]
        parts.append(polyline(points, f"line {kind}"))
        for one, (left, _) in zip(mine, points, strict=True):
            parts += [element("circle", cx=left, cy=y(value), r=2.6, class_="dot") for value in one["accuracies"]]
        parts += [element("circle", cx=left, cy=top, r=3.6, class_="mark a") for left, top in points]
        place = points[-1][1] + 4
        while any(abs(place - other) < 12 for other in ends):
            place += 12
        ends.append(place)
        parts.append(text(points[-1][0] + 8, place, names[rule], class_="tag"))
    return drawing(WIDTH, HEIGHT, title, words("scaling.chart_facts"), *parts)


def _mean(one: Mapping[str, Any]) -> float:
    return float(sum(one["accuracies"]) / len(one["accuracies"]))
