"""A network seen from afar: its stages in a row, what leaves each, what each costs, and where a signal may skip a block.

A stage is a child of `features`, and whatever follows `features` (the head). Other networks are cut at their top-level children.
"""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

import torch
from torch import Tensor, nn

from wiesel.analysis.cost import CONVOLUTIONS, Cost, blank, cost
from wiesel.analysis.recording import evaluating

Skip = Literal["identity", "projection", "free", "none"]
"""How the input of a residual block gets past it: unchanged; through a 1x1 convolution; reshaped without parameters (option A of
the ResNet paper); not at all (the plain twin of a residual network)."""


@dataclass(frozen=True)
class Block:
    """A residual block."""

    name: str
    skip: Skip
    output: tuple[int, ...]


@dataclass(frozen=True)
class Stage:
    name: str
    """Dotted name in the network, as `get_submodule` takes it."""
    output: tuple[int, ...]
    """(C, H, W), or (K,) of a head; empty if the stage was not called."""
    parameters: int
    macs: int
    """Multiply-adds for one picture."""
    weighted: int
    """How many of its layers are convolutions or linear."""
    blocks: tuple[Block, ...]
    """Its residual blocks, in order."""

    @property
    def label(self) -> str:
        return self.name.rpartition(".")[2]


def stages(network: nn.Module, image: tuple[int, int, int], table: Cost | None = None) -> tuple[Stage, ...]:
    """The stages of `network` for one picture of shape (C, H, W). `table`: its cost, if known already."""
    table = table or cost(network, image)
    names = stage_names(network)
    skips = {name: skip for name, module in network.named_modules() if (skip := skip_of(module)) is not None}
    shapes = _shapes(network, image, [*names, *skips])
    found = []
    for name in names:
        rows = table.within(name)
        found.append(
            Stage(
                name=name,
                output=shapes.get(name, ()),
                parameters=sum(row.parameters for row in rows),
                macs=sum(row.macs for row in rows),
                weighted=sum(row.macs > 0 for row in rows),
                blocks=tuple(
                    Block(block, skip, shapes.get(block, ()))
                    for block, skip in skips.items()
                    if block == name or block.startswith(f"{name}.")
                ),
            )
        )
    return tuple(found)


def stage_names(network: nn.Module) -> list[str]:
    """Where to cut: the children of `features` if it is a sequence, then the other top-level children; wrappers are opened."""
    prefix, inside = "", network
    while len(children := dict(inside.named_children())) == 1:
        name, only = next(iter(children.items()))
        if not any(True for _ in only.children()):
            break
        prefix, inside = f"{prefix}{name}.", only
    names = []
    for name, child in children.items():
        if name == "features" and isinstance(child, nn.Sequential) and len(child):
            names += [f"{prefix}features.{part}" for part, _ in child.named_children()]
        else:
            names.append(prefix + name)
    return names


def skip_of(module: nn.Module) -> Skip | None:
    """The kind of skip if `module` is a residual block: it has an attribute `shortcut` (torchvision: `downsample`); else None."""
    if hasattr(module, "shortcut"):
        shortcut = module.shortcut
        if shortcut is None:
            return "none"
    elif hasattr(module, "downsample") and hasattr(module, "conv1"):
        shortcut = module.downsample
        if shortcut is None:
            return "identity"
    else:
        return None
    if not isinstance(shortcut, nn.Module):
        return None
    if any(isinstance(part, CONVOLUTIONS) for part in shortcut.modules()):
        return "projection"
    is_empty = isinstance(shortcut, nn.Sequential) and len(shortcut) == 0
    return "identity" if is_empty or isinstance(shortcut, nn.Identity) else "free"


def _shapes(network: nn.Module, image: tuple[int, int, int], layers: list[str]) -> dict[str, tuple[int, ...]]:
    """Of what each layer put out at its first call; layers that put out something else than a tensor are missing."""
    shapes: dict[str, tuple[int, ...]] = {}

    def note(name: str, _layer: nn.Module, _inputs: Any, output: Any) -> None:
        if isinstance(output, Tensor):
            shapes.setdefault(name, tuple(output.shape[1:]))

    with ExitStack() as undo, torch.no_grad():
        undo.enter_context(evaluating(network))
        for name in layers:
            undo.enter_context(network.get_submodule(name).register_forward_hook(partial(note, name)))
        network(blank(network, image))
    return shapes
