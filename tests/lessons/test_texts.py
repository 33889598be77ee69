"""docs/texts.md: the counts, and that whatever it names exists."""

from __future__ import annotations

import importlib
import re
from collections import Counter
from pathlib import Path

import pytest

from wiesel import zoo
from wiesel.cli import COMMANDS
from wiesel.lessons.catalogue import find

PAGE = Path(__file__).parents[2] / "docs" / "texts.md"
COUNTS = {"code": 25, "figure": 9, "table": 6, "calculation": 6, "exercise": 29}
ROW = re.compile(r"^\| (?P<id>[CL]-(?P<kind>\w+)-(?P<number>\w+)) \| (?P<what>.+) \| (?P<here>.+) \|$", re.MULTILINE)
ROWS = [match.groupdict() for match in ROW.finditer(PAGE.read_text(encoding="utf-8"))]


def test_every_part_of_both_texts_has_one_entry() -> None:
    assert Counter(row["kind"] for row in ROWS) == COUNTS
    for kind, count in COUNTS.items():
        assert re.search(rf"^## .*: {count}$", PAGE.read_text(encoding="utf-8"), re.MULTILINE), kind
    assert len({row["id"] for row in ROWS}) == len(ROWS)
    chapter = {kind: [row["number"] for row in ROWS if row["id"].startswith(f"C-{kind}-")] for kind in COUNTS}
    assert all(numbers == [str(i + 1) for i in range(len(numbers))] for numbers in chapter.values())
    sheet = [row["number"] for row in ROWS if row["id"].startswith("L-exercise-")]
    assert sheet == [f"1{letter}" for letter in "abcdefg"] + [f"2{letter}" for letter in "abcdefghijkl"]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["id"])
def test_what_an_entry_names_exists(row: dict[str, str]) -> None:
    named = re.findall(r"`([^`]+)`", row["here"])
    assert named
    for name in named:
        first, _, rest = name.partition(" ")
        if first in ("lesson", "exercise"):
            assert (find(rest).kind, find(rest).name) == (first, rest)
        elif first == "wiesel":
            command, *words = rest.split()
            assert command in COMMANDS
            if command == "inspect" and words:
                assert zoo.find(words[0]).name == words[0]
        else:
            importable(name)


def importable(name: str) -> None:
    parts = name.split(".")
    for cut in range(len(parts), 0, -1):
        try:
            found: object = importlib.import_module(".".join(parts[:cut]))
        except ModuleNotFoundError as error:
            if not str(error.name).startswith("wiesel"):
                raise
            continue
        for part in parts[cut:]:
            found = getattr(found, part)
        return
    raise AssertionError(name)


def test_every_wrong_statement_has_its_computation() -> None:
    from tests.lessons import test_text_errors

    rows = re.findall(r"^\| (?:chapter|lab sheet) \| .+ \| `(test_\w+)` \|$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert sorted(rows) == sorted(name for name in vars(test_text_errors) if name.startswith("test_"))
