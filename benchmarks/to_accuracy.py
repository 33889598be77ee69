"""How long until how many are right, on all of Fashion-MNIST: the lab sheet's way epoch by epoch, whole trainings of ours and of others.

    python benchmarks/to_accuracy.py [--target 0.93] [--epochs 20] [--augment] [--small-stem]
        [--ours "model=wiesel_m" "model=wiesel_s epochs=8" …] [--seeds 1] [--python E/bin/python]

lab sheet   torchvision's ResNet-18 for grey pictures, DataLoader and transforms, Lightning's Trainer as it is, Adam 0.001, batches of 128,
            float32. The test pictures are looked at after every epoch, outside the clock, until the target is met: that favours it.
            `--augment` adds a random crop and mirror images, `--small-stem` gives it the stem that suits 28 pixels.
ours        `--preset fast` with these settings, each a whole training with its own schedule; one look at the test pictures at its end.
            The clock contains validation and checkpoints.
fastai, keras   their own recipes (`peer_fastai.py`, `peer_keras.py`), five and 15 epochs; only with `--python`.

Every training is kept when it ends (the lab sheet's after every epoch in the result), so that a benchmark that was stopped goes on.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch
from children import Missing, hand_over, whole_training
from cifar10 import settings_from
from conditions import (
    CELLS,
    RESULTS,
    cell,
    changed,
    conditions,
    in_words,
    mean_and_spread,
    median_and_range,
    write_json,
    write_text,
)
from peers import LabSheet, Pictures, quiet_trainer
from PIL import Image
from torch.utils.data import DataLoader
from torchvision import transforms

import wiesel
from wiesel import images
from wiesel.images import DataSet
from wiesel.training.progress import Lines
from wiesel.training.threads import usable_cores

EPOCHS_OF_OTHERS = {"fastai": 5, "keras": 15}


class Look(pl.Callback):
    """Seconds of training and accuracy on the test pictures after every epoch."""

    def __init__(self, test: DataLoader[Any], target: float, tell: Callable[[list[dict[str, float]]], None]) -> None:
        self.test, self.target, self.tell = test, target, tell
        self.seconds = 0.0
        self.points: list[dict[str, float]] = []

    def on_train_epoch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self.started = time.perf_counter()

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self.seconds += time.perf_counter() - self.started
        assert isinstance(pl_module, LabSheet)
        accuracy = right(pl_module, self.test)
        self.points.append({"epoch": trainer.current_epoch + 1, "seconds": self.seconds, "accuracy": accuracy})
        print(f"  epoch {trainer.current_epoch + 1}: {100 * accuracy:.2f} % after {self.seconds:.0f} s", flush=True)
        self.tell(self.points)
        trainer.should_stop = accuracy >= self.target


@torch.inference_mode()
def right(module: LabSheet, test: DataLoader[Any]) -> float:
    module.eval()
    found = sum(int((module.network(pictures).argmax(1) == labels).sum()) for pictures, labels in test)
    module.train()
    return found / len(test.dataset)  # type: ignore[arg-type]


def lab_sheet(
    data: DataSet,
    *,
    seed: int,
    epochs: int,
    target: float,
    augment: bool,
    small_stem: bool,
    tell: Callable[[list[dict[str, float]]], None],
) -> dict[str, Any]:
    assert data.test is not None
    steps: list[Callable[[Image.Image], Image.Image]] = []
    if augment:
        steps = [transforms.RandomCrop(28, padding=2), transforms.RandomHorizontalFlip()]
    train = DataLoader(Pictures(data.train, len(data.train), *steps), batch_size=128, shuffle=True)
    test = DataLoader(Pictures(data.test, len(data.test)), batch_size=500)
    with warnings.catch_warnings(), torch.random.fork_rng(devices=[]):
        warnings.simplefilter("ignore")
        torch.manual_seed(seed)
        look = Look(test, target, tell)
        quiet_trainer(max_epochs=epochs, callbacks=[look]).fit(LabSheet(small_stem=small_stem), train)
    return {"seed": seed, "points": look.points}


def ours(place: Path, source: str, seed: int, settings: dict[str, Any]) -> dict[str, Any]:
    started = (place / "recipe.toml").is_file()
    asked = {"resume": place} if started else {**settings, "data": source, "preset": "fast", "seed": seed, "output": place}
    facts = wiesel.train(**asked, progress=Lines()).to_json()
    return {"seed": seed, "points": [{"seconds": facts["seconds"]["train"], "accuracy": facts["accuracy"]}], "facts": facts}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", default="fashion-mnist")
    parser.add_argument("--target", type=float, default=0.93)
    parser.add_argument("--epochs", type=int, default=20, help="of the lab sheet's way, at most")
    parser.add_argument("--augment", action="store_true")
    parser.add_argument("--small-stem", action="store_true")
    parser.add_argument("--ours", nargs="*", default=["model=wiesel_m"], metavar="SETTINGS")
    parser.add_argument("--python", type=Path, help="of an environment with fastai and Keras")
    parser.add_argument("--skip", nargs="*", default=[], choices=("lab sheet", "ours", "fastai", "keras"))
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--threads", type=int, default=0)
    parser.add_argument("--cells", type=Path, default=CELLS / "to_accuracy")
    parser.add_argument("--output", type=Path, default=RESULTS / "to_accuracy.json", help="a .md is written beside it")
    wanted = parser.parse_args()
    threads = wanted.threads or usable_cores()
    torch.set_num_threads(threads)
    torch.set_flush_denormal(True)
    data = images.load(wanted.data)
    assert data.test is not None
    kind = "lab sheet" + (", small stem" if wanted.small_stem else "") + (", augmented" if wanted.augment else "")
    done: dict[str, list[dict[str, Any]]] = {}
    left_out: dict[str, str] = {}

    def keep(name: str, seed: int, key: str, work: Callable[[], dict[str, Any]]) -> None:
        print(f"{name}, seed {seed}", flush=True)
        torch.set_num_threads(threads)
        torch.set_flush_denormal(True)
        found = cell(wanted.cells / f"{key}-{wanted.data}-{threads}-{seed}.json".replace("/", "_"), work)
        done.setdefault(name, []).append(found)
        write(wanted.output, data.name, wanted.target, done, left_out)

    for seed in range(wanted.seeds):
        if "ours" not in wanted.skip:
            for words in wanted.ours:
                settings = {"threads": threads, **settings_from(words.split())}
                key = "ours-" + hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()[:8]
                place = wanted.cells / f"{key}-{threads}-{seed}"
                keep(f"wiesel {words}", seed, key, lambda: ours(place, wanted.data, seed, settings))  # noqa: B023 - called at once
        if "lab sheet" not in wanted.skip:

            def so_far(points: list[dict[str, float]]) -> None:
                now = {**done, kind: [*done.get(kind, []), {"seed": seed, "points": points, "conditions": conditions()}]}  # noqa: B023
                write(wanted.output, data.name, wanted.target, now, left_out)

            key = f"{kind}-{wanted.target:g}-{wanted.epochs}".replace(", ", "-").replace(" ", "-")
            keep(
                kind,
                seed,
                key,
                lambda: lab_sheet(
                    data,
                    seed=seed,  # noqa: B023
                    epochs=wanted.epochs,
                    target=wanted.target,
                    augment=wanted.augment,
                    small_stem=wanted.small_stem,
                    tell=so_far,
                ),
            )
        for name, epochs in EPOCHS_OF_OTHERS.items():
            if name in wanted.skip:
                continue

            def other() -> dict[str, Any]:
                assert data.test is not None
                with tempfile.TemporaryDirectory() as folder:
                    file = hand_over(Path(folder) / "pictures.npz", data.train, data.test)
                    found = whole_training(wanted.python, name, file, epochs=epochs, seed=seed, threads=threads)  # noqa: B023
                return {"seed": seed, "points": [{"seconds": found["seconds"], "accuracy": found["accuracy"]}], "facts": found}  # noqa: B023

            try:
                keep(name, seed, f"{name}-{epochs}", other)
            except Missing as error:
                left_out[name] = str(error)
    write(wanted.output, data.name, wanted.target, done, left_out)
    print(wanted.output.with_suffix(".md").read_text(encoding="utf-8"))


def write(output: Path, data: str, target: float, done: dict[str, list[dict[str, Any]]], left_out: dict[str, str]) -> None:
    """The result so far, JSON and Markdown."""
    lines = [
        f"| way | test accuracy at the end, in % | seconds of training | seconds to {100 * target:g} % |",
        "|---|---|---|---|",
    ]
    for name, runs in done.items():
        last = [one["points"][-1] for one in runs]
        reached = [next((point["seconds"] for point in one["points"] if point["accuracy"] >= target), None) for one in runs]
        met = [seconds for seconds in reached if seconds is not None]
        words = (
            median_and_range(met) + (f", in {len(met)} of {len(runs)}" if len(met) < len(runs) else "") if met else "not reached"
        )
        accuracy = mean_and_spread([100 * point["accuracy"] for point in last])
        lines.append(f"| {name} | {accuracy} | {median_and_range([point['seconds'] for point in last])} | {words} |")
    lines += [""] + [f"{name} is left out: {reason}" for name, reason in left_out.items()]
    where = conditions()
    lines.append(in_words(where))
    if caution := changed([one for runs in done.values() for one in runs]):
        lines += ["", caution]
    points = [
        {"data": data, "way": name, "ours": name.startswith("wiesel"), "seed": one["seed"], "views": 1, **point}
        for name, runs in done.items()
        for one in runs
        for point in one["points"]
    ]
    result = {
        "benchmark": "to_accuracy",
        "target": target,
        "conditions": where,
        "points": points,
        "left_out": left_out,
        "ways": done,
    }
    write_json(output, result)
    write_text(output.with_suffix(".md"), "\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
