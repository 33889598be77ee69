"""One forward pass without numbers: which layer saw what, in which order, and what was done outside of any layer.

The pass runs on the meta device, where tensors have a shape and nothing else: a network of 480 million weights is looked through in
a moment, and no random number is drawn. Networks that hold tensors of their own outside of parameters and buffers cannot go there;
they are run on a picture of zeros instead.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.overrides import TorchFunctionMode

ADDITIONS = {"add", "add_", "__add__", "__iadd__", "__radd__"}


@dataclass(frozen=True)
class Call:
    """One call of a layer. `input` is its first argument, `output` what it gave; None where that is no single tensor."""

    name: str
    layer: nn.Module
    input: Tensor | None
    output: Tensor | None


@dataclass
class Seen:
    """What one forward pass in evaluation mode did. Tensors are kept for their shape and identity only."""

    calls: list[Call] = field(default_factory=list)
    """In the order in which they ended."""
    functions: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    """Innermost layer -> names of the functions that it applied itself to at least one tensor."""
    additions: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    """Innermost layer -> how often it added two stacks of maps."""
    output: tuple[int, ...] = ()
    """Shape of the logits."""

    def of(self, name: str) -> Call | None:
        """The first call of a layer; None if it was not called."""
        return next((call for call in self.calls if call.name == name), None)

    def before(self, name: str) -> Iterator[Call]:
        """The layers without children whose output went, layer by layer and untouched in between, into `name`; nearest first."""
        calls = [call for call in self.calls if not any(True for _ in call.layer.children()) or call.name == name]
        place = next((number for number, call in enumerate(calls) if call.name == name), None)
        while place is not None:
            wanted = calls[place].input
            place = next((n for n in range(place - 1, -1, -1) if wanted is not None and calls[n].output is wanted), None)
            if place is not None:
                yield calls[place]

    def last_weighted(self) -> Call | None:
        """The last convolution or linear layer: the one that makes the logits."""
        weighted = [call for call in self.calls if isinstance(call.layer, (nn.Conv2d, nn.Linear))]
        return weighted[-1] if weighted else None


class _Watching(TorchFunctionMode):
    def __init__(self, seen: Seen, stack: list[str]) -> None:
        super().__init__()
        self.seen, self.stack = seen, stack

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        name = str(getattr(func, "__name__", ""))
        layer = self.stack[-1] if self.stack else ""
        tensors = [a for a in args if isinstance(a, Tensor)]
        if tensors:
            self.seen.functions[layer].add(name)
        if name in ADDITIONS and len(tensors) == 2 and all(t.ndim == 4 for t in tensors):
            self.seen.additions[layer] += 1
        if name in ("batch_norm", "group_norm") and len(args) > 2 and _fits(args[0], args[1 if name == "batch_norm" else 2]):
            return torch.empty_like(args[0])  # without numbers PyTorch takes norms apart, at a hundred times the cost
        return func(*args, **(kwargs or {}))


def _fits(maps: Any, channels: Any) -> bool:
    return isinstance(maps, Tensor) and maps.is_meta and isinstance(channels, Tensor) and channels.shape == maps.shape[1:2]


def observe(network: nn.Module, image: tuple[int, int, int]) -> Seen:
    """Look through `network` for one picture of shape (C, H, W); it is left as it was.

    Raises whatever the network raises for such a picture.
    """
    try:
        return _observe(network, image, on_meta=True)
    except (RuntimeError, NotImplementedError):
        return _observe(network, image, on_meta=False)


def _observe(network: nn.Module, image: tuple[int, int, int], *, on_meta: bool) -> Seen:
    seen = Seen()
    stack: list[str] = []
    like = next(network.parameters(), torch.empty(0))
    picture = torch.zeros((1, *image), dtype=like.dtype, device="meta" if on_meta else like.device)
    with ExitStack() as undo, torch.no_grad():
        undo.enter_context(_evaluating(network))
        for name, layer in network.named_modules():
            for handle in _watch(name, layer, stack, seen):
                undo.callback(handle.remove)
        undo.enter_context(_Watching(seen, stack))
        if on_meta:
            tensors = {name: torch.empty_like(p, device="meta") for name, p in network.named_parameters()}
            tensors |= {name: torch.empty_like(b, device="meta") for name, b in network.named_buffers()}
            output = functional_call(network, tensors, (picture,))
        else:
            output = network(picture)
    logits = getattr(output, "logits", output)
    seen.output = tuple(logits.shape) if isinstance(logits, Tensor) else ()
    return seen


def _watch(name: str, layer: nn.Module, stack: list[str], seen: Seen) -> tuple[Any, Any]:
    starts: dict[int, list[Tensor | None]] = {}

    def enter(_layer: nn.Module, inputs: tuple[Any, ...]) -> None:
        stack.append(name)
        first = inputs[0] if inputs and isinstance(inputs[0], Tensor) else None
        starts.setdefault(len(stack), []).append(first)

    def leave(layer: nn.Module, _inputs: Any, output: Any) -> None:
        first = starts[len(stack)].pop()
        stack.pop()
        seen.calls.append(Call(name, layer, first, output if isinstance(output, Tensor) else None))

    return layer.register_forward_pre_hook(enter), layer.register_forward_hook(leave)


@contextmanager
def _evaluating(network: nn.Module) -> Iterator[None]:
    training = [layer for layer in network.modules() if layer.training]
    network.eval()
    try:
        yield
    finally:
        for layer in training:
            layer.training = True


def maps(tensor: Tensor | None) -> tuple[int, int, int] | None:
    """(C, H, W) of a tensor that holds maps, else None."""
    return None if tensor is None or tensor.ndim != 4 else (tensor.shape[1], tensor.shape[2], tensor.shape[3])
