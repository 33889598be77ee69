"""What is wrong with a data set: findings, and a page that shows them."""

from __future__ import annotations

import json
from pathlib import Path

from wiesel.errors import BadValue
from wiesel.images.check import Findings, examine, problems


def check_data(
    source: str | Path, *, output: Path | None = None, data_dir: Path | str | None = None, quick: bool = False, lang: str = "both"
) -> Findings:
    """Findings about a folder, a .zip file or a named data set (see `images.check.check`); nothing is changed or deleted.

    Args:
        output: a .html file; the list that machines read is written beside it, with the ending .json.
        quick: without near duplicates and suspicious labels.

    Raises:
        BadValue: another ending, or another `lang`.
        PicturesError, MissingError: the pictures are not usable at all, or nowhere.
        CannotSave: the machine refused.
    """
    if output is not None and output.suffix.lower() not in (".html", ".htm"):
        raise BadValue(setting="output", value=str(output), expected="FILE.html")
    examined = examine(source, data_dir=data_dir, quick=quick)
    if output is not None:
        from wiesel.reports.data_page import html
        from wiesel.runs.commit import write_file

        page = html(examined.findings, examined.picture, urgent=problems(examined.findings), lang=lang)
        write_file(output, page.encode())
        write_file(output.with_suffix(".json"), json.dumps(examined.findings, indent=1).encode())
    return examined.findings
