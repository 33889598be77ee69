"""The small trainings of the lessons: a few hundred real pictures, a few dozen steps, one plain loop that can be read.

For a training that is meant (recipe, checkpoints, report) there is `wiesel.train`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from wiesel.images import load


@dataclass(frozen=True)
class Sample:
    """Pictures (N, 1, H, W) with mean 0 and deviation 1 over the training part (before shrinking), labels (N,), and the classes' names."""

    pictures: Tensor
    labels: Tensor
    test_pictures: Tensor
    test_labels: Tensor
    classes: tuple[str, ...]
    mean: float
    deviation: float


@cache
def sample(name: str = "fashion-mnist-sample", train: int = 1000, test: int = 500, shrink: int = 1) -> Sample:
    """Pictures of a set in a fixed random order; of a set without test pictures, these are taken from the same ones.

    `shrink` 2: means of 2x2 pixels, which quarters the work.

    Raises:
        MissingError: the set is not on this machine.
    """
    data = load(name)
    order = np.random.default_rng(0).permutation(len(data.train))
    rows, rest = order[:train], order[train : train + test]
    held_out = (data.train, rest) if data.test is None else (data.test, np.arange(min(test, len(data.test))))
    pixels, labels = data.train.pixels[rows], data.train.labels[rows]
    mean, deviation = float(pixels.mean() / 255), float(pixels.std() / 255)

    def tensor(some: NDArray[np.uint8]) -> Tensor:
        scaled = torch.from_numpy(np.ascontiguousarray(some.transpose(0, 3, 1, 2))).float() / 255
        return nn.functional.avg_pool2d((scaled - mean) / deviation, shrink)

    source, chosen = held_out
    return Sample(
        tensor(pixels),
        torch.from_numpy(labels.copy()),
        tensor(source.pixels[chosen]),
        torch.from_numpy(source.labels[chosen].copy()),
        data.classes,
        mean,
        deviation,
    )


def descend(
    network: nn.Module,
    pictures: Tensor,
    labels: Tensor,
    *,
    steps: int,
    batch: int = 50,
    rate: float = 0.05,
    momentum: float = 0.9,
    seed: int = 0,
) -> list[float]:
    """The losses of `steps` steps of stochastic gradient descent with momentum, the rate falling in a line to zero."""
    chance = torch.Generator().manual_seed(seed)
    optimiser = torch.optim.SGD(network.parameters(), lr=rate, momentum=momentum)
    network.train()
    losses: list[float] = []
    order = torch.empty(0, dtype=torch.long)
    for step in range(steps):
        if len(order) < batch:
            order = torch.randperm(len(pictures), generator=chance)
        rows, order = order[:batch], order[batch:]
        for group in optimiser.param_groups:
            group["lr"] = rate * (1 - step / steps)
        loss = nn.functional.cross_entropy(network(pictures[rows]), labels[rows])
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        losses.append(float(loss.detach()))
    return losses


def accuracy(network: nn.Module, pictures: Tensor, labels: Tensor) -> float:
    """Share that is right, in evaluation mode."""
    network.eval()
    with torch.no_grad():
        named = torch.cat([network(part).argmax(1) for part in torch.split(pictures, 250)])
    return float((named == labels).float().mean())
