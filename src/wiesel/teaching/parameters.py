"""Why parts of a picture share their weights: parameters of a convolution against those of a fully connected layer, in exact numbers.

One channel in, one out, and an output as large as the input. The 3 x 3 convolution has 9 weights and a bias whatever the size n; the
fully connected layer has n^2 weights and a bias for each of its n^2 outputs: n^4 + n^2.
"""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass

from wiesel.errors import BadValue
from wiesel.language import say
from wiesel.teaching.page import Page
from wiesel.teaching.words import Words, spoken

KERNEL = 3
SIZES = (8, 16, 32, 64, 128)


@dataclass(frozen=True)
class Count:
    """Parameters of both layers on a picture of `size` x `size`."""

    size: int
    convolution: int
    connected: int

    @property
    def ratio(self) -> float:
        return self.connected / self.convolution

    @property
    def saved(self) -> float:
        """Share of the parameters that the convolution does without."""
        return 1 - self.convolution / self.connected


@dataclass(frozen=True, kw_only=True, repr=False)
class Counts(Page):
    """A page with the exact numbers in `rows`; `print` shows them as a table of text."""

    rows: tuple[Count, ...]

    def __repr__(self) -> str:
        return self.text


def count(size: int, kernel_size: int = KERNEL) -> Count:
    """For a square picture of `size` pixels a side, one channel in and out, with biases.

    >>> count(32)
    Count(size=32, convolution=10, connected=1049600)

    Raises:
        BadValue: not whole numbers from 1 on.
    """
    for setting, value in (("size", size), ("kernel_size", kernel_size)):
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            raise BadValue(setting=setting, value=value, expected=say(en="a whole number from 1 on", de="eine ganze Zahl ab 1"))
    return Count(size, kernel_size**2 + 1, size**2 * size**2 + size**2)


def compare_parameter_counts(sizes: Sequence[int] = SIZES, *, language: str | None = None) -> Counts:
    """A table with one row for each picture size; `.rows` has the numbers.

    Raises:
        BadValue: no sizes, or one that is no whole number from 1 on.
    """
    words = spoken(language)
    rows = tuple(count(size) for size in sizes)
    if not rows:
        raise BadValue(setting="sizes", value=list(sizes), expected=say(en="at least one size", de="mindestens eine Grösse"))
    heads = (
        words(en="Input Size", de="Eingabe"),
        words(en="Conv Params", de="Faltung"),
        words(en="FC Params", de="Vollständig verbunden"),
        words(en="Ratio (FC/Conv)", de="Verhältnis"),
    )
    title = words(en="Parameter Count Comparison", de="Vergleich der Parameterzahlen")
    first, last = rows[0], rows[-1]
    finding = words(
        en=f"A 3 × 3 convolution has {first.convolution} parameters at every size; a fully connected layer has "
        f"{words.grouped(first.connected)} at {first.size} × {first.size} and {words.grouped(last.connected)} at {last.size} × {last.size}, "
        f"{words.grouped(round(last.ratio))} times as many as the convolution.",
        de=f"Eine 3×3-Faltung hat bei jeder Grösse {first.convolution} Parameter; eine vollständig verbundene Schicht hat "
        f"{words.grouped(first.connected)} bei {first.size} × {first.size} und {words.grouped(last.connected)} bei {last.size} × {last.size}, "
        f"{words.grouped(round(last.ratio))}-mal so viele wie die Faltung.",
    )
    plain = [(f"{row.size}x{row.size}", str(row.convolution), str(row.connected), words.number(row.ratio, 1)) for row in rows]
    nice = [
        (f"{row.size} × {row.size}", words.grouped(row.convolution), words.grouped(row.connected), words.number(row.ratio, 1))
        for row in rows
    ]
    return Counts(
        title=title,
        body=f"{_table(title, heads, nice)}\n<p>{html.escape(finding)}</p>",
        text=_lines(heads, plain),
        alt_text=f"{title}. {finding}",
        language=words.language,
        height=120 + 36 * len(rows),
        rows=rows,
    )


def show_example(size: int = 32, *, language: str | None = None) -> Counts:
    """The same for one size, in sentences, with the share of parameters saved to four decimals.

    Raises:
        BadValue: no whole number from 1 on.
    """
    words = spoken(language)
    row = count(size)
    lines = _example(row, words)
    body = [f"<h1>{html.escape(lines[0])}</h1>", *(f"<p>{html.escape(line)}</p>" for line in lines[1:])]
    return Counts(
        title=lines[0].rstrip(":"),
        body="\n".join(body),
        text="\n".join(lines),
        alt_text=" ".join([lines[0], "; ".join(lines[1:]) + "."]),
        language=words.language,
        style="h1 { font-size: 1.1rem; } p { margin: 0.2rem 0; }",
        height=150,
        rows=(row,),
    )


def _example(row: Count, words: Words) -> list[str]:
    return [
        words(en=f"Example with {row.size}x{row.size} input:", de=f"Beispiel mit {row.size}x{row.size} Pixeln:"),
        words(en=f"CNN parameters: {row.convolution} (fixed)", de=f"Parameter der Faltung: {row.convolution} (fest)"),
        words(
            en=f"FC parameters: {words.grouped(row.connected)}",
            de=f"Parameter der vollständig verbundenen Schicht: {words.grouped(row.connected)}",
        ),
        words(en=f"Parameter reduction: {100 * row.saved:.4f}%", de=f"Ersparnis an Parametern: {words.percent(row.saved, 4)}"),
    ]


def _lines(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Columns flush right, rows numbered from 0."""
    numbered = [("", *heads), *((str(i), *row) for i, row in enumerate(rows))]
    widths = [max(len(row[column]) for row in numbered) for column in range(len(numbered[0]))]
    return "\n".join("  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)) for row in numbered)


def _table(title: str, heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    head = "".join(f'<th scope="col">{html.escape(name)}</th>' for name in heads)
    body = "".join("<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table><caption>{html.escape(title)}</caption><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
