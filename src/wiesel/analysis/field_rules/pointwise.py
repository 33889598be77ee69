"""Element by element, over all elements of a map, along a dimension."""

from __future__ import annotations

from dataclasses import replace

from wiesel.analysis.field_rules.arrangement import Arrangement, mixed, together
from wiesel.analysis.field_rules.rule import Shape, broadcast, dims_of
from wiesel.analysis.tape import Operation


def pointwise(inputs: list[Arrangement], operation: Operation, shapes: list[Shape]) -> list[Arrangement]:
    state = inputs[0]
    for other in inputs[1:]:
        state = together(state, other)
    return [broadcast(state, shape) for shape in shapes]


def normalise(inputs: list[Arrangement], operation: Operation, shapes: list[Shape]) -> list[Arrangement]:
    """Batch norm in training mode, group norm, instance norm: statistics over all positions of a map."""
    state = inputs[0]
    over = range(2, len(state.dimensions))
    if operation.name == "batch_norm":
        if not operation.settings.get("training", False):
            return pointwise(inputs, operation, shapes)
        over = range(len(state.dimensions))
    if operation.name == "instance_norm" and not operation.settings.get("use_input_stats", True):
        return pointwise(inputs, operation, shapes)
    return [mixed(state, over, True, operation.name)]


def layer_norm(inputs: list[Arrangement], operation: Operation, shapes: list[Shape]) -> list[Arrangement]:
    count = len(operation.settings["normalized_shape"])
    return [mixed(inputs[0], range(-count, 0), True, operation.name)]


def along(inputs: list[Arrangement], operation: Operation, shapes: list[Shape]) -> list[Arrangement]:
    """Softmax, normalisation: every element depends on all others along a dimension."""
    dim = operation.settings.get("dim", 1 if operation.name == "normalize" else None)
    return [mixed(inputs[0], dims_of(dim, inputs[0]), True, operation.name) for _ in shapes]


def reduce(inputs: list[Arrangement], operation: Operation, shapes: list[Shape]) -> list[Arrangement]:
    if len(inputs) > 1:  # torch.max(x, y)
        return pointwise(inputs, operation, shapes)
    state, over = inputs[0], dims_of(operation.settings.get("dim"), inputs[0])
    state = mixed(state, over, False, operation.name)
    if len(shapes[0]) < len(state.dimensions):
        gone = {dim % len(state.dimensions) for dim in over}
        state = replace(state, dimensions=tuple(d for place, d in enumerate(state.dimensions) if place not in gone))
    return [state for _ in shapes]
