"""Batches from memory against a DataLoader with the same torchvision transforms on the same pictures: crop, flip, normalise.

    python benchmarks/input_path.py [--pictures 10000] [--repetitions 5]

One process each (num_workers=0), interleaved; medians and the ratio with its range go to stdout.
"""

from __future__ import annotations

import argparse
import statistics
import time

import torch
from torch.utils.data import DataLoader, Dataset
from torchvision import transforms

from wiesel import images
from wiesel.batches import TrainingBatches, measure
from wiesel.images import Images
from wiesel.recipe import Augmentation
from wiesel.training.threads import usable_cores


class AsUsual(Dataset[tuple[torch.Tensor, int]]):
    """Picture by picture through PIL, as the tutorials do."""

    def __init__(self, split: Images, mean: float, std: float) -> None:
        self.pictures = [transforms.functional.to_pil_image(picture[:, :, 0]) for picture in split.pixels]
        self.labels = split.labels.tolist()
        self.transform = transforms.Compose(
            [
                transforms.RandomCrop(28, padding=2, padding_mode="edge"),
                transforms.RandomHorizontalFlip(),
                transforms.ToTensor(),
                transforms.Normalize((mean,), (std,)),
            ]
        )

    def __len__(self) -> int:
        return len(self.pictures)

    def __getitem__(self, index: int) -> tuple[torch.Tensor, int]:
        return self.transform(self.pictures[index]), self.labels[index]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--pictures", type=int, default=9000)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--repetitions", type=int, default=5)
    wanted = parser.parse_args()
    torch.set_num_threads(usable_cores())
    split = images.load("fashion-mnist-sample").train.take(range(wanted.pictures))
    preparation = measure(split.pixels)
    ours = TrainingBatches(split, preparation, batch=wanted.batch, seed=0, augmentation=Augmentation(flip=True, shift=2))
    theirs = DataLoader(AsUsual(split, *preparation.mean, *preparation.std), batch_size=wanted.batch, shuffle=True)
    seconds: dict[str, list[float]] = {"wiesel": [], "DataLoader": []}
    for epoch in range(wanted.repetitions + 1):
        for name, batches in (("wiesel", ours.epoch(epoch)), ("DataLoader", theirs)):
            start = time.perf_counter()
            count = sum(1 for _ in batches)
            if epoch:  # the first pass warms up
                seconds[name].append(time.perf_counter() - start)
            assert count == -(-wanted.pictures // wanted.batch)
    for name, values in seconds.items():
        print(f"{name:<11} {wanted.pictures / statistics.median(values):>10,.0f} pictures/s  (median of {len(values)})")
    ratios = sorted(b / a for a, b in zip(seconds["wiesel"], seconds["DataLoader"], strict=True))
    print(f"ratio       {statistics.median(ratios):.1f}  ({ratios[0]:.1f} to {ratios[-1]:.1f})")


if __name__ == "__main__":
    main()
