"""The report's charts: learning curves, softmax bars, reliability diagram, and the small bars inside tables."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from wiesel.evaluation import Calibration, Interval
from wiesel.reports.facts import History, Softmax
from wiesel.reports.svg import Scale, drawing, element, polyline, text, ticks, x_axis, y_axis
from wiesel.reports.words import Words, shown

WIDTH, HEIGHT = 440.0, 270.0
LEFT, RIGHT, TOP, BOTTOM = 50.0, 12.0, 34.0, 42.0
LOWEST_FLOOR = -8
"""Softmax bars reach down to 10^-8 at most."""
MOST_BARS = 20


# --- learning curves -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Series:
    """`kind`: a class of the style sheet, "a" (training) or "b" (validation); `fine`: a thin line without marks."""

    name: str
    kind: str
    points: Sequence[tuple[float, float]]
    fine: bool = False


def curves(history: History, words: Words) -> list[Markup]:
    """Loss, accuracy and, if known, the learning rate over the epochs."""
    epochs, rows = history.epochs, history.rows
    loss = [
        Series("", "a", [(row.epoch, row.loss) for row in rows], fine=True),
        Series(words("curves.training"), "a", [(e.epoch, e.train_loss) for e in epochs]),
        Series(words("curves.validation"), "b", [(e.epoch, e.validation_loss) for e in epochs]),
    ]
    accuracy = [
        Series("", "a", [(row.epoch, row.accuracy) for row in rows], fine=True),
        Series(words("curves.training"), "a", [(e.epoch, e.train_accuracy) for e in epochs]),
        Series(words("curves.validation"), "b", [(e.epoch, e.validation_accuracy) for e in epochs]),
    ]
    rate = [Series("", "c", [(row.epoch, row.rate) for row in rows])]
    best = history.epochs[history.best - 1]
    charts = [
        _curve(
            words("curves.loss"),
            words("curves.loss_facts", best=best.epoch, train=best.train_loss, validation=best.validation_loss),
            loss,
            history,
            words,
            lambda value: words.number(value, "sig2") if value else "0",
        ),
        _curve(
            words("curves.accuracy"),
            words("curves.accuracy_facts", best=best.epoch, train=best.train_accuracy, validation=best.validation_accuracy),
            accuracy,
            history,
            words,
            lambda value: words.number(value, "%0"),
            bounds=(0.0, 1.0),
        ),
    ]
    if rows:
        peak = max(row.rate for row in rows)
        facts = words("curves.rate_facts", peak=peak, last=rows[-1].rate)
        charts.append(_curve(words("curves.rate"), facts, rate, history, words, lambda value: words.number(value, "sig2"), plain=True))
    return charts


def _curve(
    title: str,
    facts: str,
    series: Sequence[Series],
    history: History,
    words: Words,
    label: Callable[[float], str],
    *,
    bounds: tuple[float, float] | None = None,
    plain: bool = False,
) -> Markup:
    values = [value for one in series for _, value in one.points]
    marks = ticks(min(values), max(values))
    if bounds:
        marks = [mark for mark in marks if bounds[0] - 1e-9 <= mark <= bounds[1] + 1e-9] or list(bounds)
        if marks[0] > min(values) or marks[-1] < max(values):
            marks = sorted({bounds[0], *marks, bounds[1]})
    last = max(len(history.epochs), 1)
    x = Scale(0, last, LEFT, WIDTH - RIGHT)
    y = Scale(marks[0], marks[-1], HEIGHT - BOTTOM, TOP)
    step = max(1, math.ceil(last / 8))
    parts = [
        text(0, 14, title, class_="heading"),
        y_axis(marks, y, LEFT, WIDTH - RIGHT, label),
        x_axis(range(0, last + 1, step), x, HEIGHT - BOTTOM, lambda value: words.number(value, "int")),
        text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 6, words("curves.epoch"), anchor="middle", class_="label"),
    ]
    if not plain:
        parts.append(_best(history.best, x, words))
    for one in series:
        points = [(x(at), y(value)) for at, value in one.points]
        parts.append(polyline(points, f"line {one.kind} fine" if one.fine else f"line {one.kind}"))
        if not one.fine and not plain and len(points) <= 40:
            parts += [
                _mark(place, one.kind, f"{one.name}, {words('curves.epoch')} {words.number(at, 'int')}: {label_exact(value, words, bounds)}")
                for place, (at, value) in zip(points, one.points, strict=True)
            ]
    if not plain:
        parts.append(_legend([(one.name, one.kind) for one in series if one.name]))
    return drawing(WIDTH, HEIGHT, title, facts, *parts)


def label_exact(value: float, words: Words, bounds: object) -> str:
    return words.number(value, "%2") if bounds else words.number(value, ".4")


def _best(epoch: int, x: Scale, words: Words) -> Markup:
    at = x(epoch)
    late = at > (x.start + x.end) / 2
    return element("line", x1=at, x2=at, y1=TOP - 4, y2=HEIGHT - BOTTOM, class_="best") + text(
        at - 4 if late else at + 4, TOP + 4, words("curves.best", epoch=epoch), anchor="end" if late else "start", class_="label"
    )


def _mark(place: tuple[float, float], kind: str, said: str) -> Markup:
    x, y = place
    if kind == "b":
        return element("rect", element("title", said), x=x - 3.2, y=y - 3.2, width=6.4, height=6.4, class_="mark b")
    return element("circle", element("title", said), cx=x, cy=y, r=3.4, class_="mark a")


def _legend(entries: Sequence[tuple[str, str]]) -> Markup:
    parts, at = [], WIDTH - RIGHT
    for name, kind in reversed(entries):
        at -= 7.2 * len(name) + 34
        parts.append(polyline([(at, 10), (at + 22, 10)], f"line {kind}"))
        parts.append(_mark((at + 11, 10), kind, name))
        parts.append(text(at + 27, 14, name))
    return Markup("").join(parts)


# --- softmax -------------------------------------------------------------------------------------------------------------


def softmax_floor(pictures: Sequence[Softmax]) -> int:
    """Exponent of the power of ten at which all bars start: below the smallest probability, but not below `LOWEST_FLOOR`."""
    smallest = min((float(one.probabilities.min()) for one in pictures), default=1e-3)
    return max(LOWEST_FLOOR, min(-1, math.floor(math.log10(max(smallest, 1e-300)))))


def softmax_bars(one: Softmax, classes: Sequence[str], floor: int, words: Words) -> Markup:
    """Probabilities of one picture on a logarithmic axis from 10^floor to 1, a bar per class.

    With more than `MOST_BARS` classes: those with the largest probabilities, and the true one.
    """
    order = bars_shown(one)
    pitch = max(13.0, min(27.0, 300 / len(order)))
    names = [shown(classes[i], 16) for i in order]
    foot = min(112.0, 20 + 4.6 * max(map(len, names)))
    left, top, tall = 42.0, 22.0, 130.0
    width, height = left + pitch * len(order) + 14, top + tall + foot
    y = Scale(floor, 0, top + tall, top)
    marks = list(range(floor, 1, max(1, math.ceil(-floor / 4))))
    parts = [y_axis(marks, y, left, width - 14, lambda exponent: words.power(round(exponent)))]
    for place, (index, name) in enumerate(zip(order, names, strict=True)):
        p = float(one.probabilities[index])
        middle = left + pitch * (place + 0.5)
        kind = "truth" if index == one.picture.truth else "wrong" if index == one.picture.prediction else "other"
        high = max(y(max(math.log10(p), floor)) if p > 0 else y(floor), top)
        said = words("softmax.bar", name=classes[index], p=words.number(p, "sig3"))
        if p >= 10.0**floor:
            parts.append(
                element(
                    "rect",
                    element("title", said),
                    x=middle - pitch * 0.36,
                    y=high,
                    width=pitch * 0.72,
                    height=y.start - high,
                    class_=f"bar {kind}",
                )
            )
        else:
            parts.append(element("text", element("title", said), "<", x=middle, y=y.start - 3, text_anchor="middle"))
        if index == one.picture.prediction:
            parts.append(text(middle, high - 5, words.number(p, "~%"), anchor="middle", class_="value"))
        turn = f"rotate(-48 {middle:.1f} {top + tall + 12:.1f})"
        parts.append(text(middle, top + tall + 12, name, anchor="end", class_=f"name {kind}", transform=turn))
    facts = "; ".join(f"{shown(classes[i])} {words.number(float(one.probabilities[i]), 'sig3')}" for i in order[:5])
    return drawing(width, height, words("softmax.chart", number=one.picture.index + 1), facts, *parts, class_="chart softmax")


def bars_shown(one: Softmax) -> list[int]:
    """Classes in their own order; of many, the most probable and the true one."""
    if len(one.probabilities) <= MOST_BARS:
        return list(range(len(one.probabilities)))
    top = (-one.probabilities).argsort(kind="stable")[: MOST_BARS - 1].tolist()
    return sorted({*top, one.picture.truth})


# --- calibration ---------------------------------------------------------------------------------------------------------


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
        text(left + side, top + side + 18, words("calibration.count", most=max(row.count for row in found.bins)), anchor="end", class_="label"),
        element("line", x1=left, x2=left + side, y1=base, y2=base, class_="axis"),
        x_axis(marks, x, base, lambda value: words.number(value, "%0")),
        text(left + side / 2, height - 6, words("calibration.confidence"), anchor="middle", class_="label"),
    ]
    facts = words("calibration.facts", ece=found.ece.value, low=found.ece.low, high=found.ece.high, bins=len(found.bins))
    return drawing(width, height, words("calibration.title"), facts, *parts)


# --- inside tables -------------------------------------------------------------------------------------------------------


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
    )
