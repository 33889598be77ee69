"""A run that is killed, interrupted or out of room at any moment of a save: nothing that was saved is lost."""

from __future__ import annotations

import os
import random
import select
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest
import torch
from failing_disc import FAULTS, FailingOs, Killed, replaced_os

from wiesel.errors import CannotSave
from wiesel.runs import RunFolder
from wiesel.runs.checkpoints import newest, resume, save
from wiesel.runs.commit import append_line, commit_folder, put, write_file

pytestmark = pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")


def model(step: int) -> dict[str, torch.Tensor]:
    return {"weight": torch.full((64,), float(step))}


def saved(run: RunFolder, step: int) -> None:
    save(run, step, model=model(step), optimizer={"m": torch.full((64,), -float(step))}, state={"step": step})


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def assert_whole(run: RunFolder, *steps: int, where: str) -> int:
    """The newest checkpoint is one of `steps`, complete and of one piece, and nothing damaged has a checkpoint's name."""
    found = newest(run)
    assert found is not None, where
    assert found.skipped == (), where
    assert found.step in steps, where
    assert found.state() == {"step": found.step}, where
    assert torch.equal(found.model()["weight"], model(found.step)["weight"]), where
    assert torch.equal(found.optimizer()["m"], -model(found.step)["weight"]), where
    assert max(row["step"] for row in run.history() if row["kind"] == "commit") <= found.step, where
    return found.step


def test_every_failure_at_every_call_of_a_save_leaves_the_old_checkpoint_or_the_new(fast):
    template = RunFolder.create(fast / "template")
    saved(template, 1)
    saved(template, 2)
    previous = contents(template.checkpoints / "step-00000002")
    shutil.copytree(template.path, fast / "counted")
    with replaced_os(FailingOs()) as counting:
        saved(RunFolder(fast / "counted"), 3)  # which drops checkpoint 1
    calls = counting.calls
    assert {"mkdir", "open", "write", "fsync", "rename", "unlink", "rmdir"} <= set(calls)
    cases = 0
    for at in range(len(calls)):
        for fault in FAULTS:
            if fault.when == "half" and calls[at] != "write":
                continue
            cases += 1
            where = f"{fault} call {at} ({calls[at]})"
            run = RunFolder(fast / "run")
            shutil.copytree(template.path, run.path)
            done = False
            with replaced_os(FailingOs(at, fault)):
                try:
                    saved(run, 3)
                    done = True
                except (CannotSave, KeyboardInterrupt, Killed):
                    pass
            step = assert_whole(run, *([3] if done else [2, 3]), where=where)
            assert contents(run.checkpoints / "step-00000002") == previous, where
            if step == 2 and fault.error is not Killed and not fault.lasting:
                assert list(run.path.rglob(".tmp-*")) == [], where
            with run.lock():
                resumed = resume(run)
                assert resumed is not None
                assert resumed.step == step, where
                saved(run, 3)
                assert_whole(run, 3, where=where)
            assert sorted(p.name for p in run.checkpoints.iterdir()) == ["step-00000002", "step-00000003"], where
            shutil.rmtree(run.path)
    assert cases > 600, cases


def test_a_process_killed_20_times_in_the_middle_of_its_work_loses_nothing_it_reported(tmp_path):
    run = RunFolder.create(tmp_path / "run")
    chance = random.Random(20261122)
    reported = 0
    for kill in range(20):
        read, write = os.pipe()
        child = os.fork()
        if child == 0:
            try:
                with run.lock():  # the killed one before held it
                    begin = resume(run)
                    for step in range(begin.step + 1 if begin else 1, 10**6):
                        run.record("train", step, loss=1 / step)
                        saved(run, step)
                        os.write(write, b"%d\n" % step)
            finally:
                os._exit(3)
        os.close(write)
        with os.fdopen(read, "rb", buffering=0) as pipe:
            assert select.select([pipe], [], [], 30)[0], "the child did not get going"
            heard = pipe.read(4096)
            time.sleep(chance.random() * 0.06)
            os.kill(child, signal.SIGKILL)
            assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
            while more := pipe.read(4096):
                heard += more
        reported = max(reported, int(heard.split()[-1]))
        assert_whole(run, reported, reported + 1, where=f"kill {kill}")
    committed = [row["step"] for row in run.history() if row["kind"] == "commit"]
    assert committed == sorted(set(committed))
    assert set(range(1, reported + 1)) - set(committed) == set()
    with run.lock():
        resume(run)
    assert list(run.path.rglob(".tmp-*")) == []
    assert reported >= 20


@pytest.fixture
def small_disc(tmp_path: Path):
    """A disc of 1 MiB."""
    place = tmp_path / "disc"
    place.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "none", place], capture_output=True).returncode:
        pytest.skip("mounting is not allowed here; the file-size limit in test_commit.py stands in for it")
    yield place
    subprocess.run(["umount", place], check=True)


def fill(disc: Path, leaving: int) -> Path:
    """Take the room on `disc`, all but `leaving` bytes."""
    filler = disc / "filler"
    free = os.statvfs(disc).f_bavail * os.statvfs(disc).f_frsize
    filler.write_bytes(bytes(max(free - leaving, 0)))
    return filler


def test_a_full_disc_costs_nothing_that_was_saved_and_says_how_much_is_missing(small_disc, monkeypatch):
    monkeypatch.setenv("WIESEL_LANG", "en")
    run = RunFolder.create(small_disc / "run")
    saved(run, 1)
    saved(run, 2)
    previous = contents(run.checkpoints / "step-00000002")
    refusals: list[CannotSave] = []
    for pages in range(9):  # the room ends in turn at each file of the checkpoint, and at the row in the history
        filler = fill(small_disc, leaving=pages * 4096)
        try:
            saved(run, 3)
        except CannotSave as error:
            refusals.append(error)
            assert list(run.path.rglob(".tmp-*")) == []
        assert contents(run.checkpoints / "step-00000002") == previous
        assert_whole(run, 2, 3, where=f"{pages} pages")
        filler.unlink()
    assert len(refusals) >= 3
    for number, error in enumerate(refusals):
        assert "No space left on device" in str(error)
        assert f"`wiesel train --resume {run.path}`" in str(error)
        assert error.needed > 0
        assert error.free <= number * 4096
    saved(run, 4)
    assert_whole(run, 4, where="after room was made")


def test_on_a_full_disc_documents_and_history_stay_as_they_were(small_disc):
    run = RunFolder.create(small_disc / "run")
    run.write_evaluation({"n": 1})
    for step in range(40):
        run.record("train", step, text="x" * 90)
    before = contents(run.path)
    filler = fill(small_disc, leaving=0)
    for act in (
        lambda: run.write_evaluation({"n": list(range(3000))}),
        lambda: write_file(run.report, bytes(10_000)),
        lambda: commit_folder(run.path / "new", lambda folder: put(folder / "x", bytes(5000))),
        lambda: [append_line(run.events, {"kind": "train", "step": 99, "text": "y" * 5000}) for _ in range(2)],
    ):
        with pytest.raises(CannotSave, match=r"No space left|Kein Platz"):
            act()
        assert list(run.path.rglob(".tmp-*")) == []
    after = contents(run.path)
    torn = after.pop("events.jsonl")
    assert torn.startswith(before.pop("events.jsonl"))
    assert after == before
    assert [row["step"] for row in run.history()] == list(range(40))
    filler.unlink()
    run.record("train", 40)
    assert [row["step"] for row in run.history()] == list(range(41))
