"""A graph in the language of Graphviz, for whoever wants its layout: `dot -Tpdf network.dot`."""

from __future__ import annotations

from wiesel.analysis.drawing import captions
from wiesel.analysis.graphs.graph import Cluster, Graph

FILL = {
    **dict.fromkeys(("convolution", "linear", "block", "parameter"), "#dcebf8"),
    **dict.fromkeys(("activation", "saved"), "#fbf0d5"),
    "pooling": "#dff1e4",
    "failure": "#fde7e5",
    "merge": "#ffffff",
}


def dot(graph: Graph) -> str:
    """The text of a .dot file."""
    lines = [
        f"digraph {_quoted(captions.printable(graph.name) or 'network')} {{",
        "  rankdir=TB;",
        '  node [shape=box, style="rounded,filled", fillcolor="#eceff2", fontname="Helvetica", fontsize=11];',
        '  edge [fontname="Helvetica", fontsize=10];',
    ]
    written: set[str] = set()
    for cluster in graph.clusters:
        if not cluster.parent:
            lines += _cluster(cluster, graph, written, "  ")
    lines += [_node(node.id, graph, "  ") for node in graph.nodes if node.id not in written]
    for edge in graph.edges:
        looks = {}
        if edge.kind == "skip":
            looks = {"color": "#b04808", "penwidth": "2"}
            if edge.label:
                looks |= {"label": captions.skip_words(edge.label), "fontcolor": "#b04808"}
            if edge.label == "free":
                looks["style"] = "dashed"
        lines.append(f"  {_quoted(edge.source)} -> {_quoted(edge.target)}{_attributes(looks)};")
    return "\n".join([*lines, "}"]) + "\n"


def _cluster(cluster: Cluster, graph: Graph, written: set[str], indent: str) -> list[str]:
    lines = [f"{indent}subgraph {_quoted('cluster ' + cluster.name)} {{", f"{indent}  label={_quoted(cluster.label)};"]
    for inner in graph.clusters:
        if inner.parent and inner.parent == cluster.name:
            lines += _cluster(inner, graph, written, indent + "  ")
    for id in cluster.nodes:
        if id not in written:
            written.add(id)
            lines.append(_node(id, graph, indent + "  "))
    return [*lines, f"{indent}}}"]


def _node(id: str, graph: Graph, indent: str) -> str:
    node = graph[id]
    rows = [captions.heading(node), *captions.content(node), captions.facts(node, graph)]
    looks = {"label": "\n".join(row for row in rows if row), "tooltip": captions.everything(node)}
    if node.type in FILL:
        looks["fillcolor"] = FILL[node.type]
    if node.type == "failure":
        looks |= {"color": "#b3261e", "fontcolor": "#b3261e"}
    return f"{indent}{_quoted(id)}{_attributes(looks)};"


def _attributes(looks: dict[str, str]) -> str:
    return " [" + ", ".join(f"{key}={_quoted(value)}" for key, value in looks.items()) + "]" if looks else ""


def _quoted(text: str) -> str:
    """A string of the language: a backslash would begin an escape, a quotation mark would end it."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'
