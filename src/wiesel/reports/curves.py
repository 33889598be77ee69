"""Learning curves: loss, accuracy and learning rate over the epochs."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from wiesel.reports.facts import History
from wiesel.reports.svg import Scale, drawing, element, polyline, text, ticks, x_axis, y_axis
from wiesel.reports.words import Words

WIDTH, HEIGHT = 440.0, 270.0
LEFT, RIGHT, TOP, BOTTOM = 50.0, 12.0, 34.0, 42.0
MOST_MARKS = 20
"""With more epochs a curve is a line without marks."""


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
    best = history.best_epoch
    charts = [
        _curve(
            words("curves.loss"),
            words("curves.loss_facts", best=best.epoch, train=best.train_loss, validation=best.validation_loss),
            loss,
            history,
            words,
            lambda value, step: words.number(value, decimals(step)),
        ),
        _curve(
            words("curves.accuracy"),
            words("curves.accuracy_facts", best=best.epoch, train=best.train_accuracy, validation=best.validation_accuracy),
            accuracy,
            history,
            words,
            lambda value, step: words.number(value, "%0" if step >= 0.00999 else "%1"),
            bounds=(0.0, 1.0),
        ),
    ]
    if rows:
        peak = max(row.rate for row in rows)
        facts = words("curves.rate_facts", peak=peak, last=rows[-1].rate)
        charts.append(
            _curve(
                words("curves.rate"),
                facts,
                rate,
                history,
                words,
                lambda value, step: words.number(value, decimals(step)),
                plain=True,
            )
        )
    return charts


def _curve(
    title: str,
    facts: str,
    series: Sequence[Series],
    history: History,
    words: Words,
    label: Callable[[float, float], str],
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
    last = max(history.done, 1)
    x = Scale(0, last, LEFT, WIDTH - RIGHT)
    y = Scale(marks[0], marks[-1], HEIGHT - BOTTOM, TOP)
    step = _whole_step(last / 8)
    parts = [
        text(0, 14, title, class_="heading"),
        y_axis(marks, y, LEFT, WIDTH - RIGHT, lambda value: label(value, marks[1] - marks[0])),
        x_axis(range(0, last + 1, step), x, HEIGHT - BOTTOM, lambda value: words.number(value, "int")),
        text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 6, words("curves.epoch"), anchor="middle", class_="label"),
    ]
    if not plain:
        parts.append(_best(history.best, x, words))
    for one in series:
        points = [(x(at), y(value)) for at, value in one.points]
        parts.append(polyline(points, f"line {one.kind} fine" if one.fine else f"line {one.kind}"))
        if not one.fine and not plain and len(points) <= MOST_MARKS:
            parts += [
                _mark(
                    place,
                    one.kind,
                    f"{one.name}, {words('curves.epoch')} {words.number(at, 'int')}: {label_exact(value, words, bounds)}",
                )
                for place, (at, value) in zip(points, one.points, strict=True)
            ]
    if not plain:
        parts.append(_legend([(one.name, one.kind) for one in series if one.name]))
    return drawing(WIDTH, HEIGHT, title, facts, *parts)


def _whole_step(least: float) -> int:
    """1, 2 or 5 times a power of ten: the first that is at least `least`."""
    power: int = 10 ** max(0, math.floor(math.log10(max(least, 1))))
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= least)


def decimals(step: float) -> str:
    """How to write the ticks of an axis: so many decimals that neighbours differ."""
    return f".{max(0, -math.floor(math.log10(step) + 1e-9))}"


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
