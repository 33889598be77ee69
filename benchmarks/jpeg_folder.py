"""A folder of JPEG files: the first pass and later ones, ours against torchvision's `ImageFolder` behind a DataLoader.

    python benchmarks/jpeg_folder.py [--archive ../shared/data/cifar10-images.zip] [--pictures 10000] [--size 32] [--repetitions 5]

A pass hands every picture over once as a normalised batch, mirrored at random. Ours looks at all files, decodes them into the cache, and
makes batches from that: the first pass of each repetition has an empty cache of its own, a later one does not decode again. The peer
decodes in every pass, with as many workers as there are cores; its first pass contains their start, as ours contains the threads'.
Interleaved; the files are in the system's memory for both. `--size`: side in pixels, the shorter side scaled to it and the middle kept.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import tempfile
import time
import zipfile
from pathlib import Path

import torch
from conditions import conditions, in_words, median_and_range
from torch.utils.data import DataLoader
from torchvision import datasets, transforms

from wiesel import images
from wiesel.batches import TrainingBatches, measure
from wiesel.recipe import Augmentation
from wiesel.training.threads import usable_cores

BATCH = 64


def unpacked(archive: Path, folder: Path, count: int) -> None:
    """The first `count` training pictures of an archive, spread over its classes, as folder/class/name; without classes: all in two."""
    with zipfile.ZipFile(archive) as file:
        names = [name for name in file.namelist() if name.lower().endswith((".jpg", ".jpeg"))]
        train = [name for name in names if "/train/" in name] or names
        for number, name in enumerate(train[:: max(1, len(train) // count)][:count]):
            parent = name.split("/")[-2] if "/train/" in name else f"half{number % 2}"
            (folder / parent).mkdir(parents=True, exist_ok=True)
            (folder / parent / f"{number:05}.jpg").write_bytes(file.read(name))


def ours(folder: Path, size: int) -> tuple[float, float]:
    """Seconds of the first pass, with an empty cache, and of a second one."""
    with tempfile.TemporaryDirectory() as cache:
        os.environ["WIESEL_CACHE"] = cache
        start = time.perf_counter()
        split = images.load(folder, size=size, channels=3).train
        batches = TrainingBatches(split, measure(split.pixels), batch=BATCH, seed=0, augmentation=Augmentation(flip=True))
        assert sum(1 for _ in batches.epoch(0)) == -(-len(split) // BATCH)
        first = time.perf_counter() - start
        start = time.perf_counter()
        for _ in batches.epoch(1):
            pass
        return first, time.perf_counter() - start


def theirs(folder: Path, size: int) -> tuple[float, float]:
    """The same with ImageFolder and a DataLoader, whose workers live on between the passes."""
    steps = transforms.Compose(
        [
            transforms.Resize(size),
            transforms.CenterCrop(size),
            transforms.RandomHorizontalFlip(),
            transforms.ToTensor(),
            transforms.Normalize((0.5,) * 3, (0.25,) * 3),
        ]
    )
    start = time.perf_counter()
    loader = DataLoader(
        datasets.ImageFolder(str(folder), steps),
        batch_size=BATCH,
        shuffle=True,
        num_workers=usable_cores(),
        persistent_workers=True,
    )
    seconds = []
    for _ in range(2):
        for _ in loader:
            pass
        seconds.append(time.perf_counter() - start)
        start = time.perf_counter()
    return seconds[0], seconds[1]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--archive", type=Path, default=Path("../shared/data/cifar10-images.zip"))
    parser.add_argument("--pictures", type=int, default=10_000)
    parser.add_argument("--size", type=int, default=32)
    parser.add_argument("--repetitions", type=int, default=5)
    wanted = parser.parse_args()
    torch.set_num_threads(usable_cores())
    ways = {"wiesel": ours, "ImageFolder": theirs}
    seconds: dict[str, list[tuple[float, float]]] = {name: [] for name in ways}
    place = Path(tempfile.mkdtemp())
    try:
        unpacked(wanted.archive, place, wanted.pictures)
        count = sum(1 for _ in place.rglob("*.jpg"))
        for repetition in range(wanted.repetitions + 1):
            for name in ways if repetition % 2 else reversed(ways):
                found = ways[name](place, wanted.size)
                if repetition:  # the first one warms up
                    seconds[name].append(found)
    finally:
        shutil.rmtree(place)
    print(f"{count} pictures of {wanted.archive.name} at {wanted.size} px")
    for which, words in enumerate(("first pass", "later pass")):
        for name, every in seconds.items():
            print(f"{words}  {name:<12} {median_and_range([count / one[which] for one in every], '.0f')} pictures/s")
        ratios = [b[which] / a[which] for a, b in zip(*seconds.values(), strict=True)]
        print(
            f"{words}  times as fast: {median_and_range(ratios, '.1f')}, median {statistics.median(ratios):.1f}, n = {len(ratios)}"
        )
    print(in_words(conditions()))


if __name__ == "__main__":
    main()
