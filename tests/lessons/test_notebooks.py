"""Every lesson as a notebook, in both languages, from top to bottom in a fresh kernel."""

from __future__ import annotations

from pathlib import Path

import pytest

from wiesel.lessons import cells
from wiesel.lessons.catalogue import Entry, lessons

nbclient = pytest.importorskip("nbclient", reason="notebooks are run with nbclient")
nbformat = pytest.importorskip("nbformat", reason="notebooks are run with nbformat")
pytest.importorskip("ipykernel", reason="notebooks need a kernel")


@pytest.mark.slow  # a kernel for each of 28 notebooks, which imports torch anew
@pytest.mark.parametrize("language", ["de", "en"])
@pytest.mark.parametrize("lesson", lessons(), ids=lambda lesson: lesson.name)
def test_notebook_runs(lesson: Entry, language: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WIESEL_LESSON", raising=False)
    monkeypatch.delenv("MPLBACKEND", raising=False)
    content = cells.to_bytes(cells.notebook(lesson.script, language, lesson.name))  # type: ignore[arg-type]
    made = nbformat.reads(content.decode(), as_version=4)
    nbformat.validate(made)
    nbclient.NotebookClient(made, timeout=180, kernel_name="python3", resources={"metadata": {"path": str(tmp_path)}}).execute()
    said = "".join(output.get("text", "") for cell in made.cells for output in cell.get("outputs", []))
    assert ("Vorhersage:" in said) == (language == "de")
    assert "→ " in said
    shown = [output for cell in made.cells for output in cell.get("outputs", []) if output["output_type"] == "display_data"]
    assert ("show(" not in lesson.path.read_text(encoding="utf-8")) or shown
