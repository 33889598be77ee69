"""What a network costs: parameters and multiply-adds, layer by layer, from one forward pass on one picture.

A multiply-add (MAC) is one product and one addition; twice as many floating-point operations (FLOP). Counted are convolutions and
linear layers, which are nearly all of the work; norms, activations, pooling and additions count as nothing, as in the papers.

    convolution             Cout * Hout * Wout * (Cin / groups) * kernel area       stride and padding act through Hout, Wout
    transposed convolution  Cin * Hin * Win * (Cout / groups) * kernel area
    linear                  positions * inputs * outputs
"""

from __future__ import annotations

from collections import defaultdict
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from math import prod
from typing import Any

import torch
from torch import Tensor, nn

from wiesel.analysis.recording import evaluating

CONVOLUTIONS = (nn.Conv1d, nn.Conv2d, nn.Conv3d)
TRANSPOSED = (nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)


@dataclass(frozen=True)
class LayerCost:
    """One row of the table: a module without children, or one that holds parameters of its own."""

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


def cost(network: nn.Module, image: tuple[int, int, int]) -> Cost:
    """The cost table of `network` for one picture of shape (C, H, W), in evaluation mode; the network is left as it was.

    Products that no module computes (a bare `F.conv2d`, `@`, attention) are not seen.

    >>> table = cost(build("resnet18", classes=1000, channels=3, size=224), (3, 224, 224))
    >>> table.parameters, table.macs
    (11689512, 1814073344)
    """
    rows = {name: module for name, module in network.named_modules() if _is_row(module)}
    calls: dict[str, list[tuple[tuple[int, ...], int]]] = defaultdict(list)
    with ExitStack() as undo, torch.no_grad():
        undo.enter_context(evaluating(network))
        for name, module in rows.items():
            undo.enter_context(module.register_forward_hook(partial(_note, calls[name])))
        network(blank(network, image))
    counted: set[int] = set()
    layers = []
    for name, module in rows.items():
        own = [p for p in module.parameters(recurse=False) if id(p) not in counted]
        counted.update(id(p) for p in own)
        seen = calls[name]
        layers.append(
            LayerCost(
                name=name,
                type=type(module).__name__,
                output=seen[0][0] if seen else (),
                parameters=sum(p.numel() for p in own),
                macs=sum(macs for _, macs in seen),
                calls=len(seen),
            )
        )
    return Cost(image, tuple(layers))


def _is_row(module: nn.Module) -> bool:
    return not any(True for _ in module.children()) or any(True for _ in module.parameters(recurse=False))


def blank(network: nn.Module, image: tuple[int, int, int]) -> Tensor:
    """One picture of zeros, of the type and on the device of the weights."""
    like = next(network.parameters(), torch.empty(0))
    return torch.zeros((1, *image), dtype=like.dtype, device=like.device)


def _note(seen: list[tuple[tuple[int, ...], int]], module: nn.Module, inputs: tuple[Any, ...], output: Any) -> None:
    shape = tuple(output.shape[1:]) if isinstance(output, Tensor) else ()
    seen.append((shape, _macs(module, inputs, output)))


def _macs(module: nn.Module, inputs: tuple[Any, ...], output: Any) -> int:
    if isinstance(module, CONVOLUTIONS):
        return int(output.numel()) * module.in_channels // module.groups * prod(module.kernel_size)
    if isinstance(module, TRANSPOSED):
        return int(inputs[0].numel()) * module.out_channels // module.groups * prod(module.kernel_size)
    if isinstance(module, nn.Linear):
        return int(output.numel()) * module.in_features
    return 0
