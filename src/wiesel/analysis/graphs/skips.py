"""Where a signal gets past operations: found in the structure of a tape, whatever the modules are called.

At an addition (or a `cat`) two ways meet that began at one place. If one of them computes nothing, or only brings the signal into
shape, it is a skip: x in `relu(x + f(x))`, the maps of DenseNet that are stacked as they are.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from functools import cached_property

from wiesel.analysis.graphs.wording import role, window
from wiesel.analysis.tape import Operation, Tape

PICTURE = -1
"""Stands for the picture where an index of an operation is expected."""


@dataclass(frozen=True)
class Skip:
    """A way past other operations. All but `label` are indices of operations."""

    fork: int
    """Where it leaves, or PICTURE."""
    chain: tuple[int, ...]
    """What is on it, in order; nothing if the signal is left as it is."""
    merge: int
    """Where it joins."""
    label: str
    """ "identity", "free" (no convolution on it), "projection 1x1" (or another window)."""


@dataclass(frozen=True)
class Wiring:
    """Which operation needs which, by index."""

    tape: Tape

    @cached_property
    def before(self) -> list[tuple[int, ...]]:
        """For each operation those whose outputs it takes, in the order of its arguments."""
        return [tuple(dict.fromkeys(self.maker(value) for value in operation.inputs)) for operation in self.tape.operations]

    @cached_property
    def after(self) -> dict[int, list[int]]:
        found: dict[int, list[int]] = defaultdict(list)
        for index, makers in enumerate(self.before):
            for maker in makers:
                found[maker].append(index)
        return found

    def maker(self, value: int) -> int:
        made_by = self.tape.producer(value)
        return PICTURE if made_by is None else made_by.index


def skips(tape: Tape) -> tuple[Skip, ...]:
    """All skips, in the order in which they join."""
    wiring = Wiring(tape)
    found: list[Skip] = []
    for operation in tape.operations:
        if operation.name in ("add", "cat") and len(wiring.before[operation.index]) > 1:
            found += _skips_into(operation, wiring)
    return tuple(found)


def _skips_into(merge: Operation, wiring: Wiring) -> list[Skip]:
    entries = wiring.before[merge.index]
    ways = []
    for entry in entries:
        way = _way(entry, wiring)
        # Nothing but the maps themselves is stacked by DenseNet; a pool that is stacked is a branch of an Inception.
        if way is not None and (merge.name == "add" or not way[1]):
            ways.append((entry, *way))
    if not ways:
        return []
    reached, work = _upstream(entries, min(fork for _, fork, _ in ways), wiring)
    found = []
    for entry, fork, chain in ways:
        own = 1 << entries.index(entry)
        others = reached.get(fork, 0) & ~own
        if not chain:
            passes = others != 0
        else:
            weighted = sum(_is_work(wiring.tape.operations[index]) for index in chain)
            passes = others != 0 and sum(count for mask, count in work if mask & others) > weighted
        if passes:
            found.append(Skip(fork, chain, merge.index, _label([wiring.tape.operations[index] for index in chain])))
    return found


def _way(entry: int, wiring: Wiring) -> tuple[int, tuple[int, ...]] | None:
    """From `entry` back to where several ways part: that place and what is between. None if there is more than a skip may hold."""
    chain: list[int] = []
    at = entry
    convolutions = 0
    while at != PICTURE and len(wiring.after[at]) == 1:
        operation = wiring.tape.operations[at]
        kind = role(operation)
        convolutions += kind == "convolution"
        if len(wiring.before[at]) != 1 or convolutions > 1 or kind in ("activation", "linear"):
            return None
        chain.append(at)
        at = wiring.before[at][0]
    if chain and not convolutions and any(role(wiring.tape.operations[index]) == "norm" for index in chain):
        return None
    return at, tuple(reversed(chain))


def _upstream(entries: tuple[int, ...], first: int, wiring: Wiring) -> tuple[dict[int, int], list[tuple[int, int]]]:
    """Through which entries (as bits) each operation from `first` on reaches the merge; and the bits of everything that is work."""
    reached: dict[int, int] = defaultdict(int)
    for position, entry in enumerate(entries):
        reached[entry] |= 1 << position
    work = []
    for at in range(max(entries), max(first, 0) - 1, -1):
        mask = reached.get(at, 0)
        if mask:
            if at > first and _is_work(wiring.tape.operations[at]):
                work.append((mask, 1))
            for earlier in wiring.before[at]:
                reached[earlier] |= mask
    return reached, work


def _is_work(operation: Operation) -> bool:
    return role(operation) in ("convolution", "linear")


def _label(chain: list[Operation]) -> str:
    for operation in chain:
        if role(operation) == "convolution":
            return f"projection {window(operation.settings['kernel']).replace('×', 'x')}"
    return "free" if chain else "identity"
