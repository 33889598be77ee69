"""Promises about the source itself."""

from __future__ import annotations

import ast
import re
import string
import tomllib
from pathlib import Path

import pytest

from wiesel.errors import WieselError

ROOT = Path(__file__).parents[1]
SOURCES = sorted((ROOT / "src").rglob("*.py"))


def calls_and_imports(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
        elif isinstance(node, ast.Call):
            found.add(ast.unparse(node.func))
    return found


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT / "src")))
def test_no_reading_path_can_run_code_from_data(path: Path) -> None:
    forbidden = {"pickle", "marshal", "shelve", "dill", "joblib", "torch.load", "eval", "exec", "os.system", "yaml"}
    assert calls_and_imports(path) & forbidden == set()


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT / "src")))
def test_nothing_seeds_the_global_generators_for_good(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert "np.random.seed" not in text
    assert "seed_everything" not in text
    # Only inside a fork; training/fit.py opens the one in which training/classifier.py works. Lessons are programs of their own.
    if "torch.manual_seed" in text and "lessons" not in path.parts:
        assert "fork_rng" in text or path.parent.name == "training"


def test_no_file_names_the_machine_it_was_written_on() -> None:
    texts = [*SOURCES, *ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "tests").rglob("*.py")]
    assert [
        str(path) for path in texts if path != Path(__file__) and re.search(r"/work/|/root/", path.read_text(encoding="utf-8"))
    ] == []


def test_the_lightning_that_is_meant_is_the_one_required() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    names = [re.split(r"[<>=!~ ]", requirement)[0] for requirement in project["dependencies"]]
    assert "pytorch-lightning" in names
    assert "lightning" not in names


def test_every_requirement_is_pinned_in_the_constraints() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pinned = {line.split("==")[0].lower().replace("_", "-") for line in lines if "==" in line}
    wanted = [*project["dependencies"], *(r for extra in project["optional-dependencies"].values() for r in extra)]
    assert [r for r in wanted if re.split(r"[<>=!~ ]", r)[0].lower() not in pinned] == []


def test_the_docs_link_to_files_that_exist() -> None:
    for page in [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]:
        for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text(encoding="utf-8")):
            assert (page.parent / target).exists(), f"{page.name} links to {target}"


def test_german_readers_are_addressed_in_one_way() -> None:
    """As "du", in errors, pages and lessons alike."""
    texts = [*SOURCES, *(ROOT / "src").rglob("*.toml"), *(ROOT / "docs" / "de").rglob("*.md")]
    found = {
        str(path.relative_to(ROOT)): re.findall(r"\b\w+en Sie\b|\bIhnen\b", path.read_text(encoding="utf-8")) for path in texts
    }
    assert {path: words for path, words in found.items() if words} == {}


def kinds(error: type[WieselError] = WieselError) -> list[type[WieselError]]:
    return [error, *(kind for child in error.__subclasses__() for kind in kinds(child))]


def test_errors_write_figures_as_german_readers_do(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever figures they hold: no thousands in commas, no decimals behind a point in percentages."""
    monkeypatch.setenv("WIESEL_LANG", "de")
    said = {}
    for kind in kinds():
        fields = [(name, spec) for _, name, spec, _ in string.Formatter().parse(kind.de) if name]
        facts = {name: 1_234_567 if spec.endswith((",", "%")) else "x" for name, spec in fields}
        said[kind.__name__] = str(kind(**{"command": "", "signal": 0, "run": "", **facts}))
    assert "1\u202f234\u202f567 Bytes" in said["CannotSave"]
    assert "123456700,0 %" in said["TooManyUnreadable"]
    assert {name for name, text in said.items() if re.search(r"\d,\d{3}|\d\.\d+ ?%", text)} == set()
