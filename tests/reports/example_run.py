"""A run folder made by hand, with everything that a report reads: any network, any pictures, no training needed."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from wiesel import zoo
from wiesel.batches import Preprocessing, measure
from wiesel.evaluation import Predictions, evaluate_predictions
from wiesel.images import DataSet, Images, from_arrays
from wiesel.images.dataset import from_splits
from wiesel.recipe import DataChoice, Recipe, Training
from wiesel.runs import checkpoints
from wiesel.runs.commit import write_file
from wiesel.runs.folder import RunFolder
from wiesel.runs.provenance import provenance


def blobs(
    classes: Sequence[str],
    *,
    train: int = 40,
    test: int = 60,
    side: int = 12,
    channels: int = 1,
    seed: int = 0,
    name: str = "blobs",
) -> DataSet:
    """Bright squares on noise, a place per class; labels in turn, so that every class has pictures."""
    rng = np.random.default_rng(seed)
    count = len(classes)

    def split(size: int) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
        labels = np.arange(size) % count
        pixels = rng.integers(0, 90, (size, side, side, channels), dtype=np.uint8)
        for row, label in enumerate(labels):
            y, x = divmod(int(label) * 3 % (side * side // 4), side // 2)
            pixels[row, 2 * y % (side - 3) :, 2 * x % (side - 3) :][:4, :4] += np.uint8(140)
        return pixels, labels

    sizes = {"train": train, "validation": max(train // 4, count), "test": test}
    parts: dict[str, Images] = {part: from_arrays(*split(size), split=part) for part, size in sizes.items()}
    return from_splits(name, classes, parts, source="made here")


def logits_like(labels: np.ndarray[Any, Any], classes: int, *, right: float = 0.8, seed: int = 0) -> np.ndarray[Any, Any]:
    """Logits (N, K) that name about the share `right` correctly; the errors prefer the next class."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(0, 1.5, (len(labels), classes))
    named = np.where(rng.random(len(labels)) < right, labels, (labels + rng.choice([1, 1, 1, 2, 3], len(labels))) % classes)
    logits[np.arange(len(labels)), named] += 3 + 3 * rng.random(len(labels))
    return logits.astype(np.float32)


def epoch_rows(epochs: int, steps: int, *, planned: int | None = None) -> list[dict[str, Any]]:
    """The history of a plausible run: falling losses, and validation best one epoch before the end."""
    rows: list[dict[str, Any]] = [{"kind": "start", "step": 0, "epochs": planned or epochs, "steps": steps * (planned or epochs)}]
    best = -1.0
    for epoch in range(1, epochs + 1):
        for part in range(1, 11):
            at = epoch - 1 + part / 10
            wave = 0.04 * math.sin(7 * at)
            rows.append(
                {
                    "kind": "train",
                    "step": round(at * steps),
                    "loss": 0.35 + 1.9 * math.exp(-at) + wave,
                    "accuracy": 0.95 - 0.75 * math.exp(-at) + wave / 2,
                    "rate": 0.1 * min(at / (0.3 * epochs), (epochs - at) / (0.7 * epochs) + 1e-9),
                }
            )
        validation = 0.91 - 0.5 * math.exp(-epoch) - (0.01 if epoch == epochs and epochs > 1 else 0)
        rows.append(
            {
                "kind": "epoch",
                "step": epoch * steps,
                "epoch": epoch,
                "train_loss": 0.4 + 1.9 * math.exp(0.5 - epoch),
                "train_accuracy": 0.94 - 0.75 * math.exp(0.5 - epoch),
                "validation_loss": 0.3 + 1.2 * math.exp(-epoch),
                "validation_accuracy": validation,
                "best": validation > best,
                "seconds": 21.4 * epoch,
            }
        )
        best = max(best, validation)
    return rows


def write_run(
    path: Path,
    data: DataSet,
    *,
    architecture: str = "lenet5",
    network: nn.Module | None = None,
    preprocessing: Preprocessing | None = None,
    logits: np.ndarray[Any, Any] | None = None,
    events: list[dict[str, Any]] | None = None,
    looks: int = 1,
    source: str | None = None,
    left_out: Sequence[dict[str, str]] = (),
    warnings: Sequence[str] = (),
    training: Training | None = None,
) -> RunFolder:
    """The sealed and evaluated run folder `path`. Without `network`: the architecture with random weights of a fixed seed."""
    assert data.test is not None
    preprocessing = preprocessing or measure(data.train.pixels)
    side = preprocessing.height
    recipe = Recipe(architecture=architecture, data=DataChoice(source=source or data.name), training=training or Training())
    if network is None:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            network = zoo.build(architecture, classes=len(data.classes), channels=preprocessing.channels, size=side)
    if logits is None:
        logits = logits_like(data.test.labels, len(data.classes))
    run = RunFolder.create(path)
    run.write_recipe(recipe)
    run.write_classes(data.classes)
    run.write_preprocessing(preprocessing.to_json())
    run.write_splits({"fingerprint": data.fingerprint, "seed": 0, "validation": 0.1, "test": 0.1, "made": {}})
    record = provenance(
        seeds={"run": recipe.seed, "split": 0},
        threads=2,
        precision="fp32",
        fingerprint=data.fingerprint,
        command=["wiesel", "train"],
    )
    run.write_provenance(
        {
            **record,
            "settled": {"precision": "fp32", "threads": 2, "device": "cpu"},
            "source": data.source,
            "left_out": list(left_out),
            "warnings": list(warnings),
        }
    )
    rows = epoch_rows(4, 50) if events is None else events
    for row in rows:
        run.record(row["kind"], row["step"], **{key: value for key, value in row.items() if key not in ("kind", "step")})
    checkpoints.save_weights(run, rows[-1]["step"] if rows else 0, network.state_dict())
    run.seal()
    run.record("end", rows[-1]["step"] if rows else 0, seconds=85.6)
    for _ in range(looks):
        run.record("look", 0, split="test")
    predictions = Predictions.of(logits, data.test.labels, data.test.names)
    run.predictions("test").parent.mkdir()
    write_file(run.predictions("test"), predictions.to_bytes())
    run.write_evaluation(evaluate_predictions(predictions.labels, predictions.logits, data.classes, resamples=20).to_json())
    return run
