"""How fast this machine trains, ours beside the plain ways with the same networks and pictures: less than a minute."""

from __future__ import annotations

import dataclasses
import importlib.util
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from wiesel.language import grouped, number, say

if TYPE_CHECKING:
    from torch.utils.data import DataLoader

    from wiesel.batches import Preprocessing
    from wiesel.images import Images
    from wiesel.recipe import Precision, Recipe
    from wiesel.training.throughput import Throughput

Name = Literal["resnet18", "resnet18_plain", "fast", "fast_plain", "memory", "loader"]
PAIRS: tuple[tuple[Name, Name], ...] = (("resnet18", "resnet18_plain"), ("fast", "fast_plain"), ("memory", "loader"))
"""Ours, and the plain way to which it is compared."""
STEPS = {"resnet18": 3, "fast": 4}
BATCHES = {"resnet18": 32, "fast": 256}
PICTURES = 2048
"""That go through the loaders in each round."""


@dataclass(frozen=True)
class Rate:
    """Pictures per second: the median over the rounds, and the slowest and fastest of them."""

    median: float
    low: float
    high: float


@dataclass(frozen=True)
class Bench:
    """What `bench` measured."""

    rates: dict[Name, Rate]
    ratios: dict[Name, Rate]
    """Ours / the plain way, round by round, under our name."""
    speed: Throughput
    conditions: dict[str, Any]
    """Machine, versions, precision, threads."""
    seconds: float

    def rows(self) -> list[tuple[str, str, str, str]]:
        """For a table: what, pictures per second, range, times the plain way."""
        found = []
        for name, rate in self.rates.items():
            ratio = self.ratios.get(name)
            times = "" if ratio is None else f"{number(ratio.median, 1)} ({number(ratio.low, 1)} – {number(ratio.high, 1)})"
            spread = f"{grouped(round(rate.low))} – {grouped(round(rate.high))}"
            found.append((label(name), grouped(round(rate.median)), spread, times))
        return found

    def to_json(self) -> dict[str, Any]:
        """The keys that other programs may rely on."""
        return {
            "pictures_per_second": {name: dataclasses.asdict(rate) for name, rate in self.rates.items()},
            "ratios": {name: dataclasses.asdict(ratio) for name, ratio in self.ratios.items()},
            "gflops": {
                "convolution": round(self.speed.convolution / 1e9, 1),
                "matrix_product": round(self.speed.matrix_product / 1e9, 1),
                "training_step": round(self.speed.step / 1e9, 1),
            },
            "training_step_share": round(self.speed.share, 3),
            **self.conditions,
            "seconds": round(self.seconds, 1),
        }


def label(name: Name) -> str:
    return {
        "resnet18": say(en="training ResNet-18, ours", de="ResNet-18 trainieren, unser Weg"),
        "resnet18_plain": say(en="training ResNet-18, plain PyTorch loop", de="ResNet-18 trainieren, einfache PyTorch-Schleife"),
        "fast": say(en="training --preset fast, ours", de="--preset fast trainieren, unser Weg"),
        "fast_plain": say(en="the same network, plain PyTorch loop", de="dasselbe Netz, einfache PyTorch-Schleife"),
        "memory": say(en="loading pictures, ours", de="Bilder laden, unser Weg"),
        "loader": say(en="loading pictures, DataLoader and transforms", de="Bilder laden, DataLoader und transforms"),
    }[name]


def bench(*, rounds: int = 3) -> Bench:
    """Pictures per second on the embedded sample of Fashion-MNIST, ours and plain in turn, `rounds` times after one to warm up.

    Training, ours: batches from memory, channels-last maps, the precision that is faster here, the recipe's optimiser and augmentation. Plain:
    the same network with PyTorch's own memory format in float32, AdamW, on tensors that are ready, so that only the computing is
    compared. Loading: crop, mirror and normalise a picture at a time with torchvision (left out where that is missing) against whole
    batches. PyTorch's generator is left as it was.
    """
    import torch

    from wiesel import images
    from wiesel.batches import measure
    from wiesel.images.cache import cache_folder
    from wiesel.jobs.presets import PRESETS
    from wiesel.training.precision import choose
    from wiesel.training.threads import usable_cores
    from wiesel.training.throughput import throughput

    start = time.perf_counter()
    torch.set_num_threads(usable_cores())
    precision: Precision = choose(cache_folder() / "precision.json").precision
    split = images.load("fashion-mnist-sample").train.take(range(PICTURES))
    preprocessing = measure(split.pixels)
    standard = dataclasses.replace(
        PRESETS["standard"], training=dataclasses.replace(PRESETS["standard"].training, batch=BATCHES["resnet18"])
    )
    ways: dict[Name, Callable[[], int]] = {}
    torch.set_flush_denormal(True)
    try:
        with torch.random.fork_rng(devices=[]):
            ways["resnet18"] = _ours(standard, split, preprocessing, STEPS["resnet18"], precision)
            ways["resnet18_plain"] = _plain(standard, split, preprocessing, STEPS["resnet18"])
            ways["fast"] = _ours(PRESETS["fast"], split, preprocessing, STEPS["fast"], precision)
            ways["fast_plain"] = _plain(PRESETS["fast"], split, preprocessing, STEPS["fast"])
            ways["memory"] = _from_memory(split, preprocessing)
            if importlib.util.find_spec("torchvision") is not None:
                ways["loader"] = _one_by_one(split, preprocessing)
            measured = _in_turn(ways, rounds)
        speed = throughput(precision)
    finally:
        torch.set_flush_denormal(False)
    ratios = {
        mine: _rate([a / b for a, b in zip(measured[mine], measured[plain], strict=True)])
        for mine, plain in PAIRS
        if plain in measured
    }
    return Bench(
        rates={name: _rate(values) for name, values in measured.items()},
        ratios=ratios,
        speed=speed,
        conditions=_conditions(precision, rounds),
        seconds=time.perf_counter() - start,
    )


def _in_turn(ways: dict[Name, Callable[[], int]], rounds: int) -> dict[Name, list[float]]:
    """Pictures per second of each way in each round."""
    rates: dict[Name, list[float]] = {name: [] for name in ways}
    for turn in range(rounds + 1):
        for name, way in ways.items():
            start = time.perf_counter()
            count = way()
            if turn:  # the first round warms up
                rates[name].append(count / (time.perf_counter() - start))
    return rates


def _rate(values: list[float]) -> Rate:
    return Rate(median=statistics.median(values), low=min(values), high=max(values))


def _ours(recipe: Recipe, split: Images, preprocessing: Preprocessing, steps: int, precision: Precision) -> Callable[[], int]:
    import torch
    import torch.nn.functional as F

    from wiesel.batches import TrainingBatches
    from wiesel.training.fit import fresh_network, prepare
    from wiesel.training.optimiser import optimiser_for

    training = recipe.training
    split = split.take(range(training.batch * steps))
    augmentation = dataclasses.replace(recipe.augmentation, flip=True)
    network = fresh_network(recipe, classes=10, image=preprocessing.image).train()
    batches = TrainingBatches(split, preprocessing, batch=training.batch, seed=0, augmentation=augmentation)
    prepare(network, batches)
    optimiser = optimiser_for(network, training)

    def some() -> int:
        for batch in batches.epoch(0):
            with torch.autocast("cpu", torch.bfloat16, enabled=precision == "bf16"):
                logits = network(batch.pictures)
            loss = F.cross_entropy(logits.float(), batch.labels, label_smoothing=training.label_smoothing)
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
        return len(split)

    return some


def _plain(recipe: Recipe, split: Images, preprocessing: Preprocessing, steps: int) -> Callable[[], int]:
    import torch
    import torch.nn.functional as F

    from wiesel.training.fit import fresh_network

    batch = recipe.training.batch
    network = fresh_network(recipe, classes=10, image=preprocessing.image).to(memory_format=torch.contiguous_format).train()
    optimiser = torch.optim.AdamW([p for p in network.parameters() if p.requires_grad])
    pictures = preprocessing.normalise(torch.from_numpy(split.pixels[: batch * steps])).contiguous()
    labels = torch.from_numpy(split.labels[: batch * steps])

    def some() -> int:
        for inputs, expected in zip(torch.split(pictures, batch), torch.split(labels, batch), strict=True):
            loss = F.cross_entropy(network(inputs), expected)
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
        return len(labels)

    return some


def _from_memory(split: Images, preprocessing: Preprocessing) -> Callable[[], int]:
    from wiesel.batches import TrainingBatches
    from wiesel.recipe import Augmentation

    batches = TrainingBatches(split, preprocessing, batch=64, seed=0, augmentation=Augmentation(flip=True, shift=2))
    return lambda: sum(len(batch) for batch in batches.epoch(0))


def _one_by_one(split: Images, preprocessing: Preprocessing) -> Callable[[], int]:
    from PIL import Image
    from torch.utils.data import DataLoader
    from torchvision import transforms

    steps = transforms.Compose(
        [
            transforms.RandomCrop(split.pixels.shape[1], padding=2, padding_mode="edge"),
            transforms.RandomHorizontalFlip(),
            transforms.ToTensor(),
            transforms.Normalize(preprocessing.mean, preprocessing.std),
        ]
    )
    pictures = [Image.fromarray(picture[:, :, 0]) for picture in split.pixels]

    class OneByOne:
        def __len__(self) -> int:
            return len(pictures)

        def __getitem__(self, row: int) -> tuple[Any, int]:
            return steps(pictures[row]), int(split.labels[row])

    loader: DataLoader[Any] = DataLoader(OneByOne(), batch_size=64, shuffle=True)  # type: ignore[arg-type]
    return lambda: sum(len(labels) for _, labels in loader)


def _conditions(precision: str, rounds: int) -> dict[str, Any]:
    import platform

    import torch

    from wiesel.runs.provenance import PACKAGES, cores, cpu_model, version

    return {
        "precision": precision,
        "threads": torch.get_num_threads(),
        "rounds": rounds,
        "machine": {"cpu": cpu_model(), "cores": cores(), "architecture": platform.machine(), "system": platform.platform()},
        "python": platform.python_version(),
        "versions": {name: version(name) for name in PACKAGES},
    }
