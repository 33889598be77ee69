"""What is on a tape: values, operations, calls of modules, and where it broke off."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from torch import Tensor

from wiesel.analysis.tape.again import Again


@dataclass(frozen=True)
class Value:
    """One tensor that depends on the picture."""

    index: int
    shape: tuple[int, ...]
    """With the batch dimension."""
    tensor: Tensor | None = field(default=None, repr=False, compare=False)
    """A detached copy of its own, if values were asked for."""


@dataclass(frozen=True)
class Operation:
    """One call of one function."""

    index: int
    name: str
    """Of the function: "conv2d", "add", "max_pool2d"; `relu_` and `+=` as "relu" and "add". "rewritten" is no function: a tensor
    whose memory an in-place operation on another tensor changed, which is the second input."""
    module: str
    """Dotted name of the innermost module that was running; "" is the network itself."""
    kind: str
    """That module's class."""
    call: int
    """Which call of that module it was, from 0."""
    inputs: tuple[int, ...]
    """Indices of values, in the order of the arguments. Parameters and constants are none."""
    outputs: tuple[int, ...]
    settings: Mapping[str, Any]
    """The arguments that are no tensors, by name; see `settings.py` for those of convolutions and pools. `reversed` if the first
    operand is the number: 1 - x, 2 / x. `constant`, of products: which of their tensors (from 0) are no values."""
    parameters: tuple[str, ...]
    """Dotted names of the parameters and buffers that went in, directly or through a computation of their own."""
    in_place: bool
    again: Again | None = field(default=None, repr=False, compare=False)
    """What `replay` needs."""


@dataclass(frozen=True)
class Call:
    """One call of one module, from the outermost (the network, name "") inwards, in the order in which they began."""

    module: str
    kind: str
    call: int
    inputs: tuple[int, ...]
    """Values among its arguments, in their order."""
    outputs: tuple[int, ...]
    """Values that it gave back; a module that computes nothing (`nn.Identity`) gives back its inputs. Empty if it failed."""
    operations: tuple[int, int]
    """The first operation of this call, and the first that came after it: a range."""


@dataclass(frozen=True)
class Failure:
    """Where the forward pass stopped."""

    operation: str
    """Plain name of the function that raised; "" if the code of the module did."""
    module: str
    kind: str
    call: int
    shapes: tuple[tuple[int, ...], ...]
    """Of the tensors that went into the function, parameters included; or into the module."""
    error: str
    """Class of the exception."""
    message: str


@dataclass(frozen=True)
class Tape:
    """A forward pass. If it failed, everything before the failure is there, and `output` is ()."""

    image: tuple[int, int, int]
    """(C, H, W)"""
    values: tuple[Value, ...]
    operations: tuple[Operation, ...]
    input: int
    output: int | tuple[int, ...]
    """The value that came out; several, in order, if the network gives back a tuple, a list or a dictionary."""
    failure: Failure | None = None
    calls: tuple[Call, ...] = ()

    def producer(self, value: int) -> Operation | None:
        """The operation that made a value; None for the picture."""
        return self._producers.get(value)

    def consumers(self, value: int) -> tuple[Operation, ...]:
        """The operations that a value went into, each once, in order."""
        return tuple(self._consumers.get(value, ()))

    @cached_property
    def _producers(self) -> dict[int, Operation]:
        return {value: operation for operation in self.operations for value in operation.outputs}

    @cached_property
    def _consumers(self) -> dict[int, list[Operation]]:
        found: dict[int, list[Operation]] = defaultdict(list)
        for operation in self.operations:
            for value in dict.fromkeys(operation.inputs):
                found[value].append(operation)
        return found
