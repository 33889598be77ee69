"""Pictures per second in training: other people's ways with Fashion-MNIST and ours, in turn on the same machine.

    python benchmarks/peers.py [--repetitions 5] [--python /path/of/an/environment/bin/python] [--only book fast …]

book        the chapter's recipe (`train_resnet18` of dldna 0.1.6, rebuilt from its description): pictures resized to 224 pixels one by
            one with PIL, ResNet-18 with the 7x7 stem for one channel, batches of 128, Adam; ten epochs of 60,000 pictures
lab sheet   torchvision's ResNet-18 as it is (7x7 stem) on 28 pixels, DataLoader and transforms, Lightning's Trainer as it is, float32
same stem   the lab sheet's way with the stem of ours, so that both train the same network
fastai      its Learner with its own recipe for few epochs: `peer_fastai.py`
keras       Keras on torch with the first example of its site: `peer_keras.py`
resnet18    ours with the small stem: `--preset standard`, batches of 128
fast        ours: `--preset fast` with pictures of full size; the whole counts its epochs of small pictures as parts of an epoch

fastai and Keras run in an environment of their own (`python -m venv E; E/bin/pip install fastai keras torch`), whose Python is given with
`--python`; without it their rows are left out. Times of whole trainings are extrapolated from these rates, without evaluation: every
row is told that way. The networks differ, so the rates alone say little: what a way reaches in which time is measured by `to_accuracy.py`.
"""

from __future__ import annotations

import argparse
import dataclasses
import logging
import statistics
import tempfile
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch
import torch.nn.functional as F
import torchvision
from children import Child, Missing, hand_over
from conditions import RESULTS, conditions, in_words, median_and_range, write_json, write_text
from PIL import Image
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset
from torchvision import transforms

from wiesel import images
from wiesel.batches import TrainingBatches, measure
from wiesel.images import DataSet, Images
from wiesel.images.cache import cache_folder
from wiesel.jobs.presets import PRESETS, for_many
from wiesel.recipe import Precision, Recipe
from wiesel.training.fit import fresh_network, prepare
from wiesel.training.optimiser import optimiser_for
from wiesel.training.precision import choose
from wiesel.training.threads import usable_cores
from wiesel.training.throughput import throughput

Round = Callable[[], tuple[int, float]]
"""Learns from some pictures; (pictures, seconds)."""


@dataclass
class Way:
    what: str
    """The whole training to which its rate is extrapolated."""
    pictures: int
    """In that training, all epochs together."""
    start: Callable[[], Round]
    rates: list[float] = field(default_factory=list)
    versions: dict[str, Any] = field(default_factory=dict)


class Pictures(Dataset[tuple[Tensor, int]]):
    """Picture by picture through PIL and torchvision's transforms."""

    def __init__(self, split: Images, count: int, *steps: Callable[[Image.Image], Image.Image]) -> None:
        self.pixels, self.labels = split.pixels[:count, :, :, 0], split.labels[:count].tolist()
        self.transform = transforms.Compose([*steps, transforms.ToTensor(), transforms.Normalize((0.5,), (0.5,))])

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        return self.transform(Image.fromarray(self.pixels[index])), self.labels[index]


def one_channel(*, small_stem: bool = False) -> nn.Module:
    """torchvision's ResNet-18 for grey pictures; the small stem is a 3x3 convolution without stride and without pooling."""
    network = torchvision.models.resnet18(num_classes=10)
    network.conv1 = nn.Conv2d(1, 64, 7, stride=2, padding=3, bias=False)
    if small_stem:
        network.conv1, network.maxpool = nn.Conv2d(1, 64, 3, padding=1, bias=False), nn.Identity()
    return network


class LabSheet(pl.LightningModule):
    def __init__(self, *, small_stem: bool = False) -> None:
        super().__init__()
        self.network = one_channel(small_stem=small_stem)

    def training_step(self, batch: tuple[Tensor, Tensor], _index: int) -> Tensor:
        return F.cross_entropy(self.network(batch[0]), batch[1])

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.Adam(self.parameters(), lr=1e-3)


def timed(some: Callable[[], int]) -> Round:
    def once() -> tuple[int, float]:
        start = time.perf_counter()
        count = some()
        return count, time.perf_counter() - start

    return once


def book(split: Images, steps: int) -> Round:
    network = one_channel()
    optimiser = torch.optim.Adam(network.parameters(), lr=1e-3)
    loader = DataLoader(Pictures(split, 128 * steps, transforms.Resize(224)), batch_size=128, shuffle=True)

    def some() -> int:
        for pictures, labels in loader:
            loss = F.cross_entropy(network(pictures), labels)
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
        return 128 * steps

    return timed(some)


def quiet_trainer(**settings: Any) -> pl.Trainer:
    """As it is, but for what it says and keeps."""
    logging.getLogger("pytorch_lightning").setLevel(logging.ERROR)
    quiet = {"logger": False, "enable_checkpointing": False, "enable_progress_bar": False, "enable_model_summary": False}
    return pl.Trainer(accelerator="cpu", **quiet, **settings)


def lab_sheet(split: Images, steps: int, *, small_stem: bool = False) -> Round:
    module, loader = LabSheet(small_stem=small_stem), DataLoader(Pictures(split, 128 * steps), batch_size=128, shuffle=True)

    def some() -> int:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            quiet_trainer(max_epochs=1).fit(module, loader)
        return 128 * steps

    return timed(some)


def ours(recipe: Recipe, split: Images, steps: int, precision: Precision) -> Round:
    batch = recipe.training.batch
    split = split.take(range(batch * steps))
    preprocessing = measure(split.pixels)
    network = fresh_network(recipe, classes=10, image=preprocessing.image).train()
    batches = TrainingBatches(split, preprocessing, batch=batch, seed=0, augmentation=recipe.augmentation)
    prepare(network, batches)
    optimiser = optimiser_for(network, recipe.training)

    def some() -> int:
        for batch in batches.epoch(0):
            with torch.autocast("cpu", torch.bfloat16, enabled=precision == "bf16"):
                logits = network(batch.pictures)
            loss = F.cross_entropy(logits.float(), batch.labels, label_smoothing=recipe.training.label_smoothing)
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
        return len(split)

    return timed(some)


def child(python: Path | None, name: str, data: DataSet, steps: int, threads: int, way: dict[str, Way]) -> Round:
    assert data.test is not None
    with tempfile.TemporaryDirectory() as folder:
        pictures = hand_over(Path(folder) / "pictures.npz", data.train, data.test.take(range(100)))
        peer = Child(python, name, pictures, steps=steps, threads=threads)
    way[name].versions = peer.versions
    return peer


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repetitions", type=int, default=5)
    parser.add_argument("--python", type=Path, help="of an environment with fastai and Keras")
    parser.add_argument("--only", nargs="+", default=[])
    parser.add_argument("--steps", type=float, default=1.0, help="times so many steps in each round")
    parser.add_argument("--threads", type=int, default=0)
    parser.add_argument("--output", type=Path, default=RESULTS / "peers.json", help="a .md is written beside it")
    wanted = parser.parse_args()
    threads = wanted.threads or usable_cores()
    torch.set_num_threads(threads)
    torch.set_flush_denormal(True)
    data = images.load("fashion-mnist-sample")
    split, precision = data.train, choose(cache_folder() / "precision.json").precision
    standard = dataclasses.replace(PRESETS["standard"], training=dataclasses.replace(PRESETS["standard"].training, batch=128))
    fast = for_many(PRESETS["fast"], {}, shift=0, side=28)
    (share, small) = fast.training.resolutions[0]
    work = fast.training.epochs * (1 - share + share * (small / 28) ** 2)

    def steps(count: int) -> int:
        return max(1, round(count * wanted.steps))

    ways: dict[str, Way] = {}
    ways |= {
        "book": Way("ten epochs of 60,000", 600_000, partial(book, split, steps(2))),
        "lab sheet": Way("an epoch of 60,000", 60_000, partial(lab_sheet, split, steps(20))),
        "same stem": Way("an epoch of 60,000", 60_000, partial(lab_sheet, split, steps(4), small_stem=True)),
        "fastai": Way("five epochs of 60,000", 300_000, partial(child, wanted.python, "fastai", data, steps(40), threads, ways)),
        "keras": Way("15 epochs of 54,000", 810_000, partial(child, wanted.python, "keras", data, steps(20), threads, ways)),
        "resnet18": Way("an epoch of 54,000", 54_000, partial(ours, standard, split, steps(4), precision)),
        "fast": Way(f"{work:.1f} epochs of 54,000", round(54_000 * work), partial(ours, fast, split, steps(20), precision)),
    }
    ways = {name: way for name, way in ways.items() if not wanted.only or name in wanted.only}
    rounds: dict[str, Round] = {}
    left_out: dict[str, str] = {}
    for name, way in ways.items():
        try:
            rounds[name] = way.start()
        except Missing as error:
            left_out[name] = str(error)
    where = conditions()
    for repetition in range(wanted.repetitions + 1):
        for name, one in rounds.items():
            count, seconds = one()
            if repetition:  # the first round warms up
                ways[name].rates.append(count / seconds)
    for one in rounds.values():
        if isinstance(one, Child):
            one.close()
    speed = throughput(precision)
    lines = ["| way | pictures per second | whole | seconds, extrapolated |", "|---|---|---|---|"]
    for name in rounds:
        way = ways[name]
        lines.append(
            f"| {name} | {median_and_range(way.rates)} | {way.what} | {way.pictures / statistics.median(way.rates):,.0f} |"
        )
    lines += [""] + [f"{name} is left out: {reason}" for name, reason in left_out.items()]
    ratios: dict[str, list[float]] = {}
    if {"fast", "book"} <= set(rounds):
        pairs = zip(ways["book"].rates, ways["fast"].rates, strict=True)
        found = [(ways["book"].pictures / a) / (ways["fast"].pictures / b) for a, b in pairs]
        ratios["book's ten epochs / fast's whole training"] = found
    if {"resnet18", "same stem"} <= set(rounds):
        pairs = zip(ways["same stem"].rates, ways["resnet18"].rates, strict=True)
        ratios["ResNet-18 with the small stem, ours / the lab sheet's way"] = [b / a for a, b in pairs]
    lines += [f"{words}: {median_and_range(found, ',.3g')}, n = {len(found)}" for words, found in ratios.items()]
    lines += [
        f"convolution {speed.convolution / 1e9:.0f} GFLOP/s, matrix product {speed.matrix_product / 1e9:.0f}, "
        f"ResNet-18's step {speed.step / 1e9:.0f}: {speed.share:.0%} of the convolution",
        "",
        in_words(where),
    ]
    print("\n".join(lines))
    result = {
        "benchmark": "peers",
        "conditions": where,
        "precision": precision,
        "rates": {
            name: {"pictures_per_second": way.rates, "whole": way.what, "pictures": way.pictures, "versions": way.versions}
            for name, way in ways.items()
            if name in rounds
        },
        "left_out": left_out,
        "ratios": ratios,
        "flops": dataclasses.asdict(speed),
    }
    write_json(wanted.output, result)
    write_text(wanted.output.with_suffix(".md"), "\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
