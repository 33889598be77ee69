"""Every lesson runs from top to bottom, in a folder of its own, in its short form; what it asserts at its end holds."""

from __future__ import annotations

import contextlib
import io
import time
import warnings
from pathlib import Path

import pytest

pytest.importorskip("sklearn", reason="the lessons read scikit-learn's digits")

from wiesel.lessons.catalogue import Entry, lessons


def run(lesson: Entry) -> str:
    """What the lesson printed."""
    code = compile(lesson.path.read_text(encoding="utf-8"), str(lesson.path), "exec")
    said = io.StringIO()
    with contextlib.redirect_stdout(said), warnings.catch_warnings():
        exec(code, {"__name__": "__main__"})
    return said.getvalue()


@pytest.mark.slow  # two minutes of one core together; `scripts/check` runs the lessons in a step of its own
@pytest.mark.parametrize("lesson", lessons(), ids=lambda lesson: lesson.name)
def test_lesson_runs(lesson: Entry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MPLBACKEND", "Agg")
    monkeypatch.setenv("WIESEL_LANG", "de" if lessons().index(lesson) % 2 else "en")
    monkeypatch.delenv("WIESEL_LESSON", raising=False)
    start = time.process_time()
    said = run(lesson)
    assert "→ " in said, "a lesson without a finding"
    assert time.process_time() - start < 60
