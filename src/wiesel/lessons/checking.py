"""Runs a learner's file and the checker of its exercise. A program of its own, so that whatever the file does stays in its process:

    python -m wiesel.lessons.checking FILE RESULT

FILE is executed as it is. RESULT is written as JSON: a list of {part, state, text}.
"""

from __future__ import annotations

import importlib
import importlib.machinery
import importlib.util
import inspect
import json
import sys
import traceback
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any, Literal

from wiesel.language import say
from wiesel.lessons.catalogue import exercise_of

State = Literal["right", "wrong", "open", "shown"]


@dataclass(frozen=True)
class Result:
    """What is to be said about one part of an exercise. `shown`: a free text, which no program judges."""

    part: str
    state: State
    text: str


class Own:
    """A learner's file, executed: what it defines, by name."""

    def __init__(self, module: ModuleType, path: Path) -> None:
        self.module = module
        self.path = path

    def get(self, name: str) -> Any:
        """What the file calls so; None if nothing, or if it is still `None` or `...`."""
        found = getattr(self.module, name, None)
        return None if found is ... else found

    def part(self, part: str, needed: str, check: Callable[[Any], str | None], right: str) -> Result:
        """Check one thing that the file defines. `check` gets it and returns None if it is right, else what is not.

        Whatever the learner's code raises becomes a sentence with its line; `NotImplementedError` means not begun.
        """
        found = self.get(needed)
        if found is None:
            return Result(part, "open", say(en=f"`{needed}` is not filled in yet.", de=f"`{needed}` ist noch nicht ausgefüllt."))
        try:
            wrong = check(found)
        except NotImplementedError:
            return Result(part, "open", say(en=f"`{needed}` is not filled in yet.", de=f"`{needed}` ist noch nicht ausgefüllt."))
        except Exception as error:
            return Result(part, "wrong", self.sentence(error))
        return Result(part, "wrong", wrong) if wrong else Result(part, "right", right)

    def text(self, part: str, name: str) -> Result:
        """A free text: shown, not judged."""
        words = inspect.cleandoc(str(self.get(name) or "")).strip()
        if not words:
            return Result(part, "open", say(en=f"`{name}` has no text yet.", de=f"`{name}` hat noch keinen Text."))
        return Result(part, "shown", words)

    def sentence(self, error: BaseException) -> str:
        """The error's message and the last line of the learner's own file that led to it."""
        return described(error, self.path)


def described(error: BaseException, path: Path) -> str:
    message = f"{type(error).__name__}: {error}".strip().rstrip(":")
    if isinstance(error, SyntaxError) and error.lineno is not None:
        where = say(en=f"line {error.lineno}", de=f"Zeile {error.lineno}")
        return f"{where}: {(error.text or '').strip()}\n{message}"
    own = [frame for frame in traceback.extract_tb(error.__traceback__) if Path(frame.filename) == path]
    if not own:
        return message
    where = say(en=f"line {own[-1].lineno}", de=f"Zeile {own[-1].lineno}")
    return f"{where}: {own[-1].line}\n{message}"


class _AsWritten(importlib.machinery.SourceFileLoader):
    """Without Python's cache of compiled files, to which two texts of one length, written in one second, are the same."""

    def get_code(self, fullname: str) -> CodeType | None:
        return self.source_to_code(self.get_data(self.path), self.path)


def check(path: Path) -> Iterator[Result]:
    """Execute the file, then ask the checker of its exercise about each part."""
    name = exercise_of(path.read_text(encoding="utf-8"))
    checker = importlib.import_module(f"wiesel.lessons.checks.{name}")
    loader = _AsWritten(f"exercise_{name}", str(path))
    specification = importlib.util.spec_from_loader(loader.name, loader)
    assert specification is not None
    module = importlib.util.module_from_spec(specification)
    sys.modules[module.__name__] = module
    try:
        loader.exec_module(module)
    except Exception as error:
        yield Result(say(en="file", de="Datei"), "wrong", described(error, path))
        return
    yield from checker.check(Own(module, path))


def main() -> int:
    path, result = Path(sys.argv[1]).resolve(), Path(sys.argv[2])
    found: list[dict[str, Any]] = []
    for one in check(path):
        found.append(asdict(one))
        result.write_text(json.dumps(found), encoding="utf-8")  # anew after each part: what is done counts if the next never ends
    return 0


if __name__ == "__main__":
    sys.exit(main())
