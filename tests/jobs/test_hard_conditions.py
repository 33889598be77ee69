"""Machines that have little: one core, no bfloat16, not enough memory; and several processes of which one dies."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests.jobs.test_train import command, make_folder, metrics
from wiesel.runs.folder import RunFolder

linux = pytest.mark.skipif(sys.platform != "linux", reason="limits of address space, affinity and /proc are Linux's")

POOR = """
import json, os, re, resource, sys
import wiesel.cli.train, wiesel.jobs.train, wiesel.reports, wiesel.training.fit
from wiesel.cli import run

data, runs = sys.argv[1:]
with open("/proc/self/status") as status:
    now = next(int(line.split()[1]) for line in status if line.startswith("VmSize")) * 1024
flags = ["--data", data, "--size", "64", "--model", "simple_cnn", "--epochs", "1"]
resource.setrlimit(resource.RLIMIT_AS, (now + 300 * 2**20, resource.RLIM_INFINITY))
first = run(["train", *flags, "--batch-size", "320", "--output", f"{runs}/large"])
with open(f"{runs}/large/events.jsonl") as rows:
    fits = json.loads(rows.readlines()[-1])["fits"]
print("SECOND", file=sys.stderr, flush=True)
second = run(["train", *flags, "--batch-size", str(fits), "--output", f"{runs}/fitting"])
resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
third = run(["train", "--resume", f"{runs}/large", "--quiet"])
print(json.dumps({"codes": [first, second, third], "fits": fits}))
"""


@pytest.fixture(scope="module")
def poor(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """A process on one core without bfloat16, which may take 300 MB more: a batch that is too large, then the one that it is told to
    take, then the first run again with as much memory as there is."""
    runs = tmp_path_factory.mktemp("runs")
    data = make_folder(tmp_path_factory.mktemp("pictures") / "stripes", count=420)
    core = min(os.sched_getaffinity(0))
    environment = {**os.environ, "ONEDNN_MAX_CPU_ISA": "AVX2", "WIESEL_LANG": "en", "MALLOC_ARENA_MAX": "1"}
    environment.pop("OMP_NUM_THREADS", None)
    done = subprocess.run(
        ["taskset", "-c", str(core), sys.executable, "-c", POOR, str(data), str(runs)],
        capture_output=True,
        text=True,
        env=environment,
        timeout=600,
        check=False,
    )
    assert done.stdout, done.stderr
    first, second = done.stderr.split("SECOND\n")
    return {**json.loads(done.stdout.splitlines()[-1]), "runs": runs, "first": first, "second": second}


@linux
def test_a_batch_that_finds_no_memory_is_refused_with_one_that_does(poor: dict[str, Any]) -> None:
    assert poor["codes"][:2] == [1, 0], poor["first"] + poor["second"]
    assert "Traceback" not in poor["first"]
    said = re.search(r"Memory ran out with 320 pictures per step\. (\d+) fit in the (0\.\d) GB that are free", poor["first"])
    assert said is not None, poor["first"]
    assert int(said[1]) == poor["fits"]
    assert 16 <= poor["fits"] < 320
    assert f"start again with --batch-size {poor['fits']}." in poor["first"]


@linux
def test_a_run_that_ran_out_of_memory_goes_on_where_there_is_enough(poor: dict[str, Any]) -> None:
    run = RunFolder.open(poor["runs"] / "large")
    assert poor["codes"][2] == 0
    assert run.state == "finished"
    run.check()
    assert [row["kind"] for row in run.history()][:2] == ["start", "out_of_memory"]


@linux
def test_without_bfloat16_training_is_in_float32_and_says_so_once(poor: dict[str, Any]) -> None:
    assert poor["second"].count("no bfloat16 instructions: training is in float32") == 1
    assert RunFolder.open(poor["runs"] / "fitting").read_provenance()["settled"]["precision"] == "fp32"


@linux
def test_one_core_works_with_one_thread(poor: dict[str, Any]) -> None:
    assert RunFolder.open(poor["runs"] / "fitting").read_provenance()["settled"]["threads"] == 1


# --- several processes ---------------------------------------------------------------------------------------------------


def flags(folder: Path, run: Path, **settings: object) -> list[str]:
    chosen = {
        "data": folder,
        "model": "simple_cnn",
        "epochs": 2,
        "batch-size": 16,
        "precision": "fp32",
        "threads": 1,
        "output": run,
    }
    return ["train", "-q", *(word for name, value in {**chosen, **settings}.items() for word in (f"--{name}", str(value)))]


class Running:
    """`wiesel train --processes 2`, after its first steps."""

    def __init__(self, folder: Path, run: Path) -> None:
        environment = {**os.environ, "WIESEL_LANG": "en", "OMP_NUM_THREADS": "1"}
        words = flags(folder, run, processes=2, epochs=2000)
        self.process = subprocess.Popen(
            [sys.executable, "-m", "wiesel", *words], env=environment, stderr=subprocess.PIPE, text=True, start_new_session=True
        )
        rows = run / "events.jsonl"
        until = time.monotonic() + 300
        while time.monotonic() < until and not (rows.exists() and b'"epoch"' in rows.read_bytes()):
            assert self.process.poll() is None, self.process.stderr.read() if self.process.stderr else ""
            time.sleep(0.05)
        self.helpers = [int(pid) for pid in Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()]

    def end(self) -> tuple[int, str]:
        said = self.process.communicate(timeout=120)[1]
        return self.process.returncode, said

    def gone(self) -> bool:
        until = time.monotonic() + 10
        while time.monotonic() < until:
            if not any(Path(f"/proc/{pid}").exists() for pid in self.helpers):
                return True
            time.sleep(0.05)
        return False


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_folder(tmp_path_factory.mktemp("pictures") / "stripes")


@linux
@pytest.mark.slow  # five starts of Python with torch
def test_two_processes_on_the_command_line_see_every_picture_once_and_stop_and_go_on(folder: Path, tmp_path: Path) -> None:
    for processes in (1, 2):
        done = command(*flags(folder, tmp_path / str(processes), processes=processes))
        assert done.returncode == 0, done.stderr
    alone, both = (RunFolder.open(tmp_path / str(processes)) for processes in (1, 2))
    assert both.read_provenance()["settled"]["processes"] == 2
    found, expected = (json.loads(run.evaluation.read_text()) for run in (both, alone))
    assert found["n"] == expected["n"] == 9
    for ours, theirs in zip(metrics(both.path), metrics(alone.path), strict=True):
        assert ours.keys() == theirs.keys()
        for key, value in theirs.items():  # simple_cnn has no batch norm
            assert ours[key] == (pytest.approx(value, rel=1e-3, abs=1e-4) if isinstance(value, float) else value)

    running = Running(folder, tmp_path / "stopped")
    os.killpg(running.process.pid, signal.SIGTERM)
    code, said = running.end()
    assert code == 143, said
    assert "everything so far is saved" in said
    assert running.gone()


@linux
@pytest.mark.slow  # two starts of two processes
def test_whoever_dies_ends_all_with_a_sentence(folder: Path, tmp_path: Path) -> None:
    running = Running(folder, tmp_path / "helper")
    assert len(running.helpers) == 1
    os.kill(running.helpers[0], signal.SIGKILL)
    code, said = running.end()
    assert code == 1
    assert "Traceback" not in said
    assert f"Training process 2 of 2 (pid {running.helpers[0]}) ended with code -9, so the others were ended too." in said

    running = Running(folder, tmp_path / "leader")
    running.process.kill()
    running.end()
    assert running.gone()
