"""What all rules share: their form, and the two helpers that most of them need."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from math import prod
from typing import Any

from wiesel.analysis.field_rules.arrangement import Arrangement, free, is_free
from wiesel.analysis.tape import Operation

Shape = tuple[int, ...]
Rule = Callable[[list[Arrangement], Operation, list[Shape]], list[Arrangement]]
"""Arrangements of the inputs, the operation, shapes of the outputs -> arrangements of the outputs."""


class NoRule(Exception):
    """There is no rule for this operation, or not for this form of it."""


def broadcast(state: Arrangement, shape: Shape) -> Arrangement:
    """Dimensions of size 1, or none, as many times as a constant of that shape has them."""
    dimensions = ((),) * (len(shape) - len(state.dimensions)) + state.dimensions
    return replace(
        state,
        dimensions=tuple(
            free(size) if is_free(dimension) or prod(atom.size for atom in dimension) != size else dimension
            for dimension, size in zip(dimensions, shape, strict=True)
        ),
    )


def dims_of(dim: Any, state: Arrangement) -> tuple[int, ...]:
    if dim is None:
        return tuple(range(len(state.dimensions)))
    if isinstance(dim, int):
        return (dim,)
    if isinstance(dim, tuple):
        return dim
    raise NoRule
