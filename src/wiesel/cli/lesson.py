"""`wiesel lesson list | open | check`"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import App, Parameter

from wiesel.cli.german import spoken
from wiesel.language import language, say

app = App(
    name="lesson",
    help=say(en="Lessons, and exercises that check themselves.", de="Lektionen, und Aufgaben, die sich selbst prüfen."),
)
Json = Annotated[bool, Parameter(name="--json", negative="")]


@app.command(name="list")
@spoken
def list_(*, json_: Json = False) -> None:
    """List the lessons and the exercises.

    Parameters
    ----------
    json_
        Print as JSON.
    """
    from wiesel.jobs.lesson import every
    from wiesel.lessons.catalogue import level_name

    entries = every()
    if json_:
        print(
            json.dumps(
                [{"name": one.name, "kind": one.kind, "level": one.level, "title": one.title(language())} for one in entries]
            )
        )
        return
    width = max(len(one.name) for one in entries)
    heading = ""
    for one in entries:
        group = level_name(one.level) if one.kind == "exercise" else say(en="lessons", de="Lektionen")
        if group != heading:
            print(("\n" if heading else "") + (say(en="exercises: ", de="Aufgaben: ") if one.kind == "exercise" else "") + group)
            heading = group
        print(f"  {one.name:<{width}}  {one.title(language())}")
    print(
        "\n"
        + say(en="Copy one into this folder: wiesel lesson open NAME", de="Eine in diesen Ordner kopieren: wiesel lesson open NAME")
    )


@app.command(name="open")
@spoken
def open_(
    name: str,
    /,
    *,
    output: Annotated[Path | None, Parameter(name=["--output", "-o"])] = None,
    notebook: Annotated[bool, Parameter(negative="")] = False,
    lang: Literal["de", "en"] | None = None,
) -> None:
    """Copy a lesson or an exercise into the current folder, to read, run and fill in.

    Parameters
    ----------
    name
        Its name, or the number of a lesson; `wiesel lesson list` shows them.
    output
        The file or the folder to copy to.
    notebook
        As a Jupyter notebook instead of a script.
    lang
        The language of the copy; default the reader's.
    """
    from wiesel.jobs.lesson import open_copy

    print(open_copy(name, output=output, notebook=notebook, lang=lang))


@app.command
@spoken
def check(file: Path, /, *, seconds: float = 120, json_: Json = False) -> int:
    """Check an exercise that you filled in. The file is executed, with your rights, like any program of yours.

    Ends with exit code 3 if something is not right; what is still open does no harm.

    Parameters
    ----------
    file
        Your copy of the exercise.
    seconds
        How long your code may take, together.
    json_
        Print as JSON.
    """
    from wiesel.jobs.lesson import check as job

    begins = say(en=f"Executing {file} …", de=f"{file} wird ausgeführt …")
    results = job(file, seconds=seconds, begins=lambda: print(begins, file=sys.stderr, flush=True))
    if json_:
        print(json.dumps([asdict(one) for one in results]))
    else:
        words = {
            "right": say(en="right", de="richtig"),
            "wrong": say(en="not yet", de="noch nicht"),
            "open": say(en="open", de="offen"),
            "shown": say(en="your text", de="dein Text"),
        }
        for one in results:
            head, *rest = one.text.splitlines() or [""]
            print(f"{one.part}  [{words[one.state]}]  {head}")
            for line in rest:
                print(f"      {line}")
        right, open_parts = (sum(one.state == state for one in results) for state in ("right", "open"))
        print(
            say(
                en=f"{right} of {len(results)} parts right, {open_parts} open.",
                de=f"{right} von {len(results)} Teilen richtig, {open_parts} offen.",
            )
        )
    return 3 if any(one.state == "wrong" for one in results) else 0
