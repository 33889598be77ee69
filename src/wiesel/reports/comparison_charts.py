"""The drawings of a comparison: runs as dots, intervals beside the margin, accuracy against time."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from markupsafe import Markup

from wiesel.reports.curves import decimals
from wiesel.reports.svg import Scale, drawing, element, text, ticks, x_axis, y_axis
from wiesel.reports.words import Words, shown

WIDTH = 440.0
ROW = 36.0
TOP, BOTTOM = 30.0, 26.0
LEFT, RIGHT = 12.0, 14.0
HEIGHT = 290.0
LONGEST = 46
"""Characters of an arm's name above its row."""
LOGARITHMIC = 4
"""Times the shortest training time from which on times are drawn on a logarithmic axis."""

Arms = Sequence[Mapping[str, Any]]
Tags = Mapping[str, str]


def runs(arms: Arms, tags: Tags, words: Words) -> Markup:
    """A row per arm: a dot for each run, a stroke for their mean."""
    said = [
        [
            words("compare.run", name=arm["name"], seed=seed, accuracy=value)
            for seed, value in zip(arm["seeds"], arm["accuracies"], strict=True)
        ]
        for arm in arms
    ]
    rows = [(arm["name"], arm["accuracies"], notes) for arm, notes in zip(arms, said, strict=True)]
    return _dots(words("compare.chart_runs"), words("compare.chart_runs_facts"), rows, tags, words)


def training_errors(arms: Arms, tags: Tags, words: Words) -> Markup:
    """The same for the errors in training."""
    rows = [
        (arm["name"], arm["training_errors"], [words.number(value, "%2") for value in arm["training_errors"]])
        for arm in arms
        if arm.get("training_errors")
    ]
    return _dots(words("compare.chart_training"), words("compare.chart_training_facts"), rows, tags, words)


def _dots(title: str, facts: str, rows: Sequence[tuple[str, Sequence[float], Sequence[str]]], tags: Tags, words: Words) -> Markup:
    values = [value for _, one, _ in rows for value in one]
    marks, x, bottom = _axis(values, len(rows), least=0.002)
    parts = [text(0, 14, title, class_="heading"), _grid(marks, x, bottom)]
    parts.append(x_axis(marks, x, bottom, lambda value: words.number(value, _percent(marks))))
    for number, (name, one, notes) in enumerate(rows):
        y = TOP + ROW * number + 25
        mean = sum(one) / len(one)
        parts.append(_name(name, tags, y))
        parts += [
            element("circle", element("title", note), cx=x(value), cy=y, r=4.2, class_="dot")
            for value, note in zip(one, notes, strict=True)
        ]
        parts.append(element("line", x1=x(mean), x2=x(mean), y1=y - 8, y2=y + 8, class_="mean"))
    return drawing(WIDTH, bottom + BOTTOM, title, facts, *parts)


def differences(arms: Arms, margin: float, tags: Tags, words: Words) -> Markup:
    """A row per challenger: its difference with the interval, over the band of what does not matter, in points."""
    rows = [arm for arm in arms if "difference" in arm]
    ends = [100 * value for arm in rows for value in arm["interval"]]
    marks, x, bottom = _axis([*ends, -115 * margin, 115 * margin], len(rows), least=0.2)
    title = words("compare.chart_differences")
    band = element("rect", x=x(-100 * margin), width=x(100 * margin) - x(-100 * margin), y=TOP, height=bottom - TOP, class_="band")
    zero = element("line", x1=x(0), x2=x(0), y1=TOP, y2=bottom, class_="zero")
    parts = [text(0, 14, title, class_="heading"), band, _grid(marks, x, bottom), zero]
    step = marks[1] - marks[0]
    parts.append(x_axis(marks, x, bottom, lambda value: ("+" if value > 0 else "") + words.number(value + 0.0, decimals(step))))
    for number, arm in enumerate(rows):
        y = TOP + ROW * number + 25
        low, high = (100 * value for value in arm["interval"])
        value = 100 * arm["difference"]
        between = words("compare.between", low=words.number(low, ".2"), high=words.number(high, ".2"))
        note = f"{shown(arm['name'])}: {words.number(value, '.2')} ({between})"
        against = tags.get(arm.get("against", ""), "")
        parts.append(_name(arm["name"], tags, y, f" − {against}" if against else ""))
        parts.append(element("line", element("title", note), x1=x(low), x2=x(high), y1=y, y2=y, class_="reach"))
        parts += [element("line", x1=x(end), x2=x(end), y1=y - 4, y2=y + 4, class_="reach") for end in (low, high)]
        parts.append(element("circle", element("title", note), cx=x(value), cy=y, r=4.6, class_="mark a"))
    return drawing(WIDTH, bottom + BOTTOM, title, words("compare.chart_differences_facts", margin=100 * margin), *parts)


def times(arms: Arms, tags: Tags, words: Words) -> Markup:
    """Each run and each arm's mean: seconds of training to the right, test accuracy upwards."""
    seconds = [value for arm in arms for value in arm["seconds"]]
    logarithmic = max(seconds) > LOGARITHMIC * min(seconds)
    place: Callable[[float], float] = math.log2 if logarithmic else float
    low, high = place(min(seconds)), place(max(seconds))
    across = [float(value) for value in range(math.floor(low), math.ceil(high) + 1)] if logarithmic else ticks(low, high)
    x = Scale(across[0], across[-1], 54, WIDTH - 24)
    shares = [value for arm in arms for value in arm["accuracies"]]
    marks = _marks(min(shares), max(shares), least=0.002)
    y = Scale(marks[0], marks[-1], HEIGHT - 44, TOP + 2)
    title = words("compare.chart_time")
    across_label = words("compare.seconds_log") if logarithmic else words("compare.seconds")

    def written(value: float) -> str:
        return words.number(2.0**value if logarithmic else value, "int" if logarithmic or across[-1] >= 10 else ".1")

    parts = [
        text(0, 14, title, class_="heading"),
        y_axis(marks, y, 54, WIDTH - 24, lambda value: words.number(value, _percent(marks))),
        x_axis(across[:: max(1, len(across) // 7)], x, HEIGHT - 44, written),
        text((54 + WIDTH - 24) / 2, HEIGHT - 8, across_label, anchor="middle", class_="label"),
    ]
    for arm in arms:
        for one, share in zip(arm["seconds"], arm["accuracies"], strict=True):
            parts.append(element("circle", cx=x(place(one)), cy=y(share), r=3, class_="dot"))
    for arm in arms:
        mean = math.exp(sum(math.log(one) for one in arm["seconds"]) / len(arm["seconds"]))
        share = sum(arm["accuracies"]) / len(arm["accuracies"])
        note = f"{shown(arm['name'])}: {words.number(share, '%2')}, {words.number(mean, 'time')}"
        at = (x(place(mean)), y(share))
        parts.append(element("circle", element("title", note), cx=at[0], cy=at[1], r=6, class_="mark a"))
        parts.append(text(at[0] + 9, at[1] + 4, tags[arm["name"]], class_="tag"))
    return drawing(WIDTH, HEIGHT, title, words("compare.chart_time_facts"), *parts)


def _axis(values: Sequence[float], rows: int, *, least: float) -> tuple[list[float], Scale, float]:
    """Ticks, the scale across the drawing, and where the axis lies under so many rows."""
    marks = _marks(min(values), max(values), least=least)
    return marks, Scale(marks[0], marks[-1], LEFT + 10, WIDTH - RIGHT - 10), TOP + ROW * rows + 6


def _marks(low: float, high: float, *, least: float) -> list[float]:
    """Ticks around values that may all be the same."""
    spread = max(high - low, least)
    middle = (low + high) / 2
    return ticks(middle - spread / 2, middle + spread / 2)


def _percent(marks: Sequence[float]) -> str:
    step = 100 * (marks[1] - marks[0])
    return "%" + decimals(step)[1:]


def _grid(marks: Sequence[float], x: Scale, bottom: float) -> Markup:
    return Markup("").join(element("line", x1=x(mark), x2=x(mark), y1=TOP, y2=bottom, class_="grid") for mark in marks)


def _name(name: str, tags: Tags, y: float, more: str = "") -> Markup:
    return text(LEFT - 10, y - 11, tags[name] + more, class_="tag") + text(
        LEFT + 6 + 9 * len(more), y - 11, shown(name, LONGEST), class_="small"
    )
