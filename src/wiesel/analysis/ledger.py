"""The table of a network, in the order in which it computes: every call of a layer, and every operation between the layers.

A layer is a module without children. What the code of the modules above them does itself (`+`, `torch.cat`, `F.relu`) has rows too, under
the name of the module whose code it is; pure rearrangements of a tensor have none.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

from torch import nn

from wiesel.analysis.cost import multiply_adds, own_parameters
from wiesel.analysis.tape import Operation, Tape

# fmt: off
REARRANGEMENTS = frozenset({
    "reshape", "view", "permute", "transpose", "contiguous", "getitem", "chunk", "unbind", "split", "split_with_sizes", "expand",
    "unsqueeze", "squeeze", "to", "rewritten",
})
# fmt: on
BYTES = 4  # of a number in float32


@dataclass(frozen=True)
class Entry:
    """One row. `name` and `call` together are unique for layers."""

    name: str
    type: str
    """Class of the layer, or in small letters the operation."""
    call: int
    """Which call of the layer, from 0: a layer that is used twice has two rows, and its parameters are in the first."""
    output: tuple[int, ...]
    """Shape for one picture; empty for a layer that was not called."""
    parameters: int
    macs: int
    value: int | None
    """The value on the tape that it put out."""

    @property
    def bytes(self) -> int:
        """Memory of the output for one picture, in float32."""
        return prod(self.output) * BYTES if self.output else 0


def ledger(network: nn.Module, tape: Tape) -> tuple[Entry, ...]:
    """All rows of `network`, of which `tape` is the recording for one picture. Sums over them are the network's.

    Parameters that no row of the forward pass holds (heads that work only in training) follow at the end, without an output.
    """
    modules = dict(network.named_modules())
    leaves = {name for name, module in modules.items() if not any(True for _ in module.children())}
    counted: set[int] = set()
    entries: list[Entry] = []
    for group in _groups(tape, leaves):
        last = group[-1]
        name, leaf = last.module, last.module in leaves
        macs = sum(multiply_adds(operation, tape) or 0 for operation in group)
        if not leaf and not macs and last.name in REARRANGEMENTS:
            continue
        value = last.outputs[0] if last.outputs else None
        entries.append(
            Entry(
                name=name,
                type=last.kind if leaf else last.name,
                call=last.call,
                output=tape.values[value].shape[1:] if value is not None else (),
                parameters=own_parameters(modules[name], counted),
                macs=macs,
                value=value,
            )
        )
    for name, module in modules.items():
        if missing := own_parameters(module, counted):
            entries.append(Entry(name, type(module).__name__, 0, (), missing, 0, None))
    return tuple(entries)


def _groups(tape: Tape, leaves: set[str]) -> list[list[Operation]]:
    """Operations that share a row: those of one call of a layer."""
    groups: list[list[Operation]] = []
    for operation in tape.operations:
        before = groups[-1][-1] if groups else None
        same = before is not None and (before.module, before.call) == (operation.module, operation.call)
        if same and operation.module in leaves:
            groups[-1].append(operation)
        else:
            groups.append([operation])
    return groups
