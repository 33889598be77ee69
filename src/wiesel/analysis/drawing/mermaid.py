"""A graph in the language of Mermaid, which GitHub, GitLab and many notebooks draw inside Markdown."""

from __future__ import annotations

from wiesel.analysis.drawing import captions
from wiesel.analysis.graphs.graph import Cluster, Graph, Node

CLASSES = {
    "work": "fill:#dcebf8,stroke:#12609f,color:#1b2026",
    "pool": "fill:#dff1e4,stroke:#2b7a4b,color:#1b2026",
    "plain": "fill:#eceff2,stroke:#8a95a1,color:#1b2026",
    "bright": "fill:#fbf0d5,stroke:#a67a0e,color:#1b2026",
    "join": "fill:#ffffff,stroke:#1b2026,color:#1b2026",
    "failed": "fill:#fde7e5,stroke:#b3261e,color:#b3261e",
}
CLASS_OF = {
    **dict.fromkeys(("convolution", "linear", "block", "parameter"), "work"),
    **dict.fromkeys(("activation", "saved"), "bright"),
    **dict.fromkeys(("merge", "input", "output"), "join"),
    "pooling": "pool",
    "failure": "failed",
}


def mermaid(graph: Graph) -> str:
    """A `flowchart TD`. Skips are thick, those without weights dotted."""
    # Own identifiers: those of the graph might be words of the language ("end").
    names = {node.id: f"n{number}" for number, node in enumerate(graph.nodes)}
    lines = ["flowchart TD"]
    written: set[str] = set()
    for number, cluster in enumerate(graph.clusters):
        if not cluster.parent:
            lines += _cluster(cluster, f"s{number}", graph, names, written, "    ")
    lines += [f"    {_node(node, graph, names)}" for node in graph.nodes if node.id not in written]
    for edge in graph.edges:
        arrow = "-->"
        if edge.kind == "skip":
            arrow = "-.->" if edge.label == "free" else "==>"
        label = f"|{_quoted(captions.skip_words(edge.label))}|" if edge.label else ""
        lines.append(f"    {names[edge.source]} {arrow}{label} {names[edge.target]}")
    used = {CLASS_OF.get(node.type, "plain") for node in graph.nodes}
    lines += [f"    classDef {kind} {looks}" for kind, looks in CLASSES.items() if kind in used]
    return "\n".join(lines) + "\n"


def _cluster(cluster: Cluster, id: str, graph: Graph, names: dict[str, str], written: set[str], indent: str) -> list[str]:
    lines = [f"{indent}subgraph {id}[{_quoted(cluster.label)}]"]
    inside = [inner for inner in graph.clusters if inner.parent and inner.parent == cluster.name]
    for number, inner in enumerate(inside):
        lines += _cluster(inner, f"{id}x{number}", graph, names, written, indent + "    ")
    for node in cluster.nodes:
        if node not in written:
            written.add(node)
            lines.append(f"{indent}    {_node(graph[node], graph, names)}")
    return [*lines, f"{indent}end"]


def _node(node: Node, graph: Graph, names: dict[str, str]) -> str:
    rows = [captions.heading(node), *captions.content(node), captions.facts(node, graph)]
    text = "<br/>".join(_escaped(row) for row in rows if row)
    opening, closing = ("([", "])") if node.type in ("merge", "input", "output") else ("[", "]")
    return f'{names[node.id]}{opening}"{text}"{closing}:::{CLASS_OF.get(node.type, "plain")}'


def _quoted(text: str) -> str:
    return f'"{_escaped(text)}"'


def _escaped(text: str) -> str:
    """Everything that is not a letter, a digit or plainly harmless, as the number of the character: Mermaid's own escape."""
    return "".join(c if c.isalnum() or c in " .,+=/()_:·×→−…-" else f"#{ord(c)};" for c in text)
