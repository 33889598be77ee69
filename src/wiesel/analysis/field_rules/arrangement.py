"""Where rows and columns of a map are, in a tensor of any shape.

A convolution has them in the last two dimensions, a transformer as tokens in one, windowed attention cuts both in pieces and puts
some into the batch. So every dimension is a list of atoms, as in an `einops` pattern: (h 8)(w 8) for a map, (h 8, w 8) for tokens;
`view` of 8 rows as 2 windows of 4 makes (h 2, weight 4)(h 4, weight 1), and the weights tell how to put rows together again.

    kind "h", "w"    a part of the rows or columns; index = sum of index in atom * weight
    kind "f"         free: channels, heads, batch
    kind "s"         rows and columns that were mixed up with others, as when a class token is put in front of them
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from itertools import count
from math import prod
from typing import NamedTuple

import numpy as np

from wiesel.analysis.field_rules.axes import Axis, Kind, picture, whole


class Atom(NamedTuple):
    kind: str
    size: int
    weight: int = 0


Dimension = tuple[Atom, ...]
_mixtures = count(1)


@dataclass(frozen=True)
class Arrangement:
    """The dimensions of a tensor, and what its rows and columns see."""

    dimensions: tuple[Dimension, ...]
    rows: Axis
    columns: Axis
    mixture: int = 0
    """Which "s" this is: tensors with the same number have their tokens in the same order."""
    unknown: str = ""
    """The operation after which nothing is known, if any."""

    def axis(self, kind: str) -> Axis:
        return self.rows if kind == "h" else self.columns

    def with_axis(self, kind: str, axis: Axis) -> Arrangement:
        return replace(self, rows=axis) if kind == "h" else replace(self, columns=axis)

    def with_dimension(self, dimension: int, atoms: Dimension) -> Arrangement:
        found = list(self.dimensions)
        found[dimension] = atoms
        return replace(self, dimensions=tuple(found))

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(prod(atom.size for atom in dimension) for dimension in self.dimensions)

    @property
    def is_whole(self) -> bool:
        return self.rows.kind is Kind.WHOLE and self.columns.kind is Kind.WHOLE

    def atoms(self, kind: str) -> list[Atom]:
        """Those of one kind, the outermost (of largest weight) first."""
        found = [atom for dimension in self.dimensions for atom in dimension if atom.kind == kind]
        return sorted(found, key=lambda atom: -atom.weight)

    def single(self, dimension: int) -> str:
        """ "h" or "w" if a dimension is all rows or all columns in their order and nothing else; else ""."""
        atoms = self.dimensions[dimension]
        if len(atoms) == 1 and atoms[0].kind in "hw" and atoms[0].size == len(self.axis(atoms[0].kind)):
            return atoms[0].kind
        return ""


def free(size: int) -> Dimension:
    return () if size == 1 else (Atom("f", size),)


def is_free(dimension: Dimension) -> bool:
    return all(atom.kind == "f" for atom in dimension)


def of_picture(shape: tuple[int, ...]) -> Arrangement:
    batch, channels, height, width = shape
    dimensions = (free(batch), free(channels), (Atom("h", height, 1),), (Atom("w", width, 1),))
    return Arrangement(dimensions, picture(height), picture(width))


def everything(shape: tuple[int, ...], like: Arrangement, kind: Kind = Kind.WHOLE) -> Arrangement:
    """A tensor of which every element sees the whole picture."""
    rows, columns = whole(like.rows.extent, kind=kind), whole(like.columns.extent, kind=kind)
    return Arrangement(tuple(free(size) for size in shape), rows, columns)


def nothing_known(shape: tuple[int, ...], like: Arrangement, operation: str) -> Arrangement:
    return replace(everything(shape, like, Kind.BOUND), unknown=like.unknown or operation)


def mixed(state: Arrangement, dimensions: Collection[int], keep: bool, operation: str) -> Arrangement:
    """All positions along `dimensions` see what any of them sees. `keep`: they stay positions (softmax); else they are gone (mean)."""
    chosen = {dimension % len(state.dimensions) for dimension in dimensions}
    inside = [atom for dimension in chosen for atom in state.dimensions[dimension]]
    if any(atom.kind == "s" for atom in inside):
        if sum(atom.kind == "s" for atom in inside) == len(state.atoms("s")):
            return everything(tuple(1 if i in chosen and not keep else size for i, size in enumerate(state.shape)), state)
        return nothing_known(state.shape, state, operation)
    for kind in "hw":
        state = _mixed_axis(state, kind, chosen, keep)
    if not keep:
        for dimension in chosen:
            state = state.with_dimension(dimension, ())
    return state


def _mixed_axis(state: Arrangement, kind: str, chosen: set[int], keep: bool) -> Arrangement:
    atoms = state.atoms(kind)
    gone = {atom.weight for dimension in chosen for atom in state.dimensions[dimension] if atom.kind == kind}
    if not gone:
        return state
    axis = state.axis(kind)
    if len(gone) == len(atoms):
        merged = axis.gather(np.arange(len(axis))[None, :], axis.stride)
        spread = np.zeros(len(axis) if keep else 1, np.int64)
        found = whole(axis.extent)
        return state.with_axis(kind, replace(found, first=merged.first[spread], last=merged.last[spread]))
    sizes = [atom.size for atom in atoms]
    places = [place for place, atom in enumerate(atoms) if atom.weight in gone]
    stay = [place for place in range(len(atoms)) if place not in places]
    grid = np.arange(len(axis)).reshape(sizes)
    groups = grid.transpose([*stay, *places]).reshape(prod(sizes[place] for place in stay), -1)
    if keep:
        group_of = np.empty(len(axis), np.int64)
        group_of[groups] = np.arange(len(groups))[:, None]
        return state.with_axis(kind, axis.gather(groups[group_of], axis.stride))
    step = int(groups[1, 0] - groups[0, 0]) if len(groups) > 1 else 1
    state = state.with_axis(kind, axis.gather(groups, axis.stride * step))
    weights, weight = {}, 1
    for place in reversed(stay):
        weights[atoms[place].weight] = weight
        weight *= sizes[place]
    return _reweighted(state, kind, weights)


def _reweighted(state: Arrangement, kind: str, weights: dict[int, int]) -> Arrangement:
    return replace(
        state,
        dimensions=tuple(
            tuple(
                atom._replace(weight=weights[atom.weight]) if atom.kind == kind and atom.weight in weights else atom
                for atom in dimension
            )
            for dimension in state.dimensions
        ),
    )


def permuted(state: Arrangement, order: Sequence[int]) -> Arrangement:
    return replace(state, dimensions=tuple(state.dimensions[dimension] for dimension in order))


def reshaped(state: Arrangement, shape: tuple[int, ...]) -> Arrangement:
    """In row-major order, as `view` does it. If a dimension would hold a part of an atom that does not divide it: a mixture."""
    waiting = _merged([atom for dimension in state.dimensions for atom in dimension])
    dimensions: list[Dimension] = []
    for place, size in enumerate(shape):
        taken: list[Atom] = []
        left = size
        while waiting and (left > 1 or (waiting[0].size == 1 and (not taken or shape[place + 1 : place + 2] != (1,)))):
            if left == 1 and size == 1 and taken:
                break
            atom = waiting.pop(0)
            if left % atom.size == 0:
                left //= atom.size
                taken.append(atom)
            elif atom.size % left == 0:
                inner = atom.size // left
                taken.append(atom._replace(size=left, weight=atom.weight * inner))
                waiting.insert(0, atom._replace(size=inner))
                left = 1
            else:
                return scrambled(state, shape)
        dimensions.append(tuple(_merged(taken)))
    if waiting and dimensions:  # of size 1
        dimensions[-1] = tuple(_merged([*dimensions[-1], *waiting]))
    return replace(state, dimensions=tuple(dimensions))


def _merged(atoms: list[Atom]) -> list[Atom]:
    found: list[Atom] = []
    for atom in atoms:
        last = found[-1] if found else None
        if last is not None and last.kind == atom.kind and (atom.kind in "fs" or last.weight == atom.size * atom.weight):
            found[-1] = Atom(atom.kind, last.size * atom.size, atom.weight)
        else:
            found.append(atom)
    return found


def scrambled(state: Arrangement, shape: tuple[int, ...] | None = None, dimensions: Collection[int] = ()) -> Arrangement:
    """Which row or column is where is lost; how much each sees is not. In the given dimensions or, with a new shape, in all."""
    if shape is None:
        marked = {dimension % len(state.dimensions) for dimension in dimensions}
        marked |= {place for place, dimension in enumerate(state.dimensions) if not is_free(dimension)}
        shape = state.shape
    else:
        marked = set(range(len(shape)))
    found = tuple((Atom("s", size),) if place in marked and size > 1 else free(size) for place, size in enumerate(shape))
    return Arrangement(found, _somewhere(state.rows), _somewhere(state.columns), next(_mixtures), state.unknown)


def _somewhere(axis: Axis) -> Axis:
    return replace(whole(axis.extent), size=axis.size, kind=axis.at_most().kind)


def together(left: Arrangement, right: Arrangement) -> Arrangement:
    """Two tensors of one element-wise operation, with broadcasting."""
    rank = max(len(left.dimensions), len(right.dimensions))
    left = replace(left, dimensions=((),) * (rank - len(left.dimensions)) + left.dimensions)
    right = replace(right, dimensions=((),) * (rank - len(right.dimensions)) + right.dimensions)
    shape = tuple(max(sizes) for sizes in zip(left.shape, right.shape, strict=True))
    if left.unknown or right.unknown:
        return nothing_known(shape, left if left.unknown else right, "")
    if left.is_whole or right.is_whole:
        return everything(shape, left)
    if left.atoms("s") or right.atoms("s"):
        same = left.mixture == right.mixture and left.dimensions == right.dimensions
        if not same:
            return everything(shape, left, Kind.BOUND)
    for kind in "hw":
        left, right = _aligned(left, right, kind)
    dimensions = []
    for size, here, there in zip(shape, left.dimensions, right.dimensions, strict=True):
        chosen = here if not is_free(here) else there if not is_free(there) else free(size)
        dimensions.append(chosen)
    rows, columns = left.rows.union(right.rows), left.columns.union(right.columns)
    if any(axis.is_blind_somewhere for axis in (left.rows, left.columns, right.rows, right.columns)):
        # Whoever sees nothing in one direction adds nothing in the other either, but the two are kept apart here.
        rows, columns = rows.at_most(), columns.at_most()
    return replace(left, dimensions=tuple(dimensions), rows=rows, columns=columns)


def _aligned(left: Arrangement, right: Arrangement, kind: str) -> tuple[Arrangement, Arrangement]:
    """Both with the same positions along one axis."""
    here, there = _places(left, kind), _places(right, kind)
    if there.keys() <= here.keys():
        return left, right.with_axis(kind, _spread(right.axis(kind), here, there, len(left.axis(kind))))
    if here.keys() <= there.keys():
        return left.with_axis(kind, _spread(left.axis(kind), there, here, len(right.axis(kind)))), right
    # Rows of one stand where the other has columns or other rows (a table of all pairs): only the picture is a bound.
    positions = len(left.axis(kind))
    return left, _freed(right, kind).with_axis(kind, whole(right.axis(kind).extent, positions, Kind.BOUND))


def _places(state: Arrangement, kind: str) -> dict[tuple[int, int, int], int]:
    """Weights of the atoms of a kind, by the place where they stand: dimension, size of what is inside it, own size."""
    found = {}
    for number, dimension in enumerate(state.dimensions):
        inside = 1
        for atom in reversed(dimension):
            if atom.kind == kind:
                found[number, inside, atom.size] = atom.weight
            inside *= atom.size
    return found


def _spread(axis: Axis, more: dict[tuple[int, int, int], int], fewer: dict[tuple[int, int, int], int], positions: int) -> Axis:
    """An axis with the positions of another that has more atoms (or the same)."""
    if more == fewer:
        return axis
    source = np.zeros(positions, np.int64)
    for place, weight in more.items():
        if place in fewer:
            source += np.arange(positions) // weight % place[2] * fewer[place]
    return axis.gather(source[:, None], axis.stride)


def _freed(state: Arrangement, kind: str) -> Arrangement:
    dimensions = tuple(
        tuple(Atom("f", atom.size) if atom.kind == kind else atom for atom in dimension if atom.kind != kind or atom.size > 1)
        for dimension in state.dimensions
    )
    return replace(state, dimensions=dimensions)
