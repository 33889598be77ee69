"""Two processes of one thread against one process of two threads: accuracy on validation, and seconds.

    python benchmarks/processes.py [--model wiesel_s] [--epochs 2] [--seeds 3]

Same recipe, same batches, in turn. Batch norms see shares of a batch where there are two processes, so the weights differ; the
accuracies must agree within the spread over seeds. Seconds are those of training (steps, validation, checkpoints), and of everything
around it, among them the start of the second process.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from pathlib import Path

import wiesel
from wiesel.runs.folder import RunFolder
from wiesel.training.progress import Silent


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", default="wiesel_s")
    parser.add_argument("--data", default="fashion-mnist-sample")
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--preset", default="fast")
    wanted = parser.parse_args()
    accuracy: dict[int, list[float]] = {1: [], 2: []}
    seconds: dict[int, list[float]] = {1: [], 2: []}
    around: dict[int, list[float]] = {1: [], 2: []}
    for seed in range(wanted.seeds):
        for processes in (1, 2):
            with tempfile.TemporaryDirectory() as folder:
                began = time.perf_counter()
                result = wiesel.train(
                    wanted.model,
                    wanted.data,
                    preset=wanted.preset,
                    epochs=wanted.epochs,
                    seed=seed,
                    processes=processes,
                    threads=2 // processes,
                    output=Path(folder) / "run",
                    progress=Silent(),
                )
                whole = time.perf_counter() - began
                rows = [row for row in RunFolder.open(result.run).history() if row["kind"] == "epoch"]
                accuracy[processes].append(rows[-1]["validation_accuracy"])
                seconds[processes].append(result.seconds["train"])
                around[processes].append(whole - result.seconds["train"])
                print(
                    f"seed {seed}, {processes}: {100 * accuracy[processes][-1]:.2f} %, {seconds[processes][-1]:.1f} s", flush=True
                )
    for processes, values in accuracy.items():
        each = ", ".join(f"{100 * value:.2f}" for value in values)
        print(
            f"{processes} process(es): {100 * statistics.mean(values):.2f} % ({each}); training {statistics.median(seconds[processes]):.1f} s, "
            f"around it {statistics.median(around[processes]):.1f} s"
        )


if __name__ == "__main__":
    main()
