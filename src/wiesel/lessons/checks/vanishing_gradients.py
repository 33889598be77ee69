"""A learner's measurement of gradients against an independent one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import nn

from wiesel import zoo
from wiesel.language import number, say
from wiesel.lessons.checking import Own, Result
from wiesel.lessons.reader import scientific


def check(own: Own) -> Iterator[Result]:
    yield own.part(
        "gradient_norms",
        "gradient_norms",
        _norms,
        say(en="agrees with another computation.", de="stimmt mit einer anderen Rechnung überein."),
    )
    yield own.part("left_after", "left_after", _left, say(en="right for all cases.", de="in allen Fällen richtig."))
    yield own.text("explanation", "explanation")


def _norms(theirs: Any) -> str | None:
    torch.manual_seed(0)
    network = zoo.build("plain20:width=0.25", classes=10, channels=1, size=14)
    pictures, labels = torch.randn(8, 1, 14, 14), torch.arange(8)
    weights = [layer.weight for layer in network.modules() if isinstance(layer, (nn.Conv2d, nn.Linear))]
    gradients = torch.autograd.grad(nn.functional.cross_entropy(network(pictures), labels), weights)
    expected = [float(gradient.norm()) for gradient in gradients]
    given = [theirs(network, pictures, labels) for _ in range(2)]
    if len(given[0]) != len(expected):
        return say(
            en=f"gives {len(given[0])} numbers; the network has {len(expected)} convolutions and linear layers",
            de=f"gibt {len(given[0])} Zahlen; das Netz hat {len(expected)} Faltungen und lineare Schichten",
        )
    for place, (one, right) in enumerate(zip(given[0], expected, strict=True)):
        if abs(float(one) - right) > 1e-4 * max(right, 1e-6) + 1e-6:
            return say(
                en=f"layer {place}: {scientific(float(one), 3)}, right is {scientific(right, 3)}",
                de=f"Schicht {place}: {scientific(float(one), 3)}, richtig ist {scientific(right, 3)}",
            )
    if any(abs(float(a) - float(b)) > 1e-4 * max(float(a), 1e-6) + 1e-6 for a, b in zip(*given, strict=True)):
        return say(
            en="the second call gives other numbers: gradients add up unless they are set to zero",
            de="der zweite Aufruf gibt andere Zahlen: Gradienten summieren sich, wenn man sie nicht auf null setzt",
        )
    return None


def _left(theirs: Any) -> str | None:
    for factor, layers, shortcut in ((0.25, 10, False), (0.25, 10, True), (1.5, 20, False), (-0.5, 3, True), (0.0, 56, True)):
        right = (factor + shortcut) ** layers
        if abs(float(theirs(factor, layers, shortcut)) - right) > 1e-9 * max(1.0, abs(right)):
            return say(
                en=f"factor {factor}, {layers} layers, {'with' if shortcut else 'without'} shortcut: that is not it",
                de=f"Faktor {number(factor, 2)}, {layers} Schichten, {'mit' if shortcut else 'ohne'} Abkürzung: das ist es nicht",
            )
    return None
