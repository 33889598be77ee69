"""What a comparison asks and shows before and after the trainings; the trainings themselves are in tests/comparison/test_campaign.py."""

from __future__ import annotations

import copy
import functools
import json
import shutil
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.reports.test_comparison import example
from wiesel.cli import run
from wiesel.cli.compare import fairness_page, verdict_page
from wiesel.comparison import Outcomes, Plan, PlannedArm, Rules, arm, document, fingerprint, judge, small_print
from wiesel.comparison.cells import cells
from wiesel.comparison.ledger import Ledger
from wiesel.comparison.plan import read
from wiesel.comparison.shipped import named
from wiesel.errors import (
    BadValue,
    CellsFailed,
    Damaged,
    FolderTaken,
    NoComparison,
    NoPlan,
    UnknownChange,
    UnknownModel,
    UnknownSetting,
)
from wiesel.jobs import compare as job
from wiesel.jobs.compare import DOCUMENT, compare, show
from wiesel.recipe import DataChoice, Training
from wiesel.reports.comparison import html
from wiesel.runs.documents import to_json


@pytest.fixture(autouse=True)
def english(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("WIESEL_LANG", "en")
    monkeypatch.chdir(tmp_path)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Thirty pictures without a test split."""
    place, rng = tmp_path_factory.mktemp("pictures") / "noise", np.random.default_rng(0)
    for number in range(30):
        path = place / ("a", "b")[number % 2] / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(0, 255, (12, 12), dtype=np.uint8)).save(path)
    return place


def made(place: Path) -> Path:
    """A folder with a verdict over outcomes that nobody trained."""
    chance = np.random.default_rng(0)
    arms = (
        arm("plain", chance.random((3, 500)) < 0.70, [60, 61, 62]),
        arm("residual", chance.random((3, 500)) < 0.90, [60, 61, 62]),
        arm("wide", chance.random((3, 500)) < 0.71, [60, 61, 62]),
    )
    found = judge(Outcomes(arms, labels=np.zeros(500, np.int64), classes=("all",)), Rules())
    said = {speaker: small_print(found, comparisons=1, tta=False, reader=speaker) for speaker in ("en", "de")}
    place.mkdir()
    (place / DOCUMENT).write_bytes(to_json({**document(found), "small_print": said}))
    return place


def test_few_pictures_without_a_test_split_are_divided_anew_for_each_run(folder: Path) -> None:
    plan, _ = job._plan(["lenet5", "simple_cnn"], folder, epochs=2, margin=None, plan=None, output=None, data_dir=None)
    assert plan.divisions == "redrawn"
    assert plan.training.epochs == 2
    plan, whole = job._plan(["lenet5", "simple_cnn"], None, epochs=None, margin=0.01, plan=None, output=None, data_dir=None)
    assert whole.test is not None
    assert (plan.divisions, plan.data.source, plan.rules.margin) == ("fixed", "fashion-mnist-sample", 0.01)
    assert plan.augmentation.flip  # clothes may be mirrored


def test_the_fairness_page_shows_what_the_arms_do_not_share(monkeypatch: pytest.MonkeyPatch) -> None:
    arms = (PlannedArm(model="simple_cnn"), PlannedArm(model="simple_cnn:activation=sigmoid", settings={"rate": 0.02}))
    plan, whole = job._plan((), None, epochs=None, margin=None, plan=Plan(arms=arms), output=None, data_dir=None)
    burdens = job._burdens(plan, whole)
    assert burdens[0].parameters == burdens[1].parameters > 0
    assert burdens[0].macs == burdens[1].macs > 0
    page = fairness_page(burdens, plan)
    assert page[0] == "What the arms do not share:"
    assert page[2].endswith("none")
    assert page[3].endswith("rate=0.02")
    assert f"{plan.training.epochs} epochs (not seconds)" in page[4]
    assert "adamw, batches of 64" in page[5]
    once = Plan(arms=arms, training=Training(epochs=1))
    assert "1 epoch (not seconds)" in fairness_page(burdens, once)[4]
    monkeypatch.setenv("WIESEL_LANG", "de")
    assert "1 Epoche (nicht Sekunden)" in fairness_page(burdens, once)[4]


def test_the_same_plan_has_the_same_folder_and_another_plan_another(folder: Path) -> None:
    arms = (PlannedArm(model="lenet5"), PlannedArm(model="simple_cnn"))
    plan = Plan(arms=arms, data=DataChoice(source=str(folder)))
    first = job._folder(plan, None)
    assert first == (Path("compare") / "noise-lenet5-vs-simple_cnn").resolve()
    first.mkdir(parents=True)
    Ledger(first).begin(plan, data="a" * 64)
    assert job._folder(plan, None) == first
    other = Plan(arms=arms, data=DataChoice(source=str(folder)), rules=Rules(margin=0.5))
    assert fingerprint(other) != fingerprint(plan)
    assert job._folder(other, None).name == f"{first.name}-2"


def test_what_cannot_be_carried_out_is_refused_before_a_folder_is_made(folder: Path) -> None:
    arms = (PlannedArm(model="lenet5"), PlannedArm(model="simple_cnn"))
    with pytest.raises(BadValue, match="two networks or more"):
        compare()
    with pytest.raises(BadValue, match="2 to 10 arms"):
        compare(["lenet5"], folder)
    with pytest.raises(BadValue, match="without arms"):
        compare(["lenet5", "simple_cnn"], plan=Plan(arms=arms))
    with pytest.raises(BadValue, match="part of the plan's file"):
        compare(plan=Plan(arms=arms), epochs=3)
    with pytest.raises(BadValue, match=r"margin.*above 0"):
        compare(["lenet5", "simple_cnn"], folder, margin=0)
    with pytest.raises(BadValue, match="with a plan"):
        compare(["lenet5", "simple_cnn"], folder, full=True)
    with pytest.raises(BadValue, match="nothing to compare"):
        compare(plan=Plan(arms=(arms[0], PlannedArm(model="lenet5", name="twin")), data=DataChoice(source=str(folder))))
    with pytest.raises(UnknownChange, match="residual"):
        compare(["resnet20", "resnet20:residul=off"], folder)
    with pytest.raises(BadValue, match="bring their own test set"):
        compare(plan=Plan(arms=arms, divisions="redrawn"))
    with pytest.raises(UnknownModel, match="resnet18"):
        compare(["simple_cnn", "resnet81"], "fashion-mnist-sample")
    with pytest.raises(NoPlan, match="TOML"):
        compare(plan="nowhere.toml")
    with pytest.raises(NoPlan, match="Nearest: residual-depth"):
        compare(plan="residual-dept")
    (folder.parent / "mine.toml").write_text("", encoding="utf-8")
    with pytest.raises(NoPlan, match=r"Nearest: mine\.toml"):
        compare(plan=str(folder.parent / "mime.toml"))
    with pytest.raises(FolderTaken, match="not empty"):
        compare(plan=Plan(arms=arms), output=folder)
    assert not Path("compare").exists()


def test_a_folder_without_a_verdict_is_named(tmp_path: Path) -> None:
    made(tmp_path / "first")
    with pytest.raises(NoComparison, match="Nearest: first"):
        show(tmp_path / "frist")


def test_show_prints_the_sentence_first_then_the_numbers(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    place = made(tmp_path / "first")
    assert run(["compare", "--show", str(place)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("residual is clearly better: +")
    assert lines[1].startswith("wide: ")
    assert any(line.startswith("plain") for line in lines)
    assert "not other datasets" in lines[-2]


def test_show_speaks_german(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = made(tmp_path / "first")
    monkeypatch.setenv("WIESEL_LANG", "de")
    lines = verdict_page(show(place))
    assert lines[0].startswith("residual ist klar besser: +")
    assert "nicht andere Datensätze" in lines[-2]
    assert "%" in "".join(lines)


def test_show_as_json_has_the_promised_keys(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["compare", "--show", str(made(tmp_path / "first")), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert {"verdict", "difference", "interval", "margin", "runs", "more_runs", "arms"} <= found.keys()
    assert found["verdict"] == "better"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["resnet20", "--show", "first"], "arms = "),
        (["--plan", "residual-depth", "--show", "first"], "plan = 'residual-depth'"),
        (["--epochs", "3", "--show", "first"], "nothing beside --show"),
        (["--show", "first", "--json", "--markdown"], "not both"),
        (["--show", "other"], "lacks sentence, small_print, verdict"),
    ],
)
def test_show_shows_and_does_nothing_else(
    words: list[str], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("WIESEL_LANG", "en")
    monkeypatch.chdir(tmp_path)
    made(tmp_path / "first")
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / DOCUMENT).write_text("{}")
    assert run(["compare", *words]) in (1, 2)
    error = capsys.readouterr().err
    assert said in error
    assert "Traceback" not in error


def places(tree: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The keys that lead to everything in a tree of JSON; of a list, to its first two entries."""
    for key in tree if isinstance(tree, dict) else range(len(tree[:2])) if isinstance(tree, list) else ():
        yield (*at, key)
        yield from places(tree[key], (*at, key))


def test_a_damaged_verdict_is_shown_or_named_whatever_is_missing_or_wrong(tmp_path: Path) -> None:
    whole = example()
    (tmp_path / "first").mkdir()
    named = 0
    for place in places(whole):
        for wrong in ("missing", "word"):
            mended = copy.deepcopy(whole)
            *way, last = place
            inner = functools.reduce(lambda tree, key: tree[key], way, mended)
            if wrong == "missing":
                del inner[last]
            else:
                inner[last] = wrong
            (tmp_path / "first" / DOCUMENT).write_bytes(to_json(mended))
            try:
                found = show(tmp_path / "first")
            except Damaged:
                named += 1
            else:
                verdict_page(found)
                found.to_markdown()
                html(found.document, lang="de")
    assert named > 50
    del whole["arms"][1]["accuracies"]
    (tmp_path / "first" / DOCUMENT).write_bytes(to_json(whole))
    with pytest.raises(Damaged, match=r"(?s)first.*comparison\.json.*`accuracies`.*arms\[1\]"):
        show(tmp_path / "first")


def test_damaged_rows_of_the_ledger_and_the_index_are_passed_over(tmp_path: Path) -> None:
    plan = Plan(arms=(PlannedArm(model="lenet5"), PlannedArm(model="simple_cnn")))
    wanted = cells(plan, data="0" * 64, program="1")
    ledger = Ledger(tmp_path / "first")
    ledger.folder.mkdir()
    ledger.begin(plan, data="0" * 64)
    ledger.looked(plan, 1, [[cell.key] for cell in wanted[:2]])
    before = ledger.rows("plan")
    kinds = ("cell", "look", "plan", "start", "process", "died", "done", "reused")
    for path in (ledger.index, ledger.rows_file):
        with path.open("a", encoding="utf-8") as file:
            for kind in kinds:
                file.write(json.dumps({"kind": kind}) + "\n")
                wrong = {name: [1] for name in ("key", "path", "plan", "sha256", "data", "arms", "cell", "folder", "pid", "said")}
                file.write(json.dumps({"kind": kind, **wrong}) + "\n")
    assert ledger.rows("plan", "process", "died", "done", "reused", "look") == before
    assert ledger.known() == {}
    assert ledger.comparisons() == 1
    assert not ledger.seen_before(plan, wanted)
    assert ledger.seen_before(replace(plan, first_seed=1), wanted)


def test_a_mistake_in_a_plan_is_named_with_its_place_and_the_nearest_key(tmp_path: Path) -> None:
    plan = tmp_path / "plan.toml"
    plan.write_text('[[arms]]\nmodel = "lenet5"\n[[arms]]\nmodel = "lenet5:kernel=3"\n[training]\nepoch = 3\n', encoding="utf-8")
    with pytest.raises(UnknownSetting, match=r"(?s)epoch.*plan\.toml \[training\].*epochs"):
        compare(plan=plan)
    plan.write_text('[[arms]]\nmodle = "lenet5"\n', encoding="utf-8")
    with pytest.raises(UnknownSetting, match=r"(?s)modle.*plan\.toml \[\[arms\]\] 1.*model"):
        compare(plan=plan)


def test_show_writes_the_page_and_markdown_is_a_document(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    place = made(tmp_path / "first")
    assert run(["compare", "--show", str(place)]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == str(place / "comparison.html")
    assert "residual is clearly better" in (place / "comparison.html").read_text(encoding="utf-8")
    assert run(["compare", "--show", str(place), "--markdown"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "# 2 networks against plain"
    assert lines[2].startswith("**residual is clearly better: +")
    assert sum(line.startswith("| ") for line in lines) == 4  # titles and three arms


def test_a_mistake_on_the_command_line_is_one_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["compare", "lenet5"]) == 2
    assert capsys.readouterr().err.startswith("wiesel: arms")
    assert run(["compare", "--show", "nowhere"]) == 1
    assert "nowhere" in capsys.readouterr().err


def test_a_plan_that_comes_with_wiesel_is_asked_for_by_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    false = shutil.which("false")
    if false is None:
        pytest.skip("there is no command `false` here")
    monkeypatch.setattr(sys, "executable", false)
    monkeypatch.setattr("wiesel.comparison.campaign.RETRIES", 0)
    with pytest.raises(CellsFailed, match="wiesel compare --output compare/label-smoothing"):
        compare(plan="label-smoothing", jobs=8)
    ledger = Ledger(Path("compare") / "label-smoothing")
    assert ledger.command == "wiesel compare --plan label-smoothing"
    assert read(ledger.plan) == named("label-smoothing")
    assert job._folder(named("label-smoothing", full=True), None, "label-smoothing-full").name == "label-smoothing-full"
