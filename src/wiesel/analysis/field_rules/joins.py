"""Several tensors side by side."""

from __future__ import annotations

from dataclasses import replace

from wiesel.analysis.field_rules import axes
from wiesel.analysis.field_rules.arrangement import Arrangement, Atom, free, is_free, scrambled, together
from wiesel.analysis.field_rules.axes import Axis, Kind
from wiesel.analysis.field_rules.rule import NoRule, Shape
from wiesel.analysis.tape import Operation


def concatenate(inputs: list[Arrangement], operation: Operation, shapes: list[Shape]) -> list[Arrangement]:
    shape = shapes[0]
    dim = operation.settings.get("dim", 0) % len(shape)
    if all(is_free(state.dimensions[dim]) for state in inputs):
        states = [state.with_dimension(dim, ()) for state in inputs]
        state = states[0]
        for other in states[1:]:
            state = together(state, other)
        return [state.with_dimension(dim, free(shape[dim]))]
    kinds = {state.single(dim) for state in inputs}
    complete = sum(state.shape[dim] for state in inputs) == shape[dim]
    if len(kinds) == 1 and complete and (kind := next(iter(kinds))):
        return [_end_to_end(inputs, dim, kind, shape[dim])]
    state = scrambled(inputs[0], dimensions=[dim])
    for other in inputs[1:]:
        state = replace(state, rows=_larger(state.rows, other.rows), columns=_larger(state.columns, other.columns))
    return [state.with_dimension(dim, (Atom("s", shape[dim]),))]


def _end_to_end(inputs: list[Arrangement], dim: int, kind: str, size: int) -> Arrangement:
    other = "w" if kind == "h" else "h"
    state = inputs[0]
    axis = axes.joined([part.axis(kind) for part in inputs])
    across = state.axis(other)
    for part in inputs[1:]:
        if len(part.axis(other)) != len(across) or part.atoms(other) != state.atoms(other):
            raise NoRule
        across = across.union(part.axis(other))
    return state.with_axis(kind, axis).with_axis(other, across).with_dimension(dim, (Atom(kind, size, 1),))


def _larger(one: Axis, other: Axis) -> Axis:
    return replace(one, size=max(one.size, other.size), kind=Kind.BOUND)


def stack(inputs: list[Arrangement], operation: Operation, shapes: list[Shape]) -> list[Arrangement]:
    state = inputs[0]
    for other in inputs[1:]:
        state = together(state, other)
    dim = operation.settings.get("dim", 0) % len(shapes[0])
    return [replace(state, dimensions=(*state.dimensions[:dim], free(shapes[0][dim]), *state.dimensions[dim:]))]
