"""The words on a drawing of a graph, in the reader's language; the same for all formats."""

from __future__ import annotations

import re
from collections import Counter
from textwrap import wrap

from wiesel.analysis.graphs.graph import Graph, Node
from wiesel.language import grouped, say

SHAPED = ("block", "convolution", "linear", "pooling", "input", "output", "parameter")
"""Roles whose output shape is always worth a line; that of others only where it changes."""
LONGEST = 44
"""Characters in a line of an error message."""
MOST_LINES = 4
# XML 1.0 has no place for these, and no reader misses them.
UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]+")


def heading(node: Node) -> str:
    """The first line of a node."""
    if node.type == "input":
        return say(en="input", de="Eingabe")
    if node.type == "output":
        return say(en="output", de="Ausgabe")
    return printable(node.label)


def content(node: Node) -> list[str]:
    """The lines below: what it is made of, or what went wrong."""
    if node.type != "failure":
        return [printable(line) for line in node.lines]
    *shapes, message = node.lines or ("",)
    lines = wrap(printable(message), LONGEST) or [""]
    if len(lines) > MOST_LINES:
        lines = [*lines[: MOST_LINES - 1], "…"]
    between = say(en=" and ", de=" und ") if len(shapes) == 2 else ", "
    return [say(en="inputs: ", de="Eingaben: ") + between.join(printable(shape) for shape in shapes), *lines]


def facts(node: Node, graph: Graph) -> str:
    """The last line: output shape and parameters, where they tell something."""
    before = {graph[edge.source].shape for edge in graph.into(node.id)}
    parts = []
    if node.shape and (node.type in SHAPED or node.shape not in before):
        parts.append(dimensions(node.shape))
    if node.parameters and node.type in SHAPED:
        parts.append(say(en=f"{grouped(node.parameters)} parameters", de=f"{grouped(node.parameters)} Parameter"))
    return " · ".join(parts)


def everything(node: Node) -> str:
    """All that is known of a node, in one line."""
    parts = [node.module and printable(node.module), heading(node), *content(node)]
    if node.shape:
        parts.append(dimensions(node.shape))
    if node.parameters is not None:
        parts.append(say(en=f"{grouped(node.parameters)} parameters", de=f"{grouped(node.parameters)} Parameter"))
    if node.macs is not None:
        parts.append(f"{grouped(node.macs)} MAC")
    return " · ".join(part for part in parts if part)


def skip_words(label: str) -> str:
    """ "projection 1x1" -> "Projektion 1×1"."""
    if label == "identity":
        return say(en="identity", de="Identität")
    if label == "free":
        return say(en="no weights", de="ohne Gewichte")
    return (
        say(en=label, de=label.replace("projection", "Projektion")).replace("x", "×") if label.startswith("projection") else label
    )


def title(graph: Graph) -> str:
    name = printable(graph.name)
    return say(en=f"Graph of {name}", de=f"Graph von {name}") if name else say(en="Graph of a network", de="Graph eines Netzes")


def description(graph: Graph) -> str:
    """The facts, for those who do not see the drawing."""
    inner = [node for node in graph.nodes if node.type not in ("input", "output")]
    parts = [say(en=f"{len(inner)} nodes, {len(graph.edges)} edges", de=f"{len(inner)} Knoten, {len(graph.edges)} Kanten")]
    if graph.skips:
        kinds = Counter(skip_words(edge.label) for edge in graph.skips)
        counts = ", ".join(f"{count} {kind}" for kind, count in kinds.items())
        parts.append(say(en=f"skips: {counts}", de=f"Überspringende Verbindungen: {counts}"))
    if graph.parameters:
        parts.append(say(en=f"{grouped(graph.parameters)} parameters", de=f"{grouped(graph.parameters)} Parameter"))
    if graph.macs:
        parts.append(f"{grouped(graph.macs)} MAC")
    stages = [f"{cluster.label} {dimensions(graph[cluster.nodes[-1]].shape)}" for cluster in graph.clusters if not cluster.parent]
    if stages:
        parts.append(say(en="stages: ", de="Stufen: ") + printable(", ".join(stages)))
    failed = [f"{heading(node)}: {' '.join(content(node))}" for node in graph.nodes if node.type == "failure"]
    if failed:
        parts.append(say(en="the forward pass failed at ", de="der Durchlauf scheiterte an ") + failed[0])
    return "; ".join(parts) + "."


def dimensions(shape: tuple[int, ...]) -> str:
    return " × ".join(map(str, shape))


def printable(text: str) -> str:
    return UNPRINTABLE.sub(" ", text).strip()
