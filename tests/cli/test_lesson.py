"""`wiesel lesson list | open | check`"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from wiesel.cli import run


def test_lessons_are_listed_in_the_readers_language(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WIESEL_LANG", "de")
    assert run(["lesson", "list"]) == 0
    said = capsys.readouterr().out
    assert "Falten von Hand" in said
    assert "Aufgaben: Grundlagen" in said
    assert run(["lesson", "list", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert {row["kind"] for row in rows} == {"lesson", "exercise"}


def test_an_exercise_is_opened_filled_in_and_checked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("WIESEL_LANG", "en")
    assert run(["lesson", "open", "recent_paper"]) == 0
    assert capsys.readouterr().out.strip() == "recent_paper.py"
    assert run(["lesson", "open", "recent_paper"]) == 2
    assert "stays as it is" in capsys.readouterr().err
    path = tmp_path / "recent_paper.py"
    path.write_text(
        path.read_text().replace("model = None", 'model = "convnext_tiny"').replace("parameters = None", "parameters = 3")
    )
    assert run(["lesson", "check", "recent_paper.py"]) == 3
    captured = capsys.readouterr()
    assert "model  [right]" in captured.out
    assert "parameters  [not yet]" in captured.out
    assert "1 of 5 parts right, 3 open." in captured.out
    assert "Executing recent_paper.py" in captured.err
    path.write_text(path.read_text().replace("parameters = 3", "parameters = 28.6"))
    assert run(["lesson", "check", "recent_paper.py", "--json"]) == 0
    assert [row["state"] for row in json.loads(capsys.readouterr().out)] == ["right", "right", "open", "open", "open"]


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [(["open", "conv2"], 2, "conv2d"), (["check", "nowhere.py"], 4, "nowhere.py")],
)
def test_mistakes_get_one_sentence(
    words: list[str], code: int, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("WIESEL_LANG", "en")
    assert run(["lesson", *words]) == code
    assert said in capsys.readouterr().err
