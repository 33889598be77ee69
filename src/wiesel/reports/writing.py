"""Run folder -> report.html."""

from __future__ import annotations

from pathlib import Path

from wiesel.errors import BadValue
from wiesel.images import DataSet
from wiesel.reports.collecting import LONGEST_SIDE, collect
from wiesel.reports.page import CHOICES, html
from wiesel.runs import commit
from wiesel.runs.folder import RunFolder

LARGEST = 5 * 2**20
"""Bytes; above it, pictures are shown smaller."""


def write(run: RunFolder | Path | str, *, data: DataSet | None = None, output: Path | None = None, lang: str = "both") -> Path:
    """Write the report of a finished run with test predictions; its path, by default `report.html` in the run folder.

    `data`: the divided pictures that the run was trained on. Without them the report says so and has everything else.
    `lang`: "de", "en", or "both" with a switch in the page.

    Raises:
        BadValue: another `lang`.
        RunError: no such run, not finished, damaged, no predictions, or the report cannot be saved.
    """
    if lang not in CHOICES:
        raise BadValue(setting="lang", value=lang, expected=" | ".join(CHOICES))
    folder = run if isinstance(run, RunFolder) else RunFolder.open(run)
    side = LONGEST_SIDE
    page = html(collect(folder, data), lang=lang).encode()
    while len(page) > LARGEST and side > 32:
        side = side * 2 // 3
        page = html(collect(folder, data, longest_side=side), lang=lang).encode()
    path = folder.report if output is None else output
    commit.write_file(path, page)
    return path
