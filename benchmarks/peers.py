"""Pictures per second in training: other people's ways with Fashion-MNIST and ours, in turn on the same machine.

    python benchmarks/peers.py [--repetitions 5] [--markdown FILE]

book        the chapter's recipe (`train_resnet18` of dldna 0.1.6, rebuilt from its description): pictures resized to 224 pixels one by
            one with PIL, ResNet-18 with the 7x7 stem for one channel, batches of 128, Adam; ten epochs of 60,000 pictures
lab sheet   torchvision's ResNet-18 as it is (7x7 stem) on 28 pixels, DataLoader and transforms, Lightning's Trainer as it is, float32
resnet18    ours with the small stem: `--preset standard`, batches of 128
fast        ours: `--preset fast`

Times of whole trainings are extrapolated from these rates, without evaluation: every row is told that way.
"""

from __future__ import annotations

import argparse
import dataclasses
import logging
import statistics
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import pytorch_lightning as pl
import torch
import torch.nn.functional as F
import torchvision
from PIL import Image
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset
from torchvision import transforms

from wiesel import images
from wiesel.batches import TrainingBatches, measure
from wiesel.images import Images
from wiesel.jobs.presets import PRESETS
from wiesel.recipe import Recipe
from wiesel.training.fit import fresh_network, prepare
from wiesel.training.optimiser import optimiser_for
from wiesel.training.threads import usable_cores
from wiesel.training.throughput import throughput


class Pictures(Dataset[tuple[Tensor, int]]):
    """Picture by picture through PIL and torchvision's transforms."""

    def __init__(self, split: Images, count: int, *steps: Callable[[Image.Image], Image.Image]) -> None:
        self.pixels, self.labels = split.pixels[:count, :, :, 0], split.labels[:count].tolist()
        self.transform = transforms.Compose([*steps, transforms.ToTensor(), transforms.Normalize((0.5,), (0.5,))])

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        return self.transform(Image.fromarray(self.pixels[index])), self.labels[index]


def one_channel() -> nn.Module:
    network = torchvision.models.resnet18(num_classes=10)
    network.conv1 = nn.Conv2d(1, 64, 7, stride=2, padding=3, bias=False)
    return network


class LabSheet(pl.LightningModule):
    def __init__(self) -> None:
        super().__init__()
        self.network = one_channel()

    def training_step(self, batch: tuple[Tensor, Tensor], _index: int) -> Tensor:
        return F.cross_entropy(self.network(batch[0]), batch[1])

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.Adam(self.parameters(), lr=1e-3)


def book(split: Images) -> Callable[[], int]:
    network = one_channel()
    optimiser = torch.optim.Adam(network.parameters(), lr=1e-3)
    loader = DataLoader(Pictures(split, 256, transforms.Resize(224)), batch_size=128, shuffle=True)

    def some() -> int:
        for pictures, labels in loader:
            loss = F.cross_entropy(network(pictures), labels)
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
        return 256

    return some


def lab_sheet(split: Images) -> Callable[[], int]:
    module, loader = LabSheet(), DataLoader(Pictures(split, 2560), batch_size=128, shuffle=True)

    def some() -> int:
        logging.getLogger("pytorch_lightning").setLevel(logging.ERROR)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            pl.Trainer(max_epochs=1, accelerator="cpu", logger=False, enable_checkpointing=False, enable_progress_bar=False).fit(
                module, loader
            )
        return 2560

    return some


def ours(recipe: Recipe, split: Images, count: int) -> Callable[[], int]:
    split = split.take(range(count))
    preprocessing = measure(split.pixels)
    network = fresh_network(recipe, classes=10, image=preprocessing.image).train()
    batches = TrainingBatches(split, preprocessing, batch=recipe.training.batch, seed=0, augmentation=recipe.augmentation)
    prepare(network, batches)
    optimiser = optimiser_for(network, recipe.training)

    def some() -> int:
        for batch in batches.epoch(0):
            loss = F.cross_entropy(network(batch.pictures), batch.labels, label_smoothing=recipe.training.label_smoothing)
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
        return count

    return some


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--repetitions", type=int, default=5)
    parser.add_argument("--markdown", type=Path)
    wanted = parser.parse_args()
    torch.set_num_threads(usable_cores())
    torch.set_flush_denormal(True)
    split = images.load("fashion-mnist-sample").train
    standard = dataclasses.replace(PRESETS["standard"], training=dataclasses.replace(PRESETS["standard"].training, batch=128))
    fast = PRESETS["fast"]
    ways = {
        "book": book(split),
        "lab sheet": lab_sheet(split),
        "resnet18": ours(standard, split, 512),
        "fast": ours(fast, split, 5120),
    }
    rates: dict[str, list[float]] = {name: [] for name in ways}
    for repetition in range(wanted.repetitions + 1):
        for name, some in ways.items():
            start = time.perf_counter()
            count = some()
            if repetition:  # the first round warms up
                rates[name].append(count / (time.perf_counter() - start))
    speed = throughput("fp32")
    pictures = {"book": 600_000, "lab sheet": 55_000, "resnet18": 55_000, "fast": 55_000 * fast.training.epochs}
    what = {"book": "ten epochs of 60,000", "lab sheet": "an epoch of 55,000", "resnet18": "an epoch of 55,000"}
    what["fast"] = f"{fast.training.epochs} epochs of 55,000"
    lines = ["| way | pictures per second | range | whole | seconds, extrapolated |", "|---|---|---|---|---|"]
    for name, found in rates.items():
        rate = statistics.median(found)
        lines.append(
            f"| {name} | {rate:,.0f} | {min(found):,.0f} to {max(found):,.0f} | {what[name]} | {pictures[name] / rate:,.0f} |"
        )
    ratios = sorted((600_000 / slow) / (pictures["fast"] / quick) for slow, quick in zip(rates["book"], rates["fast"], strict=True))
    lines += [
        "",
        f"book's ten epochs / fast's whole training: {statistics.median(ratios):.0f} ({ratios[0]:.0f} to {ratios[-1]:.0f}, n = {len(ratios)})",
        f"convolution {speed.convolution / 1e9:.0f} GFLOP/s, matrix product {speed.matrix_product / 1e9:.0f}, "
        f"ResNet-18's step {speed.step / 1e9:.0f}: {speed.share:.0%} of the convolution",
    ]
    print("\n".join(lines))
    if wanted.markdown:
        wanted.markdown.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
