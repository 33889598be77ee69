"""The reference pages say what the program says. After a change: python scripts/reference.py"""

import importlib.util
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
spec = importlib.util.spec_from_file_location("reference", ROOT / "scripts" / "reference.py")
assert spec is not None
assert spec.loader is not None
reference = importlib.util.module_from_spec(spec)
spec.loader.exec_module(reference)


@pytest.mark.parametrize("page", list(reference.PAGES))
def test_a_reference_page_is_what_the_program_says(page, monkeypatch):
    monkeypatch.delenv("COLUMNS", raising=False)
    assert (ROOT / "docs" / page).read_text(encoding="utf-8") == reference.PAGES[page](), "run: python scripts/reference.py"


def test_every_command_has_its_section_in_both_languages():
    from wiesel.cli import COMMANDS

    for page in ("reference/commands.md", "de/reference/befehle.md"):
        text = (ROOT / "docs" / page).read_text(encoding="utf-8")
        assert [name for name in COMMANDS if f"\n## wiesel {name}\n" not in text] == []
