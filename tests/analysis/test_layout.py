"""Boxes do not overlap, edges lead downwards past everything that is not theirs, skips have a lane of their own."""

from __future__ import annotations

import time
from dataclasses import replace
from itertools import combinations, pairwise

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from wiesel import zoo
from wiesel.analysis.drawing.layout import Layout, Route, layout
from wiesel.analysis.drawing.svg import svg
from wiesel.analysis.graphs.graph import Edge, Graph, Node
from wiesel.analysis.graphs.tracing import operation_graph
from wiesel.analysis.tape import record

LABELS = ("identity", "projection 1x1", "free")


def graph_of(count: int, edges: list[Edge]) -> Graph:
    return Graph(tuple(Node(f"n{number}", f"n{number}", "other") for number in range(count)), tuple(edges))


def chain(*labels: str) -> list[Edge]:
    return [Edge(one, other) for one, other in pairwise(labels)]


@st.composite
def graphs(draw: st.DrawFn) -> Graph:
    count = draw(st.integers(1, 14))
    pairs = draw(st.lists(st.sampled_from(list(combinations(range(count), 2))), max_size=30, unique=True)) if count > 1 else []
    edges = []
    for source, target in pairs:
        label = draw(st.sampled_from(["", "", "", *LABELS]))
        kind = draw(st.sampled_from(["flow", "skip"])) if not label else "skip"
        edges.append(Edge(f"n{source}", f"n{target}", kind, label))  # type: ignore[arg-type]
    return graph_of(count, edges)


def size(node: Node) -> tuple[float, float]:
    """Different for each node, and always the same."""
    number = int(node.id[1:])
    return 20.0 + 37 * number % 90, 10.0 + 13 * number % 40


@settings(max_examples=60, derandomize=True)
@given(graphs())
def test_random_graphs(graph: Graph) -> None:
    placed = layout(graph, size, lambda label: 7.0 * len(label))
    boxes = placed.boxes
    assert set(boxes) == {node.id for node in graph.nodes}
    for one, other in combinations(boxes.values(), 2):
        beside = one.x + one.width < other.x or other.x + other.width < one.x
        below = one.y + one.height < other.y or other.y + other.height < one.y
        assert beside or below
    for box in boxes.values():
        assert box.x >= -1e-6
        assert box.x + box.width <= placed.width + 1e-6
        assert box.y + box.height <= placed.height + 1e-6
    assert sorted(map(repr, graph.edges)) == sorted(repr(route.edge) for route in placed.routes)
    for route in placed.routes:
        check_route(route, placed)
    assert layout(graph, size, lambda label: 7.0 * len(label)) == placed


def check_route(route: Route, placed: Layout) -> None:
    """From its source to its target, never upwards, and straight down only where nothing stands."""
    start, end = placed.boxes[route.edge.source], placed.boxes[route.edge.target]
    assert placed.layers[route.edge.source] < placed.layers[route.edge.target]
    assert route.points[0][1] == start.y + start.height
    assert start.x <= route.points[0][0] <= start.x + start.width
    assert end.x - 1e-6 <= route.points[-1][0] <= end.x + end.width + 1e-6
    assert end.y <= route.points[-1][1] <= end.y + end.height
    others = [box for id, box in placed.boxes.items() if id not in (route.edge.source, route.edge.target)]
    for (x, y), (to_x, to_y) in pairwise(route.points):
        assert y <= to_y
        for box in others:
            touches = max(min(x, to_x), box.x) < min(max(x, to_x), box.x + box.width) or box.x < x == to_x < box.x + box.width
            assert not (touches and max(y, box.y) < min(to_y, box.y + box.height))
            if y == to_y and box.y < y < box.y + box.height:
                assert not touches


def test_a_chain_is_a_straight_column() -> None:
    placed = layout(graph_of(5, chain("n0", "n1", "n2", "n3", "n4")), size)
    assert len({round(box.centre[0], 6) for box in placed.boxes.values()}) == 1
    assert [box.y for box in placed.boxes.values()] == sorted(box.y for box in placed.boxes.values())


def test_branches_stand_side_by_side_in_their_order_and_each_is_straight() -> None:
    ways = [("n0", "n1", "n8"), ("n0", "n2", "n3", "n8"), ("n0", "n4", "n5", "n6", "n8"), ("n0", "n7", "n8")]
    graph = graph_of(9, sorted({edge for way in ways for edge in chain(*way)}, key=lambda edge: (edge.source, edge.target)))
    placed = layout(graph, size)
    x = {id: box.centre[0] for id, box in placed.boxes.items()}
    assert x["n1"] < x["n2"] < x["n4"] < x["n7"]
    assert x["n2"] == x["n3"]
    assert x["n4"] == x["n5"] == x["n6"]
    assert x["n1"] < x["n0"] < x["n7"]


def test_a_skip_runs_in_a_lane_beside_all_that_it_passes() -> None:
    skip = Edge("n0", "n4", "skip", "identity")
    placed = layout(graph_of(6, [*chain("n0", "n1", "n2", "n3", "n4", "n5"), skip]), size, lambda label: 50.0)
    route = next(route for route in placed.routes if route.edge == skip)
    lane = max(x for x, _ in route.points)
    assert lane > max(placed.boxes[f"n{number}"].x + placed.boxes[f"n{number}"].width for number in range(5))
    assert route.words == "identity"
    assert placed.width >= route.label[0] + 40
    assert len({round(box.centre[0], 6) for box in placed.boxes.values()}) == 1  # the column stays straight


def test_boxes_on_a_skip_stand_in_its_lane_with_the_label_at_its_end() -> None:
    way = [Edge("n0", "n4", "skip", "projection 1x1"), Edge("n4", "n3", "skip")]
    nodes = tuple(Node(f"n{number}", "", "other") for number in (0, 4, 1, 2, 3))
    placed = layout(Graph(nodes, (*chain("n0", "n1", "n2", "n3"), *way)), size, lambda label: 50.0)
    assert placed.boxes["n4"].x > max(placed.boxes[id].x + placed.boxes[id].width for id in ("n0", "n1", "n2", "n3"))
    assert [route.words for route in placed.routes if route.edge.kind == "skip"] == ["", "projection 1x1"]


def test_nested_skips_have_different_lanes_and_later_ones_use_a_lane_again() -> None:
    inner, outer, later = (Edge(*ends, "skip", "identity") for ends in (("n1", "n3"), ("n0", "n4"), ("n4", "n6")))
    placed = layout(graph_of(7, [*chain("n0", "n1", "n2", "n3", "n4", "n5", "n6"), inner, outer, later]), lambda node: (40.0, 20.0))
    lanes = {route.edge: max(x for x, _ in route.points) for route in placed.routes if route.edge.kind == "skip"}
    assert lanes[inner] < lanes[outer]
    assert lanes[later] == lanes[inner]


def test_a_source_stands_right_above_what_needs_it() -> None:
    placed = layout(graph_of(5, [Edge("n0", "n1"), Edge("n1", "n3"), Edge("n2", "n4"), Edge("n3", "n4")]), size)
    assert placed.layers["n2"] == placed.layers["n3"]


def test_an_empty_graph_and_one_without_edges() -> None:
    assert layout(Graph((), ()), size).boxes == {}
    assert len(layout(graph_of(3, []), size).boxes) == 3


def test_resnet152_is_laid_out_and_drawn_operation_by_operation_in_two_seconds() -> None:
    with torch.device("meta"):
        network = zoo.build("resnet152", channels=3, size=32)
    graph = replace(operation_graph(record(network, (3, 32, 32))), name="resnet152")
    assert len(graph.nodes) > 500
    start = time.process_time()
    svg(graph)
    assert time.process_time() - start < 2
