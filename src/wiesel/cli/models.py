"""`wiesel models [PATTERN]`"""

from __future__ import annotations

import json
from typing import Annotated

from cyclopts import Parameter

from wiesel.cli.columns import columns
from wiesel.cli.german import spoken
from wiesel.language import grouped, number, say


@spoken
def models(
    pattern: str | None = None,
    /,
    *,
    pretrained: Annotated[bool, Parameter(negative="")] = False,
    json_: Annotated[bool, Parameter(name="--json", negative="")] = False,
) -> None:
    """List the networks with parameters and multiply-adds.

    Parameters
    ----------
    pattern
        Part of a name, or a pattern such as `resnet*`; `timm:resnet*` and `torchvision:` list other libraries' networks.
    pretrained
        List the published ImageNet weights instead, and whether they are here.
    json_
        Print as JSON.
    """
    if pretrained:
        _pretrained(pattern, json_)
        return
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
            "" if row.year is None else str(row.year),
            "" if row.parameters is None else grouped(row.parameters),
            "" if row.macs is None else number(row.macs / 1e6, 1),
            "x".join(map(str, row.input)) + f", {row.classes}",
            "" if row.accuracy is None else f"{number(row.accuracy, 1)} %",
            say(en="textbook", de="Lehrtext") if row.paper == "textbook" else row.paper,
        )
        for row in rows
    ]
    print("\n".join(columns(titles, table, (False, True, True, True, False, True, False))))


def _pretrained(pattern: str | None, json_: bool) -> None:
    from wiesel.zoo import published

    rows = [row.to_json() for row in published(pattern)]
    if json_:
        print(json.dumps(rows))
        return
    titles = (
        say(en="model", de="Netz"),
        say(en="weights", de="Gewichte"),
        say(en="licence", de="Lizenz"),
        say(en="photographs", de="Fotos"),
        say(en="mean / deviation", de="Mittel / Abweichung"),
        say(en="here?", de="hier?"),
    )
    table = [
        (
            row["name"],
            row["install"] or row["source"],
            row["licence"],
            f"{row['resize']} -> {row['input'][1]}, {row['interpolation']}",
            " ".join(number(value, 3) for value in row["mean"]) + " / " + " ".join(number(value, 3) for value in row["std"]),
            _here(row["here"], row["install"]),
        )
        for row in rows
    ]
    print("\n".join(columns(titles, table, (False,) * len(titles))))
    print(
        say(
            en="\nAll have 1000 classes. `timm:NAME` and `torchvision:NAME` load those libraries' own weights; see `wiesel models timm:`.",
            de="\nAlle haben 1000 Klassen. `timm:NAME` und `torchvision:NAME` laden die Gewichte jener Bibliotheken; siehe `wiesel models timm:`.",
        )
    )


def _here(here: bool, package: str) -> str:
    if here:
        return say(en="yes", de="ja")
    return f"pip install {package}" if package else say(en="is fetched", de="wird geholt")
