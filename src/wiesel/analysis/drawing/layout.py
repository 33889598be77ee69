"""Where the boxes of a graph go: in layers from top to bottom, so that every edge leads downwards.

    layer       the longest way from a source; sources move down to where they are needed
    order       within a layer: by the mean of the neighbours above and below, some sweeps (Sugiyama, Tagawa, Toda 1981)
    position    the closest to the neighbours that keeps the order and the gaps: least squares, by pooling adjacent violators
    lanes       skips run beside everything that they pass, each in a lane of its own; lanes are shared by skips one after the other

The same graph always gives the same layout.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import accumulate, pairwise

from wiesel.analysis.graphs.graph import Edge, Graph, Node

GAP, WIDEST_GAP = 21.0, 38.0
"""Between layers; the wider, the further an edge goes across."""
BESIDE = 18.0
"""Between boxes side by side."""
LANE_GAP = 20.0
THREAD = 10.0
"""Room for an edge that passes a layer, or for a lane without a label."""
MOST_LABELLED = 3
"""Where more skips than this run side by side, they have no labels."""
SWEEPS = 4
LIGHT = 0.01

Size = tuple[float, float]
Point = tuple[float, float]


@dataclass(frozen=True)
class Box:
    """A node's place: left and upper edge, width and height."""

    x: float
    y: float
    width: float
    height: float

    @property
    def centre(self) -> Point:
        return self.x + self.width / 2, self.y + self.height / 2


@dataclass(frozen=True)
class Route:
    """The corners of an edge, from above to below. `bent`: drawn as curves between layers; else as straight lines (skips)."""

    edge: Edge
    points: tuple[Point, ...]
    bent: bool
    words: str = ""
    """The label of the skip, if this edge is to carry it."""
    label: Point = (0.0, 0.0)
    """Where it may begin: left end, middle of the line."""


@dataclass(frozen=True)
class Layout:
    width: float
    height: float
    boxes: Mapping[str, Box]
    routes: tuple[Route, ...]
    layers: Mapping[str, int]


@dataclass
class _Item:
    """Something that takes room in a layer: a box, or an edge that passes (`node` "")."""

    node: str
    width: float
    above: list[_Item] = field(default_factory=list)
    below: list[_Item] = field(default_factory=list)
    x: float = 0.0
    place: int = 0


@dataclass
class _Lane:
    """A skip: from one layer to another past those between, with boxes on it or none."""

    edges: list[Edge]
    first: int
    last: int
    width: float
    left: float
    """How much of the width is left of its line."""
    number: int = 0
    x: float = 0.0
    labelled: bool = True

    @property
    def nodes(self) -> list[str]:
        return [edge.target for edge in self.edges[:-1]]


def layout(graph: Graph, size: Callable[[Node], Size], label_width: Callable[[str], float] = lambda label: 0.0) -> Layout:
    """Positions of everything. `size`: (width, height) that a node needs; `label_width`: room for the label of a skip."""
    layers = _layers(graph)
    sizes = {node.id: size(node) for node in graph.nodes}
    lanes = _lanes(graph, layers, sizes, label_width)
    in_lane = {id for lane in lanes for id in lane.nodes}
    rows, threads = _rows(graph, layers, sizes, in_lane, {edge for lane in lanes for edge in lane.edges})
    _order(rows)
    _spread(rows)
    tops, bottoms = _heights(graph, layers, sizes, rows)
    centres = {item.node: item.x for row in rows for item in row if item.node}
    _place_lanes(lanes, rows)
    for lane in lanes:
        centres.update(dict.fromkeys(lane.nodes, lane.x))
    left = min([centres[id] - sizes[id][0] / 2 for id in centres], default=0.0)
    left = min([left, *(item.x - item.width / 2 for row in rows for item in row)])
    boxes = {}
    for node in graph.nodes:
        width, height = sizes[node.id]
        middle = (tops[layers[node.id]] + bottoms[layers[node.id]]) / 2
        boxes[node.id] = Box(centres[node.id] - width / 2 - left, middle - height / 2, width, height)
    rightmost = {number: max((item for item in row), key=lambda item: item.x, default=None) for number, row in enumerate(rows)}
    routes = []
    for edge in graph.edges:
        if edge in threads:
            xs = [item.x - left for item in threads[edge]]
            routes.append(_bent(edge, boxes, layers, tops, bottoms, xs))
    for lane in lanes:
        last = rightmost[lane.last]
        routes += _lane_routes(
            lane, boxes, layers, tops, bottoms, lane.x - left, last is not None and last.node == lane.edges[-1].target
        )
    width = max(
        [box.x + box.width for box in boxes.values()] + [lane.x - left - lane.left + lane.width for lane in lanes], default=0.0
    )
    width = max([width, *(item.x + item.width / 2 - left for row in rows for item in row)])
    return Layout(width, bottoms[-1] if bottoms else 0.0, boxes, tuple(routes), layers)


# --- layers


def _layers(graph: Graph) -> dict[str, int]:
    layers: dict[str, int] = {}
    for node in graph.nodes:
        layers[node.id] = max((layers[edge.source] + 1 for edge in graph.into(node.id)), default=0)
    # What nothing but sources leads to, for one node only, moves down to it: parameters to the function that reads them.
    loose: set[str] = set()
    for node in graph.nodes:
        if all(edge.source in loose and len(graph.out_of(edge.source)) == 1 for edge in graph.into(node.id)):
            loose.add(node.id)
    for node in reversed(graph.nodes):
        following = graph.out_of(node.id)
        if node.id in loose and following:
            layers[node.id] = max(layers[node.id], min(layers[edge.target] for edge in following) - 1)
    return layers


def _heights(
    graph: Graph, layers: Mapping[str, int], sizes: Mapping[str, Size], rows: Sequence[Sequence[_Item]]
) -> tuple[list[float], list[float]]:
    """Upper and lower edge of each layer."""
    tallest = [0.0] * len(rows)
    for node in graph.nodes:
        tallest[layers[node.id]] = max(tallest[layers[node.id]], sizes[node.id][1])
    tops, bottoms, at = [], [], 0.0
    for height, row in zip(tallest, rows, strict=True):
        tops.append(at)
        bottoms.append(at + height)
        across = max((abs(item.x - lower.x) for item in row for lower in item.below), default=0.0)
        at += height + min(GAP + across / 16, WIDEST_GAP)
    return tops, bottoms


# --- lanes


def _lanes(graph: Graph, layers: Mapping[str, int], sizes: Mapping[str, Size], label_width: Callable[[str], float]) -> list[_Lane]:
    lanes = []
    for edge in graph.edges:
        if edge.kind == "skip" and edge.label:
            way = [edge]
            while following := _continued(graph, way[-1]):
                way.append(following)
            if len(way) == 1 and layers[edge.target] - layers[edge.source] < 2:
                continue  # there is nothing to pass
            half = max([sizes[step.target][0] / 2 for step in way[:-1]], default=0.0)
            width = half + max(half, THREAD, label_width(edge.label))
            lanes.append(_Lane(way, layers[edge.source], layers[way[-1].target], width, half))
    # Short ones inside: whoever comes later goes further out, if its layers are taken.
    taken: list[list[tuple[int, int]]] = []
    for lane in sorted(lanes, key=lambda lane: (lane.last - lane.first, lane.first)):
        for number, spans in enumerate([*taken, []]):
            if all(lane.last <= first or last <= lane.first for first, last in spans):
                if number == len(taken):
                    taken.append([])
                taken[number].append((lane.first, lane.last))
                lane.number = number
                break
    return lanes


def _continued(graph: Graph, edge: Edge) -> Edge | None:
    """The next edge of the same skip, if `edge` leads to a box that is on it and nowhere else."""
    after = graph.out_of(edge.target)
    alone = len(graph.into(edge.target)) == 1 and len(after) == 1
    return after[0] if alone and after[0].kind == "skip" and not after[0].label else None


def _place_lanes(lanes: list[_Lane], rows: Sequence[Sequence[_Item]]) -> None:
    """Skips that run side by side somewhere form a group, which has the same lanes all along."""
    edge_of_row = [max((item.x + item.width / 2 for item in row), default=0.0) for row in rows]
    groups: list[list[_Lane]] = []
    reach = -1
    for lane in sorted(lanes, key=lambda lane: (lane.first, lane.last)):
        if groups and lane.first < reach:
            groups[-1].append(lane)
            reach = max(reach, lane.last)
        else:
            groups.append([lane])
            reach = lane.last
    for group in groups:
        first, last = min(lane.first for lane in group), max(lane.last for lane in group)
        x = max(edge_of_row[first : last + 1]) + LANE_GAP
        count = max(lane.number for lane in group) + 1
        for lane in group:
            if count > MOST_LABELLED and not lane.nodes:
                lane.labelled, lane.width = False, THREAD
        for number in range(count):
            members = [lane for lane in group if lane.number == number]
            if members:
                left = max(lane.left for lane in members)
                for lane in members:
                    lane.x = x + left
                x += left + max(lane.width - lane.left for lane in members) + LANE_GAP


# --- rows


def _rows(
    graph: Graph, layers: Mapping[str, int], sizes: Mapping[str, Size], in_lane: set[str], on_lane: set[Edge]
) -> tuple[list[list[_Item]], dict[Edge, list[_Item]]]:
    """The items of each layer, and the items of each edge that runs among them."""
    rows: list[list[_Item]] = [[] for _ in range(max(layers.values(), default=-1) + 1)]
    items: dict[str, _Item] = {}
    for node in graph.nodes:
        if node.id not in in_lane:
            items[node.id] = _Item(node.id, sizes[node.id][0])
            rows[layers[node.id]].append(items[node.id])
    threads: dict[Edge, list[_Item]] = {}
    for edge in graph.edges:
        if edge in on_lane:
            continue
        way = [items[edge.source]]
        for layer in range(layers[edge.source] + 1, layers[edge.target]):
            way.append(_Item("", THREAD))
            rows[layer].append(way[-1])
        way.append(items[edge.target])
        for upper, lower in pairwise(way):
            upper.below.append(lower)
            lower.above.append(upper)
        threads[edge] = way
    return rows, threads


def _order(rows: Sequence[list[_Item]]) -> None:
    """Items of a layer in the order of the mean place of their neighbours; those without keep theirs."""
    _number(rows)
    for sweep in range(SWEEPS):
        downwards = sweep % 2 == 0
        for row in rows if downwards else reversed(rows):
            for item in row:
                near = item.above if downwards else item.below
                item.x = sum(other.place for other in near) / len(near) if near else float(item.place)
            row.sort(key=lambda item: (item.x, item.place))
            for place, item in enumerate(row):
                item.place = place


def _number(rows: Sequence[Sequence[_Item]]) -> None:
    for row in rows:
        for place, item in enumerate(row):
            item.place = place


def _spread(rows: Sequence[Sequence[_Item]]) -> None:
    """Positions. Items that follow each other without a fork or a join form a column, and a column wants to be straight."""
    columns = _columns(rows)
    of = {id(item): number for number, column in enumerate(columns) for item in column}
    apart: dict[tuple[int, int], float] = {}
    for row in rows:
        for one, other in pairwise(row):
            pair = of[id(one)], of[id(other)]
            apart[pair] = max(apart.get(pair, 0.0), (one.width + other.width) / 2 + BESIDE)
    gaps = [[apart[of[id(one)], of[id(other)]] for one, other in pairwise(row)] for row in rows]
    # What begins in the middle of the drawing (a parameter) makes room for what comes from the top.
    light = [not column[0].above for column in columns]
    weights = [[LIGHT if light[of[id(item)]] else 1.0 for item in row] for row in rows]

    def guides(item: _Item) -> list[_Item]:
        return [other for other in item.above if not light[of[id(other)]]] or item.above

    for row, spaces, weight in zip(rows, gaps, weights, strict=True):  # from above, so that everything has a place
        _fit(row, spaces, weight, [_mean(guides(item), 0.0) for item in row])
    for _ in range(SWEEPS * 2):
        wanted = [_mean([*guides(column[0]), *column[-1].below], column[0].x) for column in columns]
        for row, spaces, weight in zip(rows, gaps, weights, strict=True):
            _fit(row, spaces, weight, [wanted[of[id(item)]] for item in row])
        for column in columns:
            straight = sum(item.x for item in column) / len(column)
            for item in column:
                item.x = straight
    for row, spaces, weight in zip(rows, gaps, weights, strict=True):
        _fit(row, spaces, weight, [item.x for item in row])


def _columns(rows: Sequence[Sequence[_Item]]) -> list[list[_Item]]:
    columns: list[list[_Item]] = []
    of: dict[int, list[_Item]] = {}
    for row in rows:
        for item in row:
            if len(item.above) == 1 and len(item.above[0].below) == 1:
                column = of[id(item.above[0])]
                column.append(item)
            else:
                column = [item]
                columns.append(column)
            of[id(item)] = column
    return columns


def _mean(items: Sequence[_Item], otherwise: float) -> float:
    return sum(item.x for item in items) / len(items) if items else otherwise


def _fit(row: Sequence[_Item], gaps: Sequence[float], weights: Sequence[float], wanted: Sequence[float]) -> None:
    """The positions closest to `wanted` (weighted least squares) that keep the order and the gaps between neighbours."""
    offsets = list(accumulate(gaps, initial=0.0))[: len(row)]
    blocks: list[tuple[float, float, int]] = []  # mean, weight and number of neighbours that stand as close as they may
    for want, offset, weight in zip(wanted, offsets, weights, strict=True):
        mean, count = want - offset, 1
        while blocks and blocks[-1][0] > mean:
            earlier, heavy, others = blocks.pop()
            mean, weight, count = (earlier * heavy + mean * weight) / (heavy + weight), heavy + weight, others + count
        blocks.append((mean, weight, count))
    place = 0
    for mean, _, count in blocks:
        for _ in range(count):
            row[place].x = mean + offsets[place]
            place += 1


# --- edges


def _bent(
    edge: Edge,
    boxes: Mapping[str, Box],
    layers: Mapping[str, int],
    tops: Sequence[float],
    bottoms: Sequence[float],
    xs: Sequence[float],
) -> Route:
    """Through the middle of its items: straight down within a layer, across only between layers."""
    start, end = boxes[edge.source], boxes[edge.target]
    points = [(xs[0], start.y + start.height)]
    for step, layer in enumerate(range(layers[edge.source], layers[edge.target])):
        points += [(xs[step], bottoms[layer]), (xs[step + 1], tops[layer + 1])]
    points.append((xs[-1], end.y))
    return Route(edge, tuple(points), bent=True)


def _lane_routes(
    lane: _Lane,
    boxes: Mapping[str, Box],
    layers: Mapping[str, int],
    tops: Sequence[float],
    bottoms: Sequence[float],
    x: float,
    open_side: bool,
) -> list[Route]:
    """From below the fork to the lane, down, and into the merge: from the side if nothing stands there, else from above."""
    routes = []
    for number, edge in enumerate(lane.edges):
        start, end = boxes[edge.source], boxes[edge.target]
        points: list[Point] = []
        if number == 0:
            y = bottoms[lane.first] + GAP * 0.3
            points += [(start.centre[0], start.y + start.height), (start.centre[0], y), (x, y)]
        else:
            points.append((x, start.y + start.height))
        if number < len(lane.edges) - 1:
            points.append((x, end.y))
        elif open_side:
            points += [(x, end.centre[1]), (end.x + end.width, end.centre[1])]
        else:
            y, inset = tops[lane.last] - GAP * 0.3, min(8.0, end.width / 4)
            points += [(x, y), (end.centre[0] + inset, y), (end.centre[0] + inset, end.y)]
        routes.append(Route(edge, tuple(points), bent=False))
    if lane.labelled:  # beside the last stretch straight down
        below = boxes[lane.nodes[-1]].y + boxes[lane.nodes[-1]].height if lane.nodes else bottoms[lane.first]
        routes[-1] = replace(routes[-1], words=lane.edges[0].label, label=(x + 6, (below + tops[lane.last]) / 2))
    return routes
