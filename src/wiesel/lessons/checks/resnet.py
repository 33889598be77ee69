"""A learner's residual network against ours: shapes, sums of parameters, and the same answers with the same weights."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import nn

from wiesel import zoo
from wiesel.language import grouped, number, say
from wiesel.lessons.checking import Own, Result


def check(own: Own) -> Iterator[Result]:
    basic, bottleneck = own.get("BasicBlock"), own.get("Bottleneck")
    yield own.part("BasicBlock", "BasicBlock", lambda kind: _block(kind, 64, 128, 2, 230_144), _fits())
    yield own.part("Bottleneck", "Bottleneck", lambda kind: _block(kind, 256, 128, 2, 379_392), _fits())
    for name, kind, block, blocks in (
        ("resnet18", "BasicBlock", basic, [2, 2, 2, 2]),
        ("resnet50", "Bottleneck", bottleneck, [3, 4, 6, 3]),
    ):
        if block is None:
            yield own.open(name, kind)
            continue
        yield own.part(
            name,
            "resnet",
            lambda build, block=block, blocks=blocks, name=name: _network(build, block, blocks, name),  # type: ignore[misc]
            say(en="with the same weights it says the same as ours.", de="mit denselben Gewichten sagt es dasselbe wie unseres."),
        )


def _fits() -> str:
    return say(en="shape and number of parameters are right.", de="Form und Zahl der Parameter stimmen.")


def _block(kind: Any, channels_in: int, channels: int, stride: int, expected: int) -> str | None:
    block = kind(channels_in, channels, stride)
    shape = tuple(block.eval()(torch.randn(2, channels_in, 8, 8)).shape)
    right = (2, channels * kind.expansion, 8 // stride, 8 // stride)
    if shape != right:
        return say(
            en=f"{channels_in} -> {channels}, stride {stride}: makes {shape} of 8x8 pixels, right is {right}",
            de=f"{channels_in} -> {channels}, Schrittweite {stride}: macht {shape} aus 8x8 Pixeln, richtig ist {right}",
        )
    return _counted(block, expected)


def _counted(network: nn.Module, expected: int) -> str | None:
    count = sum(parameter.numel() for parameter in network.parameters())
    if count == expected:
        return None
    biases = sum(layer.bias.numel() for layer in network.modules() if isinstance(layer, nn.Conv2d) and layer.bias is not None)
    text = say(
        en=f"has {grouped(count)} parameters, right are {grouped(expected)}",
        de=f"hat {grouped(count)} Parameter, richtig sind {grouped(expected)}",
    )
    if biases and count - biases == expected:
        text += say(
            en=f". The {grouped(biases)} too many are biases of convolutions: the norm behind takes them off again (bias=False)",
            de=f". Die {grouped(biases)} zu viel sind Bias der Faltungen: Die Norm dahinter zieht sie wieder ab (bias=False)",
        )
    return text


@torch.no_grad()
def _stirred(network: nn.Module) -> nn.Module:
    """With norms as a training might leave them. As they begin, the last of each block is zero, and nothing in the block would matter."""
    for norm in network.modules():
        if isinstance(norm, nn.BatchNorm2d):
            assert norm.running_mean is not None
            assert norm.running_var is not None
            norm.weight.uniform_(0.5, 1.5)
            norm.bias.normal_(0, 0.3)
            norm.running_mean.normal_(0, 0.3)
            norm.running_var.uniform_(0.5, 1.5)
    return network


def _network(build: Any, block: Any, blocks: list[int], name: str) -> str | None:
    torch.manual_seed(0)
    ours = _stirred(zoo.build(name, classes=1000, channels=3, size=64, stem="imagenet")).eval()
    theirs = build(block, blocks).eval()
    if wrong := _counted(theirs, sum(parameter.numel() for parameter in ours.parameters())):
        return wrong
    pictures = torch.randn(2, 3, 64, 64)
    with torch.no_grad():
        shape = tuple(theirs(pictures).shape)
        if shape != (2, 1000):
            return say(en=f"answers with the shape {shape}, not (2, 1000)", de=f"antwortet mit der Form {shape}, nicht (2, 1000)")
        source, target = list(ours.state_dict().values()), theirs.state_dict()
        if len(source) != len(target) or any(a.shape != b.shape for a, b in zip(source, target.values(), strict=True)):
            first = next((key for (key, b), a in zip(target.items(), source, strict=False) if a.shape != b.shape), "")
            return say(
                en=f"right sums, but the order of the layers is another one from {first!r} on; define them in the order described",
                de=f"richtige Summen, aber ab {first!r} eine andere Reihenfolge der Schichten; lege sie in der beschriebenen an",
            )
        theirs.load_state_dict(dict(zip(target, source, strict=True)))
        apart = float((theirs(pictures) - ours(pictures)).abs().max() / ours(pictures).abs().max())
    if apart < 1e-4:
        return None
    by = number(100 * apart, 0) if apart < 1 else say(en="more than 100", de="mehr als 100")
    return say(
        en=f"same weights, other answers (by {by} % of the largest): look at strides, margins and where ReLU stands",
        de=f"gleiche Gewichte, andere Antworten (um {by} % der grössten): Sieh Schrittweiten, Ränder und den Ort von ReLU an",
    )
