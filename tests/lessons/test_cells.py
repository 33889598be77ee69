"""One source, two languages: parsing, copies, notebooks; and the form that every lesson has."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest

from wiesel.errors import LessonThere, NoExercise, NoLearnersFile, UnknownLesson
from wiesel.jobs.lesson import check, every, open_copy
from wiesel.lessons import cells
from wiesel.lessons.catalogue import Entry, exercises, find, lessons

SOURCE = """\
# lesson 99
# %% [markdown] lang="de"
# # Grösse
#
# Text.
# %% [markdown] lang="en"
# # Size
# %%
print(3)

# %% [markdown]
# $x$
"""


def test_a_script_has_cells_in_two_languages() -> None:
    parsed = cells.parse(SOURCE)
    assert parsed.head == "# lesson 99"
    assert (parsed.title("de"), parsed.title("en")) == ("Grösse", "Size")
    assert [cell.text for cell in parsed.of("de")] == ["# Grösse\n\nText.", "print(3)", "$x$"]
    assert [cell.kind for cell in parsed.of("en")] == ["markdown", "code", "markdown"]


def test_a_copy_is_a_script_of_cells_again_in_its_language() -> None:
    copy = cells.script(cells.parse(SOURCE), "en")
    assert "Grösse" not in copy
    assert copy.startswith("# lesson 99\n")
    again = cells.parse(copy)
    assert [cell.text for cell in again.cells] == [cells.setting("en"), "# Size", "print(3)", "$x$"]


def test_a_line_like_a_marker_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="line 2"):
        cells.parse("# lesson\n# %% [markdown] de\n# text\n")


def test_a_notebook_is_valid_has_a_badge_and_installs_on_colab_only() -> None:
    made = cells.notebook(cells.parse(SOURCE), "de", "99_size", repository="me/mine")
    assert (made["nbformat"], made["nbformat_minor"]) == (4, 5)
    badge, install, settled, *rest = made["cells"]
    assert "github/me/mine/blob/notebooks/de/99_size.ipynb" in "".join(badge["source"])
    code = "".join(install["source"])
    assert code.index('if "google.colab" in sys.modules') < code.index("pip")
    assert "wiesel[sklearn,teaching] @ git+https://github.com/me/mine" in code
    assert 'os.environ["WIESEL_LANG"] = "de"' in "".join(settled["source"])
    alone = cells.notebook(cells.parse(SOURCE), "de", "99_size")["cells"]
    assert [cell["source"] for cell in alone] == [cell["source"] for cell in made["cells"][2:]]  # nothing is installed here
    assert ["".join(cell["source"]) for cell in rest] == ["# Grösse\n\nText.", "print(3)", "$x$"]
    ids = [cell["id"] for cell in made["cells"]]
    assert len(set(ids)) == len(ids)
    assert all(
        set(cell) == {"cell_type", "id", "metadata", "source", "execution_count", "outputs"}
        for cell in made["cells"]
        if cell["cell_type"] == "code"
    )
    assert cells.to_bytes(made) == cells.to_bytes(cells.notebook(cells.parse(SOURCE), "de", "99_size", repository="me/mine"))
    nbformat = pytest.importorskip("nbformat", reason="the official schema comes with nbformat")
    nbformat.validate(made)


def test_all_notebooks_are_made_by_one_command(tmp_path: Path) -> None:
    root = Path(__file__).parents[2]
    subprocess.run([sys.executable, str(root / "scripts" / "notebooks.py"), "--to", str(tmp_path)], check=True, capture_output=True)
    made = sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.ipynb"))
    assert made == sorted(f"{language}/{lesson.name}.ipynb" for language in ("de", "en") for lesson in lessons())
    for path in tmp_path.rglob("*.ipynb"):
        for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
            if cell["cell_type"] == "code":
                ast.parse("".join(cell["source"]))


@pytest.mark.parametrize("entry", every(), ids=lambda entry: entry.name)
def test_both_languages_say_the_same_amount(entry: Entry) -> None:
    parsed = entry.script
    counts = {language: sum(cell.language == language for cell in parsed.cells) for language in ("de", "en")}
    assert counts["de"] == counts["en"] > 0
    assert all(cell.language is None for cell in parsed.cells if cell.kind == "code")
    assert parsed.title("de")
    assert parsed.title("en")
    german, english = (
        [cell.text.splitlines()[0].split(" ")[0] for cell in parsed.cells if cell.language == language] for language in ("de", "en")
    )
    assert [line for line in german if line.startswith("#")] == [line for line in english if line.startswith("#")]
    for cell, other in zip(parsed.cells, parsed.cells[1:], strict=False):
        if cell.language == "de":
            assert other.language == "en", f"after {cell.text[:40]!r}"
    assert "ß" not in entry.path.read_text(encoding="utf-8")


@pytest.mark.parametrize("lesson", lessons(), ids=lambda lesson: lesson.name)
def test_every_lesson_has_goal_prediction_finding_exercises_and_ends_in_assertions(lesson: Entry) -> None:
    parsed = lesson.script
    assert "**Ziel.**" in parsed.of("de")[0].text
    assert "**Goal.**" in parsed.of("en")[0].text
    code = [cell.text for cell in parsed.cells if cell.kind == "code"]
    together = "\n".join(code)
    assert together.count("guess = prediction(") == 1
    assert together.count("finding(") >= 2
    assert together.count("\nanswer(") >= 3
    assert together.index("prediction(") < together.index("finding(")
    last = ast.parse(code[-1]).body
    assert last
    assert all(isinstance(line, ast.Assert) for line in last)
    assert "answer_1 = answer_2 = answer_3 = None" in together


@pytest.mark.parametrize("lesson", lessons(), ids=lambda lesson: lesson.name)
def test_findings_are_computed(lesson: Entry) -> None:
    """No finding is a plain sentence: each is made of values, in both languages, of the same ones."""
    for node in ast.walk(ast.parse(lesson.path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "finding":
            both = {
                keyword.arg: [ast.unparse(v.value) for v in ast.walk(keyword.value) if isinstance(v, ast.FormattedValue)]
                for keyword in node.keywords
            }
            assert both["en"], f"line {node.lineno}"
            assert len(both["en"]) == len(both["de"]), f"line {node.lineno}: {set(both['en']) ^ set(both['de'])}"


def test_names_numbers_and_parts_of_names_find_a_lesson() -> None:
    assert find("4").name == find("04").name == find("parameters_sizes_fields").name == "04_parameters_sizes_fields"
    assert find("compound_scaling").kind == "exercise"
    assert find("11").kind == "lesson"
    with pytest.raises(UnknownLesson) as refused:
        find("conv2")
    assert "conv2d" in str(refused.value)


def test_a_copy_overwrites_nothing(tmp_path: Path) -> None:
    path = open_copy("conv2d", output=tmp_path, lang="de")
    path.write_text("mine")
    with pytest.raises(LessonThere):
        open_copy("conv2d", output=tmp_path, lang="de")
    assert path.read_text() == "mine"
    assert open_copy("2", output=tmp_path, notebook=True, lang="en").suffix == ".ipynb"


def test_only_exercises_are_checked(tmp_path: Path) -> None:
    with pytest.raises(NoLearnersFile):
        check(tmp_path / "nothing.py")
    other = tmp_path / "other.py"
    other.write_text("print(1)\n")
    with pytest.raises(NoExercise):
        check(other)
    other.write_text("# exercise: unheard_of\n")
    with pytest.raises(UnknownLesson):
        check(other)


def test_there_is_something_at_each_level() -> None:
    levels = [entry.level for entry in exercises()]
    assert {level: levels.count(level) for level in levels} == {"basic": 3, "applied": 3, "advanced": 5, "lab sheet": 2}
    assert len(lessons()) == 14
