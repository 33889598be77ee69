"""How training grows with the number of pictures: seconds per picture and memory, from 10,000 to 200,000 memory-mapped pictures.

    python benchmarks/cost.py [--archive ../shared/data/cifar10-images.zip] [--out docs/cost] [--repetitions 5]

The pictures of CIFAR-10 are repeated as often as needed, in one uint8 file as the cache keeps it. A child process per size maps its
first N pictures, divides them, and trains a cheap network (LeNet-5, batches of 128, one thread), as `wiesel train` does, for as many epochs as
`SHOWN` pictures take, so that every size is timed for as long. Seconds are those of the steps after the first `WARM`, each from the end of
the one before, but for the first of an epoch, before which the last epoch was validated and saved. Memory is what the system counts for the
process, looked at every 20 steps: anonymous memory, which is the process's own; and pages of mapped files (RssFile), which are the system's
copy of the disc, counted once for all processes and given back when somebody needs room. The sizes take turns, so that a slow moment of the
machine meets all of them; shown are medians with their range.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from conditions import conditions, in_words, median_and_range

SIDE = 32
SIZES = (10_000, 50_000, 100_000, 200_000)
VALIDATION = 1_000
SHOWN = 100_000
"""Pictures that every size learns from at least, the same one counted each time."""
WARM = 20
"""Steps before the clock runs: until then the libraries prepare what they need for these shapes."""


def child(pixels: Path, labels: Path, count: int, held: int, folder: Path) -> None:
    """One size; prints a JSON object."""
    import torch

    from wiesel import images
    from wiesel.batches import measure
    from wiesel.images.dataset import from_splits, images_of
    from wiesel.recipe import Augmentation, Recipe, Training
    from wiesel.runs.folder import RunFolder
    from wiesel.training.fit import Machine, fit
    from wiesel.training.progress import Silent

    torch.set_num_threads(1)

    class Watch(Silent):
        def __init__(self) -> None:
            self.ends: list[float] = []
            self.anonymous = self.mapped = 0

        def step(self, step: int) -> None:
            self.ends.append(time.perf_counter())
            if step % 20 == 0:
                self.look()

        def look(self) -> None:
            fields = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
            self.anonymous = max(self.anonymous, int(fields["RssAnon"].split()[0]) * 1024)
            self.mapped = max(self.mapped, int(fields["RssFile"].split()[0]) * 1024)

    file = np.memmap(pixels, dtype=np.uint8, mode="r", shape=(held, SIDE, SIDE, 3))
    whole = from_splits(
        "cifar10", [str(k) for k in range(10)], {"train": images_of(file[:count], np.load(labels)[:count], "train")}, source=""
    )
    data, _ = images.divide(whole, validation=VALIDATION, test=VALIDATION, seed=0)
    watch = Watch()
    watch.look()
    before = watch.anonymous
    recipe = Recipe(
        architecture="lenet5",
        augmentation=Augmentation(flip=True, shift=2),
        training=Training(epochs=max(1, round(SHOWN / count)), batch=128, optimiser="sgd", rate=0.01),
    )
    run = RunFolder.create(folder / f"run-{count}")
    with run.lock():
        fit(recipe, data, measure(data.train.pixels), run, Machine("fp32", 1), progress=watch)
    each = -(-len(data.train) // recipe.training.batch)
    timed = [step for step in range(WARM, len(watch.ends)) if step % each]
    seconds = sum(watch.ends[step] - watch.ends[step - 1] for step in timed)
    print(
        json.dumps(
            {
                "pictures": count,
                "microseconds": 1e6 * seconds / len(timed) / (len(data.train) / each),
                "anonymous": watch.anonymous,
                "before": before,
                "mapped": watch.mapped,
            }
        )
    )


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--archive", type=Path, default=Path("../shared/data/cifar10-images.zip"))
    parser.add_argument("--out", type=Path, default=Path("docs/cost"))
    parser.add_argument("--sizes", type=int, nargs="+", default=list(SIZES))
    parser.add_argument("--repetitions", type=int, default=5)
    wanted = parser.parse_args()

    from wiesel import images
    from wiesel.images.cache import cache_folder

    source = images.load(wanted.archive).train
    held = max(wanted.sizes)
    measured: dict[int, list[dict[str, float]]] = {count: [] for count in wanted.sizes}
    cache_folder().mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache_folder()) as name:  # /tmp may be memory itself
        folder = Path(name)
        with (folder / "pixels.bin").open("wb") as file:
            for start in range(0, held, len(source)):
                np.ascontiguousarray(source.pixels[: held - start]).tofile(file)
        np.save(folder / "labels.npy", np.resize(source.labels, held))
        for repetition in range(wanted.repetitions):
            for count in wanted.sizes if repetition % 2 == 0 else reversed(wanted.sizes):
                work = folder / f"{repetition}-{count}"
                words = [str(folder / "pixels.bin"), str(folder / "labels.npy"), str(count), str(held), str(work)]
                done = subprocess.run(
                    [sys.executable, __file__, "--child", *words], stdout=subprocess.PIPE, text=True, check=True, timeout=1800
                )
                measured[count].append(json.loads(done.stdout.splitlines()[-1]))
                print(measured[count][-1], flush=True)
    lines = [*table(measured), "", in_words(conditions())]
    wanted.out.with_suffix(".md").write_text("\n".join(lines) + "\n", encoding="utf-8")
    print("\n".join(lines))
    plot(measured, wanted.out.with_suffix(".svg"))


def table(measured: dict[int, list[dict[str, float]]]) -> list[str]:
    lines = [
        "| pictures | µs per picture | own memory in MB | of it before the first step | mapped file pages in MB |",
        "|---|---|---|---|---|",
    ]
    for count, every in measured.items():
        memory = [median_and_range([row[field] / 1e6 for row in every], ".0f") for field in ("anonymous", "before", "mapped")]
        lines.append(f"| {count:,} | {median_and_range([row['microseconds'] for row in every], '.0f')} | {' | '.join(memory)} |")
    return lines


def plot(measured: dict[int, list[dict[str, float]]], path: Path) -> None:
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    figure, (left, right) = plt.subplots(1, 2, figsize=(8, 3))
    counts = [count / 1000 for count in measured]

    def medians(field: str, unit: float = 1.0) -> list[float]:
        return [statistics.median(row[field] / unit for row in every) for every in measured.values()]

    left.plot(counts, medians("microseconds"), marker="o")
    for count, every in zip(counts, measured.values(), strict=True):
        left.plot([count] * len(every), [row["microseconds"] for row in every], ".", color="grey", markersize=3)
    left.set(title="time", xlabel="thousand pictures", ylabel="µs per picture", ylim=(0, None))
    right.plot(counts, medians("anonymous", 1e6), marker="o", label="own memory")
    right.plot(counts, medians("mapped", 1e6), marker="o", linestyle=":", label="pages of mapped files")
    right.set(title="memory", xlabel="thousand pictures", ylabel="MB", ylim=(0, None))
    right.legend()
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None})


if __name__ == "__main__":
    if sys.argv[1:2] == ["--child"]:
        child(Path(sys.argv[2]), Path(sys.argv[3]), int(sys.argv[4]), int(sys.argv[5]), Path(sys.argv[6]))
    else:
        main()
