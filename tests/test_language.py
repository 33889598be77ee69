"""Figures and the words that go with them, in German and English."""

from __future__ import annotations

import pytest

from wiesel.errors import CellsFailed, NoIntactCheckpoint, TooFewOfAClass, TooFewRuns, TooManyUnreadable
from wiesel.language import filled


def test_figures_in_a_template_are_the_readers(monkeypatch: pytest.MonkeyPatch) -> None:
    template, facts = (
        "{n:,} {n:file|files}, {share:.1%}, {name!r}, {key:.4}",
        {"n": 12_000, "share": 0.015, "name": "a,b", "key": "3f,2c91"},
    )
    monkeypatch.setenv("WIESEL_LANG", "en")
    assert filled(template, facts) == "12,000 files, 1.5%, 'a,b', 3f,2"
    monkeypatch.setenv("WIESEL_LANG", "de")
    assert filled(template, facts) == "12\u202f000 files, 1,5 %, 'a,b', 3f,2"


@pytest.mark.parametrize(
    ("kind", "facts", "english", "german"),
    [
        (TooFewRuns, {"name": "a", "have": 1, "needed": 3}, "'a' has 1 run;", "'a' hat 1 Lauf;"),
        (TooFewRuns, {"name": "a", "have": 2, "needed": 3}, "'a' has 2 runs;", "'a' hat 2 Läufe;"),
        (CellsFailed, {"cells": "a", "count": 1}, "1 run failed and is not", "1 Lauf ist gescheitert und wird nicht"),
        (CellsFailed, {"cells": "a, b", "count": 2}, "2 runs failed and are not", "2 Läufe sind gescheitert und werden nicht"),
        (NoIntactCheckpoint, {"count": 1}, "1 checkpoint, which is not intact (x)", "1 Checkpoint, und er ist nicht intakt (x)"),
        (NoIntactCheckpoint, {"count": 2}, "2 checkpoints, none of them intact (x)", "2 Checkpoints, und keiner ist intakt (x)"),
        (TooFewOfAClass, {"have": 1, "wanted": 5}, "has 1 training picture, 5", "hat 1 Trainingsbild, verlangt"),
        (
            TooManyUnreadable,
            {"count": 1, "total": 26, "allowed": 0.01},
            "1 of 26 pictures",
            "1 von 26 Bildern in x ist nicht lesbar",
        ),
        (
            TooManyUnreadable,
            {"count": 2, "total": 26, "allowed": 0.01},
            "2 of 26",
            "sind nicht lesbar, mehr als die erlaubten 1,0 %",
        ),
    ],
)
def test_one_is_said_as_one(monkeypatch: pytest.MonkeyPatch, kind, facts, english: str, german: str) -> None:  # type: ignore[no-untyped-def]
    names = ("run", "names", "name", "log", "said", "command", "path", "first")
    error = kind(**{**dict.fromkeys(names, "x"), **facts})
    for language, said in (("en", english), ("de", german)):
        monkeypatch.setenv("WIESEL_LANG", language)
        assert said in str(error)
