"""A network, drawn: one call from `nn.Module` to the text of an SVG, DOT or Mermaid file."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Literal, get_args

from torch import Tensor, nn

from wiesel.analysis.drawing.dot import dot
from wiesel.analysis.drawing.mermaid import mermaid
from wiesel.analysis.drawing.svg import svg
from wiesel.analysis.graphs.autograd import autograd_graph
from wiesel.analysis.graphs.blocks import block_graph
from wiesel.analysis.graphs.graph import Graph
from wiesel.analysis.graphs.tracing import operation_graph, sizes_of
from wiesel.analysis.tape import record
from wiesel.errors import BadValue

Detail = Literal["blocks", "operations"]
Format = Literal["svg", "dot", "mermaid"]
FORMATS: dict[str, Callable[[Graph], str]] = {"svg": svg, "dot": dot, "mermaid": mermaid}


def graph_of(
    network: nn.Module, image: tuple[int, int, int], detail: Detail = "blocks", depth: int | None = None, name: str = ""
) -> Graph:
    """The graph of one forward pass on a picture of shape (C, H, W); partial, with a red end, if that pass fails.

    `detail`: "blocks", a box for each residual block, inception module or layer; "operations", one for every function that is called.
    `depth` (with "blocks"): a box for each module whose dotted name has that many parts: 2 for the stages of `features.stage1`.
    `name`: for titles; the class of the network if it is not given.

    >>> [edge.label for edge in graph_of(zoo.build("resnet18", channels=1, size=28), (1, 28, 28)).skips][:3]
    ['identity', 'identity', 'projection 1x1']
    """
    if detail not in get_args(Detail):
        raise BadValue(setting="detail", value=detail, expected=" | ".join(get_args(Detail)))
    tape, sizes = record(network, image), sizes_of(network)
    found = block_graph(tape, sizes, depth) if detail == "blocks" else operation_graph(tape, sizes)
    return replace(found, name=name or type(network).__name__)


def draw(
    network: nn.Module,
    image: tuple[int, int, int],
    *,
    detail: Detail = "blocks",
    depth: int | None = None,
    format: Format = "svg",
    name: str = "",
) -> str:
    """The drawing of `graph_of(...)` as the text of a file.

    Raises:
        BadValue: no such detail or format.
    """
    _check(format)
    return FORMATS[format](graph_of(network, image, detail, depth, name))


def draw_autograd(
    outputs: Tensor | Sequence[Tensor],
    parameters: Mapping[str, Tensor] | None = None,
    *,
    saved: bool = False,
    format: Format = "svg",
    name: str = "",
) -> str:
    """The drawing of `autograd_graph(...)`: what gradients pass through, as `torchviz.make_dot(y, params)` shows it.

    Raises:
        BadValue: no such format.
        NoGradients: an output was computed without them.
    """
    _check(format)
    return FORMATS[format](autograd_graph(outputs, parameters, saved=saved, name=name))


def _check(format: str) -> None:
    if format not in FORMATS:
        raise BadValue(setting="format", value=format, expected=" | ".join(FORMATS))
