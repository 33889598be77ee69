"""What a network costs: parameters and multiply-adds, layer by layer, from one forward pass on one picture.

A multiply-add (MAC) is one product and one addition; twice as many floating-point operations (FLOP). Counted are convolutions, linear
layers and matrix products (attention is made of these), which are nearly all of the work; norms, activations, pooling and
additions count as nothing, as in the papers, and are named, so that nobody has to guess.

    convolution             Cout * Hout * Wout * (Cin / groups) * kernel area       stride and padding act through Hout, Wout
    transposed convolution  Cin * Hin * Win * (Cout / groups) * kernel area
    linear                  positions * inputs * outputs
    matrix product          numbers in the result * length of the sums
    attention               heads * queries * keys * (length of a key + length of a value)
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from math import prod

import torch
from torch import Tensor, nn

from wiesel.analysis.tape import Operation, Tape, record
from wiesel.errors import ForwardFailed

CONVOLUTIONS = (nn.Conv1d, nn.Conv2d, nn.Conv3d)


@dataclass(frozen=True)
class LayerCost:
    """One row of the table: a module without children, one that holds parameters of its own, or one whose code multiplies matrices."""

    name: str
    type: str
    output: tuple[int, ...]
    """Shape for one picture, without the batch dimension; of the first call if there are several, empty if there is none."""
    parameters: int
    """Its own, trainable or frozen; those it shares with an earlier row are counted there."""
    macs: int
    """Over all calls."""
    calls: int


@dataclass(frozen=True)
class Cost:
    """The table, in the order in which the network defines its layers."""

    image: tuple[int, int, int]
    layers: tuple[LayerCost, ...]
    uncounted: dict[str, int] = field(default_factory=dict)
    """Operations that count as nothing, and how often each was carried out."""

    @property
    def parameters(self) -> int:
        return sum(layer.parameters for layer in self.layers)

    @property
    def macs(self) -> int:
        """Multiply-adds for one picture."""
        return sum(layer.macs for layer in self.layers)

    @property
    def flops(self) -> int:
        """Floating-point operations for one picture: 2 per multiply-add."""
        return 2 * self.macs

    def within(self, prefix: str) -> tuple[LayerCost, ...]:
        """The rows of the module `prefix` and everything inside it."""
        return tuple(layer for layer in self.layers if layer.name == prefix or layer.name.startswith(f"{prefix}."))


def cost(network: nn.Module, image: tuple[int, int, int], tape: Tape | None = None) -> Cost:
    """The cost table of `network` for one picture of shape (C, H, W), in evaluation mode; the network is left as it was.

    `tape`: a recording of it for one picture of this shape, if there is one already. If the forward pass failed on it, the rows
    after the failure have no output. A network on the meta device is counted without computing anything.

    Raises:
        ForwardFailed: the network cannot take such a picture (only if no tape is given).

    >>> table = cost(build("resnet18", classes=1000, channels=3, size=224), (3, 224, 224))
    >>> table.parameters, table.macs
    (11689512, 1814073344)
    """
    if tape is None:
        tape = record(network, image)
        if tape.failure is not None:
            raise failed(tape)
    work: dict[str, int] = defaultdict(int)
    uncounted: Counter[str] = Counter()
    for operation in tape.operations:
        macs = multiply_adds(operation, tape)
        work[operation.module] += macs or 0
        if macs is None:
            uncounted[operation.name] += 1
    outputs: dict[str, list[tuple[int, ...]]] = defaultdict(list)
    for call in tape.calls:
        shapes = [tape.values[value].shape[1:] for value in call.outputs]
        outputs[call.module].append(shapes[0] if len(shapes) == 1 else ())
    counted: set[int] = set()
    layers = []
    for name, module in network.named_modules():
        if not _is_row(module) and not work[name]:
            continue
        layers.append(
            LayerCost(
                name=name,
                type=type(module).__name__,
                output=outputs[name][0] if outputs[name] else (),
                parameters=own_parameters(module, counted),
                macs=work[name],
                calls=len(outputs[name]),
            )
        )
    return Cost(image, tuple(layers), dict(uncounted.most_common()))


def own_parameters(module: nn.Module, counted: set[int]) -> int:
    """How many parameters `module` itself holds that are not in `counted` (by identity), to which they are added."""
    own = [p for p in module.parameters(recurse=False) if id(p) not in counted]
    counted.update(id(p) for p in own)
    return sum(p.numel() for p in own)


def failed(tape: Tape) -> ForwardFailed:
    """The failure of a tape as an error that can be raised."""
    failure = tape.failure
    assert failure is not None
    return ForwardFailed(
        image="x".join(map(str, tape.image)),
        layer=failure.module or failure.kind,
        operation=failure.operation or failure.kind,
        shapes=", ".join("x".join(map(str, shape)) for shape in failure.shapes),
        message=failure.message.splitlines()[0] if failure.message else failure.error,
    )


def multiply_adds(operation: Operation, tape: Tape) -> int | None:
    """Of one operation on the whole batch of the tape; None for an operation that counts as nothing."""
    rule = RULES.get(operation.name)
    shapes = [tape.values[value].shape for value in operation.inputs]
    return rule(operation, shapes, tape.values[operation.outputs[0]].shape) if rule and operation.outputs else None


Shape = tuple[int, ...]


def _convolution(operation: Operation, inputs: list[Shape], output: Shape) -> int:
    facts = operation.settings
    return prod(output) * int(facts["in_channels"]) // int(facts["groups"]) * prod(map(int, facts["kernel"]))


def _transposed(operation: Operation, inputs: list[Shape], output: Shape) -> int:
    facts = operation.settings
    return prod(inputs[0]) * int(facts["out_channels"]) // int(facts["groups"]) * prod(map(int, facts["kernel"]))


def _linear(operation: Operation, inputs: list[Shape], output: Shape) -> int:
    return prod(output) * inputs[0][-1]


def _product(operation: Operation, inputs: list[Shape], output: Shape) -> int:
    """`a @ b`; one of them may be a parameter, of which the tape knows no shape."""
    first = inputs[-2] if len(inputs) > 1 else inputs[0]  # addmm and baddbmm have a third value, before the factors
    if len(inputs) > 1 or first[:-1] == output[:-1]:
        return prod(output) * first[-1]
    return prod(output) * first[-2]  # a parameter stands on the left


def _attention(operation: Operation, inputs: list[Shape], output: Shape) -> int:
    query, key, value = inputs[:3] if len(inputs) > 2 else (inputs * 3)[:3]
    return prod(query[:-1]) * key[-2] * (query[-1] + value[-1])


def _multi_head(operation: Operation, inputs: list[Shape], output: Shape) -> int:
    """PyTorch's own function: three projections, attention, one projection back; (positions, batch, width)."""
    query, key, value = (inputs * 3)[:3]
    positions, batch, width = query
    projections = (prod(query) + prod(key) + prod(value) + prod(query)) * width
    return projections + 2 * batch * positions * key[0] * width


def _einsum(operation: Operation, inputs: list[Shape], output: Shape) -> int | None:
    """Of two factors: as many products as there are combinations of all indices. Longer chains depend on the order and are named."""
    equation = next((value for value in operation.settings.values() if isinstance(value, str)), "").replace(" ", "")
    factors, _, result = equation.partition("->")
    if "." in equation or factors.count(",") != 1 or not result:
        return None
    sizes = dict(zip(result, output, strict=True))
    for labels in factors.split(","):
        shape = next((shape for shape in inputs if len(shape) == len(labels) and _agrees(labels, shape, sizes)), None)
        sizes |= dict(zip(labels, shape, strict=True)) if shape else {}
    return prod(sizes.values())


def _agrees(labels: str, shape: Shape, sizes: dict[str, int]) -> bool:
    return all(sizes.get(label, side) == side for label, side in zip(labels, shape, strict=True))


RULES: dict[str, Callable[[Operation, list[Shape], Shape], int | None]] = {
    **{f"conv{n}d": _convolution for n in (1, 2, 3)},
    **{f"conv_transpose{n}d": _transposed for n in (1, 2, 3)},
    "linear": _linear,
    **dict.fromkeys(("matmul", "mm", "bmm", "addmm", "baddbmm"), _product),
    "scaled_dot_product_attention": _attention,
    "multi_head_attention_forward": _multi_head,
    "einsum": _einsum,
}


def _is_row(module: nn.Module) -> bool:
    return not any(True for _ in module.children()) or any(True for _ in module.parameters(recurse=False))


def blank(network: nn.Module, image: tuple[int, int, int]) -> Tensor:
    """One picture of zeros, of the type and on the device of the weights."""
    like = next(network.parameters(), torch.empty(0))
    return torch.zeros((1, *image), dtype=like.dtype, device=like.device)
