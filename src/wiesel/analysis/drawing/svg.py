"""A graph as a picture: one SVG, without scripts and without anything from elsewhere, for light and dark pages."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from itertools import pairwise

from wiesel.analysis.drawing import captions
from wiesel.analysis.drawing.layout import Layout, Point, Route, layout
from wiesel.analysis.graphs.graph import Cluster, Graph, Node

HEAD, BODY, FACTS = 13.0, 12.0, 11.0
"""Sizes of type, in pixels."""
LEADING = 1.35
PAD_X, PAD_Y = 11.0, 6.0
MARGIN = 14.0
BAND = 8.0
"""How far the band of a stage reaches beyond its layers."""
CORNER = 8.0
ARROW = 6.0
# Widths of characters in the widest font that is common (DejaVu Sans), in parts of the size: better a little room than clipped text.
NARROW, WIDE = frozenset("ijl.,:;'|!()[]f t·"), frozenset("mwMW@%—…→")

STYLE = """
.wiesel-graph { --ground: #fff; --panel: #f3f5f8; --text: #1b2026; --muted: #57616c; --line: #8a95a1; --edge: #46505b; --skip: #b04808;
  --work: #dcebf8; --work-line: #12609f; --pool: #dff1e4; --pool-line: #2b7a4b; --plain: #eceff2; --act: #fbf0d5; --act-line: #a67a0e;
  --red: #b3261e; --red-ground: #fde7e5; font-family: system-ui, "Segoe UI", "Helvetica Neue", Arial, "DejaVu Sans", sans-serif; }
@media screen and (prefers-color-scheme: dark) { .wiesel-graph { --ground: #14181c; --panel: #1c2126; --text: #e5e8eb; --muted: #a0abb6;
  --line: #75808b; --edge: #a0abb6; --skip: #f59c57; --work: #16324a; --work-line: #74b6ee; --pool: #173523; --pool-line: #6fc192;
  --plain: #2a3036; --act: #3a3015; --act-line: #d9b04a; --red: #ff8a80; --red-ground: #43201d; } }
.wiesel-graph .ground { fill: var(--ground); }
.wiesel-graph .band { fill: var(--panel); }
.wiesel-graph text { fill: var(--text); font-size: 12px; }
.wiesel-graph .head { font-size: 13px; }
.wiesel-graph .strong, .wiesel-graph .stage { font-size: 13px; font-weight: 600; }
.wiesel-graph .facts, .wiesel-graph .part { font-size: 11px; fill: var(--muted); }
.wiesel-graph .bracket { fill: none; stroke: var(--line); }
.wiesel-graph .box { fill: var(--plain); stroke: var(--line); }
.wiesel-graph .convolution, .wiesel-graph .linear, .wiesel-graph .block, .wiesel-graph .parameter { fill: var(--work); stroke: var(--work-line); }
.wiesel-graph .pooling { fill: var(--pool); stroke: var(--pool-line); }
.wiesel-graph .activation, .wiesel-graph .saved { fill: var(--act); stroke: var(--act-line); }
.wiesel-graph .reshape { stroke-dasharray: 4 3; }
.wiesel-graph .merge { fill: var(--ground); stroke: var(--text); stroke-width: 1.5; }
.wiesel-graph .input, .wiesel-graph .output { fill: var(--ground); }
.wiesel-graph .failure { fill: var(--red-ground); stroke: var(--red); stroke-width: 2; }
.wiesel-graph text.failed { fill: var(--red); }
.wiesel-graph .edge { fill: none; stroke: var(--edge); stroke-width: 1.4; }
.wiesel-graph .tip { fill: var(--edge); }
.wiesel-graph .skip { stroke: var(--skip); stroke-width: 2; }
.wiesel-graph .skip-tip { fill: var(--skip); }
.wiesel-graph .skip-label { fill: var(--skip); font-weight: 600; }
"""


def svg(graph: Graph) -> str:
    """The picture, as the text of a file. Titles and labels are in the reader's language."""
    placed = layout(graph, lambda node: _size(node, graph), lambda label: _width(captions.skip_words(label), BODY, bold=True) + 8)
    bands = _bands(graph, placed)
    gutter, brackets = _gutter(graph, placed, bands)
    left, top = MARGIN + gutter, MARGIN + BAND
    width, height = left + placed.width + MARGIN, placed.height + 2 * top
    drawn = [f'<rect class="ground" width="{_n(width)}" height="{_n(height)}"/>']
    for cluster, low, high in bands:
        y, tall = low + top - BAND, high - low + 2 * BAND
        drawn.append(
            f'<rect class="band" x="{_n(MARGIN / 2)}" y="{_n(y)}" width="{_n(width - MARGIN)}" height="{_n(tall)}" rx="6"/>'
        )
        drawn.append(_text(MARGIN, y + 17, captions.printable(cluster.label), "stage"))
    for cluster, low, high in brackets:
        x = left - 12
        drawn.append(f'<path class="bracket" d="M{_n(x + 4)},{_n(low + top)}H{_n(x)}V{_n(high + top)}H{_n(x + 4)}"/>')
        drawn.append(_text(x - 5, (low + high) / 2 + top + 4, captions.printable(cluster.label), "part", "end"))
    shift = (left, top)
    # Skips last, so that where lines cross they are on top; boxes after all lines.
    for route in sorted(placed.routes, key=lambda route: route.edge.kind == "skip"):
        drawn.append(_edge(route, shift))
    for node in graph.nodes:
        drawn.append(_node(node, graph, placed, shift))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="wiesel-graph" role="img" viewBox="0 0 {_n(width)} {_n(height)}" '
        f'width="{_n(width)}" height="{_n(height)}">\n<title>{escape(captions.title(graph))}</title>\n'
        f"<desc>{escape(captions.description(graph))}</desc>\n<style>{STYLE}</style>\n" + "\n".join(drawn) + "\n</svg>\n"
    )


# --- boxes


def _rows(node: Node, graph: Graph) -> list[tuple[str, str, float]]:
    """The lines of a node: text, class, size."""
    strong = node.type in ("block", "convolution", "linear", "input", "output", "failure")
    rows = [(captions.heading(node), "strong" if strong else "head", HEAD)]
    rows += [(line, "", BODY) for line in captions.content(node)]
    if told := captions.facts(node, graph):
        rows.append((told, "facts", FACTS))
    if node.type == "failure":
        rows = [(text, f"{kind} failed".strip(), size) for text, kind, size in rows]
    return rows


def _size(node: Node, graph: Graph) -> tuple[float, float]:
    rows = _rows(node, graph)
    width = max(_width(text, size, bold="strong" in kind) for text, kind, size in rows) + 2 * PAD_X
    height = sum(size * LEADING for _, _, size in rows) + 2 * PAD_Y
    return max(width, 34.0), height if len(rows) > 1 else height - PAD_Y


def _node(node: Node, graph: Graph, placed: Layout, shift: Point) -> str:
    box = placed.boxes[node.id]
    x, y = box.x + shift[0], box.y + shift[1]
    round_ = min(box.height / 2, 14.0) if node.type in ("merge", "input", "output") else 5
    rows = _rows(node, graph)
    drawn = [
        f"<g><title>{escape(captions.everything(node))}</title>",
        f'<rect class="box {node.type}" x="{_n(x)}" y="{_n(y)}" width="{_n(box.width)}" height="{_n(box.height)}" rx="{_n(round_)}"/>',
    ]
    at = y + (box.height - sum(size * LEADING for _, _, size in rows)) / 2
    for text, kind, size in rows:
        drawn.append(_text(x + box.width / 2, at + size * 1.02, text, kind, "middle"))
        at += size * LEADING
    return "".join([*drawn, "</g>"])


def _text(x: float, y: float, content: str, kind: str, anchor: str = "") -> str:
    chosen = f' class="{kind}"' if kind else ""
    chosen += f' text-anchor="{anchor}"' if anchor else ""
    return f'<text x="{_n(x)}" y="{_n(y)}"{chosen}>{escape(content)}</text>'


def _width(text: str, size: float, *, bold: bool = False) -> float:
    """About how wide a text is, rather too much than too little."""
    units = 0.0
    for character in text:
        units += (
            0.4
            if character in NARROW
            else 1.0
            if character in WIDE or ord(character) > 0x2E80
            else 0.72
            if character.isupper()
            else 0.63
        )
    return units * size * (1.1 if bold else 1.0)


# --- what belongs together


def _bands(graph: Graph, placed: Layout) -> list[tuple[Cluster, float, float]]:
    """Stages with their upper and lower edge; none if two of them share a layer (towers side by side)."""
    return _spans([cluster for cluster in graph.clusters if not cluster.parent], placed)


def _gutter(
    graph: Graph, placed: Layout, bands: Sequence[tuple[Cluster, float, float]]
) -> tuple[float, list[tuple[Cluster, float, float]]]:
    """Room left of the drawing for names, and the blocks that get a bracket there."""
    brackets = _spans([cluster for cluster in graph.clusters if cluster.parent], placed)
    names = max((_width(cluster.label, HEAD, bold=True) for cluster, _, _ in bands), default=0.0)
    parts = max((_width(cluster.label, FACTS) for cluster, _, _ in brackets), default=0.0)
    return (names + 16 if names else 0.0) + (parts + 26 if brackets else 0.0), brackets


def _spans(clusters: Sequence[Cluster], placed: Layout) -> list[tuple[Cluster, float, float]]:
    spans = []
    for cluster in clusters:
        boxes = [placed.boxes[id] for id in cluster.nodes]
        layers = [placed.layers[id] for id in cluster.nodes]
        spans.append((min(layers), max(layers), cluster, min(box.y for box in boxes), max(box.y + box.height for box in boxes)))
    spans.sort(key=lambda span: span[:2])
    if any(later[0] <= earlier[1] for earlier, later in pairwise(spans)):
        return []
    return [(cluster, low, high) for _, _, cluster, low, high in spans]


# --- edges


def _edge(route: Route, shift: Point) -> str:
    points = [(x + shift[0], y + shift[1]) for x, y in route.points]
    skip = route.edge.kind == "skip"
    kind = "edge skip" if skip else "edge"
    (x, y), (before_x, before_y) = points[-1], points[-2]
    side = y == before_y and x != before_x  # into the right side of a box
    points[-1] = (x + ARROW - 1, y) if side else (x, y - ARROW + 1)
    path = _curve(points) if route.bent else _corners(points)
    tip = (
        f"M{_n(x)},{_n(y)}l{_n(ARROW)},{_n(-ARROW / 2)}v{_n(ARROW)}z"
        if side
        else f"M{_n(x)},{_n(y)}l{_n(-ARROW / 2)},{_n(-ARROW)}h{_n(ARROW)}z"
    )
    drawn = f'<path class="{kind}" d="{path}"/><path class="{"skip-tip" if skip else "tip"}" d="{tip}"/>'
    if route.words:
        drawn += _text(route.label[0] + shift[0], route.label[1] + shift[1] + 4, captions.skip_words(route.words), "skip-label")
    return drawn


def _curve(points: Sequence[Point]) -> str:
    """Down, and across in curves that begin and end vertically."""
    path = f"M{_n(points[0][0])},{_n(points[0][1])}"
    for (x, y), (to_x, to_y) in pairwise(points):
        if x == to_x:
            path += f"V{_n(to_y)}"
        else:
            middle = (y + to_y) / 2
            path += f"C{_n(x)},{_n(middle)} {_n(to_x)},{_n(middle)} {_n(to_x)},{_n(to_y)}"
    return path


def _corners(points: Sequence[Point]) -> str:
    """Straight lines with rounded corners."""
    path = f"M{_n(points[0][0])},{_n(points[0][1])}"
    for before, (x, y), after in zip(points, points[1:], points[2:], strict=False):
        near, far = _towards((x, y), before), _towards((x, y), after)
        path += f"L{_n(near[0])},{_n(near[1])}Q{_n(x)},{_n(y)} {_n(far[0])},{_n(far[1])}"
    return path + f"L{_n(points[-1][0])},{_n(points[-1][1])}"


def _towards(corner: Point, other: Point) -> Point:
    dx, dy = other[0] - corner[0], other[1] - corner[1]
    length = abs(dx) + abs(dy)
    step = min(CORNER, length / 2) / length if length else 0.0
    return corner[0] + dx * step, corner[1] + dy * step


def _n(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")
