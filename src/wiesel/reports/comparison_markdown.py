"""A comparison as a page of Markdown, for a collection of experiments: sentence, numbers, what the arms do not share, how it was made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from wiesel.language import Language
from wiesel.reports.comparison import Edition
from wiesel.reports.page import Album
from wiesel.reports.words import Words


def markdown(document: Mapping[str, Any], language: Language) -> str:
    words = Words(language)
    page = Edition(document, "", "", {}, Album(), words)
    lines = [f"# {_plain(page.title())}", ""]
    if page.question:
        lines += [_plain(page.question), ""]
    lines += [f"**{_plain(page.sentence)}**", ""]
    lines += [line for one in page.others for line in (f"* {_plain(one)}",)] + ([""] if page.others else [])
    lines += [f"> {_plain(one)}\n" for one in page.warnings()]
    lines += [f"## {page.headings['numbers']}", ""]
    titles = [
        words("compare.arm"),
        words("compare.right"),
        words("compare.against"),
        words("compare.difference"),
        words("compare.interval"),
        words("compare.word"),
    ]
    keys = ("right", "against", "difference", "interval", "word")
    lines += _table(titles, [[f"{row['tag']} {row['name']}", *(row[key] for key in keys)] for row in page.results()])
    if page.simplest():
        lines += ["", _plain(page.simplest())]
    errors = [(arm["name"], arm["training_errors"]) for arm in page.arms if arm.get("training_errors")]
    if document.get("training"):
        lines += ["", f"## {page.headings['training']}", ""]
        lines += [f"* {_plain(line)}" for line in page.training()]
        lines += [""]
        rows = [[f"{page.tags[name]} {name}", words.number(sum(one) / len(one), "%2")] for name, one in errors]
        lines += _table([words("compare.arm"), page.headings["training"]], rows)
    if document.get("fairness"):
        lines += ["", f"## {page.headings['fairness']}", "", _plain(page.budget()), ""]
        titles = [
            words("compare.arm"),
            words("compare.parameters"),
            words("compare.macs"),
            words("compare.epochs"),
            words("compare.time"),
            words("compare.settings"),
        ]
        lines += _table(titles, [_burden(row, words) for row in page.burdens()])
    lines += ["", f"## {page.headings['origin']}", ""]
    lines += [f"* {name}: `{value}`" for name, value in page.origin()]
    return "\n".join([*lines, "", _plain(page.small_print), ""])


def _burden(row: Mapping[str, Any], words: Words) -> list[str]:
    counts = [words.number(row["parameters"], "int"), words.number(row["macs"], "si"), str(row["epochs"])]
    return [f"{row['tag']} {row['name']}", *counts, row["time"], row["settings"] or words("compare.none")]


def _table(titles: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    head = ["| " + " | ".join(titles) + " |", "|" + "---|" * len(titles)]
    return head + ["| " + " | ".join(_plain(cell) for cell in row) + " |" for row in rows]


def _plain(text: str) -> str:
    """What Markdown would take for its own, taken as it is."""
    for sign in ("\\", "|", "*", "_", "`", "<"):
        text = text.replace(sign, f"\\{sign}")
    return text
