"""`wiesel models [PATTERN]`"""

from __future__ import annotations

import json
from typing import Annotated

from cyclopts import Parameter

from wiesel.language import language, say


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
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, header_style="bold")
    for title, justify in (
        (say(en="model", de="Netz"), "left"),
        (say(en="year", de="Jahr"), "right"),
        (say(en="parameters", de="Parameter"), "right"),
        (say(en="multiply-adds", de="Multiplikationen"), "right"),
        (say(en="at", de="bei"), "left"),
        (say(en="published top-1", de="Top-1 laut Quelle"), "right"),
        (say(en="paper", de="Arbeit"), "left"),
    ):
        table.add_column(title, justify=justify)  # type: ignore[arg-type]
    separator = "\u202f" if language() == "de" else ","
    for row in rows:
        accuracy = "" if row.accuracy is None else f"{row.accuracy:.1f} %"
        table.add_row(
            row.name,
            str(row.year),
            f"{row.parameters:,}".replace(",", separator),
            f"{row.macs / 1e6:,.1f} M".replace(",", separator),
            "x".join(map(str, row.input)) + f", {row.classes}",
            accuracy.replace(".", ",") if language() == "de" else accuracy,
            row.paper,
        )
    Console(soft_wrap=True).print(table)
