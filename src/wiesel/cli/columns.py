"""A table for the terminal: columns as wide as their widest cell, two spaces apart."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def columns(titles: Sequence[str], rows: Iterable[Sequence[str]], right: Sequence[bool]) -> list[str]:
    """One line for the titles and one for each row; `right` says which columns hold numbers, which stand at the right."""
    table = [titles, *rows]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    lines = []
    for row in table:
        cells = (cell.rjust(width) if number else cell.ljust(width) for cell, width, number in zip(row, widths, right, strict=True))
        lines.append("  ".join(cells).rstrip())
    return lines
