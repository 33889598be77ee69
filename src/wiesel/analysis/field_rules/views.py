"""The same numbers in another arrangement, or a part of them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from wiesel.analysis.field_rules.arrangement import (
    Arrangement,
    Atom,
    Dimension,
    everything,
    free,
    is_free,
    permuted,
    reshaped,
    scrambled,
    together,
)
from wiesel.analysis.field_rules.axes import Kind
from wiesel.analysis.field_rules.rule import NoRule, Shape, broadcast
from wiesel.analysis.field_rules.windows import tapped
from wiesel.analysis.tape import Operation


def reshape(inputs: list[Arrangement], operation: Operation, shapes: list[Shape]) -> list[Arrangement]:
    return [reshaped(inputs[0], shapes[0])]


def permute(inputs: list[Arrangement], operation: Operation, shapes: list[Shape]) -> list[Arrangement]:
    state, told = inputs[0], operation.settings
    rank = len(state.dimensions)
    order = list(range(rank))
    if operation.name == "permute":
        order = [dim % rank for dim in told["dims"]]
    elif operation.name == "transpose":
        a, b = (told[key] % rank for key in ("dim0", "dim1"))
        order[a], order[b] = order[b], order[a]
    elif operation.name == "moveaxis":
        sources, goals = (told[key] if isinstance(told[key], tuple) else (told[key],) for key in ("source", "destination"))
        sources, goals = [dim % rank for dim in sources], [dim % rank for dim in goals]
        rest = [dim for dim in order if dim not in sources]
        for goal, source in sorted(zip(goals, sources, strict=True)):
            rest.insert(goal, source)
        order = rest
    elif operation.name in ("T", "t"):
        order.reverse()
    elif operation.name in ("mT", "adjoint", "mH"):
        order[-1], order[-2] = order[-2], order[-1]
    return [permuted(state, order)]


def expand(inputs: list[Arrangement], operation: Operation, shapes: list[Shape]) -> list[Arrangement]:
    return [broadcast(inputs[0], shapes[0])]


def repeat(inputs: list[Arrangement], operation: Operation, shapes: list[Shape]) -> list[Arrangement]:
    state = inputs[0]
    dimensions = ((),) * (len(shapes[0]) - len(state.dimensions)) + state.dimensions
    state = replace(state, dimensions=dimensions)
    for place, size in enumerate(shapes[0]):
        times = size // max(state.shape[place], 1)
        state = state.with_dimension(place, (*free(times), *dimensions[place]))
    return [state]


def pieces(inputs: list[Arrangement], operation: Operation, shapes: list[Shape]) -> list[Arrangement]:
    """chunk, split, unbind, narrow, select: parts along one dimension."""
    state, told = inputs[0], operation.settings
    dim = told.get("dim", 0)
    if not isinstance(dim, int) or len(inputs) > 1:
        raise NoRule
    dim %= len(state.dimensions)
    if operation.name == "unbind":
        return [_sliced(state, dim, slice(number, number + 1), drop=True) for number in range(len(shapes))]
    if operation.name == "select":
        index = told["index"] % state.shape[dim]
        return [_sliced(state, dim, slice(index, index + 1), drop=True)]
    begin = told.get("start", 0)
    found = []
    for shape in shapes:
        found.append(_sliced(state, dim, slice(begin, begin + shape[dim])))
        begin += shape[dim]
    return found


def index(inputs: list[Arrangement], operation: Operation, shapes: list[Shape]) -> list[Arrangement]:
    if len(inputs) > 1 or "index" not in operation.settings:
        raise NoRule
    return [_selected(inputs[0], operation.settings["index"])]


def _selected(state: Arrangement, index: Any) -> Arrangement:
    parts = list(index) if isinstance(index, tuple) else [index]
    if any(not (part is None or part is Ellipsis or type(part) in (int, slice)) for part in parts):
        raise NoRule
    named = sum(part is not None and part is not Ellipsis for part in parts)
    if Ellipsis not in parts:
        parts.append(Ellipsis)
    place = parts.index(Ellipsis)
    parts[place : place + 1] = [slice(None)] * (len(state.dimensions) - named)
    dim = 0
    for part in parts:
        if part is None:
            state = replace(state, dimensions=(*state.dimensions[:dim], (), *state.dimensions[dim:]))
            dim += 1
        elif isinstance(part, slice):
            state = _sliced(state, dim, part)
            dim += 1
        else:
            at = part % state.shape[dim]
            state = _sliced(state, dim, slice(at, at + 1), drop=True)
    return state


def _sliced(state: Arrangement, dim: int, part: slice, drop: bool = False) -> Arrangement:
    size = state.shape[dim]
    chosen = np.arange(size)[part]
    if len(chosen) == size and not drop:
        return state
    dimension, kind = state.dimensions[dim], state.single(dim)
    atoms: Dimension
    if kind:
        axis = state.axis(kind)
        step = int(chosen[1] - chosen[0]) if len(chosen) > 1 else 1
        state = state.with_axis(kind, axis.gather(chosen[:, None], axis.stride * step))
        atoms = () if drop else (Atom(kind, len(chosen), 1),)
    elif is_free(dimension):
        atoms = free(len(chosen))
    else:
        state = scrambled(state, dimensions=[dim])
        atoms = () if drop or len(chosen) == 1 else (Atom("s", len(chosen)),)
        state = state.with_dimension(dim, atoms)
        if not state.atoms("s"):
            state = everything(state.shape, state, Kind.BOUND)
    state = state.with_dimension(dim, atoms)
    if drop:
        state = replace(state, dimensions=(*state.dimensions[:dim], *state.dimensions[dim + 1 :]))
    return state


def turn(inputs: list[Arrangement], operation: Operation, shapes: list[Shape]) -> list[Arrangement]:
    """roll and flip."""
    state, told = inputs[0], operation.settings
    dims = told.get("dims")
    if dims is None:
        raise NoRule
    dims = dims if isinstance(dims, tuple) else (dims,)
    shifts = told.get("shifts", 0)
    shifts = shifts if isinstance(shifts, tuple) else (shifts,) * len(dims)
    for dim, shift in zip(dims, shifts, strict=True):
        size = state.shape[dim]
        source = np.arange(size)[::-1] if operation.name == "flip" else (np.arange(size) - shift) % size
        if not is_free(state.dimensions[dim]):
            if not state.single(dim):
                state = scrambled(state, dimensions=[dim])
            else:
                state = tapped(state, dim, source[:, None], 1, operation.name)
    return [state]


def assign(inputs: list[Arrangement], operation: Operation, shapes: list[Shape]) -> list[Arrangement]:
    """x[:, 3:] = y, as long as it chooses channels, not positions."""
    if len(inputs) != 2 or "index" not in operation.settings or inputs[0].shape != shapes[0]:
        raise NoRule
    target, value = inputs
    chosen = _selected(target, operation.settings["index"])
    if chosen.rows is not target.rows or chosen.columns is not target.columns or chosen.mixture != target.mixture:
        raise NoRule
    if len(chosen.dimensions) != len(target.dimensions):
        raise NoRule
    thin = replace(value, dimensions=tuple(() if is_free(dimension) else dimension for dimension in value.dimensions))
    return [broadcast(together(target, thin), shapes[0])]
