"""How fast this machine computes: convolution, matrix product and one whole training step, in floating-point operations per second.

The best convolution rate is the bearing: a training step can at most come near it, and the fraction tells how much of the time goes
into everything else (norms, activations, the optimiser, memory).
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F

from wiesel import zoo
from wiesel.recipe import Precision, Training
from wiesel.training.optimiser import optimiser_for

RESNET18_MACS = 455_800_832
"""Multiply-adds of ResNet-18 with the small stem for one picture of 28x28 (a test compares it with `analysis.cost`)."""
CONVOLUTIONS = ((64, 28), (128, 14), (256, 14), (256, 7))
"""(channels, side) of the 3x3 convolutions that are tried; the fastest counts."""


@dataclass(frozen=True)
class Throughput:
    """Floating-point operations per second; a multiply-add counts as two, a training step as three forward passes."""

    convolution: float
    matrix_product: float
    step: float
    pictures: float
    """Pictures per second in that step: ResNet-18, 28x28."""

    @property
    def share(self) -> float:
        """Of the best convolution rate, what a training step reaches."""
        return self.step / self.convolution


@torch.no_grad()
def convolution_rate(precision: Precision, *, batch: int = 64) -> float:
    kind = torch.bfloat16 if precision == "bf16" else torch.float32
    rates = []
    for channels, side in CONVOLUTIONS:
        maps = torch.rand(batch, channels, side, side, dtype=kind).to(memory_format=torch.channels_last)
        filters = torch.rand(channels, channels, 3, 3, dtype=kind).to(memory_format=torch.channels_last)
        seconds = best_of(lambda maps=maps, filters=filters: F.conv2d(maps, filters, padding=1))  # type: ignore[misc]
        rates.append(2 * 9 * channels**2 * side**2 * batch / seconds)
    return max(rates)


@torch.no_grad()
def product_rate(precision: Precision, *, side: int = 1024) -> float:
    kind = torch.bfloat16 if precision == "bf16" else torch.float32
    left, right = torch.rand(side, side, dtype=kind), torch.rand(side, side, dtype=kind)
    return 2 * side**3 / best_of(lambda: left @ right)


def step_rate(precision: Precision, *, batch: int = 128) -> tuple[float, float]:
    """(operations, pictures) per second of ResNet-18's whole step: forward, backward, AdamW."""
    with torch.random.fork_rng(devices=[]):
        network = zoo.build("resnet18", classes=10, channels=1, size=28).to(memory_format=torch.channels_last)
        pictures = torch.rand(batch, 1, 28, 28).to(memory_format=torch.channels_last)
    labels = torch.arange(batch) % 10
    optimiser = optimiser_for(network, Training())

    def step() -> None:
        with torch.autocast("cpu", torch.bfloat16, enabled=precision == "bf16"):
            loss = F.cross_entropy(network(pictures).float(), labels)
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()

    seconds = best_of(step, repetitions=2)
    return 3 * 2 * RESNET18_MACS * batch / seconds, batch / seconds


def throughput(precision: Precision) -> Throughput:
    """About three seconds on two cores."""
    step, pictures = step_rate(precision)
    return Throughput(convolution=convolution_rate(precision), matrix_product=product_rate(precision), step=step, pictures=pictures)


def best_of(work: Callable[[], object], repetitions: int = 4) -> float:
    """Seconds of the fastest of some runs after one to warm up: the one that was disturbed least."""
    work()
    times = []
    for _ in range(repetitions):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return min(times)
