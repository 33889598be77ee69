"""From a tape to the graph of its operations: every function that was called is a node, and skips are edges of their own kind."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

from torch import nn

from wiesel.analysis.cost import multiply_adds
from wiesel.analysis.graphs.graph import Cluster, Edge, Graph, Node
from wiesel.analysis.graphs.hierarchy import Part, stages, tree, units
from wiesel.analysis.graphs.skips import PICTURE, Skip, Wiring, skips
from wiesel.analysis.graphs.wording import role, window, wording
from wiesel.analysis.tape import Tape

INPUT, OUTPUT, FAILURE = "input", "output", "failure"


def operation_graph(tape: Tape, sizes: Mapping[str, int] | None = None) -> Graph:
    """Every operation as a node. `sizes`: how many numbers each parameter has, by its dotted name; see `sizes_of`.

    If the forward pass failed, the last node is what failed, with the shapes that did not fit.
    """
    root = tree(tape)
    wiring = Wiring(tape)
    outer = stages(root)
    inner = [unit.part for unit in units(tape, root) if unit.part is not None and unit.part.inside]
    ids = {PICTURE: INPUT, **{operation.index: f"op{operation.index}" for operation in tape.operations}}
    new = own_parameters(tape, sizes)
    stage_of = {index: part.name for part in outer for index in part.operations}
    nodes = [
        Node(
            id=ids[operation.index],
            label=wording(operation, tape),
            type=role(operation),
            module=operation.module,
            stage=stage_of.get(operation.index, ""),
            shape=shape_after(tape, operation.index),
            parameters=None if new is None else new[operation.index],
            macs=multiply_adds(operation, tape),
            operations=(operation.index,),
        )
        for operation in tape.operations
    ]
    on_skip = {pair: label for skip in skips(tape) for pair, label in edges_of(skip)}
    edges = []
    for index, makers in enumerate(wiring.before):
        for maker in makers:
            label = on_skip.get((maker, index))
            edges.append(Edge(ids[maker], ids[index], "flow" if label is None else "skip", label or ""))
    ends, ending = ending_of(tape, wiring, ids)
    return Graph((input_node(tape), *nodes, *ends), (*edges, *ending), clusters_of(outer, inner, ids))


def sizes_of(network: nn.Module) -> dict[str, int]:
    """How many numbers each parameter has, by its dotted name; a parameter with two names has its first."""
    return {name: parameter.numel() for name, parameter in network.named_parameters()}


def own_parameters(tape: Tape, sizes: Mapping[str, int] | None) -> list[int] | None:
    """For each operation how many parameters it is the first to read; buffers do not count."""
    if sizes is None:
        return None
    seen: set[str] = set()
    found = []
    for operation in tape.operations:
        fresh = [name for name in dict.fromkeys(operation.parameters) if name in sizes and name not in seen]
        seen.update(fresh)
        found.append(sum(sizes[name] for name in fresh))
    return found


def edges_of(skip: Skip) -> list[tuple[tuple[int, int], str]]:
    """The edges (from operation, to operation) of a skip, with its label at the first."""
    way = (skip.fork, *skip.chain, skip.merge)
    return [(pair, "" if position else skip.label) for position, pair in enumerate(pairwise(way))]


def input_node(tape: Tape) -> Node:
    return Node(INPUT, "input", "input", shape=tape.values[tape.input].shape[1:])


def shape_after(tape: Tape, operation: int) -> tuple[int, ...]:
    outputs = tape.operations[operation].outputs
    return tape.values[outputs[0]].shape[1:] if outputs else ()


def ending_of(tape: Tape, wiring: Wiring, ids: Mapping[int, str]) -> tuple[list[Node], list[Edge]]:
    """The last nodes, one for each output or the one that failed, and the edges to them. `ids`: of the nodes of operations."""
    failure = tape.failure
    if failure is None:
        outputs = (tape.output,) if isinstance(tape.output, int) else tape.output
        nodes = [Node(f"{OUTPUT}{n}", "output", "output", shape=tape.values[value].shape[1:]) for n, value in enumerate(outputs)]
        ends = [(ids[wiring.maker(value)], node.id) for node, value in zip(nodes, outputs, strict=True)]
    else:
        name = failure.operation.replace("_", " ") or failure.kind
        lines = (*(window(shape) for shape in failure.shapes), f"{failure.error}: {failure.message}")
        nodes = [Node(FAILURE, name, "failure", module=failure.module, lines=lines)]
        ends = [(ids[wiring.maker(value)], FAILURE) for value in _values_of(failure.shapes, tape)]
    return nodes, [Edge(*pair) for pair in dict.fromkeys(ends)]


def _values_of(shapes: Sequence[tuple[int, ...]], tape: Tape) -> list[int]:
    """The newest values of these shapes: what went into the failure. Parameters are no values, so there may be fewer."""
    found: list[int] = []
    for shape in shapes:
        fitting = [value.index for value in reversed(tape.values) if value.shape == shape and value.index not in found]
        found += fitting[:1]
    return found or [tape.values[-1].index]


def clusters_of(outer: Sequence[Part], inner: Sequence[Part], ids: Mapping[int, str]) -> tuple[Cluster, ...]:
    """Stages, then blocks; `ids`: of the node that each operation became."""
    found = []
    for part in outer:
        found.append(Cluster(_name_of(part), label_of(part), _nodes_of(part, ids)))
    around = {index: part for part in outer for index in part.operations}
    for part in inner:
        stage = around.get(part.operations.start)
        if stage is None or stage.operations != part.operations:
            found.append(Cluster(_name_of(part), label_of(part), _nodes_of(part, ids), "" if stage is None else _name_of(stage)))
    return tuple(found)


def label_of(part: Part) -> str:
    """The last part of its name; with its class, if that is a number only."""
    tail = part.name.rpartition(".")[2]
    return f"{part.call.kind} {tail}" if tail.isdigit() else tail


def _name_of(part: Part) -> str:
    return part.name if part.call.call == 0 else f"{part.name} ({part.call.call + 1})"


def _nodes_of(part: Part, ids: Mapping[int, str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(ids[index] for index in part.operations))
