"""The vanishing gradient and its four cures, measured: the same pictures through networks that differ in one thing at a time.

    cure            before             after              all else
    activation      sigmoid            ReLU               Xavier, no norm, no shortcuts
    initialisation  N(0, 0.01²)        Xavier; He         ReLU, no norm, no shortcuts
    batch norm      none               batch norm         ReLU, N(0, 0.01²), no shortcuts
    shortcuts       plain              residual           ReLU, batch norm, He

The networks are the plain and residual ones of 20 and 56 layers for CIFAR (He et al. 2015, section 4.2), changed as
`zoo.build("plain56:norm=off,init=xavier")` does it. They are computed in double precision: in single precision a gradient of 1e-63 is 0.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn import functional

from wiesel import images, zoo
from wiesel.analysis.gradient_flow import GradientFlow, gradient_flow
from wiesel.blocks import initialisation
from wiesel.teaching.words import Words

Rule = Callable[[nn.Module], None]
PICTURES = 8


@dataclass(frozen=True)
class Cure:
    """One row of the table above: names of settings, from the ill one to the cured one."""

    name: str
    settings: tuple[str, ...]


SETTINGS: dict[str, tuple[str, tuple[str, ...], Rule]] = {
    "sigmoid": ("plain", ("activation=sigmoid", "norm=off"), initialisation.xavier),
    "relu": ("plain", ("norm=off",), initialisation.xavier),
    "normal": ("plain", ("norm=off",), partial(initialisation.normal, std=0.01)),
    "he": ("plain", ("norm=off",), initialisation.he),
    "norm": ("plain", (), partial(initialisation.normal, std=0.01)),
    "plain": ("plain", (), initialisation.he),
    "residual": ("resnet", (), initialisation.he),
}
"""Setting -> family, what is changed about it, how its weights are drawn."""

CURES = (
    Cure("activation", ("sigmoid", "relu")),
    Cure("initialisation", ("normal", "relu", "he")),
    Cure("norm", ("normal", "norm")),
    Cure("shortcut", ("plain", "residual")),
)


def network_of(setting: str, depth: int, *, channels: int = 1, side: int = 14, classes: int = 10, seed: int = 0) -> nn.Module:
    """The network of one setting, its weights drawn from `seed`; PyTorch's own generator is left as it was.

    Residual blocks do not start as the identity here: otherwise most of the network would be switched off at the start.
    """
    family, changes, draw = SETTINGS[setting]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = zoo.build(
            f"{family}{depth}", classes=classes, channels=channels, size=side, zero_init_last_norm=False, changes=changes
        )
        draw(network)
    return network


def few_pictures(count: int = PICTURES) -> tuple[Tensor, Tensor]:
    """The first pictures of the embedded Fashion-MNIST sample, halved to 14 x 14 pixels and standardised; and their classes."""
    train = images.load("fashion-mnist-sample").train.take(range(count))
    pixels = torch.from_numpy(train.pixels.copy()).permute(0, 3, 1, 2).double() / 255
    small = functional.avg_pool2d(pixels, 2)
    return (small - small.mean()) / small.std(), torch.from_numpy(train.labels.copy())


def flows_of_cures(
    depths: Sequence[int] = (20, 56), *, pictures: Tensor | None = None, labels: Tensor | None = None, seed: int = 0
) -> dict[tuple[str, int], GradientFlow]:
    """(setting, depth) -> flow at initialisation, for every setting of `SETTINGS`. 20 and 56 layers take half a minute."""
    if pictures is None or labels is None:
        pictures, labels = few_pictures()
    pictures = pictures.double()
    found = {}
    for depth in depths:
        for setting in SETTINGS:
            network = network_of(setting, depth, channels=pictures.shape[1], side=pictures.shape[2], seed=seed).double()
            found[setting, depth] = gradient_flow(network, pictures, labels)
    return found


def short_training(
    setting: str, depth: int = 20, *, steps: int = 30, every: int = 3, rate: float = 0.05, batch: int = 16, seed: int = 0
) -> list[tuple[int, GradientFlow]]:
    """(steps done, flow) along a short training of one setting: SGD with momentum 0.9 on batches of the embedded sample.

    For whole trainings see `wiesel.jobs.gradient_flow`: `train(…, gradient_flow_every=50)` notes the same.
    """
    network = network_of(setting, depth, seed=seed).train()
    pictures, labels = few_pictures(steps * batch)
    optimiser = torch.optim.SGD(network.parameters(), lr=rate, momentum=0.9)
    history = []
    for step in range(steps + 1):
        rows = slice(step * batch, (step + 1) * batch) if step < steps else slice(0, batch)
        some, classes = pictures[rows].float(), labels[rows]
        if step % every == 0:
            history.append((step, gradient_flow(network, some, classes)))
        optimiser.zero_grad()
        functional.cross_entropy(network(some), classes).backward()  # type: ignore[no-untyped-call]
        optimiser.step()
    return history


def said(setting: str, words: Words) -> str:
    """What a setting is called in a legend."""
    return {
        "sigmoid": "Sigmoid",
        "relu": "ReLU + Xavier",
        "normal": words(en="N(0, 0.01²)", de="N(0, 0,01²)"),
        "he": "ReLU + He",
        "norm": words(en="with batch norm", de="mit Batch-Norm"),
        "plain": words(en="plain", de="ohne Abkürzung"),
        "residual": words(en="residual", de="mit Abkürzung"),
    }[setting]


def headline(cure: str, words: Words) -> tuple[str, str]:
    """The title of a cure, and what is the same in all its networks."""
    return {
        "activation": (words(en="1 Activation", de="1 Aktivierung"), words(en="Xavier, no norm", de="Xavier, keine Norm")),
        "initialisation": (words(en="2 Initialisation", de="2 Initialisierung"), words(en="ReLU, no norm", de="ReLU, keine Norm")),
        "norm": (words(en="3 Batch norm", de="3 Batch-Norm"), words(en="ReLU, N(0, 0.01²)", de="ReLU, N(0, 0,01²)")),
        "shortcut": (words(en="4 Shortcuts", de="4 Abkürzungen"), words(en="ReLU, He, batch norm", de="ReLU, He, Batch-Norm")),
    }[cure]
