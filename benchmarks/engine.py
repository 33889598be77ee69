"""What the engine costs: our Lightning path against a bare PyTorch loop with the same network, batches and optimiser.

    python benchmarks/engine.py [--repetitions 5]

Both train the same network from the same start on the same batches, in turn. Compared is the time from the end of the first step to
the end of the last of an epoch, without validation and checkpoint; the weights at the end must be equal to the last bit. Validation
and checkpoint are told beside it, as seconds per epoch.
"""

from __future__ import annotations

import argparse
import dataclasses
import statistics
import tempfile
import time
from pathlib import Path

import torch
import torch.nn.functional as F

from wiesel import images
from wiesel.batches import TrainingBatches, measure
from wiesel.batches.order import Use, chance
from wiesel.images import DataSet
from wiesel.jobs.presets import PRESETS
from wiesel.recipe import Recipe
from wiesel.runs import checkpoints
from wiesel.runs.folder import RunFolder
from wiesel.training.fit import Machine, fit, fresh_network, prepare
from wiesel.training.optimiser import optimiser_for
from wiesel.training.progress import Silent
from wiesel.training.schedule import rate_at
from wiesel.training.threads import usable_cores


class Clock(Silent):
    """Notes when each step ended."""

    def __init__(self) -> None:
        self.ends: list[float] = []

    def step(self, done: int) -> None:
        self.ends.append(time.perf_counter())


def bare(recipe: Recipe, data: DataSet) -> tuple[float, dict[str, torch.Tensor]]:
    """Seconds from the first step's end to the last's, and the weights."""
    preprocessing = measure(data.train.pixels)
    training = recipe.training
    network = fresh_network(recipe, classes=len(data.classes), image=preprocessing.image)
    batches = TrainingBatches(data.train, preprocessing, batch=training.batch, seed=recipe.seed, augmentation=recipe.augmentation)
    prepare(network, batches)
    optimiser = optimiser_for(network, training)
    network.train()
    torch.set_flush_denormal(True)
    ends = []
    for step, batch in enumerate(batches.epoch(0)):
        torch.manual_seed(int(chance(recipe.seed, step, Use.DROPOUT).integers(2**63)))
        rate = rate_at(step, batches.steps, peak=training.peak_rate, schedule=training.schedule, warmup=training.warmup)
        for group in optimiser.param_groups:
            group["lr"] = rate * group["relative"]
        loss = F.cross_entropy(network(batch.pictures), batch.labels, label_smoothing=training.label_smoothing)
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        ends.append(time.perf_counter())
    return ends[-1] - ends[0], dict(network.state_dict())


def ours(recipe: Recipe, data: DataSet, folder: Path) -> tuple[float, float, dict[str, torch.Tensor]]:
    """The same, and the seconds that the sitting took beyond these steps."""
    run = RunFolder.create(folder)
    clock = Clock()
    start = time.perf_counter()
    with run.lock():
        machine = Machine(precision="fp32", threads=torch.get_num_threads())
        fit(recipe, data, measure(data.train.pixels), run, machine, progress=clock)
    steps = clock.ends[-1] - clock.ends[0]
    newest = checkpoints.resume(run)
    assert newest is not None
    return steps, time.perf_counter() - start - steps, newest.model()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--repetitions", type=int, default=5)
    wanted = parser.parse_args()
    torch.set_num_threads(usable_cores())
    whole = images.load("fashion-mnist-sample")
    for title, base, pictures in (("resnet18", PRESETS["standard"], 640), ("wiesel_m", PRESETS["fast"], 6400)):
        data, _ = images.divide(
            dataclasses.replace(whole, train=whole.train.take(range(pictures + 100))), validation=100, test=None, seed=0
        )
        recipe = dataclasses.replace(base, training=dataclasses.replace(base.training, epochs=1))
        seconds: dict[str, list[float]] = {"bare": [], "ours": [], "rest": []}
        for repetition in range(wanted.repetitions + 1):
            plain, expected = bare(recipe, data)
            with tempfile.TemporaryDirectory() as folder:
                steps, rest, weights = ours(recipe, data, Path(folder) / "run")
            assert all(torch.equal(weights[name], tensor) for name, tensor in expected.items())
            if repetition:  # the first pair warms up
                for name, value in (("bare", plain), ("ours", steps), ("rest", rest)):
                    seconds[name].append(value)
        ratios = sorted(b / a for a, b in zip(seconds["bare"], seconds["ours"], strict=True))
        print(
            f"{title}: bare loop {statistics.median(seconds['bare']):.2f} s, ours {statistics.median(seconds['ours']):.2f} s, "
            f"ratio {statistics.median(ratios):.3f} ({ratios[0]:.3f} to {ratios[-1]:.3f}, n = {len(ratios)}); "
            f"start, validation and checkpoint {statistics.median(seconds['rest']):.2f} s; weights equal to the last bit",
            flush=True,
        )


if __name__ == "__main__":
    main()
