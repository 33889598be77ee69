"""A learner's network and training loop, on real digits."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from typing import Any

import torch
from torch import nn

from wiesel.language import number, say
from wiesel.lessons.checking import Own, Result
from wiesel.lessons.experiment import accuracy, sample

ALLOWED = (nn.Conv2d, nn.ReLU, nn.MaxPool2d, nn.Flatten, nn.Linear)
ENOUGH = 0.8
LIMIT = 60
"""Seconds for the training."""


def check(own: Own) -> Iterator[Result]:
    yield own.part(
        "network", "network", _network, say(en="has the right shapes and parts.", de="hat die richtigen Formen und Teile.")
    )
    build = own.get("network")
    yield own.part(
        "train",
        "train",
        lambda train: _trained(build, train),
        say(
            en=f"the network reads more than {ENOUGH:.0%} of unseen digits.",
            de=f"das Netz liest mehr als {100 * ENOUGH:.0f} % von nie gesehenen Ziffern.",
        ),
    )


def _network(build: Any) -> str | None:
    network = build()
    leaves = [layer for layer in network.modules() if not any(True for _ in layer.children())]
    if others := sorted({type(layer).__name__ for layer in leaves if not isinstance(layer, ALLOWED)}):
        return say(en=f"has other parts too: {', '.join(others)}", de=f"hat auch andere Teile: {', '.join(others)}")
    if not any(isinstance(layer, nn.Conv2d) for layer in leaves):
        return say(en="has no convolution", de="hat keine Faltung")
    shape = tuple(network(torch.zeros(3, 1, 8, 8)).shape)
    if shape != (3, 10):
        return say(en=f"makes {shape} of (3, 1, 8, 8), not (3, 10)", de=f"macht aus (3, 1, 8, 8) {shape} statt (3, 10)")
    return None


def _trained(build: Any, train: Any) -> str | None:
    digits = sample("digits", 1200, 400)
    torch.manual_seed(0)
    network = build()
    start = time.monotonic()
    train(network, digits.pictures.clone(), digits.labels.clone())
    seconds = time.monotonic() - start
    right = accuracy(network, digits.test_pictures, digits.test_labels)
    if math.isnan(right) or right <= ENOUGH:
        return say(
            en=f"after your training {number(100 * right, 1)} % of 400 unseen digits are right; wanted are more than {ENOUGH:.0%}",
            de=f"nach deinem Training sind {number(100 * right, 1)} % von 400 nie gesehenen Ziffern richtig; gesucht sind mehr als {100 * ENOUGH:.0f} %",
        )
    if seconds > LIMIT:
        return say(
            en=f"your training took {number(seconds, 0)} s; allowed are {LIMIT} s",
            de=f"dein Training dauerte {number(seconds, 0)} s; erlaubt sind {LIMIT} s",
        )
    return None
