"""How strong the signal is on its way up, and the gradient on its way down: norms per layer, dead units, shortcuts against branches.

One forward and one backward pass over a batch, read off the tape (`tape/`): functional code and in-place operations are seen too,
and every value is measured the moment it is made, before a later `out += shortcut` writes over it. The network is left as it was:
weights, their `.grad`, buffers, modes, hooks, and PyTorch's generator.

    activation   norm of what an operation put out, over the whole batch
    gradient     norm of the gradient of the loss with respect to it
    weight       norm of the parameters that went into it, and of the gradient with respect to them
    dead         share of a rectifier's units (channels of a map, numbers of a vector) that are positive nowhere in the batch

Norms are Euclidean and summed in double precision. The loss is the mean over the batch, as in training. Numbers below 1e-45 do not
exist in float32: to see how far a gradient vanishes, pass the network and the pictures as `.double()`.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, fields, replace
from math import hypot, isfinite, prod, sqrt
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from wiesel.analysis.cost import failed
from wiesel.analysis.recording import training_mode
from wiesel.analysis.shortcuts import additions
from wiesel.analysis.tape import Operation, Tape, record
from wiesel.errors import NotOneTensor

RECTIFIERS = ("relu", "relu6")
ACTIVATIONS = (
    *RECTIFIERS,
    *("leaky_relu", "prelu", "elu", "selu", "celu", "gelu", "silu", "mish", "hardswish", "sigmoid", "hardsigmoid", "tanh"),
    *("hardtanh", "softplus", "softsign", "softmax"),
)


@dataclass(frozen=True)
class LayerFlow:
    """One operation: a layer with weights, an activation, or an addition."""

    name: str
    """Dotted name of the module, with the operation where the module does more than this; "@2" at its second call."""
    operation: str
    shape: tuple[int, ...]
    """Of what it puts out, for one picture."""
    activation: float
    gradient: float | None
    """None: the loss does not depend on it."""
    numbers: int
    """In the whole batch, so that norm / sqrt(numbers) is the root mean square."""
    weight: float | None = None
    weight_gradient: float | None = None
    """None: it has no parameters, or they are frozen. If a module is called several times, the gradient of all calls."""
    dead: float | None = None
    """Of rectifiers."""
    zeros: float | None = None
    """Of rectifiers: share of numbers that are 0."""

    @property
    def activation_rms(self) -> float:
        return self.activation / sqrt(self.numbers)

    @property
    def gradient_rms(self) -> float | None:
        return None if self.gradient is None else self.gradient / sqrt(self.numbers)


@dataclass(frozen=True)
class ShortcutFlow:
    """One sum of a shortcut and a branch. All are norms over the batch, taken before the addition writes over anything."""

    name: str
    skip: float
    branch: float
    total: float
    gradient: float | None
    """Of the loss with respect to the sum: what each of the two ways is handed."""
    gradient_branch: float | None
    """What of it arrives at the block's input by way of the branch; by the shortcut arrives all of `gradient`. None where the
    shortcut computes something or the input is used elsewhere too."""

    @property
    def ratio(self) -> float:
        """Branch / skip: 0 where a block starts as the identity."""
        return self.branch / self.skip if self.skip else float("inf")


@dataclass(frozen=True)
class GradientFlow:
    loss: float
    layers: tuple[LayerFlow, ...]
    """In the order of execution."""
    shortcuts: tuple[ShortcutFlow, ...]

    @property
    def weighted(self) -> tuple[LayerFlow, ...]:
        """Convolutions and linear layers alone: what is counted when a network is said to have 20 layers."""
        return tuple(layer for layer in self.layers if layer.operation.startswith("conv") or layer.operation == "linear")

    def to_json(self) -> dict[str, Any]:
        """A column per fact, which is a fifth of the size of a row per layer."""
        return {"loss": self.loss, "layers": _columns(LayerFlow, self.layers), "shortcuts": _columns(ShortcutFlow, self.shortcuts)}

    @staticmethod
    def from_json(document: dict[str, Any]) -> GradientFlow:
        """Takes what `to_json` gave, after a way through JSON too; facts around it are left aside."""
        layers = [{**row, "shape": tuple(row["shape"])} for row in _rows(document["layers"])]
        return GradientFlow(
            loss=document["loss"],
            layers=tuple(LayerFlow(**row) for row in layers),
            shortcuts=tuple(ShortcutFlow(**row) for row in _rows(document["shortcuts"])),
        )

    def __str__(self) -> str:
        lines = [f"{'layer':40} {'operation':12} {'activation':>11} {'gradient':>11} {'weights':>11} {'dead':>6}"]
        for layer in self.layers:
            cells = [_cell(layer.activation, 11), _cell(layer.gradient, 11), _cell(layer.weight_gradient, 11)]
            dead = "" if layer.dead is None else f"{100 * layer.dead:.0f} %"
            lines.append(f"{layer.name:40} {layer.operation:12} {' '.join(cells)} {dead:>6}".rstrip())
        return "\n".join(lines)


def gradient_flow(
    network: nn.Module,
    pictures: Tensor,
    labels: Tensor,
    *,
    training: bool | None = True,
    loss: Callable[[Tensor, Tensor], Tensor] = functional.cross_entropy,
) -> GradientFlow:
    """What passes through `network` for one batch: pictures (B, C, H, W), labels (B,) of class numbers.

    `training`: all modules in training mode meanwhile (batch norm takes the batch's statistics, as an optimiser sees it), in
    evaluation mode, or, for None, each as it is. `loss` takes logits and labels; of a network that gives several tensors in training
    (auxiliary heads), the first are the logits.

    >>> flow = gradient_flow(network, pictures, labels)
    >>> flow.weighted[0].gradient / flow.weighted[-2].gradient      # far below 1: vanishing; far above: exploding

    Raises:
        ForwardFailed: the network cannot take these pictures.
        NotOneTensor: it gives back no tensor.
    """
    watch = _Watch(network, labels, loss)
    with ExitStack() as undo:
        if training is not None:
            undo.enter_context(training_mode(network, training))
        image = (int(pictures.shape[1]), int(pictures.shape[2]), int(pictures.shape[3]))
        tape = record(network, image, pictures=pictures, evaluate=False, watch=watch)
    if tape.failure is not None:
        raise failed(tape)
    return watch.flow(tape)


@dataclass
class _Measured:
    norm: float
    numbers: int
    zeros: float
    dead: float
    gradient: float | None = None


class _Watch:
    """Measures every value as it is made, and its gradient as it comes back."""

    def __init__(self, network: nn.Module, labels: Tensor, loss: Callable[[Tensor, Tensor], Tensor]) -> None:
        self.network, self.labels, self.loss_of = network, labels, loss
        self.measured: dict[int, _Measured] = {}
        self.loss = float("nan")
        self.wanted: set[int] = set()
        self.kept: dict[int, Tensor] = {}
        self.weights: dict[str, Tensor] = {}

    def value(self, index: int, tensor: Tensor) -> None:
        numbers = tensor.detach()
        self.measured[index] = _Measured(_norm(numbers), numbers.numel(), *_silent(numbers))
        if tensor.requires_grad:
            tensor.register_hook(lambda gradient: self._came_back(index, gradient))  # type: ignore[no-untyped-call]

    def _came_back(self, index: int, gradient: Tensor) -> None:
        self.measured[index].gradient = _norm(gradient)
        if index in self.wanted:
            self.kept[index] = gradient

    def finish(self, tape: Tape, result: Any, pictures: Tensor) -> None:
        logits = _first_tensor(result)
        loss = self.loss_of(logits, self.labels)
        self.loss = float(loss.detach())
        for addition in additions(tape):
            if addition.identity and addition.private:
                self.wanted |= {addition.start, addition.total}
        trained = {name: parameter for name, parameter in self.network.named_parameters() if parameter.requires_grad}
        # `grad`, not `backward`: nothing is added to anybody's `.grad`. The pictures are asked for, so that the way leads through
        # frozen layers too.
        gradients = torch.autograd.grad(loss, [pictures, *trained.values()], allow_unused=True)[1:]
        self.weights = {name: gradient for name, gradient in zip(trained, gradients, strict=True) if gradient is not None}

    def flow(self, tape: Tape) -> GradientFlow:
        holders = dict(self.network.named_parameters())
        layers = tuple(self._layer(operation, tape, holders) for operation in tape.operations if _is_row(operation, holders))
        return GradientFlow(self.loss, _numbered(layers), self._shortcuts(tape))

    def _layer(self, operation: Operation, tape: Tape, holders: dict[str, nn.Parameter]) -> LayerFlow:
        value = operation.outputs[0]
        seen = self.measured[value]
        own = [name for name in operation.parameters if name in holders]
        gradients = [self.weights[name] for name in own if name in self.weights]
        rectifier = operation.name in RECTIFIERS
        return LayerFlow(
            name=self._name(operation),
            operation=operation.name,
            shape=tuple(tape.values[value].shape[1:]),
            activation=seen.norm,
            gradient=seen.gradient,
            numbers=seen.numbers,
            weight=_norm(*(holders[name].detach() for name in own)) if own else None,
            weight_gradient=_norm(*gradients) if gradients else None,
            dead=seen.dead if rectifier else None,
            zeros=seen.zeros if rectifier else None,
        )

    def _name(self, operation: Operation) -> str:
        module = self.network.get_submodule(operation.module)
        alone = not any(True for _ in module.children())
        return operation.module if alone and operation.module else f"{operation.module}:{operation.name}"

    def _shortcuts(self, tape: Tape) -> tuple[ShortcutFlow, ...]:
        found = []
        for addition in additions(tape):
            came, handed = self.kept.get(addition.start), self.kept.get(addition.total)
            found.append(
                ShortcutFlow(
                    name=addition.module + (f"@{addition.call + 1}" if addition.call else ""),
                    skip=self.measured[addition.skip].norm,
                    branch=self.measured[addition.branch].norm,
                    total=self.measured[addition.total].norm,
                    gradient=self.measured[addition.total].gradient,
                    gradient_branch=None if came is None or handed is None else _norm(came - handed),
                )
            )
        return tuple(found)


def _columns(kind: type[Any], rows: tuple[Any, ...]) -> dict[str, list[Any]]:
    return {fact.name: [getattr(row, fact.name) for row in rows] for fact in fields(kind)}


def _rows(columns: dict[str, list[Any]]) -> list[dict[str, Any]]:
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def _is_row(operation: Operation, holders: dict[str, nn.Parameter]) -> bool:
    if not operation.outputs:
        return False
    adds = operation.name == "add" and len(operation.inputs) == 2
    return adds or operation.name in ACTIVATIONS or any(name in holders for name in operation.parameters)


def _numbered(layers: tuple[LayerFlow, ...]) -> tuple[LayerFlow, ...]:
    """Names that come again get "@2", "@3", …"""
    seen: dict[str, int] = {}
    numbered = []
    for layer in layers:
        seen[layer.name] = seen.get(layer.name, 0) + 1
        numbered.append(layer if seen[layer.name] == 1 else replace(layer, name=f"{layer.name}@{seen[layer.name]}"))
    return tuple(numbered)


def _norm(*tensors: Tensor) -> float:
    """Of all numbers together. Squares of small numbers do not exist, so each tensor is brought to a largest number of 1 before."""
    norms = []
    for tensor in tensors:
        largest = float(tensor.abs().max()) if tensor.numel() else 0.0
        if largest and isfinite(largest):
            norms.append(largest * float(torch.linalg.vector_norm(tensor.double() / largest)))
        else:
            norms.append(largest)
    return hypot(*norms)


def _silent(numbers: Tensor) -> tuple[float, float]:
    """Share of numbers that are 0, and of units that are positive nowhere."""
    if numbers.dim() < 2 or numbers.numel() == 0:
        return 0.0, 0.0
    unit = 1 if numbers.dim() in (2, 4) else -1
    most = numbers.movedim(unit, 0).flatten(1).amax(1)
    return float((numbers == 0).sum()) / prod(numbers.shape), float((most <= 0).sum()) / len(most)


def _first_tensor(result: Any) -> Tensor:
    if isinstance(result, Tensor):
        return result
    parts = result.values() if isinstance(result, dict) else result if isinstance(result, (tuple, list)) else ()
    for part in parts:
        if isinstance(part, Tensor):
            return part
    raise NotOneTensor(layer="", found=type(result).__name__)


def _cell(value: float | None, width: int) -> str:
    return f"{'' if value is None else format(value, '.3g'):>{width}}"
