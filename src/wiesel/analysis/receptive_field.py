"""Which pixels of the picture a position of a map can see: its theoretical receptive field.

It follows from the operations alone (kernel, stride, padding, dilation, and where branches meet), not from weights. What the
network makes of it is the effective field, see `effective_field.py`. Along a chain of windows, with size r and stride j,

    r' = r + (k - 1) * dilation * j        j' = j * stride        start' = start - padding * j

and where branches meet, the box that holds the boxes of all of them. Source: Araujo, Norris, Sim 2019, doi:10.23915/distill.00021.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from math import ceil
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from wiesel.analysis.field_rules import after
from wiesel.analysis.field_rules.arrangement import Arrangement, of_picture
from wiesel.analysis.field_rules.axes import Axis, Kind
from wiesel.analysis.tape import Tape
from wiesel.errors import BadValue
from wiesel.language import say


class Status(StrEnum):
    EXACT = "exact"
    """The box is the smallest: its first and last row and column are seen (some pixels within may not be)."""
    UPPER_BOUND = "upper bound"
    """A position sees no more than this."""
    WHOLE_INPUT = "whole input"
    """All positions were mixed: a global mean, a linear layer on all of a map, attention over all tokens, a gate made of these."""
    UNKNOWN = "unknown"
    """An operation before it has no rule; `because` names it."""


class Box(NamedTuple):
    """Rows top ... bottom - 1 and columns left ... right - 1 of the picture: `picture[:, top:bottom, left:right]`."""

    top: int
    left: int
    bottom: int
    right: int

    @property
    def is_empty(self) -> bool:
        return self.bottom <= self.top or self.right <= self.left


@dataclass(frozen=True)
class Field:
    """The fields of all positions of one tensor. Pairs are (rows, columns), in pixels."""

    status: Status
    because: str
    """The operation after which nothing is known; "" otherwise."""
    image: tuple[int, int]
    size: tuple[int, int] | None
    """Of the box, as if the picture had no border; the whole picture if `status` says so; None if unknown."""
    stride: tuple[float, float] | None
    """From the box of one position to that of its neighbour (also called jump). None if unknown or if all see the whole."""
    start: tuple[float, float] | None
    """First row and column of the box of position (0, 0); negative in a padding. None as above."""
    positions: tuple[int, int] | None
    """Rows and columns of the map, where it still is one."""
    rows: NDArray[np.int64]
    """(positions, 2): first row and one past the last row that each row of positions sees in the picture. One row if not a map."""
    columns: NDArray[np.int64]

    @property
    def exceeds(self) -> bool:
        """Whether the box is larger than the picture in both directions."""
        return self.size is not None and self.size[0] > self.image[0] and self.size[1] > self.image[1]

    @property
    def centre(self) -> tuple[float, float] | None:
        """Row and column of the middle of the box of position (0, 0), where pixel (0, 0) has its middle at (0, 0)."""
        if self.start is None or self.size is None:
            return None
        return self.start[0] + (self.size[0] - 1) / 2, self.start[1] + (self.size[1] - 1) / 2

    def box(self, row: int, column: int, clipped: bool = True) -> Box:
        """What position (row, column) can see. `clipped`: only what lies in the picture, which is (0, 0, 0, 0) if all is padding.

        Where nothing better is known, the whole picture. Unclipped boxes reach into paddings.

        Raises:
            BadValue: the map has no such position.
        """
        height, width = self.positions or (1, 1)
        for setting, value, count in (("row", row, height), ("column", column, width)):
            if self.positions is not None and not 0 <= value < count:
                raise BadValue(setting=setting, value=value, expected=say(en=f"0 to {count - 1}", de=f"0 bis {count - 1}"))
        if not clipped and self.size is not None and self.stride is not None and self.start is not None:
            top, left = (int(np.floor(s + j * i + 1e-6)) for s, j, i in zip(self.start, self.stride, (row, column), strict=True))
            return Box(top, left, top + self.size[0], left + self.size[1])
        (top, bottom), (left, right) = self.rows[row % len(self.rows)], self.columns[column % len(self.columns)]
        found = Box(int(top), int(left), int(bottom), int(right))
        return Box(0, 0, 0, 0) if found.is_empty else found


def fields(tape: Tape) -> dict[int, Field]:
    """The field of every value of a tape, by its index."""
    states = {tape.input: of_picture(tape.values[tape.input].shape)}
    for operation in tape.operations:
        shapes = [tape.values[index].shape for index in operation.outputs]
        found = after(operation, [states[index] for index in operation.inputs], shapes)
        states.update(zip(operation.outputs, found, strict=True))
    return {index: _field(state) for index, state in sorted(states.items())}


def layer_fields(tape: Tape, known: Mapping[int, Field] | None = None) -> dict[tuple[str, int], Field]:
    """The field of what each module put out, by name and call (from 0), in the order in which calls began; "" is the network.

    Of several outputs, the first. Modules that put out no tensor of the picture, or that failed, are missing.
    """
    known = known or fields(tape)
    return {(call.module, call.call): known[call.outputs[0]] for call in tape.calls if call.outputs}


def first_beyond(tape: Tape, known: Mapping[int, Field] | None = None) -> tuple[str, int] | None:
    """The first layer (a module without modules inside: name, call) whose field is larger than the picture; None if there is none.

    From there on, more depth adds no more picture.
    """
    known = known or fields(tape)
    for place, call in enumerate(tape.calls):
        following = tape.calls[place + 1].module if place + 1 < len(tape.calls) else ""
        is_leaf = not following.startswith(f"{call.module}.") and call.module != ""
        if is_leaf and call.outputs and known[call.outputs[0]].exceeds:
            return call.module, call.call
    return None


def _field(state: Arrangement) -> Field:
    sides = (state.rows, state.columns)
    kinds = [axis.kind for axis in sides]
    if state.unknown:
        status = Status.UNKNOWN
    elif all(kind is Kind.WHOLE for kind in kinds):
        status = Status.WHOLE_INPUT
    elif all(kind is Kind.EXACT for kind in kinds):
        status = Status.EXACT
    else:
        status = Status.UPPER_BOUND
    geometry = status in (Status.EXACT, Status.UPPER_BOUND) and not any(axis.stride == 0 for axis in sides)
    is_map = all(any(atom.kind == kind for atom in dimension) for kind in "hw" for dimension in [state.atoms(kind)])
    return Field(
        status=status,
        because=state.unknown,
        image=(state.rows.extent, state.columns.extent),
        size=None if state.unknown else (_size(state.rows), _size(state.columns)),
        stride=(state.rows.stride, state.columns.stride) if geometry else None,
        start=(state.rows.start, state.columns.start) if geometry else None,
        positions=(len(state.rows), len(state.columns)) if is_map else None,
        rows=_intervals(state.rows),
        columns=_intervals(state.columns),
    )


def _size(axis: Axis) -> int:
    return ceil(axis.size - 1e-6)


def _intervals(axis: Axis) -> NDArray[np.int64]:
    sees = axis.last >= axis.first
    return np.stack([np.where(sees, axis.first, 0), np.where(sees, axis.last + 1, 0)], axis=1)
