"""Kill a small run with SIGKILL at random moments, resume it, and compare with one that was left alone: weights and metrics, bit by bit.

    python benchmarks/kill.py [--times 20] [--seed 0]

Moments are drawn over the whole life of the process from the making of its folder on. A run may be killed more than once.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from wiesel.runs import events
from wiesel.runs.folder import RunFolder

FLAGS = ["--data", "digits", "--model", "resnet20", "--epochs", "2", "-b", "64", "--checkpoint-every", "7", "--precision", "fp32"]


def start(*words: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "wiesel", "train", *words, "-q"], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )


def state_of(run: Path) -> tuple[str, list[dict[str, Any]]]:
    weights = hashlib.sha256((run / "weights.safetensors").read_bytes()).hexdigest()
    rows = [row for row in events.effective(RunFolder.open(run).history()) if row["kind"] in ("train", "epoch")]
    return weights, [{key: value for key, value in row.items() if key not in ("time", "seconds")} for row in rows]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--times", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=1)
    wanted = parser.parse_args()
    flags = [*FLAGS, "--threads", str(wanted.threads)]
    draw = random.Random(wanted.seed)
    with tempfile.TemporaryDirectory(prefix="wiesel-kill-") as place:
        whole = Path(place) / "whole"
        begun = time.perf_counter()
        process = start(*flags, "-o", str(whole))
        while not (whole / "recipe.toml").exists():
            time.sleep(0.01)
        first = time.perf_counter()
        assert process.wait() == 0
        life = time.perf_counter() - first
        print(f"undisturbed: {time.perf_counter() - begun:.1f} s, of which {life:.1f} s after the folder was made")
        truth = state_of(whole)
        same = kills = 0
        for number in range(wanted.times):
            run = Path(place) / f"run-{number}"
            words = [*flags, "-o", str(run)]
            for _ in range(draw.choice((1, 1, 1, 2))):
                process = start(*words)
                while not (run / "recipe.toml").exists():
                    time.sleep(0.001)
                process_moment = draw.uniform(0, life)
                try:
                    process.wait(process_moment)
                except subprocess.TimeoutExpired:
                    os.kill(process.pid, signal.SIGKILL)
                    kills += 1
                    process.wait()
                words = ["--resume", str(run)]
            done = start("--resume", str(run))
            _, said = done.communicate()
            assert done.returncode == 0, said.decode()
            found = state_of(run)
            same += found == truth
            saved = len([row for row in RunFolder.open(run).history() if row["kind"] == "commit"])
            weights, metrics = ("same" if mine == theirs else "DIFFER" for mine, theirs in zip(found, truth, strict=True))
            print(f"{number + 1:>3}: weights {weights}, metrics {metrics}, {saved} commits", flush=True)
        print(f"{same} of {wanted.times} bit-identical after {kills} kills, {len(truth[1])} metric rows each")
        sys.exit(same != wanted.times)


if __name__ == "__main__":
    main()
