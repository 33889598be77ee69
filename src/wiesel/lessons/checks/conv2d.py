"""A learner's convolution and pooling against `wiesel.scratch`, at random geometries; and that they are their own."""

from __future__ import annotations

from collections.abc import Iterator
from numbers import Integral
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

from wiesel.language import number, say
from wiesel.lessons.checking import Own, Result
from wiesel.lessons.reader import scientific
from wiesel.scratch import geometry, im2col, pooling

READY_MADE = ("conv1d", "conv2d", "conv3d", "convolution", "max_pool2d", "max_pool2d_with_indices", "adaptive_max_pool2d")
CASES = 12


class _Watching(TorchFunctionMode):
    """Notes which ready-made functions are called."""

    def __init__(self) -> None:
        super().__init__()
        self.found: set[str] = set()

    def __torch_function__(self, function: Any, types: Any, arguments: Any = (), keywords: Any = None) -> Any:
        name = getattr(function, "__name__", "").lstrip("_")
        if name in READY_MADE:
            self.found.add(name)
        return function(*arguments, **(keywords or {}))


def check(own: Own) -> Iterator[Result]:
    good = say(en=f"agrees at {CASES} random geometries.", de=f"stimmt bei {CASES} zufälligen Grössen.")
    yield own.part("conv2d", "conv2d", _convolution, good)
    yield own.part("max_pool2d", "max_pool2d", _pooling, good)
    yield own.part("output_size", "output_size", _size, good)


def _convolution(theirs: Any) -> str | None:
    chance = torch.Generator().manual_seed(0)
    for _ in range(CASES):
        batch, channels, filters, kernel = (_drawn(chance, 1, 3) for _ in range(4))
        stride, margin = _drawn(chance, 1, 3), _drawn(chance, 0, 2)
        height, width = (_drawn(chance, kernel, 7) for _ in range(2))
        pictures = torch.randn(batch, channels, height, width, generator=chance)
        weight, bias = torch.randn(filters, channels, kernel, kernel, generator=chance), torch.randn(filters, generator=chance)
        right = im2col.convolve(pictures, weight, bias, stride, margin)
        with _Watching() as watching:
            given = theirs(pictures.clone(), weight.clone(), bias.clone(), stride=stride, padding=margin)
        case = say(
            en=f"pictures {tuple(pictures.shape)}, weight {tuple(weight.shape)}, stride {stride}, padding {margin}",
            de=f"Bilder {tuple(pictures.shape)}, Gewichte {tuple(weight.shape)}, Schrittweite {stride}, Rand {margin}",
        )
        if wrong := _ready_made(watching) or _apart(given, right, case):
            turned = im2col.convolve(pictures, weight.flip(2, 3), bias, stride, margin)
            if (
                isinstance(given, Tensor)
                and given.shape == turned.shape
                and kernel > 1
                and torch.allclose(given, turned, atol=1e-4)
            ):
                wrong += say(
                    en="\nYou turned the kernel round: that is the convolution of mathematics; layers do not turn it.",
                    de="\nDu hast den Kern umgedreht: Das ist die Faltung der Mathematik; Schichten drehen ihn nicht um.",
                )
            return wrong
    return None


def _pooling(theirs: Any) -> str | None:
    chance = torch.Generator().manual_seed(1)
    for _ in range(CASES):
        size, stride = _drawn(chance, 1, 3), _drawn(chance, 1, 3)
        height, width = (_drawn(chance, size, 7) for _ in range(2))
        pictures = torch.randn(_drawn(chance, 1, 2), _drawn(chance, 1, 3), height, width, generator=chance) - 5  # all negative
        with _Watching() as watching:
            given = theirs(pictures.clone(), size, stride)
        case = say(
            en=f"pictures {tuple(pictures.shape)}, size {size}, stride {stride}, all pixels negative",
            de=f"Bilder {tuple(pictures.shape)}, Grösse {size}, Schrittweite {stride}, alle Pixel negativ",
        )
        if wrong := _ready_made(watching) or _apart(given, pooling.max_pool(pictures, size, stride), case):
            return wrong
    return None


def _size(theirs: Any) -> str | None:
    chance = torch.Generator().manual_seed(2)
    for _ in range(CASES):
        kernel, stride, margin = _drawn(chance, 1, 5), _drawn(chance, 1, 4), _drawn(chance, 0, 2)
        side = _drawn(chance, kernel, 40)
        right, given = geometry.output_size(side, kernel, stride, margin)[0], theirs(side, kernel, stride, margin)
        if given == right and not isinstance(given, Integral):
            return say(
                en=f"{given} is right, but a {type(given).__name__}: the number of windows is a whole number, and `//` divides so",
                de=f"{number(float(given), 1)} ist richtig, aber ein {type(given).__name__}: Die Zahl der Fenster ist ganz, und `//` teilt so",
            )
        if given != right:
            return say(
                en=f"side {side}, kernel {kernel}, stride {stride}, padding {margin}: you have {given}, which is not the number of windows",
                de=f"Seite {side}, Kern {kernel}, Schrittweite {stride}, Rand {margin}: Du hast {given}, das ist nicht die Zahl der Fenster",
            )
    return None


def _drawn(chance: torch.Generator, low: int, high: int) -> int:
    return int(torch.randint(low, high + 1, (), generator=chance))


def _ready_made(watching: _Watching) -> str:
    if not watching.found:
        return ""
    return say(
        en=f"calls the ready-made {', '.join(sorted(watching.found))}: the point is to write it yourself",
        de=f"ruft das fertige {', '.join(sorted(watching.found))} auf: Es geht darum, es selbst zu schreiben",
    )


def _apart(given: Any, right: Tensor, case: str) -> str:
    if not isinstance(given, Tensor):
        return say(en=f"gives {type(given).__name__}, not a tensor", de=f"gibt {type(given).__name__} und keinen Tensor")
    if given.shape != right.shape:
        return say(
            en=f"{case}: your result has the shape {tuple(given.shape)}, right is {tuple(right.shape)}",
            de=f"{case}: Dein Ergebnis hat die Form {tuple(given.shape)}, richtig ist {tuple(right.shape)}",
        )
    largest = float((given.detach() - right).abs().max())
    if largest <= 1e-4:
        return ""
    return say(
        en=f"{case}: right shape, but numbers differ by up to {scientific(largest)}",
        de=f"{case}: richtige Form, aber die Zahlen weichen um bis zu {scientific(largest)} ab",
    )
