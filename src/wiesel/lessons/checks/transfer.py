"""A learner's adaptation of a trained network: new last layer, everything else frozen."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import nn

from wiesel import zoo
from wiesel.language import grouped, say
from wiesel.lessons.checking import Own, Result

CLASSES = 7


def check(own: Own) -> Iterator[Result]:
    yield own.part(
        "adapt", "adapt", _adapted, say(en="new last layer, the rest frozen.", de="neue letzte Schicht, der Rest eingefroren.")
    )
    yield own.text("comparison", "comparison")


def _adapted(adapt: Any) -> str | None:
    torch.manual_seed(0)
    network = zoo.build("resnet18", classes=1000, channels=3, size=32)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    adapted = adapt(network, CLASSES)
    if not isinstance(adapted, nn.Module):
        return say(en=f"gives back {type(adapted).__name__}, not a network", de=f"gibt {type(adapted).__name__} zurück, kein Netz")
    pictures = torch.randn(4, 3, 32, 32)
    shape = tuple(adapted.eval()(pictures).shape)
    if shape != (4, CLASSES):
        return say(
            en=f"answers with the shape {shape}; for {CLASSES} classes and 4 pictures it is (4, {CLASSES})",
            de=f"antwortet mit der Form {shape}; für {CLASSES} Klassen und 4 Bilder ist es (4, {CLASSES})",
        )
    learning = {name: parameter for name, parameter in adapted.named_parameters() if parameter.requires_grad}
    count = sum(parameter.numel() for parameter in learning.values())
    if count != 512 * CLASSES + CLASSES:
        names = ", ".join(list(learning)[:3])
        return say(
            en=f"{grouped(count)} numbers would learn ({names}, …); the last layer alone has {grouped(512 * CLASSES + CLASSES)}",
            de=f"{grouped(count)} Zahlen würden lernen ({names}, …); die letzte Schicht allein hat {grouped(512 * CLASSES + CLASSES)}",
        )
    optimiser = torch.optim.SGD(learning.values(), lr=0.1)
    nn.functional.cross_entropy(adapted(pictures), torch.arange(4)).backward()  # type: ignore[no-untyped-call]
    optimiser.step()
    after = adapted.state_dict()
    kept = [name for name in before if name in after and after[name].shape == before[name].shape]
    moved = [name for name in kept if not torch.equal(before[name], after[name])]
    if len(kept) < len(before) - 2 or moved:
        return say(
            en=f"not everything else stayed as it was: {', '.join(moved[:3]) or 'layers are missing'}",
            de=f"nicht alles andere blieb, wie es war: {', '.join(moved[:3]) or 'Schichten fehlen'}",
        )
    return None
