"""A baseline: the design called airbench94 (Jordan 2024, arXiv:2404.00498), rebuilt from its description, on a processor.

    python benchmarks/airbench.py [--epochs 9.9] [--seed 0] [--pictures 0] [--data ../shared/data/cifar10-images.zip]

    stem       24 @ 31x31     2x2 patches of three colours, whitened: fixed filters; their biases learn for three epochs
    group 1    64 @ 15x15     conv, pool, norm, GELU; conv, norm, GELU
    group 2    256 @ 7x7      the same
    group 3    256 @ 3x3      the same
    head       10             the largest value of each map; linear without bias, divided by 9

Nesterov SGD on the summed loss with a triangular rate; the shifts of the norms learn 64 times as fast; every five steps the weights are
drawn back to a slow copy (lookahead), ever more strongly; label smoothing 0.2; mirrored in turn; moved by up to two pixels.

What differs from the description: float32 (or bfloat16 where that is faster) in channels-last memory instead of half precision on a
GPU; the whitening sees 5,000 pictures drawn at random, because the files are sorted by class; pictures are moved batch by batch instead
of all at the start of an epoch. The pictures themselves are JPEG files. The clock covers the steps with their augmentation: not reading,
normalising, whitening and evaluating, which it does not cover for ours either.
"""

from __future__ import annotations

import argparse
import json
import math
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from wiesel import images
from wiesel.batches import EvaluationBatches, measure
from wiesel.batches.inference import logits_of
from wiesel.batches.views import Views
from wiesel.images import DataSet
from wiesel.training.threads import usable_cores
from wiesel.zoo.wiesel import whitening_filters

WIDTHS = (64, 256, 256)
BATCH = 1024
MOMENTUM = 0.85
RATE, DECAY = 11.5, 0.0153
"""For 1,024 examples, in units in which momentum does not change the size of a step ("decoupled")."""
SHIFTS = 64
"""The shifts of the norms learn so many times as fast."""
PEAK, BEGIN, END = 0.23, 0.2, 0.07
"""The rate rises from 0.2 of its peak in the first 23 % of the steps and falls to 0.07."""
MOVE = 2
STEM_EPOCHS = 3
LOOK_EVERY, LOOK_DECAY = 5, 0.95**5
SMOOTHING = 0.2

Precision = Literal["fp32", "bf16"]


@dataclass(frozen=True)
class Trained:
    seed: int
    epochs: float
    steps: int
    pictures: int
    """Shown, in all epochs together."""
    seconds: float
    accuracy: float
    accuracy_6_views: float
    seconds_evaluate: float
    """Of the plain accuracy, all test pictures."""
    precision: str


def network_for(classes: int = 10) -> nn.Sequential:
    parts: OrderedDict[str, nn.Module] = OrderedDict(
        stem=nn.Conv2d(3, 24, 2),
        gelu=nn.GELU(),
    )
    before = 24
    for number, width in enumerate(WIDTHS, start=1):
        parts[f"group{number}"] = nn.Sequential(
            _conv(before, width), nn.MaxPool2d(2), _norm(width), nn.GELU(), _conv(width, width), _norm(width), nn.GELU()
        )
        before = width
    parts |= {"pool": nn.MaxPool2d(3), "flatten": nn.Flatten(), "linear": nn.Linear(before, classes, bias=False), "scale": Ninth()}
    network = nn.Sequential(parts)
    nn.init.zeros_(network.stem.bias)
    network.stem.weight.requires_grad_(False)
    return network.to(memory_format=torch.channels_last)


class Ninth(nn.Module):
    def forward(self, logits: Tensor) -> Tensor:
        return logits / 9


def _conv(before: int, width: int) -> nn.Conv2d:
    conv = nn.Conv2d(before, width, 3, padding=1, bias=False)
    nn.init.dirac_(conv.weight[: min(before, width)])
    return conv


def _norm(width: int) -> nn.BatchNorm2d:
    norm = nn.BatchNorm2d(width, eps=1e-12, momentum=0.4)
    norm.weight.requires_grad_(False)
    return norm


def optimiser_for(network: nn.Module) -> torch.optim.SGD:
    """Rates for the summed loss of a batch; the product of rate and decay is the same for all."""
    unit = 1024 * (1 + 1 / (1 - MOMENTUM))
    rate, decay = RATE / unit, DECAY * BATCH / unit
    shifts = [p for m in network.modules() if isinstance(m, nn.BatchNorm2d) for p in (m.bias,)]
    chosen = set(map(id, shifts))
    others = [p for p in network.parameters() if p.requires_grad and id(p) not in chosen]
    groups = [
        {"params": shifts, "lr": SHIFTS * rate, "weight_decay": decay / (SHIFTS * rate)},
        {"params": others, "lr": rate, "weight_decay": decay / rate},
    ]
    return torch.optim.SGD(groups, momentum=MOMENTUM, nesterov=True)


def triangle(step: int, steps: int) -> float:
    """Share of the peak rate at a step."""
    top = math.floor(PEAK * steps)
    if step < top:
        return BEGIN + (1 - BEGIN) * step / top
    return 1 + (END - 1) * (step - top) / (steps - top)


class Lookahead:
    """A slow copy of weights and statistics, to which the fast ones are drawn back."""

    def __init__(self, network: nn.Module) -> None:
        self.fast = [tensor for tensor in network.state_dict().values() if tensor.is_floating_point()]
        self.slow = [tensor.detach().clone() for tensor in self.fast]

    @torch.no_grad()
    def __call__(self, decay: float) -> None:
        """slow <- decay * slow + (1 - decay) * fast; fast <- slow"""
        torch._foreach_lerp_(self.slow, self.fast, 1 - decay)
        torch._foreach_copy_(self.fast, self.slow)


class Batches:
    """All training pictures, normalised and with a mirrored rim of two pixels; epoch for epoch whole batches of them."""

    def __init__(self, pictures: Tensor, labels: Tensor, *, batch: int, random: torch.Generator) -> None:
        self.size = pictures.shape[-1]
        self.padded = F.pad(pictures, (MOVE,) * 4, mode="reflect").contiguous(memory_format=torch.channels_last)
        self.labels, self.batch, self.random = labels, batch, random
        self.mirrored = torch.rand(len(labels), generator=random) < 0.5
        self.steps = len(labels) // batch

    def epoch(self, epoch: int) -> Iterator[tuple[Tensor, Tensor]]:
        """(pictures, labels); the last, smaller batch is left out."""
        count, span = len(self.labels), 2 * MOVE + 1
        order = torch.randperm(count, generator=self.random)
        places = torch.randint(0, span**2, (count,), generator=self.random)
        flip = self.mirrored if epoch % 2 == 0 else ~self.mirrored
        for ids in order[: self.steps * self.batch].split(self.batch):
            out = torch.empty(len(ids), 3, self.size, self.size).contiguous(memory_format=torch.channels_last)
            for place in range(span**2):
                y, x = divmod(place, span)
                window = self.padded[:, :, y : y + self.size, x : x + self.size]
                here = places[ids] == place
                for mirror in (False, True):
                    rows = here & (flip[ids] == mirror)
                    out[rows] = window[ids[rows]].flip(-1) if mirror else window[ids[rows]]
            yield out, self.labels[ids]


def train(
    data: DataSet,
    *,
    epochs: float = 9.9,
    seed: int = 0,
    batch: int = BATCH,
    precision: Precision = "fp32",
    tell: Callable[[str], None] = lambda _: None,
) -> Trained:
    """Train on `data.train`, all of it; look at `data.test` once, plainly and with six views."""
    assert data.test is not None
    torch.set_flush_denormal(True)
    preprocessing = measure(data.train.pixels)
    random = torch.Generator().manual_seed(seed)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = network_for(len(data.classes))
    pictures = preprocessing.normalise(torch.tensor(data.train.pixels))
    some = torch.randperm(len(pictures), generator=random)[:5000]
    with torch.no_grad():
        network.stem.weight.copy_(whitening_filters(pictures[some], 2))
    batches = Batches(pictures, torch.from_numpy(data.train.labels), batch=batch, random=random)
    del pictures
    optimiser = optimiser_for(network)
    peaks = [group["lr"] for group in optimiser.param_groups]
    steps = math.ceil(epochs * batches.steps)
    lookahead = Lookahead(network)
    network.train()
    start, step = time.perf_counter(), 0
    for epoch in range(math.ceil(epochs)):
        network.stem.bias.requires_grad_(epoch < STEM_EPOCHS)
        for inputs, labels in batches.epoch(epoch):
            for group, peak in zip(optimiser.param_groups, peaks, strict=True):
                group["lr"] = peak * triangle(step, steps)
            with torch.autocast("cpu", torch.bfloat16, enabled=precision == "bf16"):
                logits = network(inputs)
            loss = F.cross_entropy(logits.float(), labels, label_smoothing=SMOOTHING, reduction="sum")
            optimiser.zero_grad(set_to_none=True)
            loss.backward()
            optimiser.step()
            step += 1
            if step % LOOK_EVERY == 0:
                lookahead(LOOK_DECAY * (step / steps) ** 3)
            if step == steps:
                break
        seconds = time.perf_counter() - start
        tell(f"epoch {epoch + 1}, step {step} of {steps}: loss {loss.item() / len(labels):.3f}, {seconds:.0f} s")
    lookahead(1.0)
    seconds = time.perf_counter() - start
    test = EvaluationBatches(data.test, preprocessing)
    start = time.perf_counter()
    plain = (logits_of(network, test, precision=precision).argmax(1) == data.test.labels).mean()
    evaluated = time.perf_counter() - start
    six = (logits_of(Views(network, 6), test, precision=precision).argmax(1) == data.test.labels).mean()
    shown = step * batch
    return Trained(seed, epochs, step, shown, seconds, float(plain), float(six), evaluated, precision)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("../shared/data/cifar10-images.zip"))
    parser.add_argument("--epochs", type=float, default=9.9)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--batch", type=int, default=BATCH)
    parser.add_argument("--precision", choices=("fp32", "bf16"), default="fp32")
    parser.add_argument("--pictures", type=int, default=0, help="train and test on so many; 0: all")
    parser.add_argument("--threads", type=int, default=0)
    wanted = parser.parse_args()
    torch.set_num_threads(wanted.threads or usable_cores())
    data = images.load(wanted.data)
    if wanted.pictures:
        data = part_of(data, wanted.pictures)
    found = train(data, epochs=wanted.epochs, seed=wanted.seed, batch=wanted.batch, precision=wanted.precision, tell=print)
    print(json.dumps(asdict(found)))


def part_of(data: DataSet, count: int) -> DataSet:
    """Of both splits `count` pictures, evenly spaced, so that every class is there."""
    import dataclasses

    assert data.test is not None
    parts = {}
    for name, split in (("train", data.train), ("test", data.test)):
        parts[name] = split.take(range(0, len(split), max(1, len(split) // count)))
    return dataclasses.replace(data, **parts)


if __name__ == "__main__":
    main()
