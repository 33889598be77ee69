"""Who stands at PyTorch's functions and at the modules while a network runs, and notes down what they do."""

from __future__ import annotations

import sys
from collections import defaultdict
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode
from torch.utils.weak import WeakTensorKeyDictionary

from wiesel.analysis.settings import settings
from wiesel.analysis.tape.again import Again, Held
from wiesel.analysis.tape.nesting import distinct, mapped, tensors_in
from wiesel.analysis.tape.recorded import Call, Failure, Operation, Tape, Value

# Their result has the shape of an input, not its content.
SHAPE_ONLY = ("new_", "zeros_like", "ones_like", "empty_like", "full_like", "rand_like", "randn_like", "randint_like")
# `x.requires_grad_()` and such give back x itself and compute nothing.
NO_OPERATION = ("requires_grad_", "retain_grad", "rename_", "share_memory_", "__deepcopy__")
PRODUCTS = ("matmul", "bmm", "mm", "einsum")
SAME = {
    "iadd": "add",
    "radd": "add",
    "isub": "sub",
    "imul": "mul",
    "rmul": "mul",
    "multiply": "mul",
    "truediv": "div",
    "itruediv": "div",
    "rdiv": "div",
    "rtruediv": "div",
    "true_divide": "div",
    "divide": "div",
    "rsub": "sub",
    "subtract": "sub",
    "rmatmul": "matmul",
    "imatmul": "matmul",
    "rpow": "pow",
    "ipow": "pow",
    "concat": "cat",
    "concatenate": "cat",
    "swapaxes": "transpose",
    "swapdims": "transpose",
    "clip": "clamp",
    "absolute": "abs",
    "negative": "neg",
    "movedim": "moveaxis",
    "max_pool2d_with_indices": "max_pool2d",
    "max_pool1d_with_indices": "max_pool1d",
    "adaptive_max_pool2d_with_indices": "adaptive_max_pool2d",
}
"""Other names of functions, without their underscores."""


class Watch(Protocol):
    """Somebody who sees the tensors themselves while a tape is recorded, with gradients on."""

    def value(self, index: int, tensor: Tensor) -> None:
        """A value, the moment it is made. A hook on `tensor` gets the gradient of exactly this value, even if an operation writes
        another one into it later."""

    def finish(self, tape: Tape, result: Any, pictures: Tensor) -> None:
        """The forward pass has succeeded and given `result`; nothing is restored yet, so a backward pass is possible. `pictures` is
        the leaf where it ends."""


@dataclass
class _Running:
    """A call of a module that has not ended."""

    position: int
    module: str
    kind: str
    call: int
    inputs: tuple[int, ...]
    shapes: tuple[tuple[int, ...], ...]
    first: int


class Tracer(TorchFunctionMode):
    """Sees every function of PyTorch that is called, but not those that a function calls: PyTorch switches a mode off inside it."""

    def __init__(self, network: nn.Module, keep: bool, watch: Watch | None = None) -> None:
        super().__init__()
        self.keep = keep
        self.watch = watch
        self.values: list[Value] = []
        self.operations: list[Operation] = []
        self.calls: dict[int, Call] = {}
        self.known: Any = WeakTensorKeyDictionary()  # tensor -> (value, version of its memory when it had that value)
        self.constants: Any = WeakTensorKeyDictionary()  # tensor computed from parameters alone -> their names
        self.written: dict[
            int, tuple[Any, int]
        ] = {}  # memory changed in place -> (itself, so that it lives on; value written last)
        self.names = {id(module): name for name, module in network.named_modules()}
        self.holders = {id(p): n for n, p in [*network.named_parameters(), *network.named_buffers()]}
        self.often: dict[str, int] = defaultdict(int)
        self.outermost = _Running(-1, "", type(network).__name__, 0, (), (), 0)
        self.stack: list[_Running] = []
        self.begun = 0
        self.raised: tuple[BaseException, Failure] | None = None
        self.before = sys.exc_info()[1]

    # --- modules

    def enter(self, module: nn.Module, arguments: Any, keywords: Any) -> None:
        name = self.names[id(module)]
        tensors = list(tensors_in((arguments, keywords)))
        with torch._C.DisableTorchFunction():
            inputs = tuple(value for tensor in tensors if (value := self.index(tensor)) is not None)
            shapes = tuple(tuple(tensor.shape) for tensor in tensors)
        running = _Running(self.begun, name, type(module).__name__, self.often[name], inputs, shapes, len(self.operations))
        self.often[name] += 1
        self.begun += 1
        self.stack.append(running)

    def leave(self, module: nn.Module, arguments: Any, output: Any) -> None:
        error = sys.exc_info()[1]
        running = self.stack[-1]
        if error is not None and error is not self.before:
            self._note(error, "", running.shapes)
        with torch._C.DisableTorchFunction():
            found = [self.index(tensor) for tensor in tensors_in(output)]
        self._end(tuple(value for value in found if value is not None))

    def _end(self, outputs: tuple[int, ...]) -> None:
        running = self.stack.pop()
        span = (running.first, len(self.operations))
        self.calls[running.position] = Call(running.module, running.kind, running.call, running.inputs, outputs, span)

    def finished_calls(self) -> list[Call]:
        while self.stack:
            self._end(())
        return [self.calls[position] for position in sorted(self.calls)]

    def failure(self, error: BaseException) -> Failure:
        self._note(error, "", self.outermost.shapes)
        cause: BaseException | None = error
        while cause is not None and self.raised is not None:
            if cause is self.raised[0]:
                return self.raised[1]
            cause = cause.__cause__ or cause.__context__
        return self._failure(error, "", ())

    def _note(self, error: BaseException, operation: str, shapes: tuple[tuple[int, ...], ...]) -> None:
        """Remember where an exception was first seen: the innermost place."""
        if self.raised is not None:
            cause: BaseException | None = error
            while cause is not None:
                if cause is self.raised[0]:
                    return
                cause = cause.__cause__ or cause.__context__
        self.raised = (error, self._failure(error, operation, shapes))

    def _failure(self, error: BaseException, operation: str, shapes: tuple[tuple[int, ...], ...]) -> Failure:
        at = self.stack[-1] if self.stack else self.outermost
        return Failure(operation, at.module, at.kind, at.call, shapes, type(error).__name__, str(error))

    # --- tensors

    def add(self, tensor: Tensor) -> int:
        """A new value: what `tensor` holds now."""
        kept = tensor.detach().clone() if self.keep else None
        value = Value(len(self.values), tuple(tensor.shape), kept)
        self.values.append(value)
        self.known[tensor] = (value.index, _version(tensor))
        if self.watch is not None:
            self.watch.value(value.index, tensor)
        return value.index

    def index(self, tensor: Tensor) -> int | None:
        """The value that a tensor holds, or None if it does not depend on the picture."""
        if id(tensor) in self.holders:
            return None
        noted: tuple[int, int] | None = self.known.get(tensor)
        if noted is not None and noted[1] == _version(tensor):
            return noted[0]
        # Its memory was changed under another name; say so once, before it is used.
        memory = _memory(tensor)
        if memory is None or memory[0] not in self.written:
            return None if noted is None else noted[0]
        source = self.written[memory[0]][1]
        if noted is not None and source <= noted[0]:
            return noted[0]
        inputs = (source,) if noted is None else (noted[0], source)
        self._operation("rewritten", inputs, (self.add(tensor),), {}, (), False, None)
        return int(self.known[tensor][0])

    # --- functions

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        keywords = kwargs or {}
        plain, reverse = _plain_name(func)
        given = list(tensors_in((args, keywords)))
        indices = [self.index(tensor) for tensor in given]
        versions = [_version(tensor) for tensor in given]
        skip = plain.startswith(SHAPE_ONLY) or plain in NO_OPERATION
        again = None
        if self.keep and not skip and any(index is not None for index in indices):
            again = self._template(args), self._template(keywords)  # before an in-place operation changes its arguments
        try:
            result = func(*args, **keywords)
        except Exception as error:
            self._note(error, plain, tuple(tuple(tensor.shape) for tensor in given))
            raise
        made = list(tensors_in(result))
        if skip or (not given and not made):
            return result
        changed = tuple(
            position
            for position, (tensor, version) in enumerate(zip(given, versions, strict=True))
            if _version(tensor) != version and id(tensor) not in self.holders
        )
        inputs = tuple(index for index in indices if index is not None)
        parameters = self._parameters(given)
        if not inputs:
            for tensor in [*made, *(given[position] for position in changed)]:
                if parameters and id(tensor) not in self.holders:
                    self.constants[tensor] = parameters
            return result
        if not made and not changed:
            return result
        if not changed and any(tensor is other for tensor in made for other in given):
            # It gave back its input as it was (`contiguous`, dropout in evaluation mode): another name for the same memory, so
            # that whoever still holds the input is not taken to use the output.
            ours = {id(tensor): _another_name(tensor) for tensor in made if any(tensor is other for other in given)}
            result = mapped(lambda item: ours.get(id(item), item), result)
            made = list(tensors_in(result))
        outputs = distinct([*made, *(given[position] for position in changed)])
        operation = None if again is None else Again(func, again[0], again[1], changed)
        told = settings(plain, func, args, keywords) | ({"reversed": True} if reverse else {})
        if plain in PRODUCTS:
            told["constant"] = tuple(position for position, index in enumerate(indices) if index is None)
        indices_out = tuple(self.add(tensor) for tensor in outputs)
        self._operation(plain, inputs, indices_out, told, parameters, bool(changed), operation)
        for position in changed:
            memory = _memory(given[position])
            if memory is not None:
                self.written[memory[0]] = (memory[1], self.known[given[position]][0])
        return result

    def _operation(
        self,
        name: str,
        inputs: tuple[int, ...],
        outputs: tuple[int, ...],
        told: dict[str, Any],
        parameters: tuple[str, ...],
        in_place: bool,
        again: Again | None,
    ) -> None:
        at = self.stack[-1] if self.stack else self.outermost
        index = len(self.operations)
        self.operations.append(
            Operation(index, name, at.module, at.kind, at.call, inputs, outputs, told, parameters, in_place, again)
        )

    def _parameters(self, tensors: list[Tensor]) -> tuple[str, ...]:
        names: dict[str, None] = {}
        for tensor in tensors:
            own = self.holders.get(id(tensor))
            for name in (own,) if own is not None else self.constants.get(tensor, ()):
                names[name] = None
        return tuple(names)

    def _template(self, arguments: Any) -> Any:
        def hold(item: Any) -> Any:
            if not isinstance(item, Tensor):
                return item
            if id(item) in self.holders:
                return Held(self.holders[id(item)])
            index = self.index(item)
            return item.detach().clone() if index is None else Held(index)

        return mapped(hold, arguments)


def _plain_name(function: Any) -> tuple[str, bool]:
    """The name of a function, and whether it takes its operands the other way round (`1 - x`)."""
    name = getattr(function, "__name__", type(function).__name__)
    if name == "__get__":  # x.T, x.data
        name = getattr(getattr(function, "__self__", None), "__name__", name)
    if name in NO_OPERATION:
        return name, False
    stem = name.strip("_")
    return SAME.get(stem, stem), stem in ("rsub", "rdiv", "rtruediv", "rpow", "rmatmul")


def _another_name(tensor: Tensor) -> Tensor:
    return tensor.view_as(tensor) if torch.is_grad_enabled() else tensor.detach()


def _version(tensor: Tensor) -> int:
    return 0 if tensor.is_inference() else tensor._version


def _memory(tensor: Tensor) -> tuple[int, Any] | None:
    try:
        storage = tensor.untyped_storage()
    except (NotImplementedError, RuntimeError):  # sparse tensors have none
        return None
    return storage._cdata, storage
