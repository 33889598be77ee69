"""A network seen from further away: a box for each block. The skip of a residual block stays visible, beside the box of its branch.

x -> [3×3, 64 / 3×3, 64] -> + relu        a residual block is the box of what it learns and the node where x is added
 \\________________________/
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from heapq import heapify, heappop, heappush
from typing import Literal

from wiesel.analysis.cost import multiply_adds
from wiesel.analysis.graphs.graph import Edge, Graph, Node, folded
from wiesel.analysis.graphs.hierarchy import SEQUENCES, Part, Unit, stages, tree, units
from wiesel.analysis.graphs.skips import PICTURE, Skip, Wiring, skips
from wiesel.analysis.graphs.tracing import (
    INPUT,
    clusters_of,
    edges_of,
    ending_of,
    input_node,
    label_of,
    own_parameters,
    shape_after,
)
from wiesel.analysis.graphs.wording import role, wording
from wiesel.analysis.tape import Tape

FOLLOWS = ("norm", "activation", "reshape")
"""Roles that go into the box of what came before, if nothing else takes its output."""
TOLD = ("convolution", "linear", "pooling")
"""Roles that are named in the box of a block."""


@dataclass
class Group:
    """Operations that become one node."""

    operations: list[int]
    unit: Unit
    kind: Literal["whole", "branch", "skip", "merge", "run"]
    """A whole call; what a residual block learns; what is on its skip; where they meet; operations of a module that was opened."""


def block_graph(tape: Tape, sizes: Mapping[str, int] | None = None, depth: int | None = None) -> Graph:
    """A node for each block; `depth` instead: for each module whose dotted name has that many parts. `sizes`: see `sizes_of`."""
    root = tree(tape)
    outer = stages(root)
    found = skips(tape)
    drawn = _Drawn(tape, Wiring(tape), found, {index: part for part in outer for index in part.operations})
    groups = drawn.groups(units(tape, root, depth))
    ids = {PICTURE: INPUT, **{index: f"block{number}" for number, group in enumerate(groups) for index in group.operations}}
    on_skip = {pair: label for skip in found for pair, label in edges_of(skip)}
    edges: dict[tuple[str, str], Edge] = {}
    for index, makers in enumerate(drawn.wiring.before):
        for maker in makers:
            pair = ids[maker], ids[index]
            label = on_skip.get((maker, index))
            if pair[0] != pair[1] and (pair not in edges or label is None):
                edges[pair] = Edge(*pair, "flow" if label is None else "skip", label or "")
    new = own_parameters(tape, sizes)
    nodes = {f"block{number}": drawn.node(f"block{number}", group, new) for number, group in enumerate(groups)}
    ends, ending = ending_of(tape, drawn.wiring, ids)
    order = [nodes[id] for id in _sorted(list(nodes), list(edges))]
    return Graph((input_node(tape), *order, *ends), (*edges.values(), *ending), clusters_of(outer, [], ids))


@dataclass(frozen=True)
class _Drawn:
    """What is known of the tape."""

    tape: Tape
    wiring: Wiring
    skips: tuple[Skip, ...]
    stage_of: Mapping[int, Part]

    # --- operations into groups

    def groups(self, units: Sequence[Unit]) -> list[Group]:
        on_chain = {index: skip for skip in self.skips for index in skip.chain}
        merges = {skip.merge for skip in self.skips}
        forks = {skip.fork for skip in self.skips}
        found: list[Group] = []
        for unit in units:
            if unit.part is not None and unit.part.inside:
                if merges.isdisjoint(unit.part.own):
                    found.append(Group(list(unit.operations), unit, "whole"))
                else:
                    found += self._residual(unit, on_chain, merges, forks)
            elif len(unit.operations) and unit.operations[0] in on_chain:
                self._append_to_chain(found, unit.operations, unit, on_chain)
            elif not self._follows(found, unit):
                kind: Literal["merge", "run"] = "merge" if unit.operations[0] in merges else "run"
                found.append(Group(list(unit.operations), unit, kind))
        return found

    def _residual(self, unit: Unit, on_chain: Mapping[int, Skip], merges: set[int], forks: set[int]) -> list[Group]:
        """A residual block (or several joins in one module): its branches, what is on skips, and the merges."""
        found: list[Group] = []
        branch: list[int] = []

        def close() -> None:
            if branch:
                found.append(Group(branch.copy(), unit, "branch"))
                branch.clear()

        for index in unit.operations:
            if index in on_chain:
                self._append_to_chain(found, [index], unit, on_chain)
            elif index in merges:
                close()
                found.append(Group([index], unit, "merge"))
            elif not branch and found and found[-1].kind == "merge" and self._is_next(found[-1], index, ("activation",)):
                found[-1].operations.append(index)
            else:
                branch.append(index)
                if index in forks:
                    close()
        close()
        return found

    def _append_to_chain(self, found: list[Group], indices: Sequence[int], unit: Unit, on_chain: Mapping[int, Skip]) -> None:
        for group in found[-2:]:
            if group.kind == "skip" and on_chain[group.operations[0]] is on_chain[indices[0]]:
                group.operations += indices
                return
        found.append(Group(list(indices), unit, "skip"))

    def _follows(self, found: list[Group], unit: Unit) -> bool:
        """Put a single operation into the last group, if it belongs to it."""
        if not found or len(unit.operations) != 1 or found[-1].kind not in ("run", "merge"):
            return False
        group, index = found[-1], unit.operations[0]
        if self.stage_of.get(index) is not self.stage_of.get(group.operations[0]):
            return False
        roles = {role(self.tape.operations[own]) for own in group.operations}
        accepted: tuple[str, ...] = ("activation",) if group.kind == "merge" else FOLLOWS
        if group.kind == "run" and roles <= set(FOLLOWS):
            accepted = (*FOLLOWS, "convolution", "linear")
        if not self._is_next(group, index, accepted):
            return False
        group.operations.append(index)
        return True

    def _is_next(self, group: Group, index: int, roles: Sequence[str]) -> bool:
        """Whether the operation takes the output of the group, alone and nothing else, and plays one of the roles."""
        operation = self.tape.operations[index]
        last = group.operations[-1]
        fits = role(operation) in roles or operation.name.endswith("dropout")
        return fits and self.wiring.before[index] == (last,) and self.wiring.after[last] == [index]

    # --- groups into nodes

    def node(self, id: str, group: Group, new: Sequence[int] | None) -> Node:
        operations = [self.tape.operations[index] for index in group.operations]
        counted = [count for operation in operations if (count := multiply_adds(operation, self.tape)) is not None]
        main = next((operation for operation in operations if role(operation) in (*TOLD, "merge")), operations[0])
        stage = self.stage_of.get(group.operations[0])
        label, lines = (
            wording(main, self.tape),
            [wording(operation, self.tape) for operation in operations if operation is not main],
        )
        if group.kind in ("whole", "branch"):
            assert group.unit.part is not None
            label, lines = label_of(group.unit.part), list(folded(self._content(group)))
            if lines and stage is not None and stage.operations == group.unit.part.operations:
                label, lines = lines[0], lines[1:]  # the name stands at the stage
        elif group.kind == "merge":
            label, lines = " · ".join([label, *lines]), []
        elif lines:
            lines = [" · ".join(folded(lines))]
        return Node(
            id=id,
            label=label,
            type="block" if group.kind in ("whole", "branch") else role(main),
            module=group.unit.name,
            stage="" if stage is None else stage.name,
            shape=shape_after(self.tape, operations[-1].index),
            parameters=None if new is None else sum(new[operation.index] for operation in operations),
            macs=sum(counted) if counted else None,
            lines=tuple(lines),
            operations=tuple(group.operations),
        )

    def _content(self, group: Group) -> list[str]:
        last = self.tape.operations[group.operations[-1]]
        if last.name == "cat" and role(last) == "merge":
            return self._ways_into(last.index, set(group.operations))
        assert group.unit.part is not None
        return self._told(group.unit.part, set(group.operations))

    def _ways_into(self, merge: int, inside: set[int]) -> list[str]:
        """What is on each of the ways that are stacked: "conv 1×1, 96 → conv 3×3, 128"."""
        found = []
        for entry in self.wiring.before[merge]:
            words: list[str] = []
            at = entry
            while at in inside:
                operation = self.tape.operations[at]
                if role(operation) in (*TOLD, "merge"):
                    words.append(wording(operation, self.tape))
                if len(self.wiring.before[at]) != 1:
                    words[-1:] = ["…"]
                    break
                at = self.wiring.before[at][0]
            found.append(" → ".join(reversed(words)))
        return found

    def _told(self, part: Part, inside: set[int]) -> list[str]:
        """The operations worth naming, in order; a part that joins ways by itself by its class."""
        found: list[str] = []
        at = part.operations.start
        for inner in [*part.inside, None]:
            stop = part.operations.stop if inner is None else inner.operations.start
            for index in range(at, stop):
                if index in inside and role(self.tape.operations[index]) in TOLD:
                    found.append(wording(self.tape.operations[index], self.tape))
            if inner is not None:
                at = inner.operations.stop
                joins = any(role(self.tape.operations[index]) == "merge" for index in inner.own)
                if joins and inner.inside and inner.call.kind not in SEQUENCES and inner.operations.start in inside:
                    found.append(inner.call.kind)
                else:
                    found += self._told(inner, inside)
        return found


def _sorted(ids: Sequence[str], edges: Sequence[tuple[str, str]]) -> list[str]:
    """In an order in which all edges lead forward; otherwise as they were."""
    place = {id: position for position, id in enumerate(ids)}
    waiting = dict.fromkeys(ids, 0)
    after: dict[str, list[str]] = {id: [] for id in ids}
    for source, target in edges:
        if source in place:
            waiting[target] += 1
            after[source].append(target)
    ready = [place[id] for id in ids if not waiting[id]]
    heapify(ready)
    order = []
    while ready:
        id = ids[heappop(ready)]
        order.append(id)
        for target in after[id]:
            waiting[target] -= 1
            if not waiting[target]:
                heappush(ready, place[target])
    assert len(order) == len(ids), "blocks that need each other"
    return order
