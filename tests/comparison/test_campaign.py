"""A whole campaign of real trainings, whose driver is killed, stopped, and robbed of a training; and what its folder says afterwards.

One campaign serves most tests here. Each driver and each training is a process of its own; see `forking` for why they start quickly.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

import numpy as np
import pytest
from PIL import Image

from tests.comparison.forking import hold, let_go, preloaded
from wiesel.comparison import Plan, PlannedArm, Rules, fingerprint, from_toml, to_toml
from wiesel.comparison.campaign import RETRIES, Campaign, progress
from wiesel.comparison.cells import Result, cells, key_of, outcomes, result, state
from wiesel.comparison.ledger import Ledger
from wiesel.errors import BadValue, CellsFailed, OtherPicturesThanPlanned, OtherPlan, OtherTestPictures
from wiesel.evaluation.predictions import Predictions
from wiesel.jobs.compare import compare, show
from wiesel.jobs.program import program
from wiesel.recipe import DataChoice, Training
from wiesel.runs import events
from wiesel.runs.folder import RunFolder

RULES = Rules(margin=0.05, looks=(2, 3), alphas=(0.02, 0.03), cap=3)


def pictures(place: Path) -> Path:
    rng = np.random.default_rng(0)
    for split, count in (("train", 90), ("test", 60)):
        for number in range(count):
            label = number % 3
            pixels = rng.integers(0, 90, (12, 12), dtype=np.uint8)
            pixels[:, 4 * label : 4 * label + 4] += 120
            path = place / split / ("left", "middle", "right")[label] / f"{number:03}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(pixels).save(path)
    return place


def plan_for(source: Path, rules: Rules = RULES, **changed: object) -> Plan:
    facts: dict[str, object] = {
        "arms": (
            PlannedArm(model="simple_cnn", settings={"rate": 1e-9}, name="asleep"),
            PlannedArm(model="simple_cnn", name="awake"),
        ),
        "data": DataChoice(source=str(source)),
        "training": Training(epochs=1, batch=16, precision="fp32", threads=1),
        "rules": rules,
    }
    return Plan(**(facts | changed))  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def python() -> Iterator[Path]:
    """What stands for the interpreter here."""
    with tempfile.TemporaryDirectory() as place, preloaded(Path(place), program()) as client:
        yield client


@pytest.fixture(autouse=True)
def trainings_start_quickly(monkeypatch: pytest.MonkeyPatch, python: Path) -> None:
    monkeypatch.setattr(sys, "executable", str(python))


def driver(python: Path | str, folder: Path, *arguments: str, stderr: IO[str] | int = subprocess.PIPE) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [str(python), "-m", "wiesel", "compare", "--output", str(folder), "--jobs", "1", *arguments],
        stdout=subprocess.PIPE,
        stderr=stderr,
        text=True,
        env={**os.environ, "WIESEL_LANG": "en", "OMP_NUM_THREADS": "1"},
    )


def wait_for(happened: Callable[[], bool], process: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + 240
    while not happened():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return pictures(tmp_path_factory.mktemp("pictures") / "stripes")


@pytest.fixture(scope="module")
def ended(source: Path, python: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[tuple[int, str, str]]]:
    """The folder of a campaign with three sittings, and how each of them ended."""
    folder = tmp_path_factory.mktemp("compare") / "first"
    (folder.parent / "plan.toml").write_text(to_toml(plan_for(source)), encoding="utf-8")
    ledger = Ledger(folder)
    sittings = []

    hold(python, "awake-seed0")
    first = driver(python, folder, "--plan", str(folder.parent / "plan.toml"))
    wait_for(lambda: len(ledger.rows("process")) == 2, first)
    first.kill()  # its second training lives on
    sittings.append((first.wait(), *first.communicate()))

    with (folder.parent / "second.txt").open("w+", encoding="utf-8") as told:
        second = driver(python, folder, stderr=told)
        wait_for(lambda: "earlier sitting" in Path(told.name).read_text(encoding="utf-8"), second)
        hold(python, "asleep-seed1")
        wait_for(lambda: len(ledger.rows("process")) == 3, second)
        second.send_signal(signal.SIGTERM)
        hold(python, "awake-seed1")  # asleep-seed1 goes on, as far as the signal lets it
        sittings.append((second.wait(), second.communicate()[0], Path(told.name).read_text(encoding="utf-8")))

    hold(python, "-seed")
    begun = len(ledger.rows("process"))
    third = driver(python, folder, "--json")
    wait_for(lambda: len(ledger.rows("process")) == begun + 1, third)
    os.kill(ledger.rows("process")[-1]["pid"], signal.SIGKILL)
    wait_for(lambda: len(ledger.rows("died")) == 1, third)
    let_go(python)
    out, err = third.communicate(timeout=300)
    sittings.append((third.returncode, out, err))
    return folder, sittings


Ended = tuple[Path, list[tuple[int, str, str]]]


def test_each_sitting_ends_as_it_was_made_to(ended: Ended) -> None:
    codes = [code for code, _, _ in ended[1]]
    assert codes == [-signal.SIGKILL, 128 + signal.SIGTERM, 0]
    assert "Go on with: wiesel compare --output" in ended[1][1][2]
    assert "still in training from an earlier sitting" in ended[1][1][2]


def test_no_cell_is_repeated_or_skipped(ended: Ended, source: Path) -> None:
    ledger = Ledger(ended[0])
    found = json.loads(ended[1][2][1])
    wanted = [cell for cell in cells(plan_for(source), data="", program="") if cell.run < found["runs"]]
    assert Counter(row["cell"] for row in ledger.rows("done")) == Counter(cell.name for cell in wanted)
    for cell in wanted:
        rows = events.rows(ledger.cells / cell.name / "events.jsonl")
        kinds = Counter(row["kind"] for row in rows)
        assert [kinds[kind] for kind in ("start", "train", "epoch", "end", "look")] == [1, 5, 1, 1, 1]
    # The first had ended before the driver was killed, the second outlived it: neither was started again.
    started = Counter(row["cell"] for row in ledger.rows("start"))
    assert (started["asleep-seed0"], started["awake-seed0"]) == (1, 1)


def test_cells_are_interleaved_and_seeds_shared(ended: Ended) -> None:
    names = list(dict.fromkeys(row["cell"] for row in Ledger(ended[0]).rows("start")))
    assert names[:4] == ["asleep-seed0", "awake-seed0", "asleep-seed1", "awake-seed1"]


def test_a_cell_whose_process_is_killed_is_trained_again(ended: Ended) -> None:
    ledger = Ledger(ended[0])
    (died,) = ledger.rows("died")
    assert died["code"] == -signal.SIGKILL
    assert state(ledger.cells / died["cell"]) == "finished"
    assert ledger.rows("failed") == []


def test_the_verdict_has_everything_that_its_numbers_come_from(ended: Ended, source: Path) -> None:
    found = json.loads(ended[1][2][1])
    assert found == {**json.loads((ended[0] / "comparison.json").read_text(encoding="utf-8")), "folder": str(ended[0])}
    assert found["verdict"] in ("better", "worse", "same", "undecided", "test_set_too_small")
    assert not found["exploratory"]
    assert found["margin"] == 0.05
    assert found["plan"] == fingerprint(plan_for(source)) == (ended[0] / "plan.sha256").read_text(encoding="utf-8").strip()
    assert len(found["cells"]) == 2 * found["runs"]
    for cell in found["cells"]:
        evaluated = json.loads((ended[0] / cell["run"] / "evaluation.json").read_text(encoding="utf-8"))
        (arm,) = [arm for arm in found["arms"] if arm["name"] == cell["arm"]]
        assert evaluated["accuracy"]["value"] == pytest.approx(arm["accuracies"][arm["seeds"].index(cell["seed"])])


def test_show_says_the_same_without_training(ended: Ended) -> None:
    assert show(ended[0]).sentence()
    assert show(ended[0]).to_json() == {**json.loads(ended[1][2][1])}


def copied(ended: Ended, place: Path) -> Path:
    shutil.copytree(ended[0].parent, place / "compare")
    return place / "compare" / ended[0].name


def test_the_same_plan_again_trains_nothing_and_says_the_same(ended: Ended, tmp_path: Path, source: Path) -> None:
    folder = copied(ended, tmp_path)
    before = Ledger(folder).rows()
    again = compare(plan=plan_for(source), output=folder)
    assert Ledger(folder).rows() == before
    assert again.document == show(ended[0]).document


def test_a_plan_changed_after_its_first_run_is_exploratory(ended: Ended, tmp_path: Path, source: Path) -> None:
    folder = copied(ended, tmp_path)
    text = (folder / "plan.toml").read_text(encoding="utf-8")
    assert "margin = 0.05" in text
    (folder / "plan.toml").write_text(text.replace("margin = 0.05", "margin = 0.9"), encoding="utf-8")
    changed = compare(output=folder)
    assert changed.document["exploratory"]
    assert changed.document["margin"] == 0.9
    verdict = (folder / "comparison.json").read_bytes()
    with pytest.raises(OtherPlan, match=r"plan\.toml"):  # one by mistake loses nothing
        compare(plan=plan_for(source), output=folder)
    assert (folder / "comparison.json").read_bytes() == verdict
    (folder / "plan.toml").write_text(text, encoding="utf-8")
    assert compare(output=folder).document["exploratory"]  # changing it back does not undo it


def test_another_plan_uses_the_same_cells_and_is_exploratory_if_they_were_judged(
    ended: Ended, tmp_path: Path, source: Path
) -> None:
    folder = copied(ended, tmp_path)
    rules = Rules(margin=0.9, looks=(2,), alphas=(0.05,), cap=2)
    other = compare(plan=plan_for(source, rules), output=folder.parent / "other")
    ledger = Ledger(folder.parent / "other")
    assert ledger.rows("start") == []
    assert next(row["path"] for row in ledger.rows("reused")) == "../first/cells/asleep-seed0"
    assert other.document["exploratory"]
    assert other.document["comparisons"] == 2
    assert [arm["accuracies"] for arm in other.document["arms"]] == [arm["accuracies"][:2] for arm in show(folder).document["arms"]]


def test_a_run_that_was_trained_but_not_evaluated_goes_on_there(ended: Ended, tmp_path: Path, source: Path) -> None:
    folder = copied(ended, tmp_path)
    cell = folder / "cells" / "awake-seed1"
    (cell / "predictions" / "test.npz").unlink()
    assert state(cell) == "begun"
    again = compare(plan=plan_for(source), output=folder)
    assert Ledger(folder).rows("start")[-1]["resumed"]
    kinds = Counter(row["kind"] for row in events.rows(cell / "events.jsonl"))
    assert (kinds["train"], kinds["look"]) == (5, 1)
    assert again.document["arms"] == show(ended[0]).document["arms"]


def test_a_run_that_diverged_counts_with_every_picture_wrong(ended: Ended, tmp_path: Path, source: Path) -> None:
    folder = copied(ended, tmp_path)
    lost = folder / "cells" / "awake-seed1"
    (lost / "MANIFEST.json").unlink()
    events.append(lost / "events.jsonl", "not_finite", 3)
    assert state(lost) == "diverged"
    wanted = [cell for cell in cells(plan_for(source), data="", program="") if cell.run < 2]
    seen = outcomes(plan_for(source), [(cell, result(folder / "cells" / cell.name)) for cell in wanted], pictures=90)
    assert seen.arms[1].diverged.tolist() == [False, True]
    assert seen.arms[1].accuracies[1] == 0.0
    assert seen.arms[0].accuracies.tolist() == show(ended[0]).document["arms"][0]["accuracies"][:2]


def test_equal_seconds_are_timed_once_and_stay(tmp_path: Path, source: Path) -> None:
    rules = Rules(margin=0.05, looks=(2,), alphas=(0.05,), cap=2)
    plan = plan_for(
        source,
        rules,
        budget="seconds",
        training=Training(epochs=8, batch=16, precision="fp32", threads=1),
        arms=(PlannedArm(model="simple_cnn"), PlannedArm(model="simple_cnn:kernel=5", name="other")),
    )
    folder = tmp_path / "compare" / "timed"
    found = compare(plan=plan, output=folder, jobs=2)
    ledger = Ledger(folder)
    assert [row["cell"] for row in ledger.rows("start")][:2] == ["simple_cnn-timing", "other-timing"]
    written = json.loads((folder / "calibration.json").read_text(encoding="utf-8"))
    assert [one["epochs"] for one in found.document["fairness"]] == written["epochs"]
    assert written["epochs"][0] == 8  # as long as the first arm takes for its eight epochs
    assert found.document["budget"]["seconds"] == written["seconds"] == 8 * written["per_epoch"][0]
    for cell in found.document["cells"]:
        ran = RunFolder(folder / cell["run"]).read_recipe().training.epochs
        assert ran == written["epochs"][("simple_cnn", "other").index(cell["arm"])]
    before = ledger.rows()
    assert compare(plan=plan, output=folder).document == found.document
    assert ledger.rows() == before
    assert not found.document["exploratory"]


# --- without training ----------------------------------------------------------------------------------------------------


def test_a_cell_that_keeps_dying_is_tried_four_times_and_named(
    tmp_path: Path, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    false = shutil.which("false")
    if false is None:
        pytest.skip("there is no command `false` here")
    monkeypatch.setattr(sys, "executable", false)
    plan, ledger = plan_for(source), Ledger(tmp_path / "one")
    ledger.folder.mkdir()
    ledger.begin(plan, data="0" * 64)
    all_cells = cells(plan, data="0" * 64, program="1")
    campaign = Campaign(ledger, all_cells, jobs=1, weights=[1, 1], command="")
    campaign.train(all_cells[:1])
    assert campaign.failed == [all_cells[0]]
    assert len(ledger.rows("died")) == 1 + RETRIES
    assert [row["cell"] for row in ledger.rows("failed")] == ["asleep-seed0"]
    assert campaign.places == {}


def test_a_cell_that_hangs_is_ended_after_the_time_limit_and_named(
    tmp_path: Path, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hanging = tmp_path / "hanging"
    hanging.write_text("#!/bin/sh\nexec sleep 600\n", encoding="utf-8")
    hanging.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(hanging))
    monkeypatch.setattr("wiesel.comparison.campaign.RETRIES", 1)
    monkeypatch.setenv("WIESEL_LANG", "en")
    plan, ledger = plan_for(source), Ledger(tmp_path / "one")
    ledger.folder.mkdir()
    ledger.begin(plan, data="0" * 64)
    all_cells = cells(plan, data="0" * 64, program="1")
    campaign = Campaign(ledger, all_cells, jobs=1, weights=[1, 1], command="", time_limit=0.3)
    campaign.train(all_cells[:1])
    assert campaign.failed == [all_cells[0]]
    died = ledger.rows("died")
    assert [row["attempt"] for row in died] == [1, 2]
    assert all("no sign of life" in row["said"] for row in died)
    assert not any(_alive(row["pid"]) for row in ledger.rows("process"))


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_how_far_a_run_is_can_be_read_from_its_history(tmp_path: Path) -> None:
    assert progress(tmp_path) == 0
    events.append(tmp_path / "events.jsonl", "start", 0, epochs=2, steps=40)
    assert progress(tmp_path) == 0
    events.append(tmp_path / "events.jsonl", "train", 10, loss=1.0)
    assert progress(tmp_path) == 0.25


def test_runs_on_other_test_pictures_are_refused_with_the_reason(source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WIESEL_LANG", "en")
    plan = plan_for(source)
    wanted = [cell for cell in cells(plan, data="a", program="1") if cell.run < 2]

    def answered(first: int) -> Result:
        names = np.array([f"test/{first + i}" for i in range(6)])
        return Result(
            Predictions(np.eye(3, dtype=np.float32)[[0, 1, 2] * 2], np.array([0, 1, 2] * 2), names), ("a", "b", "c"), 9, 1.0, False
        )

    assert outcomes(plan, [(cell, answered(0)) for cell in wanted], pictures=90).arms[1].accuracies.tolist() == [1, 1]
    with pytest.raises(OtherTestPictures, match=r"'awake'.*only be compared on the same ones"):
        outcomes(plan, [(cell, answered(cell.arm)) for cell in wanted], pictures=90)


def test_a_comparison_with_failed_cells_names_them_and_pads_nothing(
    tmp_path: Path, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    false = shutil.which("false")
    if false is None:
        pytest.skip("there is no command `false` here")
    monkeypatch.setattr(sys, "executable", false)
    monkeypatch.setenv("WIESEL_LANG", "en")
    with pytest.raises(CellsFailed, match="4 runs failed and are not replaced") as failure:
        compare(plan=plan_for(source), output=tmp_path / "one", jobs=4)
    assert set(failure.value.cells.split(", ")) == {"asleep-seed0", "awake-seed0", "asleep-seed1", "awake-seed1"}
    assert not (tmp_path / "one" / "comparison.json").exists()


def test_a_plan_may_change_until_its_first_run(tmp_path: Path, source: Path) -> None:
    ledger = Ledger(tmp_path / "one")
    ledger.folder.mkdir()
    ledger.begin(plan_for(source), data="a" * 64)
    later = plan_for(source, Rules(margin=0.5))
    ledger.begin(later, data="a" * 64)
    assert ledger.planned == fingerprint(later)
    assert not ledger.changed
    assert from_toml(ledger.plan.read_text(encoding="utf-8")) == later
    ledger.note("start", cell="x")
    ledger.begin(plan_for(source), data="a" * 64)
    assert ledger.changed
    with pytest.raises(OtherPicturesThanPlanned):
        ledger.begin(plan_for(source), data="b" * 64)


def test_a_fingerprint_that_was_written_anew_gives_the_change_away(tmp_path: Path, source: Path) -> None:
    ledger = Ledger(tmp_path / "one")
    ledger.folder.mkdir()
    ledger.begin(plan_for(source), data="a" * 64)
    ledger.note("start", cell="x")
    assert not ledger.changed
    (ledger.folder / "plan.sha256").write_text("f" * 64, encoding="utf-8")
    assert ledger.changed


def test_runs_are_seen_before_only_if_another_plan_judged_two_of_the_arms(tmp_path: Path, source: Path) -> None:
    ledger = Ledger(tmp_path / "one")
    ledger.folder.mkdir()
    plan = plan_for(source)
    mine = cells(plan, data="a" * 64, program="1")
    assert not ledger.seen_before(plan, mine)
    ledger.looked(plan, 1, [[cell.key for cell in mine if cell.arm == arm] for arm in (0, 1)])
    assert not ledger.seen_before(plan, mine)  # its own look
    third = plan_for(source, Rules(margin=0.5))
    ledger.looked(third, 1, [[mine[0].key], ["some other arm"]])
    assert not ledger.seen_before(plan, mine)  # the baseline may serve again
    ledger.looked(third, 2, [[mine[0].key], [mine[1].key]])
    assert ledger.seen_before(plan, mine)
    assert ledger.comparisons() == 2


def test_a_key_names_what_is_trained_on_which_pictures_with_which_program(source: Path) -> None:
    recipe = cells(plan_for(source), data="a", program="1")[0].recipe
    elsewhere = cells(plan_for(source / "elsewhere"), data="a", program="1")[0].recipe
    assert key_of(recipe, data="a", program="1") == key_of(elsewhere, data="a", program="1")
    assert key_of(recipe, data="a", program="1") != key_of(recipe, data="b", program="1")
    assert key_of(recipe, data="a", program="1") != key_of(recipe, data="a", program="2")
    keys = [cell.key for cell in cells(plan_for(source), data="a", program="1")]
    assert len(keys) == len(set(keys)) == 6


def test_two_arms_that_are_the_same_design_are_refused(source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WIESEL_LANG", "en")
    twins = (PlannedArm(model="simple_cnn", name="a"), PlannedArm(model="simple_cnn", name="b"))
    with pytest.raises(BadValue, match="different designs"):
        cells(plan_for(source, arms=twins), data="a", program="1")
