"""A network as a graph: nodes, edges and what belongs together; where it comes from and how it is drawn is said elsewhere.

tracing.py     operations of a forward pass -> graph
blocks.py      a smaller graph, with a box for each residual block, inception module or layer
autograd.py    the way back that PyTorch keeps for the gradients -> graph
layout.py      graph -> positions; svg.py, dot.py and mermaid.py draw
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

# fmt: off
Role = Literal[
    "input", "output", "convolution", "linear", "norm", "activation", "pooling", "merge", "reshape", "other", "block", "failure",
    "parameter", "backward", "saved",
]
# fmt: on
"""What a node does; decides its colour. The last three are of the autograd graph."""

EdgeKind = Literal["flow", "skip"]


@dataclass(frozen=True)
class Node:
    id: str
    label: str
    """In the terms of the field, the same in every language: "conv 3×3, 64", "block1"."""
    type: Role
    module: str = ""
    """Dotted name of the module that made it."""
    stage: str = ""
    """Dotted name of the stage it is in."""
    shape: tuple[int, ...] = ()
    """Of what leaves it, without the batch dimension."""
    parameters: int | None = None
    """Trainable or frozen numbers; those that an earlier node has used already are counted there. None: not known."""
    macs: int | None = None
    """Multiply-adds for one picture. None: there is no rule for it, or nothing to count."""
    lines: tuple[str, ...] = ()
    """What it is made of, line by line."""
    operations: tuple[int, ...] = ()
    """Indices on the tape."""


@dataclass(frozen=True)
class Edge:
    """Data that goes from one node to another."""

    source: str
    target: str
    kind: EdgeKind = "flow"
    label: str = ""
    """Of a skip, at its first edge: "identity"; "projection 1x1" (other windows by their size); "free" (reshaped without
    parameters, option A of the ResNet paper). Of a flow: ""."""


@dataclass(frozen=True)
class Cluster:
    """Nodes that belong together: a stage, or a block within one."""

    name: str
    """Dotted name of the module; unique in a graph together with `parent`."""
    label: str
    nodes: tuple[str, ...]
    parent: str = ""
    """Name of the cluster around it."""


@dataclass(frozen=True)
class Graph:
    """Directed and without cycles; every edge leads to a node that stands later in `nodes`."""

    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    clusters: tuple[Cluster, ...] = ()
    name: str = ""

    def __post_init__(self) -> None:
        place = {node.id: position for position, node in enumerate(self.nodes)}
        assert len(place) == len(self.nodes), "two nodes with one id"
        assert len(set(self.edges)) == len(self.edges), "an edge twice"
        assert all(place[edge.source] < place[edge.target] for edge in self.edges), "an edge that leads back"

    def __getitem__(self, id: str) -> Node:
        return self._by_id[id]

    @property
    def skips(self) -> tuple[Edge, ...]:
        """One edge for each skip: the first of its way, with the label that says what kind it is."""
        return tuple(edge for edge in self.edges if edge.kind == "skip" and edge.label)

    @property
    def residual(self) -> tuple[Edge, ...]:
        """Those of `skips` that end in an addition. DenseNet's end in a `cat`: nothing is added there."""
        return tuple(edge for edge in self.skips if self._end(edge).label.startswith("+"))

    @property
    def parameters(self) -> int:
        return sum(node.parameters or 0 for node in self.nodes)

    @property
    def macs(self) -> int:
        return sum(node.macs or 0 for node in self.nodes)

    def into(self, id: str) -> tuple[Edge, ...]:
        return tuple(self._into.get(id, ()))

    def out_of(self, id: str) -> tuple[Edge, ...]:
        return tuple(self._out_of.get(id, ()))

    def _end(self, edge: Edge) -> Node:
        """Where the way of a skip joins: the first node on it that data enter otherwise, too."""
        while all(other.kind == "skip" for other in self.into(edge.target)):
            edge = next(other for other in self.out_of(edge.target) if other.kind == "skip")
        return self[edge.target]

    @cached_property
    def _by_id(self) -> dict[str, Node]:
        return {node.id: node for node in self.nodes}

    @cached_property
    def _into(self) -> dict[str, list[Edge]]:
        found: dict[str, list[Edge]] = {}
        for edge in self.edges:
            found.setdefault(edge.target, []).append(edge)
        return found

    @cached_property
    def _out_of(self) -> dict[str, list[Edge]]:
        found: dict[str, list[Edge]] = {}
        for edge in self.edges:
            found.setdefault(edge.source, []).append(edge)
        return found


def folded(lines: Sequence[str], most: int = 5) -> tuple[str, ...]:
    """Equal neighbours as one line ("3 × conv 3×3, 64"); what is beyond `most` lines is only counted."""
    runs: list[tuple[str, int]] = []
    for line in lines:
        if runs and runs[-1][0] == line:
            runs[-1] = (line, runs[-1][1] + 1)
        else:
            runs.append((line, 1))
    if len(runs) > most:
        totals = Counter(line for line, _ in runs[most - 1 :])
        runs = [*runs[: most - 1], ("…", sum(totals.values()))]
    return tuple(f"… + {n}" if line == "…" else line if n == 1 else f"{n} × {line}" for line, n in runs)
