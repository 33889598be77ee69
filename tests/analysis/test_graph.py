"""Skips are found where the papers have them and nowhere else; blocks lose nothing of what the operations hold."""

from __future__ import annotations

from collections import Counter, OrderedDict
from functools import cache

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from wiesel import zoo
from wiesel.analysis import cost
from wiesel.analysis.drawing import graph_of
from wiesel.analysis.graphs.blocks import block_graph
from wiesel.analysis.graphs.graph import Edge, Graph, Node, folded
from wiesel.analysis.graphs.tracing import operation_graph, sizes_of
from wiesel.analysis.stages import skip_of
from wiesel.analysis.tape import Tape, record

DETAILS = ("operations", "blocks")


@cache
def built(name: str, channels: int = 3, size: int = 32) -> nn.Module:
    with torch.device("meta"):
        return zoo.build(name, channels=channels, size=size)


@cache
def taped(name: str, channels: int = 3, size: int = 32) -> Tape:
    return record(built(name, channels, size), (channels, size, size))


def both(name: str, channels: int = 3, size: int = 32) -> tuple[Graph, Graph]:
    """Operations and blocks."""
    tape, sizes = taped(name, channels, size), sizes_of(built(name, channels, size))
    return operation_graph(tape, sizes), block_graph(tape, sizes)


def labels(graph: Graph) -> list[str]:
    return [edge.label for edge in graph.skips]


def test_resnet18_has_eight_residual_blocks_five_identities_and_three_projections() -> None:
    pair = ["projection 1x1", "identity"]
    for graph in both("resnet18", 1, 28):
        assert labels(graph) == ["identity", "identity", *pair, *pair, *pair]
        assert len(graph.residual) == 8


@pytest.mark.parametrize("name", ["resnet50", "resnet20", "plain20"])
def test_skips_are_those_that_the_modules_say_they_have(name: str) -> None:
    said = [skip for module in built(name).modules() if (skip := skip_of(module)) is not None]
    names = {"identity": "identity", "projection": "projection 1x1", "free": "free"}
    for graph in both(name):
        assert labels(graph) == [names[skip] for skip in said if skip != "none"]


def test_wide_resnets_project_what_the_first_norm_made() -> None:
    for graph in both("wrn_16_4"):
        assert labels(graph) == ["projection 1x1", "identity"] * 3
    operations, _ = both("wrn_16_4")
    assert [operations[edge.source].label for edge in operations.skips] == ["relu", "+"] * 3


def test_mobilenet_v2_skips_all_but_the_first_block_of_each_stage() -> None:
    for graph in both("mobilenet_v2"):
        assert labels(graph) == ["identity"] * (0 + 1 + 2 + 3 + 2 + 2 + 0)
        assert len(graph.residual) == 10


def test_densenet_stacks_what_it_skips_and_adds_nothing() -> None:
    for graph in both("densenet_bc_100"):
        assert labels(graph) == ["identity"] * 48
        assert graph.residual == ()
        assert all(graph[edge.target].label == "cat" for edge in graph.skips)


@pytest.mark.parametrize("name", ["lenet5", "vgg11_bn", "googlenet", "squeezenet1_1"])
def test_networks_without_skips_have_none(name: str) -> None:
    for graph in both(name):
        assert labels(graph) == []


@pytest.mark.parametrize("name", ["resnet20", "googlenet", "densenet_bc_100", "mobilenet_v3_small", "convnext_tiny", "lenet5"])
def test_every_operation_is_in_one_box_and_all_costs_are_kept(name: str) -> None:
    large, small = both(name)
    assert sorted(index for node in small.nodes for index in node.operations) == list(range(len(taped(name).operations)))
    assert len(small.nodes) < 0.6 * len(large.nodes)
    table = cost(built(name), (3, 32, 32))
    for graph in (small, large):
        assert graph.parameters == table.parameters
        assert graph.macs == table.macs
        assert graph.nodes[-1].shape == (10,)


def test_the_blocks_of_lenet_can_be_written_down_by_hand() -> None:
    _, graph = both("lenet5", 1, 28)
    assert [(node.label, node.lines, node.shape, node.parameters) for node in graph.nodes] == [
        ("input", (), (1, 28, 28), None),
        ("conv 5×5, 6", ("avg pool 2×2, stride 2",), (6, 14, 14), 156),
        ("conv 5×5, 16", ("avg pool 2×2, stride 2",), (16, 5, 5), 2416),
        ("conv 5×5, 120", (), (120, 1, 1), 48120),
        ("global avg pool", ("flatten",), (120,), 0),
        ("linear, 84", ("tanh",), (84,), 10164),
        ("linear, 10", (), (10,), 850),
        ("output", (), (10,), None),
    ]
    assert [(edge.source, edge.target, edge.kind) for edge in graph.edges] == [
        (one.id, other.id, "flow") for one, other in zip(graph.nodes, graph.nodes[1:], strict=False)
    ]


def test_an_inception_module_is_a_box_with_a_line_for_each_branch() -> None:
    _, graph = both("googlenet")
    first = next(node for node in graph.nodes if node.label == "inception3a")
    assert first.lines == (
        "conv 1×1, 64",
        "conv 1×1, 96 → conv 3×3, 128",
        "conv 1×1, 16 → conv 3×3, 32",
        "max pool 3×3 → conv 1×1, 32",
    )
    assert first.parameters == 155_872
    assert sum(node.label.startswith("inception") for node in graph.nodes) == 9


def test_depth_folds_stages_and_names_what_is_in_them() -> None:
    graph = block_graph(taped("resnet50"), depth=2)
    assert [node.label for node in graph.nodes if node.type == "block"][1:5] == [f"{n} × Bottleneck" for n in (3, 4, 6, 3)]
    assert graph.skips == ()


def test_clusters_are_the_stages_and_every_operation_of_the_network_is_in_one() -> None:
    graph, _ = both("resnet20")
    outer = [cluster for cluster in graph.clusters if not cluster.parent]
    assert [cluster.label for cluster in outer] == ["stem", "stage1", "stage2", "stage3", "head"]
    assert [len(cluster.nodes) for cluster in outer] == [3, 21, 23, 23, 3]  # 7 a block, and 2 where the skip is reshaped
    inner = Counter(cluster.parent for cluster in graph.clusters if cluster.parent)
    assert inner == {f"features.stage{n}": 3 for n in (1, 2, 3)}


class BookBlock(nn.Module):
    """As in many textbooks: an empty sequence where nothing has to be done, and everything in place."""

    def __init__(self, channels_in: int, channels_out: int, stride: int = 1) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels_in, channels_out, 3, stride, 1, bias=False)
        self.conv2 = nn.Conv2d(channels_out, channels_out, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels_out)
        self.relu = nn.ReLU(inplace=True)
        self.shortcut = nn.Sequential()
        if stride != 1:
            self.shortcut = nn.Sequential(nn.Conv2d(channels_in, channels_out, 1, stride), nn.BatchNorm2d(channels_out))

    def forward(self, x: Tensor) -> Tensor:
        out = self.bn2(self.conv2(self.relu(self.conv1(x))))
        out += self.shortcut(x)
        return functional.relu(out)


@pytest.mark.parametrize("detail", DETAILS)
def test_an_empty_sequence_added_in_place_is_an_identity(detail: str) -> None:
    network = nn.Sequential(nn.Conv2d(1, 4, 3), BookBlock(4, 4), BookBlock(4, 8, 2), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    assert labels(graph_of(network, (1, 12, 12), detail)) == ["identity", "projection 1x1"]  # type: ignore[arg-type]


def test_functions_without_modules_are_nodes_and_skips() -> None:
    class Plain(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.one, self.two = nn.Conv2d(3, 3, 3, padding=1), nn.Conv2d(3, 3, 3, padding=1)

        def forward(self, x: Tensor) -> Tensor:
            y = functional.relu(x + self.two(functional.relu(self.one(x))))
            return functional.max_pool2d(y, 2)

    graph = graph_of(Plain(), (3, 8, 8))
    assert [node.label for node in graph.nodes] == [
        "input",
        "conv 3×3, 3",
        "conv 3×3, 3",
        "+ · relu",
        "max pool 2×2, stride 2",
        "output",
    ]
    assert [(graph[edge.source].label, graph[edge.target].label) for edge in graph.skips] == [("input", "+ · relu")]


def test_a_skip_that_starts_inside_its_block_leaves_from_there() -> None:
    class PreActivation(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.norm, self.relu = nn.BatchNorm2d(4), nn.ReLU()
            self.conv1, self.conv2 = nn.Conv2d(4, 8, 3, 2, 1), nn.Conv2d(8, 8, 3, 1, 1)
            self.shortcut = nn.Conv2d(4, 8, 1, 2)

        def forward(self, x: Tensor) -> Tensor:
            y = self.relu(self.norm(x))
            total: Tensor = self.shortcut(y) + self.conv2(torch.relu(self.conv1(y)))
            return total

    network = nn.Sequential(OrderedDict(stem=nn.Conv2d(1, 4, 3), block=PreActivation(), pool=nn.MaxPool2d(2)))
    tape = record(network, (1, 12, 12))
    graph = block_graph(tape)
    (skip,) = graph.skips
    assert [tape.operations[index].name for index in graph[skip.source].operations] == ["batch_norm", "relu"]
    assert skip.label == "projection 1x1"


def test_gates_and_equal_branches_are_no_skips() -> None:
    class Gate(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.squeeze = nn.Conv2d(4, 4, 1)

        def forward(self, x: Tensor) -> Tensor:
            return x * torch.sigmoid(self.squeeze(x.mean((2, 3), keepdim=True)))

    class Twins(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.one, self.two = nn.Conv2d(4, 4, 1), nn.Conv2d(4, 4, 3, padding=1)

        def forward(self, x: Tensor) -> Tensor:
            total: Tensor = self.one(x) + self.two(x)
            return total

    class Towers(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.one = nn.Sequential(*(nn.Conv2d(4, 4, 1) for _ in range(2)))
            self.two = nn.Sequential(*(nn.Conv2d(4, 4, 1) for _ in range(3)))

        def forward(self, x: Tensor) -> Tensor:
            total: Tensor = self.one(x) + self.two(x)
            return total

    class Reduction(nn.Module):  # as between the stages of Inception-v3
        def __init__(self) -> None:
            super().__init__()
            self.one, self.pool = nn.Conv2d(4, 4, 3, stride=2), nn.MaxPool2d(3, stride=2)

        def forward(self, x: Tensor) -> Tensor:
            return torch.cat([self.one(x), self.pool(x)], dim=1)

    for network in (Gate(), Twins(), Towers(), Reduction()):
        assert graph_of(network, (4, 8, 8), "operations").skips == ()


def test_a_module_called_twice_is_two_boxes() -> None:
    class Twice(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.block, self.pool = BookBlock(4, 4), nn.MaxPool2d(2)

        def forward(self, x: Tensor) -> Tensor:
            y: Tensor = self.block(self.pool(self.block(x)))
            return y

    network = Twice()
    graph = graph_of(network, (4, 8, 8))
    block = ["2 × conv 3×3, 4", "+ · relu"]
    assert [node.label for node in graph.nodes] == ["input", *block, "max pool 2×2, stride 2", *block, "output"]
    assert [cluster.name for cluster in graph.clusters] == ["block", "block (2)"]
    assert graph.parameters == sum(p.numel() for p in network.parameters())  # counted once


def test_a_failed_pass_ends_at_what_failed_with_both_shapes() -> None:
    class Mismatch(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.stem, self.conv = nn.Conv2d(1, 4, 3), nn.Conv2d(4, 8, 3, stride=2)

        def forward(self, x: Tensor) -> Tensor:
            x = self.stem(x)
            total: Tensor = x + self.conv(x)
            return total

    for detail in DETAILS:
        graph = graph_of(Mismatch(), (1, 12, 12), detail)  # type: ignore[arg-type]
        *done, failure = graph.nodes
        assert [node.label for node in done] == ["input", "conv 3×3, 4", "conv 3×3, 8, stride 2"]
        assert (failure.label, failure.type, failure.lines[:2]) == ("add", "failure", ("1×4×10×10", "1×8×4×4"))
        assert {edge.source for edge in graph.into(failure.id)} == {node.id for node in done[1:]}


def test_a_network_that_fails_at_once_is_the_picture_and_the_failure() -> None:
    graph = graph_of(nn.Linear(7, 2), (1, 8, 8))
    assert [(node.label, node.type) for node in graph.nodes] == [("input", "input"), ("linear", "failure")]


def test_networks_from_elsewhere() -> None:
    models = pytest.importorskip("torchvision.models")
    with torch.device("meta"):
        resnet = models.resnet18()
        transformer = models.VisionTransformer(image_size=32, patch_size=8, num_layers=2, num_heads=2, hidden_dim=16, mlp_dim=32)
        densenet = models.DenseNet(8, (3, 2), 16)
    assert Counter(labels(graph_of(resnet, (3, 64, 64)))) == {"identity": 5, "projection 1x1": 3}
    assert labels(graph_of(transformer, (3, 32, 32))) == ["identity"] * 4  # past attention and past the MLP, in two layers
    # Each layer stacks all before it: 1, 2, 3 that are passed on in the first block (and at its end), 1, 2 in the second.
    assert labels(graph_of(densenet, (3, 64, 64), "operations")) == ["identity"] * ((1 + 2 + 3) + (1 + 2))


def test_a_graph_refuses_edges_that_lead_back() -> None:
    nodes = (Node("a", "a", "other"), Node("b", "b", "other"))
    with pytest.raises(AssertionError, match="leads back"):
        Graph(nodes, (Edge("b", "a"),))


def test_long_lists_are_folded() -> None:
    assert folded(["a", "a", "b"]) == ("2 × a", "b")
    assert folded(list("abcdefg"), most=3) == ("a", "b", "… + 5")
