"""`wiesel models [PATTERN]`"""

from __future__ import annotations

import json
from typing import Annotated

from cyclopts import Parameter

from wiesel.cli.german import spoken
from wiesel.language import grouped, number, say


@spoken
def models(
    pattern: str | None = None,
    /,
    *,
    json_: Annotated[bool, Parameter(name="--json", negative="")] = False,
) -> None:
    """List the networks with parameters and multiply-adds.

    Parameters
    ----------
    pattern
        Part of a name, or a pattern such as `resnet*`.
    json_
        Print as JSON.
    """
    from wiesel.zoo import models as job

    rows = job(pattern)
    if json_:
        keys = ("name", "family", "year", "paper", "input", "classes", "parameters", "macs")
        print(json.dumps([{key: getattr(row, key) for key in keys} for row in rows]))
        return
    titles = (
        say(en="model", de="Netz"),
        say(en="year", de="Jahr"),
        say(en="parameters", de="Parameter"),
        say(en="million multiply-adds", de="Mio. Multiplikationen"),
        say(en="for pictures, classes", de="für Bilder, Klassen"),
        say(en="published top-1", de="Top-1 laut Quelle"),
        say(en="paper", de="Arbeit"),
    )
    table = [
        (
            row.name,
            str(row.year),
            grouped(row.parameters),
            number(row.macs / 1e6, 1),
            "x".join(map(str, row.input)) + f", {row.classes}",
            "" if row.accuracy is None else f"{number(row.accuracy, 1)} %",
            row.paper,
        )
        for row in rows
    ]
    widths = [max(map(len, column)) for column in zip(titles, *table, strict=True)]
    right = (False, True, True, True, False, True, False)
    for line in (titles, *table):
        cells = (cell.rjust(w) if r else cell.ljust(w) for cell, w, r in zip(line, widths, right, strict=True))
        print("  ".join(cells).rstrip())
