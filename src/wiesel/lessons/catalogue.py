"""What lessons and exercises there are, in their order, by name."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from wiesel.errors import UnknownLesson, nearest
from wiesel.language import Language, say
from wiesel.lessons.cells import Script, parse

FOLDER = Path(__file__).parent

Kind = Literal["lesson", "exercise"]
LEVELS = ("basic", "applied", "advanced", "lab sheet")


@dataclass(frozen=True)
class Entry:
    """One lesson or exercise."""

    name: str
    """`04_parameters`, or `conv2d`: the file's name without `.py`."""
    kind: Kind
    path: Path

    @property
    def script(self) -> Script:
        return parse(self.path.read_text(encoding="utf-8"))

    def title(self, language: Language) -> str:
        return self.script.title(language)

    @property
    def level(self) -> str:
        """Of an exercise, one of `LEVELS`; "" of a lesson."""
        found = re.search(r"^# level: (.+)$", self.script.head, re.MULTILINE)
        return found[1].strip() if found else ""


def lessons() -> list[Entry]:
    return [Entry(path.stem, "lesson", path) for path in sorted((FOLDER / "scripts").glob("*.py"))]


def exercises() -> list[Entry]:
    """From the basic ones to those of the lab sheet."""
    found = [Entry(path.stem, "exercise", path) for path in sorted((FOLDER / "exercises").glob("*.py"))]
    return sorted(found, key=lambda entry: (LEVELS.index(entry.level), entry.name))


def find(name: str) -> Entry:
    """By name; of a lesson its number or the part after it will do.

    Raises:
        UnknownLesson: there is none; names the nearest.
    """
    every = [*lessons(), *exercises()]
    wanted = name.lower().removesuffix(".py").replace("-", "_")
    for entry in every:
        if wanted == entry.name:
            return entry
    for entry in lessons():  # after whole names: `compound_scaling` is an exercise, and a lesson about it has a number before
        number, _, rest = entry.name.partition("_")
        if wanted == rest or (wanted.isdigit() and int(wanted) == int(number)):
            return entry
    raise UnknownLesson(name=name, nearest=nearest(wanted, [entry.name for entry in every]))


def exercise_of(text: str) -> str:
    """Which exercise a learner's file is, from the line `# exercise: NAME` at its head; "" if it says none."""
    found = re.search(r"^# exercise: (\w+)\s*$", text, re.MULTILINE)
    return found[1] if found else ""


def level_name(level: str) -> str:
    return {
        "basic": say(en="basic", de="Grundlagen"),
        "applied": say(en="applied", de="Anwendung"),
        "advanced": say(en="advanced", de="Vertiefung"),
        "lab sheet": say(en="lab sheet", de="Übungsblatt"),
    }.get(level, level)
