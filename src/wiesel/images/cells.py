"""Nearest neighbours among many directions: an inverted file. Only cells that a query points to are compared, as matrix products.

Source: Sivic, Zisserman 2003; Jégou, Douze, Schmid 2011, "Product quantization for nearest neighbor search", section IV.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from wiesel.images.thumbnails import Floats

_MOST_CELLS = 1024
_FEW = 4096
"""Up to here all are compared with all."""
_PROBES = 4
"""Cells that a query is compared with."""
_CHUNK = 8192

Rows = NDArray[np.int64]


class Cells:
    """Directions (N, D) of length 1, sorted into cells around some of them."""

    def __init__(self, directions: Floats, *, seed: int = 0) -> None:
        count = len(directions)
        number = 1 if count <= _FEW else int(min(2 * np.sqrt(count), _MOST_CELLS))
        centres = directions[np.random.default_rng(seed).choice(count, number, replace=False)]
        for _ in range(2):  # k-means: two rounds even the cells out
            cell = _nearest(directions, centres, 1)[:, 0]
            order = np.argsort(cell, kind="stable")
            filled, starts = np.unique(cell[order], return_index=True)
            sums = np.add.reduceat(directions[order], starts, axis=0)
            centres = centres.copy()
            centres[filled] = sums / np.maximum(np.linalg.norm(sums, axis=1, keepdims=True), 1e-9)
        self.centres = centres
        self.cell = _nearest(directions, centres, 1)[:, 0]
        self.members = np.argsort(self.cell, kind="stable")
        self.starts = np.searchsorted(self.cell[self.members], np.arange(number + 1))
        self.place = np.empty(count, np.int64)
        self.place[self.members] = np.arange(count)
        self.directions = directions[self.members]

    def neighbours(self, queries: Floats, own: Rows | None, *, least: float, most: int) -> tuple[Rows, Rows, Floats]:
        """Neighbours of each query with a cosine above `least`, up to `most` per cell: query rows, rows of the directions, cosines.

        `own` (one per query): the row that is never its neighbour, because it is the picture itself.
        """
        probed = _nearest(queries, self.centres, min(_PROBES, len(self.centres)))
        order = np.argsort(probed, axis=None, kind="stable")
        rows = order // probed.shape[1]
        starts = np.searchsorted(probed.reshape(-1)[order], np.arange(len(self.centres) + 1))
        found: list[tuple[Rows, Rows, Floats]] = []
        for cell in range(len(self.centres)):
            low, high = self.starts[cell], self.starts[cell + 1]
            if low == high:
                continue
            for start in range(starts[cell], starts[cell + 1], _CHUNK):
                asked = rows[start : min(start + _CHUNK, starts[cell + 1])]
                cosines = queries[asked] @ self.directions[low:high].T
                if own is not None:
                    here = np.flatnonzero(self.cell[own[asked]] == cell)
                    cosines[here, self.place[own[asked[here]]] - low] = -2
                found += self._best(cosines, asked, low, least, most)
        if not found:
            return np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0, np.float32)
        first, second, cosine = (np.concatenate(parts) for parts in zip(*found, strict=True))
        return first, second, cosine

    def _best(self, cosines: Floats, asked: Rows, low: int, least: float, most: int) -> list[tuple[Rows, Rows, Floats]]:
        found = []
        each = np.arange(len(asked))
        for _ in range(min(most, cosines.shape[1])):
            best = cosines.argmax(axis=1)
            value = cosines[each, best]
            good = value > least
            found.append((asked[good], self.members[low + best[good]], value[good]))
            cosines[each, best] = -2
        return found


def _nearest(directions: Floats, centres: Floats, number: int) -> Rows:
    """(N, number): the centres with the largest cosines, the nearest first."""
    found = np.empty((len(directions), number), np.int64)
    for start in range(0, len(directions), _CHUNK):
        cosines = directions[start : start + _CHUNK] @ centres.T
        each = np.arange(len(cosines))
        for place in range(number):
            best = cosines.argmax(axis=1)
            found[start : start + _CHUNK, place] = best
            cosines[each, best] = -2
    return found
