"""Sums over a whole dimension: linear layers, matrix products, attention."""

from __future__ import annotations

from dataclasses import replace

from wiesel.analysis.field_rules.arrangement import Arrangement, everything, free, mixed, together
from wiesel.analysis.field_rules.axes import Kind
from wiesel.analysis.field_rules.rule import NoRule, Shape, broadcast
from wiesel.analysis.tape import Operation


def linear(inputs: list[Arrangement], operation: Operation, shapes: list[Shape]) -> list[Arrangement]:
    if len(inputs) > 1:
        raise NoRule
    return [mixed(inputs[0], [-1], False, operation.name).with_dimension(-1, free(shapes[0][-1]))]


def product(inputs: list[Arrangement], operation: Operation, shapes: list[Shape]) -> list[Arrangement]:
    """Matrix products: a position of the result depends on a row of the left and a column of the right."""
    shape = shapes[0]
    if any(len(state.dimensions) < 2 for state in inputs) or len(inputs) > 2:
        raise NoRule
    parts = iter(inputs)
    constant = operation.settings.get("constant", ())
    state: Arrangement | None = None
    for place, contracted in ((0, -1), (1, -2)):
        if place not in constant:
            part = mixed(next(parts), [contracted], False, operation.name)
            state = part if state is None else together(state, part)
    assert state is not None
    return [broadcast(state, shape)]


def einsum(inputs: list[Arrangement], operation: Operation, shapes: list[Shape]) -> list[Arrangement]:
    equation = operation.settings.get("equation")
    if not isinstance(equation, str):
        equation = next((value for value in operation.settings.values() if isinstance(value, str) and "," in value), None)
    if equation is None or "->" not in equation or "." in equation:
        raise NoRule
    sources, goal = equation.replace(" ", "").split("->")
    constant = operation.settings.get("constant", ())
    terms = [term for place, term in enumerate(sources.split(",")) if place not in constant]
    if len(terms) != len(inputs):
        raise NoRule
    state: Arrangement | None = None
    for term, part in zip(terms, inputs, strict=True):
        part = mixed(part, [place for place, label in enumerate(term) if label not in goal], False, operation.name)
        part = replace(part, dimensions=tuple(part.dimensions[term.index(label)] if label in term else () for label in goal))
        state = part if state is None else together(state, part)
    assert state is not None
    return [broadcast(state, shapes[0])]


def attention(inputs: list[Arrangement], operation: Operation, shapes: list[Shape]) -> list[Arrangement]:
    """Each query sees itself and every key and value of its group."""
    if len(inputs) < 3:
        raise NoRule
    state, tokens = mixed(inputs[0], [-1], False, operation.name), -2
    for other in inputs[1:3]:
        state = together(state, mixed(other, [tokens, -1], False, operation.name))
    for mask in inputs[3:]:
        state = together(state, mixed(mask, [-1], False, operation.name))
    return [broadcast(state, shapes[0])]


def multi_head(inputs: list[Arrangement], operation: Operation, shapes: list[Shape]) -> list[Arrangement]:
    if len(inputs) != 3:
        raise NoRule
    state = mixed(inputs[0], [-1], False, operation.name)
    for other in inputs[1:]:
        state = together(state, mixed(other, [0, -1], False, operation.name))
    state = state.with_dimension(-1, free(shapes[0][-1]))
    return [state, *(everything(shape, state, Kind.BOUND) for shape in shapes[1:])]
