"""Power cuts: whatever unflushed is lost, what was called saved is there, and nothing half-made is taken for whole."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import torch
from failing_disc import replaced_os
from lost_writes import Image, Recorder, build, images_after_power_cuts

from wiesel.errors import WieselError
from wiesel.runs import checkpoints
from wiesel.runs.folder import RunFolder
from wiesel.runs.manifest import verify

STEPS = (1, 2, 3, 4)


def tensors(step: int) -> dict[str, torch.Tensor]:
    return {"weight": torch.full((40,), float(step)), "steps": torch.tensor(step)}


def evaluation(step: int) -> dict[str, list[int]]:
    return {"steps": [step] * 50}


@pytest.fixture
def recorded(fast: Path) -> Recorder:
    """A run of four checkpoints (so that old ones are dropped twice), its documents written and written anew."""
    top = fast / "recorded"
    top.mkdir()
    with replaced_os(Recorder(top)) as recorder:
        run = RunFolder.create(top / "run")
        for step in STEPS:
            run.record("train", step, loss=1 / step)
            recorder.done(f"row {step}")
            checkpoints.save(run, step, model=tensors(step), optimizer=tensors(-step), state={"step": step})
            recorder.done(f"save {step}")
            run.write_evaluation(evaluation(step))
            recorder.done(f"evaluation {step}")
    return recorder


def complaint(image: Image, done: list[str], top: Path) -> str | None:
    """What is wrong with this disc, if anything."""
    last = {what: max((int(d.split()[1]) for d in done if d.startswith(what)), default=0) for what in ("row", "save", "evaluation")}
    build(image, top)
    run = RunFolder(top / "run")
    try:
        found = checkpoints.newest(run)
        rows = run.history()
        if (0 if found is None else found.step) < last["save"]:
            return f"checkpoint {last['save']} was reported as saved, and the newest is {found}"
        if found is not None:
            if found.skipped:
                return f"damaged folders under the name of a checkpoint: {found.skipped}"
            if not torch.equal(found.model()["weight"], tensors(found.step)["weight"]) or found.state() != {"step": found.step}:
                return "another checkpoint's content"
        for folder in run.checkpoints.glob("step-*"):
            verify(folder, required=checkpoints.FILES)
        said = [row["step"] for row in rows if row["kind"] == "commit"]
        if max(said, default=0) > (0 if found is None else found.step):
            return "the log says saved, and it is not"
        if [row["step"] for row in rows if row["kind"] == "train"][: last["row"]] != list(range(1, last["row"] + 1)):
            return "rows were lost"
        document = json.loads(run.evaluation.read_bytes()) if run.evaluation.exists() else {"steps": [0] * 50}
        if document["steps"][0] < last["evaluation"] or document != evaluation(document["steps"][0]):
            return "the evaluation is older than reported"
    except (WieselError, ValueError, OSError) as error:
        return repr(error)
    return None


def complaints(recorder: Recorder, top: Path, *, stop_at_first: bool = False, **settings) -> tuple[int, list[str]]:
    number, found = 0, []
    for image, done in images_after_power_cuts(recorder.steps, recorder.root, seed=20261122, **settings):
        place = top / f"image-{number}"
        place.mkdir()
        number += 1
        if wrong := complaint(image, done, place):
            found.append(f"{wrong} (done: {done})")
        shutil.rmtree(place)
        if found and stop_at_first:
            break
    return number, found


def test_after_any_power_cut_everything_reported_as_saved_is_there_and_whole(recorded, fast):
    number, found = complaints(recorded, fast)
    assert found == []
    assert number >= 500, number


FLUSHES = {
    "a checkpoint's files": lambda path: (
        ".tmp-" in path and path.endswith(("model.safetensors", "optimizer.safetensors", "state.json"))
    ),
    "a checkpoint's manifest": lambda path: path.endswith("MANIFEST.json"),
    "the temporary folder": lambda path: path.startswith("run/checkpoints/.tmp-") and path.count("/") == 2,
    "the folder of checkpoints": lambda path: path == "run/checkpoints",
    "the history": lambda path: path.endswith("events.jsonl"),
    "a document": lambda path: path.startswith("run/.tmp-"),
    "the run folder": lambda path: path == "run",
    "the folder of runs": lambda path: path == ".",
}


@pytest.mark.parametrize("flush", FLUSHES)
def test_no_flush_could_be_left_out(recorded, fast, flush):
    """The proof that the test above can fail: pretend that one kind of flush did not happen."""
    assert any(FLUSHES[flush](step.what) for step in recorded.steps if step.kind == "flush"), "there is no such flush"
    _, found = complaints(recorded, fast, stop_at_first=True, ignore_flush=FLUSHES[flush])
    assert found != []
