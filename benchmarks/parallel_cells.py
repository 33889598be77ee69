"""Several one-thread trainings at the same time, or one training with several threads? What `wiesel compare` should do by default.

    python benchmarks/parallel_cells.py [--model resnet20 --size 14 --epochs 1 --repetitions 3]

Trains the same recipe as often as there are processors: all at once with one thread each, then one after the other with all threads.
Prints the seconds of both, start of the processes included, for every repetition and their ratio. Nothing else should run meanwhile.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from wiesel.training.threads import usable_cores


def start(place: Path, name: str, seed: int, threads: int, options: argparse.Namespace) -> subprocess.Popen[bytes]:
    flags = {"--model": options.model, "--data": options.data, "--size": options.size, "--epochs": options.epochs, "--seed": seed}
    flags |= {"--threads": threads, "--precision": "fp32", "--output": place / name}
    words = [str(word) for pair in flags.items() for word in pair]
    return subprocess.Popen(
        [sys.executable, "-m", "wiesel", "train", "--quiet", *words],
        env={**os.environ, "OMP_NUM_THREADS": str(threads)},
        stdout=subprocess.DEVNULL,
    )


def finished(processes: list[subprocess.Popen[bytes]]) -> None:
    for process in processes:
        if process.wait():
            sys.exit(f"a training ended with exit code {process.returncode}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="resnet20")
    parser.add_argument("--data", default="fashion-mnist-sample")
    parser.add_argument("--size", type=int, default=14)
    parser.add_argument("--epochs", type=int, default=1)
    parser.add_argument("--repetitions", type=int, default=3)
    options = parser.parse_args()
    cores, ratios = usable_cores(), []
    for repetition in range(options.repetitions):
        with tempfile.TemporaryDirectory() as folder:
            place = Path(folder)
            begun = time.perf_counter()
            finished([start(place, f"beside-{seed}", seed, 1, options) for seed in range(cores)])
            beside = time.perf_counter() - begun
            begun = time.perf_counter()
            for seed in range(cores):
                finished([start(place, f"after-{seed}", seed, cores, options)])
            after = time.perf_counter() - begun
        ratios.append(after / beside)
        print(
            f"{repetition + 1}: {cores} trainings at once, one thread each: {beside:.1f} s; "
            f"one after the other, {cores} threads: {after:.1f} s; ratio {ratios[-1]:.2f}",
            flush=True,
        )
    print(f"{options.model}: at once is {statistics.median(ratios):.2f} times as fast ({min(ratios):.2f} to {max(ratios):.2f})")


if __name__ == "__main__":
    main()
