"""The way back that PyTorch keeps for the gradients, as a graph: what `torchviz.make_dot` shows.

While a network computes, every result notes the function that will carry the gradient back through it (`grad_fn`), and that one the
functions before it (`next_functions`), down to an `AccumulateGrad` at each parameter. So this graph has no names of layers, but it
has all that gradients pass through: a parameter that is not in it will never learn.

Drawn in the direction of the forward pass: parameters above, the output at the end; gradients run against the arrows.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from wiesel.analysis.graphs.graph import Edge, Graph, Node
from wiesel.errors import NoGradients

SAVED = "_saved_"
JOINS = ("AddBackward", "CatBackward")


def autograd_graph(
    outputs: Tensor | Sequence[Tensor], parameters: Mapping[str, Tensor] | None = None, *, saved: bool = False, name: str = ""
) -> Graph:
    """All backward functions that `outputs` depend on, and the parameters at their ends.

    `parameters`: names for them, as `dict(network.named_parameters())`; may hold the picture, too, if it requires gradients.
    `saved`: also the tensors that functions keep for the way back. They are gone after `backward()`.

    >>> y = network(pictures)
    >>> svg(autograd_graph(y, dict(network.named_parameters())))

    Raises:
        NoGradients: an output was computed without them.
    """
    names = {id(tensor): title for title, tensor in (parameters or {}).items()}
    ends = [outputs] if isinstance(outputs, Tensor) else list(outputs)
    if any(end.grad_fn is None for end in ends):
        raise NoGradients()
    nodes: list[Node] = []
    edges: dict[Edge, None] = {}
    ids: dict[Any, str] = {}
    for function in _functions([end.grad_fn for end in ends]):
        ids[function] = own = f"function{len(ids)}"
        above = [ids[earlier] for earlier, _ in function.next_functions if earlier is not None]
        if isinstance(variable := getattr(function, "variable", None), Tensor):
            above.append(f"parameter_{own}")
            nodes.append(_tensor(above[-1], names.get(id(variable), ""), variable, "parameter"))
        if saved:
            for attribute, tensor in _saved(function):
                above.append(f"saved_{own}_{attribute}")
                nodes.append(_tensor(above[-1], attribute, tensor, "saved"))
        nodes.append(Node(own, type(function).__name__, "backward"))
        edges.update(dict.fromkeys(Edge(source, own) for source in above))
    for number, end in enumerate(ends):
        nodes.append(Node(f"output{number}", "output", "output", shape=tuple(end.shape)))
        edges[Edge(ids[end.grad_fn], f"output{number}")] = None
    return Graph(tuple(nodes), _with_skips(nodes, list(edges)), name=name)


def _functions(roots: Sequence[Any]) -> Iterator[Any]:
    """All functions, each once, after those that it leads to."""
    seen: set[Any] = set()
    waiting = [(root, False) for root in reversed(roots)]
    while waiting:
        function, done = waiting.pop()
        if done:
            yield function
        elif function not in seen:
            seen.add(function)
            waiting.append((function, True))
            waiting += [(earlier, False) for earlier, _ in reversed(function.next_functions) if earlier is not None]


def _tensor(id: str, label: str, tensor: Tensor, kind: str) -> Node:
    if kind == "saved":
        return Node(id, label, "saved", shape=tuple(tensor.shape))
    count = tensor.numel() if isinstance(tensor, torch.nn.Parameter) else None
    return Node(id, label or "tensor", "parameter", module=label.rpartition(".")[0], shape=tuple(tensor.shape), parameters=count)


def _saved(function: Any) -> Iterator[tuple[str, Tensor]]:
    """Names and tensors that a function keeps."""
    for attribute in sorted(set(dir(function))):
        if attribute.startswith(SAVED):
            try:
                kept = getattr(function, attribute)
            except RuntimeError:  # gone: `backward()` has been called
                continue
            several = kept if isinstance(kept, (tuple, list)) else [kept]
            tensors = [tensor for tensor in several if isinstance(tensor, Tensor)]
            for number, tensor in enumerate(tensors):
                yield attribute.removeprefix(SAVED) + (f"[{number}]" if len(tensors) > 1 else ""), tensor


def _with_skips(nodes: Sequence[Node], edges: Sequence[Edge]) -> tuple[Edge, ...]:
    """Edges that lead straight to an addition or a `cat` to which another way leads from the same place: the signal as it is."""
    place = {node.id: position for position, node in enumerate(nodes)}
    into: dict[str, list[str]] = {}
    for edge in edges:
        into.setdefault(edge.target, []).append(edge.source)
    found = []
    for edge in edges:
        joins = nodes[place[edge.target]].label.startswith(JOINS)
        others = [source for source in into[edge.target] if source != edge.source]
        if joins and _reaches(edge.source, others, into, place):
            found.append(Edge(edge.source, edge.target, "skip", "identity"))
        else:
            found.append(edge)
    return tuple(found)


def _reaches(source: str, targets: Sequence[str], into: Mapping[str, Sequence[str]], place: Mapping[str, int]) -> bool:
    """Whether a way leads from `source` to one of `targets`."""
    waiting, seen = list(targets), set(targets)
    while waiting:
        at = waiting.pop()
        if at == source:
            return True
        for earlier in into.get(at, ()):
            if earlier not in seen and place[earlier] >= place[source]:
                seen.add(earlier)
                waiting.append(earlier)
    return False
