"""Runs a learner's file and the checker of its exercise. A program of its own, so that whatever the file does stays in its process:

    python -m wiesel.lessons.checking FILE RESULT

FILE is executed as it is. RESULT is written as JSON: {"parts": [{part, state, text}, …], "all": whether these are all}.
"""

from __future__ import annotations

import importlib
import importlib.abc
import importlib.util
import inspect
import json
import linecache
import sys
import traceback
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from types import CodeType, FrameType, ModuleType
from typing import Any, Literal

from wiesel.language import say
from wiesel.lessons.catalogue import exercise_of
from wiesel.lessons.cells import code_of
from wiesel.runs import commit

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
            return self.open(part, needed)
        try:
            wrong = check(found)
        except NotImplementedError as error:
            frames = _own_frames(error, self.path)
            return self.open(part, frames[-1].f_code.co_qualname if frames else needed)
        except (Exception, SystemExit) as error:
            return Result(part, "wrong", self.sentence(error, needed))
        return Result(part, "wrong", wrong) if wrong else Result(part, "right", right)

    def open(self, part: str, name: str) -> Result:
        return Result(part, "open", say(en=f"`{name}` is not filled in yet.", de=f"`{name}` ist noch nicht ausgefüllt."))

    def text(self, part: str, name: str) -> Result:
        """A free text: shown, not judged."""
        words = inspect.cleandoc(str(self.get(name) or "")).strip()
        if not words:
            return Result(part, "open", say(en=f"`{name}` has no text yet.", de=f"`{name}` hat noch keinen Text."))
        return Result(part, "shown", words)

    def sentence(self, error: BaseException, name: str = "") -> str:
        """The error's message and the last line of the learner's own file that led to it. `name`: what was being looked at."""
        return described(error, self.path, name)


def described(error: BaseException, path: Path, name: str = "") -> str:
    """An error as a sentence, with the line of the learner's file that it comes from. `name`: what was being looked at."""
    message = f"{type(error).__name__}: {error}".removesuffix(": None").strip().rstrip(":")
    if isinstance(error, SystemExit):
        message += say(en=" (this ends the program; take it out)", de=" (das beendet das Programm; nimm es heraus)")
    if isinstance(error, SyntaxError) and error.lineno is not None:
        return f"{_line(path, error.lineno)}{(error.text or '').strip()}\n{message}"
    own = [frame for frame in traceback.extract_tb(error.__traceback__) if Path(frame.filename) == path]
    if own:
        return f"{_line(path, own[-1].lineno)}{own[-1].line}\n{message}"
    if isinstance(error, (TypeError, AttributeError)) and name:  # ours, when it uses what a function gave
        forgotten = say(en=" Is a `return` missing?", de=" Fehlt ein `return`?") if "NoneType" in message else ""
        return (
            say(
                en=f"`{name}` is, or gives, something else than asked for ({message}).",
                de=f"`{name}` ist oder gibt etwas anderes als gefragt ({message}).",
            )
            + forgotten
        )
    return message


def _line(path: Path, number: int | None) -> str:
    """Of a notebook nothing: its cells have lines of their own."""
    return "" if path.suffix == ".ipynb" else say(en=f"line {number}: ", de=f"Zeile {number}: ")


def _own_frames(error: BaseException, path: Path) -> list[FrameType]:
    return [frame for frame, _ in traceback.walk_tb(error.__traceback__) if Path(frame.f_code.co_filename) == path]


def program_of(path: Path) -> str:
    """What a learner's file says: itself, or the code of a notebook.

    Raises:
        UnicodeDecodeError: not UTF-8. ValueError: no notebook, in spite of its name.
    """
    content = path.read_bytes().decode("utf-8-sig")
    return code_of(content) if path.suffix == ".ipynb" else content


class _AsWritten(importlib.abc.InspectLoader):
    """Without Python's cache of compiled files, to which two texts of one length, written in one second, are the same."""

    def __init__(self, program: str, path: Path) -> None:
        self.program = program
        self.path = str(path)

    def get_source(self, fullname: str) -> str:
        return self.program

    def get_code(self, fullname: str) -> CodeType:
        return self.source_to_code(self.program, self.path)


def check(path: Path) -> Iterator[Result]:
    """Execute the file, then ask the checker of its exercise about each part."""
    program = program_of(path)
    name = exercise_of(program)
    checker = importlib.import_module(f"wiesel.lessons.checks.{name}")
    loader = _AsWritten(program, path)
    specification = importlib.util.spec_from_loader(f"exercise_{name}", loader)
    assert specification is not None
    module = importlib.util.module_from_spec(specification)
    module.__file__ = str(path)
    sys.modules[module.__name__] = module
    linecache.cache[str(path)] = (len(program), None, program.splitlines(keepends=True), str(path))  # which tracebacks quote
    try:
        loader.exec_module(module)
    except (Exception, SystemExit) as error:
        yield Result(say(en="file", de="Datei"), "wrong", described(error, path))
        return
    yield from checker.check(Own(module, path))


def main() -> int:
    path, result = Path(sys.argv[1]).resolve(), Path(sys.argv[2])
    parts: list[dict[str, Any]] = []

    def write(*, all_: bool) -> None:
        commit.write_file(result, json.dumps({"parts": parts, "all": all_}).encode())

    for one in check(path):
        parts.append(asdict(one))
        write(all_=False)  # anew after each part: what is done counts if the next never ends
    write(all_=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
