"""An evaluation as text for the terminal and as HTML for the notebook, in German or English."""

from __future__ import annotations

import unicodedata
from html import escape
from typing import TYPE_CHECKING

from wiesel.evaluation.intervals import Interval, decimal, separator
from wiesel.language import Language
from wiesel.language import language as reader_language

if TYPE_CHECKING:
    from wiesel.evaluation.result import ClassResult, Evaluation

WORDS = {
    "en": {
        "precision": "precision",
        "recall": "recall [95 % interval]",
        "f1": "f1-score",
        "support": "support",
        "accuracy": "accuracy",
        "macro": "macro avg",
        "weighted": "weighted avg",
        "never_predicted": "never predicted, precision set to 0",
        "absent": "no picture in this split, recall set to 0",
        "pictures": "pictures",
        "class": "class",
        "nll": "negative log-likelihood",
        "brier": "Brier score",
        "ece": "calibration error",
        "confused": "confused most (errors)",
        "rest": "and {count} more classes with a higher recall",
    },
    "de": {
        "precision": "Präzision",
        "recall": "Recall [95-%-Intervall]",
        "f1": "F1-Score",
        "support": "Anzahl",
        "accuracy": "Genauigkeit",
        "macro": "Makro-Mittel",
        "weighted": "gewichtetes Mittel",
        "never_predicted": "nie vorhergesagt, Präzision auf 0 gesetzt",
        "absent": "kein Bild in diesem Split, Recall auf 0 gesetzt",
        "pictures": "Bilder",
        "class": "Klasse",
        "nll": "negative Log-Likelihood",
        "brier": "Brier-Score",
        "ece": "Kalibrierungsfehler",
        "confused": "am häufigsten verwechselt (Fehler)",
        "rest": "und {count} weitere Klassen mit höherem Recall",
    },
}

LONGEST_NAME = 40
MOST_ROWS = 30


def classification_report(evaluation: Evaluation, language: Language | None = None) -> str:
    """One line per class: precision, recall with its Wilson interval, F1, support; then accuracy, macro and weighted average.

    Below it the classes whose precision or recall has no denominator. Accuracy stands in the column of recall: it is the recall
    over all pictures.
    """
    reader = language or reader_language()
    word = WORDS[reader]
    rows: list[tuple[str, ...]] = [("", word["precision"], word["recall"], word["f1"], word["support"]), ()]
    for row in evaluation.per_class:
        rows.append(
            (
                _shown(row.name),
                decimal(row.precision.value, 3, reader),
                _interval(row.recall, reader) if row.support else _alone(0.0, reader),
                decimal(row.f1, 3, reader),
                str(row.support),
            )
        )
    rows += [(), (word["accuracy"], "", _interval(evaluation.accuracy, reader), "", str(evaluation.n))]
    for name, mean in ((word["macro"], evaluation.macro), (word["weighted"], evaluation.weighted)):
        rows.append(
            (name, decimal(mean.precision, 3, reader), _alone(mean.recall, reader), decimal(mean.f1, 3, reader), str(evaluation.n))
        )
    widths = [max(_width(row[column]) for row in rows if row) for column in range(5)]
    lines = [_line(row, widths) for row in rows]
    for key, concerned in (("never_predicted", evaluation.never_predicted), ("absent", evaluation.absent)):
        if concerned:
            lines += ["", f"{word[key]}: {', '.join(_shown(evaluation.classes[i]) for i in concerned)}"]
    return "\n".join(lines) + "\n"


def summary_html(evaluation: Evaluation) -> str:
    """The headline numbers and the table of classes (the 30 with the lowest recall) for a notebook, in the reader's language."""
    reader = reader_language()
    word = WORDS[reader]
    ece = evaluation.calibration.ece
    facts = [
        f"<b>{word['accuracy']} {evaluation.accuracy.percent(2)}</b>",
        f"{evaluation.n} {word['pictures']}",
        f"{word['nll']} {decimal(evaluation.nll, 3, reader)}",
        f"{word['brier']} {decimal(evaluation.brier, 3, reader)}",
        f"{word['ece']} {ece.percent(2)}",
    ]
    confused = ", ".join(f"{escape(evaluation.classes[row.index])} ({row.errors})" for row in evaluation.most_confused_classes)
    weakest = sorted(range(len(evaluation.classes)), key=lambda i: evaluation.per_class[i].recall.value)
    shown = sorted(weakest[:MOST_ROWS])
    head = "".join(f"<th>{word[key]}</th>" for key in ("class", "precision", "recall", "f1", "support"))
    body = "".join(_row_html(evaluation.per_class[i], reader) for i in shown)
    rest = len(weakest) - len(shown)
    return (
        f"<div lang='{reader}'><p>{' · '.join(facts)}</p>"
        + (f"<p>{word['confused']}: {confused}</p>" if confused else "")
        + f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
        + (f"<p>{word['rest'].format(count=rest)}</p>" if rest else "")
        + "</div>"
    )


def _row_html(row: ClassResult, reader: Language) -> str:
    recall = _interval(row.recall, reader) if row.support else "-"
    numbers = (decimal(row.precision.value, 3, reader), recall, decimal(row.f1, 3, reader), str(row.support))
    cells = "".join(f"<td>{number}</td>" for number in numbers)
    return f"<tr><th style='text-align:left'>{escape(row.name)}</th>{cells}</tr>"


def _interval(interval: Interval, reader: Language) -> str:
    value, low, high = (decimal(number, 3, reader) for number in (interval.value, interval.low, interval.high))
    return f"{value} [{low}{separator(reader)} {high}]"


def _alone(value: float, reader: Language) -> str:
    """A recall without an interval, in the same columns as one with it."""
    return decimal(value, 3, reader).ljust(len("0.000 [0.000, 0.000]"))


def _line(row: tuple[str, ...], widths: list[int]) -> str:
    if not row:
        return ""
    first, *others = row
    cells = [" " * (widths[0] - _width(first)) + first]
    cells += [" " * (width - _width(text)) + text for text, width in zip(others, widths[1:], strict=True)]
    return "  ".join(cells).rstrip()


def _shown(name: str) -> str:
    """A class name that may come from a folder: control characters made visible, cut where it is very long."""
    safe = "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in name)
    return safe if len(safe) <= LONGEST_NAME else safe[: LONGEST_NAME - 1] + "…"


def _width(text: str) -> int:
    """Columns in a terminal: East Asian wide characters take two, combining ones none."""
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)
