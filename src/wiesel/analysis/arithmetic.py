"""How the numbers of a layer come about, step by step, as one would do it on paper: parameters, output size, multiply-adds, memory.

    output size   floor((n + padding - dilation * (kernel - 1) - 1) / stride) + 1         padding: both sides together

The usual formula of textbooks leaves out dilation and the floor; where the division leaves a remainder, some columns or rows at the
far edge are never looked at, and the last step says how many.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import prod
from typing import Any

from torch import nn

from wiesel.errors import CannotExplain
from wiesel.language import grouped, say

NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d, nn.GroupNorm, nn.LayerNorm, nn.InstanceNorm2d)
POOLS = (nn.MaxPool2d, nn.AvgPool2d)
BYTES = 4  # of a number in float32


@dataclass(frozen=True)
class Step:
    """One line of a calculation: what is sought, the formula, the same with numbers, the result."""

    sought: str
    formula: str
    numbers: str
    result: int

    def __str__(self) -> str:
        return f"{self.sought} = {self.formula} = {self.numbers} = {grouped(self.result)}"


@dataclass(frozen=True)
class Window:
    """How a convolution or pooling moves along one axis. `padding` is that of both sides together."""

    kernel: int
    stride: int
    padding: int
    dilation: int
    ceil: bool = False

    def positions(self, side: int) -> int:
        """How many positions there are along an axis of `side` pixels; 0 or less if the window does not fit."""
        room = side + self.padding - self.dilation * (self.kernel - 1) - 1
        count = room // self.stride + 1
        if self.ceil and room % self.stride and count * self.stride < side + self.padding // 2:
            count += 1  # only if that window begins inside the picture or its near padding, as PyTorch has it
        return count

    def unused(self, side: int) -> int:
        """Pixels (or padding) at the far edge that no window reaches."""
        return max(0, side + self.padding - self.dilation * (self.kernel - 1) - 1 - (self.positions(side) - 1) * self.stride)


def explain(layer: nn.Module, shape: tuple[int, ...]) -> list[Step]:
    """The calculation for one layer and one picture; `shape` is that of its input, without the batch: (C, H, W) or (features,).

    >>> [step.result for step in explain(nn.Conv2d(1, 32, 3), (1, 28, 28))]
    [26, 26, 9, 320, 194688, 389376, 86528]

    Raises:
        CannotExplain: not a convolution, a pooling, a linear layer or a norm.
    """
    if isinstance(layer, nn.Conv2d):
        return _convolution(layer, shape)
    if isinstance(layer, POOLS):
        return [*_output(_windows(layer), shape), _memory((shape[0], *_sides(_windows(layer), shape)))]
    if isinstance(layer, nn.Linear):
        return _linear(layer, shape)
    if isinstance(layer, NORMS):
        return _norm(layer, shape)
    raise CannotExplain(type=type(layer).__name__)


def weights(layer: nn.Module) -> list[Step]:
    """Only the steps about parameters, for which no input is needed: none for a layer without any.

    >>> weights(nn.Linear(1024, 1024))[-1].result
    1049600
    """
    if isinstance(layer, nn.Conv2d):
        area = prod(layer.kernel_size)
        channels = layer.in_channels // layer.groups
        height, width = layer.kernel_size
        filter_ = Step(
            say(en="weights of one filter", de="Gewichte eines Filters"),
            say(en="kernel height x kernel width x input channels", de="Kernhöhe x Kernbreite x Eingangskanäle")
            + ("" if layer.groups == 1 else say(en=" / groups", de=" / Gruppen")),
            f"{height} x {width} x {layer.in_channels}" + ("" if layer.groups == 1 else f" / {layer.groups}"),
            area * channels,
        )
        return [filter_, _parameters(area * channels, layer.out_channels, layer.bias is not None)]
    if isinstance(layer, nn.Linear):
        return [_parameters(layer.in_features, layer.out_features, layer.bias is not None)]
    if isinstance(layer, NORMS):
        own = [p for p in (layer.weight, layer.bias) if p is not None]
        if not own:
            return []
        return [
            Step(
                say(en="parameters", de="Parameter"),
                say(en="scale and shift of each channel", de="Faktor und Verschiebung je Kanal"),
                f"{len(own)} x {grouped(own[0].numel())}",
                sum(p.numel() for p in own),
            )
        ]
    return []


def sums(module: nn.Module) -> list[Step]:
    """The parameters of everything inside `module`, layer by layer, and their sum.

    >>> str(sums(nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU(), nn.BatchNorm2d(2)))[-1])
    'parameters = 0 + 2 = 20 + 4 = 24'
    """
    parts = {name: weights(layer) for name, layer in module.named_modules() if not any(True for _ in layer.children())}
    parts = {name: steps for name, steps in parts.items() if steps}
    counts = [steps[-1].result for steps in parts.values()]
    total = Step(say(en="parameters", de="Parameter"), " + ".join(parts), " + ".join(map(grouped, counts)), sum(counts))
    return [*(replace(step, sought=f"{name}: {step.sought}") for name, steps in parts.items() for step in steps), total]


def _parameters(inputs: int, outputs: int, bias: bool) -> Step:
    formula = say(en="weights x outputs", de="Gewichte x Ausgänge")
    numbers = f"{grouped(inputs)} x {grouped(outputs)}"
    if bias:
        formula += say(en=" + one bias each", de=" + je ein Bias")
        numbers += f" + {grouped(outputs)}"
    return Step(say(en="parameters", de="Parameter"), formula, numbers, inputs * outputs + (outputs if bias else 0))


def _convolution(layer: nn.Conv2d, shape: tuple[int, ...]) -> list[Step]:
    windows = _windows(layer)
    height, width = _sides(windows, shape)
    per_output = prod(layer.kernel_size) * layer.in_channels // layer.groups
    outputs = layer.out_channels * height * width
    return [
        *_output(windows, shape),
        *weights(layer),
        *_work(
            say(en="channels x height x width x weights of one filter", de="Kanäle x Höhe x Breite x Gewichte eines Filters"),
            f"{layer.out_channels} x {height} x {width} x {per_output}",
            outputs * per_output,
        ),
        _memory((layer.out_channels, height, width)),
    ]


def _linear(layer: nn.Linear, shape: tuple[int, ...]) -> list[Step]:
    positions = prod(shape[:-1])
    formula = say(en="inputs x outputs", de="Eingänge x Ausgänge")
    numbers = f"{layer.in_features} x {layer.out_features}"
    if positions > 1:
        formula = say(en="positions x ", de="Positionen x ") + formula
        numbers = f"{positions} x {numbers}"
    return [
        *weights(layer),
        *_work(formula, numbers, positions * layer.in_features * layer.out_features),
        _memory((*shape[:-1], layer.out_features)),
    ]


def _norm(layer: nn.Module, shape: tuple[int, ...]) -> list[Step]:
    return [*weights(layer), _memory(shape)]


def _work(formula: str, numbers: str, macs: int) -> list[Step]:
    return [
        Step(say(en="multiply-adds (MAC)", de="Multiplikationen mit Addition (MAC)"), formula, numbers, macs),
        Step(
            say(en="floating-point operations (FLOP)", de="Gleitkommaoperationen (FLOP)"),
            "2 x MAC",
            f"2 x {grouped(macs)}",
            2 * macs,
        ),
    ]


def _memory(shape: tuple[int, ...]) -> Step:
    return Step(
        say(en="bytes of the output", de="Bytes der Ausgabe"),
        say(en="its numbers x 4 (float32)", de="ihre Zahlen x 4 (float32)"),
        " x ".join(map(str, (*shape, BYTES))),
        prod(shape) * BYTES,
    )


def _output(windows: tuple[Window, Window], shape: tuple[int, ...]) -> list[Step]:
    steps = []
    axes = (say(en="output height", de="Ausgabehöhe"), say(en="output width", de="Ausgabebreite"))
    for axis, window, side in zip(axes, windows, shape[-2:], strict=True):
        left, right = ("⌈", "⌉") if window.ceil else ("⌊", "⌋")
        steps.append(
            Step(
                axis,
                f"{left}(n + p - d (k - 1) - 1) / s{right} + 1",
                f"{left}({side} + {window.padding} - {window.dilation} x ({window.kernel} - 1) - 1) / {window.stride}{right} + 1",
                window.positions(side),
            )
        )
    for axis, window, side in zip(axes, windows, shape[-2:], strict=True):
        if unused := window.unused(side):
            steps.append(
                Step(
                    say(en=f"lines that no window reaches ({axis})", de=f"Zeilen, die kein Fenster erreicht ({axis})"),
                    say(en="remainder of the division", de="Rest der Division"),
                    f"({side + window.padding} - {window.dilation * (window.kernel - 1) + 1}) mod {window.stride}",
                    unused,
                )
            )
    return steps


def _sides(windows: tuple[Window, Window], shape: tuple[int, ...]) -> tuple[int, int]:
    rows, columns = windows
    return rows.positions(shape[-2]), columns.positions(shape[-1])


def _windows(layer: nn.Module) -> tuple[Window, Window]:
    """The windows along height and width of a convolution or a pooling."""
    kernel = _pair(layer.kernel_size)
    stride = _pair(layer.stride)
    dilation = _pair(getattr(layer, "dilation", 1))
    if layer.padding == "same":
        padding = tuple(d * (k - 1) for d, k in zip(dilation, kernel, strict=True))
    elif layer.padding == "valid":
        padding = (0, 0)
    else:
        padding = tuple(2 * p for p in _pair(layer.padding))
    ceil = bool(getattr(layer, "ceil_mode", False))
    rows, columns = (Window(*facts, ceil) for facts in zip(kernel, stride, padding, dilation, strict=True))
    return rows, columns


def _pair(value: Any) -> tuple[int, ...]:
    return value if isinstance(value, tuple) else (value, value)
