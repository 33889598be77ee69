"""Which operations of a tape belong together: calls of modules within calls of modules, cut into stages and into blocks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property

from wiesel.analysis.graphs.wording import role
from wiesel.analysis.tape import Call, Tape

SEQUENCES = ("Sequential", "ModuleList", "ModuleDict")


@dataclass
class Part:
    """A call of a module that computed something, and the calls within it."""

    call: Call
    inside: list[Part] = field(default_factory=list)

    @property
    def name(self) -> str:
        return self.call.module

    @cached_property
    def operations(self) -> range:
        return range(*self.call.operations)

    @cached_property
    def own(self) -> tuple[int, ...]:
        """Operations of the module's own code, in none of the calls within."""
        rest = set(self.operations)
        for part in self.inside:
            rest -= set(part.operations)
        return tuple(sorted(rest))

    def walk(self) -> Iterator[Part]:
        yield self
        for part in self.inside:
            yield from part.walk()


@dataclass(frozen=True)
class Unit:
    """A run of operations that may become one box: those of a call, or a single one of a module that was opened."""

    name: str
    kind: str
    operations: range
    part: Part | None
    """None for a single operation."""


def tree(tape: Tape) -> Part:
    """The calls of a tape, nested; the root is that of the network."""
    calls = [call for call in tape.calls if call.operations[0] < call.operations[1]]
    if not calls or calls[0].module:
        calls.insert(0, Call("", "", 0, (), (), (0, len(tape.operations))))
    root = Part(calls[0])
    around = [root]
    for call in calls[1:]:
        while call.operations[1] > around[-1].operations.stop or call.operations[0] >= around[-1].operations.stop:
            around.pop()
        part = Part(call)
        around[-1].inside.append(part)
        around.append(part)
    return root


def stages(root: Part) -> list[Part]:
    """Where the network is cut at first: the stages of `features` if it has any, the other children of the network as they are.

    Layers that stand alone are no stages. Wrappers are opened.
    """
    at = root
    while len(at.inside) == 1 and at.inside[0].inside and len(at.inside[0].operations) == len(at.operations):
        at = at.inside[0]
    found: list[Part] = []
    for part in at.inside:
        if part.name.rpartition(".")[2] == "features" and any(inner.inside for inner in part.inside):
            found += [inner for inner in part.inside if inner.inside]
        elif part.inside:
            found.append(part)
    return found


def units(tape: Tape, root: Part, depth: int | None = None) -> list[Unit]:
    """All operations in order, in runs that may become a box each.

    `depth`: calls of modules whose dotted name has that many parts. Without it, residual blocks, inception modules and the like: what
    joins ways in its own code, unless there is more than one such thing within, and what holds one convolution only.
    """
    total = _work(tape, root)
    found: list[Unit] = []

    def visit(part: Part) -> None:
        if part is not root and not _is_open(tape, part, total, depth):
            found.append(Unit(part.name, part.call.kind, part.operations, part))
            return
        at = part.operations.start
        for inner in part.inside:
            found.extend(single(index) for index in range(at, inner.operations.start))
            visit(inner)
            at = inner.operations.stop
        found.extend(single(index) for index in range(at, part.operations.stop))

    def single(index: int) -> Unit:
        operation = tape.operations[index]
        return Unit(operation.module, operation.kind, range(index, index + 1), None)

    visit(root)
    return found


def _is_open(tape: Tape, part: Part, total: int, depth: int | None) -> bool:
    """Whether the calls within are looked at, instead of the call as a whole."""
    if not part.inside:
        return False
    if depth is not None:
        return part.name.count(".") + 1 < depth
    work = _work(tape, part)
    if work <= 1:
        return False
    if part.call.kind in SEQUENCES or sum(_joins(tape, inner) for inner in part.walk() if inner is not part) > 1:
        return True
    return not _joins(tape, part) and 2 * work > total


def _work(tape: Tape, part: Part) -> int:
    return sum(role(tape.operations[index]) in ("convolution", "linear") for index in part.operations)


def _joins(tape: Tape, part: Part) -> bool:
    """Whether the module's own code adds or stacks signals."""
    return any(
        tape.operations[index].name in ("add", "cat") and role(tape.operations[index]) == "merge"
        for index in part.own
        if part.inside
    )
