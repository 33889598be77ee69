"""What the layers of a network put out while it looks at a picture, without changing the network or being fooled by it.

Three things go wrong easily. A hook that keeps a layer's output without copying it keeps the memory, and a later `out += shortcut`
or an in-place ReLU writes its sum into what is called the output of the norm before. A network in training mode normalises with the
statistics of the batch at hand and moves its running ones. A module that is used three times has three outputs.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from torch import Tensor, nn

from wiesel.errors import LayerNotFound, NotOneTensor, SeveralCalls, nearest


@dataclass(frozen=True)
class Output:
    """What layer `layer` put out when it was called for the `call`-th time (from 0)."""

    layer: str
    call: int
    tensor: Tensor


@dataclass
class Recording:
    """Outputs in the order in which they were made; layers that were never called have none.

    >>> with recording(network, "features.stem", "features.stage1") as recorded:
    ...     network(pictures)
    >>> recorded["features.stem"].shape
    torch.Size([1, 64, 28, 28])
    """

    outputs: list[Output] = field(default_factory=list)

    def __getitem__(self, layer: str) -> Tensor:
        """The output of a layer that was called exactly once.

        Raises:
            KeyError: it was not called (or not recorded).
            SeveralCalls: it was called more often; `calls` gives all of them.
        """
        found = self.calls(layer)
        if not found:
            raise KeyError(layer)
        if len(found) > 1:
            raise SeveralCalls(layer=layer, count=len(found))
        return found[0]

    def __contains__(self, layer: str) -> bool:
        return any(output.layer == layer for output in self.outputs)

    def calls(self, layer: str) -> list[Tensor]:
        """All outputs of a layer, in the order of its calls."""
        return [output.tensor for output in self.outputs if output.layer == layer]


@contextmanager
def recording(network: nn.Module, *layers: str, evaluate: bool = True) -> Iterator[Recording]:
    """Copies of the outputs of the named layers, for whatever runs inside the block; each of them a single tensor.

    `evaluate`: the network is in evaluation mode meanwhile. However the block ends, every module is left in the mode it was in and
    no hook stays behind. Copies are detached; wrap the forward pass in `torch.no_grad()` if you need no gradients either.

    Raises:
        LayerNotFound: no such layer; names the nearest.
        NotOneTensor (from inside the forward pass): a layer put out something else than one tensor.
    """
    recorded = Recording()
    with ExitStack() as undo:
        for name in layers:
            undo.enter_context(_layer(network, name).register_forward_hook(partial(_keep, recorded, name)))
        if evaluate:
            undo.enter_context(evaluating(network))
        yield recorded


@contextmanager
def evaluating(network: nn.Module) -> Iterator[None]:
    """Evaluation mode inside the block; then every single module is back in the mode it was in (parts may have been frozen)."""
    with training_mode(network, False):
        yield


@contextmanager
def training_mode(network: nn.Module, training: bool = True) -> Iterator[None]:
    """Training mode, or evaluation mode, inside the block; then every single module is back in the mode it was in."""
    modes = [(module, module.training) for module in network.modules()]
    network.train(training)
    try:
        yield
    finally:
        for module, training in modes:
            module.training = training


def _keep(recorded: Recording, name: str, _layer: nn.Module, _inputs: Any, output: Any) -> None:
    if not isinstance(output, Tensor):
        raise NotOneTensor(layer=name, found=type(output).__name__)
    recorded.outputs.append(Output(name, len(recorded.calls(name)), output.detach().clone()))


def _layer(network: nn.Module, name: str) -> nn.Module:
    try:
        return network.get_submodule(name)
    except AttributeError as error:
        known = [layer for layer, _ in network.named_modules() if layer]
        raise LayerNotFound(layer=name, nearest=nearest(name, known)) from error
