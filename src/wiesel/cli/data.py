"""`wiesel data list | fetch | card | check`"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import App, Parameter

from wiesel.cli.german import spoken
from wiesel.language import say

app = App(
    name="data", help=say(en="List, fetch, describe and check data sets.", de="Datensätze auflisten, holen, beschreiben, prüfen.")
)
Json = Annotated[bool, Parameter(name="--json", negative="")]


@app.command(name="list")
@spoken
def list_(*, data_dir: Path | None = None, json_: Json = False) -> None:
    """List the named data sets and where each was found.

    Parameters
    ----------
    data_dir
        Where to look first.
    json_
        Print as JSON.
    """
    from wiesel.images import named
    from wiesel.images.dataset import place_in_words

    rows = named(data_dir=data_dir)
    if json_:
        print(json.dumps([row.to_json() for row in rows]))
        return
    width = max(len(row.name) for row in rows)
    for row in rows:
        place = (
            place_in_words(row.found)
            if row.found
            else say(en="not here; `wiesel data fetch {}`", de="nicht da; `wiesel data fetch {}`").format(row.name)
        )
        print(f"{row.name:<{width}}  {row.title}  [{place}]")


@app.command
@spoken
def fetch(name: str, /, *, data_dir: Path | None = None) -> None:
    """Download a named data set and verify it.

    Parameters
    ----------
    name
        Its name; `wiesel data list` shows them.
    data_dir
        Where to put it; default the user's cache.
    """
    from wiesel.images import fetch as job

    print(job(name, data_dir=data_dir))


@app.command
@spoken
def card(source: str, /, *, data_dir: Path | None = None, json_: Json = False) -> None:
    """Describe a data set: counts, sizes, duplicates, licence.

    Parameters
    ----------
    source
        A named data set, a folder or a .zip file.
    data_dir
        Where named data sets are looked for first.
    json_
        Print as JSON.
    """
    from wiesel.images import load
    from wiesel.images.card import card as job
    from wiesel.images.card import text

    facts = job(load(source, data_dir=data_dir))
    print(json.dumps(facts) if json_ else text(facts))


@app.command
@spoken
def check(
    source: str,
    /,
    *,
    output: Annotated[Path | None, Parameter(name=("--output", "-o"))] = None,
    quick: Annotated[bool, Parameter(negative="")] = False,
    data_dir: Path | None = None,
    json_: Json = False,
    lang: Literal["de", "en", "both"] = "both",
) -> int:
    """Look for unreadable files, copies, leaks between splits, contradictory and doubtful labels. Exit code 3 if there are problems.

    Nothing is changed or deleted.

    Parameters
    ----------
    source
        A folder, a .zip file or a named data set.
    output
        A page (.html) with the pictures side by side; the list for machines is written beside it (.json).
    quick
        Without near duplicates and doubtful labels.
    data_dir
        Where named data sets are looked for first.
    json_
        Print as JSON.
    lang
        Language of the page.
    """
    from wiesel.images.check import problems, text
    from wiesel.jobs.data_check import check_data

    facts = check_data(source, output=output, data_dir=data_dir, quick=quick, lang=lang)
    print(json.dumps(facts) if json_ else text(facts))
    if output is not None and not json_:
        print(output)
    return 3 if problems(facts) else 0
