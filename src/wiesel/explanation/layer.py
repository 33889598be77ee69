"""Which layer a class activation map looks at, and how its output is held without being falsified.

The default is the last layer that still puts out a map: it has the most abstract features that keep a place. It is found on the
tape of one forward pass, so additions and functions between the modules count too. A layer that is called several times has as many
outputs; `name@2` is its second.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor, nn

from wiesel.analysis.tape import Call, Tape, record
from wiesel.errors import ForwardFailed, LayerNotFound, NoMap, NoMapAnywhere, NotOneTensor, WhichCall, nearest
from wiesel.explanation.scores import one_picture
from wiesel.language import say


@dataclass(frozen=True)
class Layer:
    """One call of one module."""

    module: str
    call: int
    """From 0."""
    shape: tuple[int, ...]
    """(C, h, w)"""
    reason: str

    name: str
    """As a person writes it: the module, and `@2` if it is called several times."""


def choose_layer(network: nn.Module, picture: Tensor, wanted: str | None = None) -> Layer:
    """The layer called `wanted`, or the last that puts out a map (B, C, h, w) of more than one cell for `picture` (1, C, H, W).

    Raises:
        LayerNotFound: no such layer; names the nearest.
        WhichCall: it is called several times and no call is named.
        NoMap: its output is no map.
        NoMapAnywhere: none is wanted, and no layer puts out a map.
    """
    picture = one_picture(picture)
    image = (picture.shape[1], picture.shape[2], picture.shape[3])
    tape = record(network, image, pictures=picture)
    if (failure := tape.failure) is not None:
        raise ForwardFailed(
            image="x".join(map(str, image)),
            layer=failure.module or type(network).__name__,
            operation=failure.operation or failure.kind,
            shapes=", ".join("x".join(map(str, shape)) for shape in failure.shapes),
            message=failure.message.splitlines()[0] if failure.message else failure.error,
        )
    return _last_map(tape) if wanted is None else _named(network, tape, wanted)


def _last_map(tape: Tape) -> Layer:
    used = _used(tape) & _placed(tape)
    maps = {value.index for value in tape.values if value.index in used and value.index != tape.input and _is_map(value.shape)}
    candidates = [call for call in tape.calls if call.module and len(call.outputs) == 1 and call.outputs[0] in maps]
    if not candidates:
        raise NoMapAnywhere()
    value = max(call.outputs[0] for call in candidates)
    same = [call for call in candidates if call.outputs[0] == value]
    maker = tape.producer(value)
    # A block gives back what its last layer made, and so does whatever encloses it: the name is that of the module that computed it.
    last = next((call for call in same if maker and (call.module, call.call) == (maker.module, maker.call)), same[-1])
    later = [op.name for op in tape.operations if any(made in maps and made > value for made in op.outputs)]
    reason = say(
        en="the last layer whose output is still a map; after it, places are summed up",
        de="die letzte Schicht, deren Ausgabe noch eine Karte ist; danach werden die Orte zusammengefasst",
    )
    if later:
        functions = ", ".join(dict.fromkeys(later))
        reason = say(
            en=f"the last module whose output is still a map; after it come only functions without a module ({functions})",
            de=f"das letzte Modul, dessen Ausgabe noch eine Karte ist; danach kommen nur Funktionen ohne Modul ({functions})",
        )
    return _layer(tape, last, reason)


def _named(network: nn.Module, tape: Tape, wanted: str) -> Layer:
    module, _, number = wanted.partition("@")
    known = [name for name, _ in network.named_modules() if name]
    calls = [call for call in tape.calls if call.module == module]
    if module not in known:
        raise LayerNotFound(layer=wanted, nearest=nearest(module, known))
    if not calls:
        raise NoMap(layer=wanted, found=say(en="it is never called", de="sie wird nie aufgerufen"))
    if len(calls) > 1 and not number:
        raise WhichCall(layer=module, count=len(calls))
    if number and not (number.isdecimal() and 1 <= int(number) <= len(calls)):
        raise WhichCall(layer=module, count=len(calls))
    call = calls[int(number) - 1 if number else 0]
    if len(call.outputs) != 1:
        raise NotOneTensor(layer=wanted, found=f"{len(call.outputs)} tensors")
    shape = tape.values[call.outputs[0]].shape
    if not _is_map(shape):
        raise NoMap(layer=wanted, found=" x ".join(map(str, shape)))
    return _layer(tape, call, say(en="asked for", de="so verlangt"))


def _layer(tape: Tape, call: Call, reason: str) -> Layer:
    several = sum(other.module == call.module for other in tape.calls) > 1
    shape = tape.values[call.outputs[0]].shape[1:]
    return Layer(call.module, call.call, tuple(shape), reason, f"{call.module}@{call.call + 1}" if several else call.module)


def _used(tape: Tape) -> set[int]:
    """The values that the output depends on: the maps of a side head are none of them."""
    waiting = [tape.output] if isinstance(tape.output, int) else list(tape.output)
    if not waiting:  # an output that is no tensor, tuple or dictionary: nothing to go back from
        return {value.index for value in tape.values}
    used: set[int] = set()
    while waiting:
        value = waiting.pop()
        if value not in used:
            used.add(value)
            maker = tape.producer(value)
            waiting += maker.inputs if maker else ()
    return used


def _placed(tape: Tape) -> set[int]:
    """The values whose places are still places of the picture: once flattened to a row of tokens, four axes may mean heads and tokens."""
    placed = {tape.input}
    for operation in tape.operations:
        if any(value in placed for value in operation.inputs):
            placed |= {value for value in operation.outputs if len(tape.values[value].shape) >= 4}
    return placed


def _is_map(shape: tuple[int, ...]) -> bool:
    return len(shape) == 4 and shape[2] * shape[3] > 1


@dataclass
class Held:
    """The output of a layer during a forward pass."""

    tensor: Tensor | None = None
    """In the graph of the gradients: the score can be differentiated with respect to it."""
    values: Tensor | None = None
    """A copy (B, C, h, w) made before anything could overwrite it."""
    calls: int = field(default=0, repr=False)


@contextmanager
def holding(network: nn.Module, layer: Layer) -> Iterator[Held]:
    """Keep the output of `layer` for what runs inside the block; the network goes on with a copy of it.

    So a following `out += shortcut` or in-place ReLU writes into the copy, and neither the values nor their gradient change.
    """
    held = Held()

    def keep(_module: nn.Module, _inputs: Any, output: Any) -> Any:
        held.calls += 1
        if held.calls - 1 != layer.call:
            return None
        if not isinstance(output, Tensor):
            raise NotOneTensor(layer=layer.name, found=type(output).__name__)
        held.tensor, held.values = output, output.detach().clone()
        return output.clone()

    hook = network.get_submodule(layer.module).register_forward_hook(keep)
    try:
        yield held
    finally:
        hook.remove()
