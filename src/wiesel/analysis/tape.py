"""Everything a network computes from a picture, operation by operation, in the order in which it happened.

Hooks on modules see only modules: `F.relu`, `+`, `@`, `torch.flatten` pass them by, a module that is used three times looks like
one, and what they keep may be overwritten by an in-place operation later. The tape stands at the functions of PyTorch instead
(`torch.overrides.TorchFunctionMode`) and keeps a stack of the modules that are running.

    values        tensors that depend on the picture; an in-place operation makes a new one
    operations    functions that make values of values, parameters and constants

What is computed from parameters alone (standardised weights, a position table that is reshaped) is no operation of the tape; the
operation that uses it at last names the parameters.
"""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Protocol

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode
from torch.utils.weak import WeakTensorKeyDictionary

from wiesel.analysis.recording import evaluating
from wiesel.analysis.settings import settings

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
    again: _Again | None = field(default=None, repr=False, compare=False)
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


class Watch(Protocol):
    """Somebody who sees the tensors themselves while a tape is recorded, with gradients on."""

    def value(self, index: int, tensor: Tensor) -> None:
        """A value, the moment it is made. A hook on `tensor` gets the gradient of exactly this value, even if an operation writes
        another one into it later."""

    def finish(self, tape: Tape, result: Any, pictures: Tensor) -> None:
        """The forward pass has succeeded and given `result`; nothing is restored yet, so a backward pass is possible. `pictures` is
        the leaf where it ends."""


def record(
    network: nn.Module,
    image: tuple[int, int, int],
    *,
    values: bool = False,
    batch: int = 1,
    evaluate: bool = True,
    pictures: Tensor | None = None,
    watch: Watch | None = None,
) -> Tape:
    """One forward pass of `network` on `batch` pictures of shape `image`, or on `pictures` (B, C, H, W).

    `values` keeps a copy of every tensor. Without, a network on the meta device is taped without computing anything.
    Pictures that are not given are noise of one fixed seed. The network is left as it was: modes, hooks, buffers; so is
    PyTorch's generator. A forward pass that raises gives a tape with a `failure`. `watch` sees the tensors, see `Watch`.
    """
    if pictures is None:
        pictures = _noise(network, (batch, *image))
    tracer = _Tracer(network, values, watch)
    result: Any = None
    failure = None
    with ExitStack() as undo:
        undo.enter_context(torch.inference_mode(False))
        undo.enter_context(torch.set_grad_enabled(watch is not None))
        undo.enter_context(torch.random.fork_rng(devices=[]))
        undo.enter_context(_buffers_kept(network))
        if evaluate:
            undo.enter_context(evaluating(network))
        # A copy: what is done to it in place is not done to the caller's pictures.
        leaf = pictures.detach().requires_grad_(watch is not None)
        pictures = leaf.clone()
        start = tracer.add(pictures)
        for module in network.modules():
            undo.callback(module.register_forward_pre_hook(tracer.enter, prepend=True, with_kwargs=True).remove)
            undo.callback(module.register_forward_hook(tracer.leave, always_call=True).remove)
        try:
            with tracer:
                result = network(pictures)
        except Exception as error:
            failure = tracer.failure(error)
        found = [] if failure else [tracer.index(tensor) for tensor in _tensors(result)]
        outputs = tuple(index for index in found if index is not None)
        single = isinstance(result, Tensor) and len(outputs) == 1
        tape = Tape(
            image=image,
            values=tuple(tracer.values),
            operations=tuple(tracer.operations),
            input=start,
            output=outputs[0] if single else outputs,
            failure=failure,
            calls=tuple(tracer.finished_calls()),
        )
        if watch is not None and failure is None:
            watch.finish(tape, result, leaf)
    return tape


def replay(tape: Tape, network: nn.Module) -> float:
    """Repeat every operation of a tape with values from its recorded inputs: the largest relative difference to what was recorded.

    Parameters and buffers are read from `network`. Differences are relative to the largest number of each output. Of a network
    that was recorded in evaluation mode, whatever is above 1e-5 means that the tape does not tell what happened.
    """
    holders: dict[str, Tensor] = {**dict(network.named_parameters()), **dict(network.named_buffers())}
    worst = 0.0
    with torch.no_grad():
        for operation in tape.operations:
            if operation.again is not None:
                inputs = {index: tape.values[index].tensor for index in operation.inputs}
                for made, index in zip(operation.again(inputs, holders), operation.outputs, strict=True):
                    worst = max(worst, _difference(made, tape.values[index].tensor))
    return worst


@dataclass(frozen=True)
class _Held:
    """Stands for a value (by index) or a parameter (by name) in the arguments of a call."""

    key: int | str


@dataclass(frozen=True)
class _Again:
    """A call that can be repeated."""

    function: Callable[..., Any]
    arguments: Any
    keywords: Any
    changed: tuple[int, ...]
    """Which of the tensors among its arguments it changes in place; they are outputs too."""

    def __call__(self, values: Mapping[int, Tensor | None], holders: Mapping[str, Tensor]) -> list[Tensor]:
        copies: dict[int | str, Tensor] = {}

        def get(item: Any) -> Any:
            if isinstance(item, _Held):
                if item.key not in copies:
                    source = values[item.key] if isinstance(item.key, int) else holders[item.key]
                    assert source is not None
                    copies[item.key] = source.detach().clone()
                return copies[item.key]
            return item.clone() if isinstance(item, Tensor) else item

        arguments, keywords = _mapped(get, self.arguments), _mapped(get, self.keywords)
        inputs = list(_tensors((arguments, keywords)))
        result = self.function(*arguments, **keywords)
        return _distinct([*_tensors(result), *(inputs[position] for position in self.changed)])


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


class _Tracer(TorchFunctionMode):
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
        tensors = list(_tensors((arguments, keywords)))
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
            found = [self.index(tensor) for tensor in _tensors(output)]
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
        given = list(_tensors((args, keywords)))
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
        made = list(_tensors(result))
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
            result = _mapped(lambda item: ours.get(id(item), item), result)
            made = list(_tensors(result))
        outputs = _distinct([*made, *(given[position] for position in changed)])
        operation = None if again is None else _Again(func, again[0], again[1], changed)
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
        again: _Again | None,
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
                return _Held(self.holders[id(item)])
            index = self.index(item)
            return item.detach().clone() if index is None else _Held(index)

        return _mapped(hold, arguments)


def _plain_name(function: Any) -> tuple[str, bool]:
    """The name of a function, and whether it takes its operands the other way round (`1 - x`)."""
    name = getattr(function, "__name__", type(function).__name__)
    if name == "__get__":  # x.T, x.data
        name = getattr(getattr(function, "__self__", None), "__name__", name)
    if name in NO_OPERATION:
        return name, False
    stem = name.strip("_")
    return SAME.get(stem, stem), stem in ("rsub", "rdiv", "rtruediv", "rpow", "rmatmul")


def _tensors(item: Any) -> Iterator[Tensor]:
    """All tensors in nested tuples, lists and dictionaries, in order."""
    if isinstance(item, Tensor):
        yield item
    elif isinstance(item, (tuple, list)):
        for part in item:
            yield from _tensors(part)
    elif isinstance(item, Mapping):
        for part in item.values():
            yield from _tensors(part)


def _mapped(change: Callable[[Any], Any], item: Any) -> Any:
    """The same nesting with every leaf changed."""
    if isinstance(item, tuple):
        parts = [_mapped(change, part) for part in item]
        if hasattr(item, "_fields"):
            return type(item)(*parts)
        return (
            tuple(parts) if type(item) is tuple else item if all(a is b for a, b in zip(parts, item, strict=True)) else tuple(parts)
        )
    if isinstance(item, list):
        return [_mapped(change, part) for part in item]
    if isinstance(item, dict):
        return {key: _mapped(change, part) for key, part in item.items()}
    return change(item)


def _distinct(tensors: list[Tensor]) -> list[Tensor]:
    return list({id(tensor): tensor for tensor in tensors}.values())


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


def _difference(made: Tensor, recorded: Tensor | None) -> float:
    assert recorded is not None
    if made.shape != recorded.shape:
        return float("inf")
    if made.numel() == 0:
        return 0.0
    if not made.is_floating_point():
        return 0.0 if bool((made == recorded).all()) else float("inf")
    unequal = (made != recorded) & ~(made.isnan() & recorded.isnan())
    if not bool(unequal.any()):
        return 0.0
    size = float(recorded.abs().max())
    return float((made - recorded).abs()[unequal].max()) / max(size, torch.finfo(made.dtype).tiny)


def _noise(network: nn.Module, shape: tuple[int, ...]) -> Tensor:
    like = next((p for p in network.parameters() if p.is_floating_point()), torch.empty(0))
    if like.is_meta:
        return torch.empty(shape, dtype=like.dtype, device="meta")
    return torch.randn(shape, generator=torch.Generator().manual_seed(0)).to(like)


@contextmanager
def _buffers_kept(network: nn.Module) -> Iterator[None]:
    """Afterwards every buffer is the same tensor with the same content."""
    kept = [
        (module, name, buffer, buffer.detach().clone())
        for module in network.modules()
        for name, buffer in module._buffers.items()
        if buffer is not None
    ]
    try:
        yield
    finally:
        for module, name, buffer, content in kept:
            module._buffers[name] = buffer
            with torch.inference_mode(buffer.is_inference()):
                buffer.copy_(content)  # always: batch norm moves its statistics without counting it as a change
