"""The way back, counted by hand: functions, parameters and what leads where."""

from __future__ import annotations

from collections import Counter
from xml.etree import ElementTree as ET

import pytest
import torch
from torch import nn

from wiesel import zoo
from wiesel.analysis.drawing import draw_autograd
from wiesel.analysis.graphs.autograd import autograd_graph
from wiesel.analysis.graphs.graph import Graph
from wiesel.errors import NoGradients


def pairs(graph: Graph) -> list[tuple[str, str]]:
    return sorted((graph[edge.source].label, graph[edge.target].label) for edge in graph.edges)


def test_a_linear_layer_has_seven_nodes_and_six_edges() -> None:
    layer = nn.Linear(3, 2)
    graph = autograd_graph(layer(torch.zeros(4, 3)), dict(layer.named_parameters()))
    assert pairs(graph) == sorted(
        [
            ("bias", "AccumulateGrad"),
            ("weight", "AccumulateGrad"),
            ("AccumulateGrad", "TBackward0"),
            ("AccumulateGrad", "AddmmBackward0"),
            ("TBackward0", "AddmmBackward0"),
            ("AddmmBackward0", "output"),
        ]
    )
    assert len(graph.nodes) == 7
    shapes = {node.label: node.shape for node in graph.nodes}
    assert (shapes["weight"], shapes["bias"], shapes["output"]) == ((2, 3), (2,), (4, 2))
    assert graph.parameters == 8


def test_the_tape_of_autograd_knows_a_skip() -> None:
    x = torch.ones(3, requires_grad=True)
    y = x.exp()
    graph = autograd_graph(y + y.sin(), {"x": x})
    assert pairs(graph) == sorted(
        [
            ("x", "AccumulateGrad"),
            ("AccumulateGrad", "ExpBackward0"),
            ("ExpBackward0", "SinBackward0"),
            ("ExpBackward0", "AddBackward0"),
            ("SinBackward0", "AddBackward0"),
            ("AddBackward0", "output"),
        ]
    )
    (skip,) = graph.skips
    assert (graph[skip.source].label, graph[skip.target].label, skip.label) == ("ExpBackward0", "AddBackward0", "identity")


def test_every_parameter_of_a_network_is_in_it_once_and_every_function_is_reachable() -> None:
    network = zoo.build("resnet20", channels=1, size=8)
    graph = autograd_graph(network(torch.zeros(2, 1, 8, 8)), dict(network.named_parameters()))
    named = [node.label for node in graph.nodes if node.type == "parameter"]
    assert sorted(named) == sorted(name for name, _ in network.named_parameters())
    assert graph.parameters == sum(p.numel() for p in network.parameters())
    kinds = Counter(node.label for node in graph.nodes if node.type == "backward")
    # 19 convolutions and norms, 9 additions, 1 + 2 * 9 ReLUs; two skips of option A are a slice and a pad each.
    assert kinds["ConvolutionBackward0"] == kinds["NativeBatchNormBackward0"] == kinds["ReluBackward0"] == 19
    assert kinds["AddBackward0"] == 9
    assert kinds["AccumulateGrad"] == len(named) == 19 + 2 * 19 + 2
    assert len(graph.skips) == 9 - 2


def test_a_frozen_parameter_is_not_in_it() -> None:
    network = nn.Sequential(nn.Linear(3, 4), nn.Linear(4, 2))
    network[0].requires_grad_(False)
    graph = autograd_graph(network(torch.zeros(1, 3)), dict(network.named_parameters()))
    assert [node.label for node in graph.nodes if node.type == "parameter"] == ["1.bias", "1.weight"]


def test_saved_tensors_are_shown_until_the_way_back_was_gone() -> None:
    x = torch.ones(3, requires_grad=True)
    y = (x.exp() * 2).sum()
    assert next((node.label, node.shape) for node in autograd_graph(y, saved=True).nodes if node.type == "saved") == (
        "result",
        (3,),
    )
    y.backward()  # type: ignore[no-untyped-call]
    assert all(node.label != "result" for node in autograd_graph(y, saved=True).nodes)


def test_several_outputs_share_what_is_before_them() -> None:
    x = torch.ones(3, requires_grad=True)
    y = x.exp()
    graph = autograd_graph([y.sin(), y.cos()], {"x": x})
    assert Counter(node.label for node in graph.nodes)["ExpBackward0"] == 1
    assert sum(node.type == "output" for node in graph.nodes) == 2


def test_a_very_deep_network_is_no_problem() -> None:
    y = torch.ones(1, requires_grad=True)
    for _ in range(3000):
        y = y + 1
    assert len(autograd_graph(y).nodes) == 3000 + 3


def test_it_is_drawn_like_every_other_graph() -> None:
    layer = nn.Linear(3, 2)
    output, named = layer(torch.zeros(1, 3)), dict(layer.named_parameters())
    ET.fromstring(draw_autograd(output, named))
    assert draw_autograd(output, named, format="mermaid").startswith("flowchart TD\n")
    assert '"AddmmBackward0"' in draw_autograd(output, named, format="dot")


def test_without_gradients_there_is_nothing_to_draw() -> None:
    with pytest.raises(NoGradients, match="without gradients"):
        autograd_graph(torch.zeros(3))
