"""A learner's counting of three networks against ours."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch

from wiesel import zoo
from wiesel.analysis import cost
from wiesel.language import grouped, say
from wiesel.lessons.checking import Own, Result

NETWORKS = ("resnet18", "googlenet", "efficientnet_b0")
IMAGE = (3, 64, 64)


def check(own: Own) -> Iterator[Result]:
    good = say(en="right for all three.", de="bei allen dreien richtig.")
    yield own.part("parameters", "parameters", lambda count: _compared(lambda network: count(network), "parameters"), good)
    yield own.part("multiply_adds", "multiply_adds", lambda count: _compared(lambda network: count(network, IMAGE), "macs"), good)
    yield own.text("comparison", "comparison")


def _compared(count: Any, what: str) -> str | None:
    for name in NETWORKS:
        torch.manual_seed(0)
        network = zoo.build(name, classes=1000, channels=3, size=64)
        right, given = getattr(cost(network, IMAGE), what), count(network)
        if given == right:
            continue
        hint = ""
        if what == "macs" and given == 2 * right:
            hint = say(
                en=" (those are floating-point operations: two per multiply-add)",
                de=" (das sind Gleitkommaoperationen: zwei je Multiplikation mit Addition)",
            )
        return say(
            en=f"{name}: {grouped(int(given))}, right are {grouped(right)}{hint}",
            de=f"{name}: {grouped(int(given))}, richtig sind {grouped(right)}{hint}",
        )
    return None
