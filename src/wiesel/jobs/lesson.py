"""Lessons and exercises: what there is, a copy to work in, and a look at what a learner made of it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from wiesel.errors import LessonThere, NoExercise, NoLearnersFile, NotUtf8, UnknownLesson
from wiesel.language import Language, language, say
from wiesel.lessons import cells
from wiesel.lessons.catalogue import Entry, exercise_of, exercises, find, lessons
from wiesel.lessons.checking import Result, program_of

SECONDS = 120
"""How long a learner's file and its checks may take."""


def every() -> list[Entry]:
    """All lessons, then all exercises."""
    return [*lessons(), *exercises()]


def open_copy(name: str, *, output: Path | None = None, notebook: bool = False, lang: Language | None = None) -> Path:
    """A copy of a lesson or exercise in one language; its path. Nothing that is there is overwritten.

    Args:
        output: the file to write, or the folder to write it into; default the current folder.
        notebook: as `.ipynb` instead of a script.
        lang: default the reader's language.

    Raises:
        UnknownLesson: names the nearest.
        LessonThere: the file exists.
    """
    entry, chosen = find(name), lang or language()
    place = output or Path()
    if place.is_dir():
        place = place / (entry.name + (".ipynb" if notebook else ".py"))
    content = (
        cells.to_bytes(cells.notebook(entry.script, chosen, entry.name))
        if notebook
        else cells.script(entry.script, chosen).encode()
    )
    place.parent.mkdir(parents=True, exist_ok=True)
    try:
        with place.open("xb") as file:
            file.write(content)
    except FileExistsError as error:
        raise LessonThere(path=place) from error
    return place


def check(path: Path | str, *, seconds: float = SECONDS, begins: Callable[[], None] = lambda: None) -> list[Result]:
    """Execute a learner's file in a process of its own, on this machine and with the caller's rights, and judge its parts.

    `begins` is called when it is clear that the file is an exercise, right before it is executed.

    Raises:
        NoLearnersFile, NotUtf8, NoExercise, UnknownLesson: there is nothing that could be checked.
    """
    path = Path(path)
    if not path.is_file():
        raise NoLearnersFile(path=path)
    try:
        name = exercise_of(program_of(path))
    except UnicodeDecodeError as error:
        raise NotUtf8(path=path) from error
    except ValueError as error:
        raise NoExercise(path=path) from error
    if not name:
        raise NoExercise(path=path)
    if find(name).kind != "exercise":
        raise UnknownLesson(name=name, nearest="")
    begins()
    with tempfile.TemporaryDirectory(prefix="wiesel-check-") as folder:
        result = Path(folder) / "result.json"
        command = [sys.executable, "-m", "wiesel.lessons.checking", str(path.resolve()), str(result)]
        environment = {**os.environ, "WIESEL_LANG": language(), "MPLBACKEND": "Agg"}
        try:
            done = subprocess.run(
                command,
                cwd=path.resolve().parent,
                env=environment,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=seconds,
                check=False,
            )
        except subprocess.TimeoutExpired:
            done = None
        plain: dict[str, Any] = json.loads(result.read_text(encoding="utf-8")) if result.exists() else {"parts": [], "all": False}
    found = [Result(**one) for one in plain["parts"]]
    if plain["all"]:
        return found
    where = say(en=f", in what comes after {found[-1].part}", de=f", in dem, was nach {found[-1].part} kommt") if found else ""
    if done is None:
        text = say(
            en=f"Stopped after {seconds:.0f} seconds{where}. Is there a loop without end, or is the training too long?",
            de=f"Nach {seconds:.0f} Sekunden angehalten{where}. Gibt es eine Schleife ohne Ende, oder ist das Training zu lang?",
        )
    else:
        text = say(en=f"The file ended its own process{where}", de=f"Die Datei hat ihren eigenen Prozess beendet{where}")
        text += f" (exit code {done.returncode}). {done.stderr.strip().splitlines()[-1] if done.stderr.strip() else ''}".rstrip()
    return [*found, Result(say(en="file", de="Datei"), "wrong", text)]
