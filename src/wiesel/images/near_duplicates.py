"""Pictures that are nearly the same: encoded again, mirrored, slightly cropped or shifted.

1. Low frequencies of each picture, of its mirror image and of nine parts of both (20 versions) are directions in 63 dimensions.
2. `cells` finds, for each version, the pictures that point nearly the same way: candidates.
3. Each candidate is aligned (the best window) and compared in all frequencies (`thumbnails.likeness`).
4. How alike two pictures must be depends on the data: their difference may be a twentieth of what usually lies between a picture
   and its nearest neighbour, so that clothes of 28 x 28 pixels, which all look alike, are not called copies of each other.

The same pictures always give the same answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from wiesel.images.cells import Cells, Rows
from wiesel.images.thumbnails import SIDE, WHOLE, Floats, Window, enlarging, likeness, mirror, spectra, through, thumbnails

How = Literal["same", "mirrored", "cropped", "mirrored and cropped"]
HOWS: tuple[How, ...] = ("same", "mirrored", "cropped", "mirrored and cropped")

MOST_DIFFERENCE = 0.04
LEAST_DIFFERENCE = 0.002
"""Bounds of the difference (1 - likeness) that the data decides."""
PART = 0.05
"""Of the usual difference between nearest neighbours."""

_FLAT = 2.0
"""Grey levels of deviation below which a picture has nothing to compare."""
_WHOLE_LEAST, _PART_LEAST = 0.98, 0.75
"""Cosines from which on a candidate is looked at."""
_MOST_ALIGNED = 12_000
"""Candidates for parts that are aligned, the most promising first."""
_SAMPLE = 1000

_CROP = 0.875 * SIDE
_PARTS = [Window(top, left, _CROP) for top, left in product((0, (SIDE - _CROP) / 2, SIDE - _CROP), repeat=2)]
_VERSIONS = [(window, mirrored) for window in (WHOLE, *_PARTS) for mirrored in (False, True)]
_ALIGNMENTS = (
    [WHOLE]
    + [Window(float(y), float(x), float(SIDE)) for y in (-1, 0, 1) for x in (-1, 0, 1) if (y, x) != (0, 0)]
    + [
        Window(float(y), float(x), float(side))
        for side in range(26, SIDE)
        for y in range(SIDE - side + 1)
        for x in range(SIDE - side + 1)
    ]
)
_ALL = range(len(_ALIGNMENTS))
_COARSE = [number for number, place in enumerate(_ALIGNMENTS) if all(value % 2 == 0 or place.side == SIDE for value in place)]
"""Near enough to see whether the others are worth trying."""
_SUBPIXEL = 0.03
"""What half a pixel may cost in likeness."""
_HALVES = [shift for shift in product((-0.5, 0.0, 0.5), repeat=3) if any(shift)]


class Pair(NamedTuple):
    """Two rows; `second` is `first`, changed as `how` says (cropped: one of them is a part of the other)."""

    first: int
    second: int
    how: How
    likeness: float
    """At most 1; see `thumbnails.likeness`."""


class Found(NamedTuple):
    pairs: list[Pair]
    """The most alike first; each pair once."""
    difference: float
    """1 - likeness up to which a pair counted."""
    usual: float
    """1 - likeness of a picture and its nearest neighbour: the lower quartile, which a quarter of copies does not move."""


def near_duplicates(pixels: NDArray[np.uint8]) -> Found:
    """Pairs of nearly equal pictures among uint8 (N, H, W, C)."""
    return pairs_of(thumbnails(pixels))


def pairs_of(small: NDArray[np.float16], *, between: NDArray[np.bool_] | None = None) -> Found:
    """Pairs of nearly equal thumbnails (N, 32, 32).

    Args:
        between: (N,): only pairs of which one picture is marked and the other is not, such as of a test split and the rest.
    """
    deviation = small.reshape(len(small), SIDE * SIDE).std(axis=1, dtype=np.float32)
    usable = np.flatnonzero(deviation > _FLAT)
    if between is None:
        sides = [(usable, usable)]
    else:
        marked, others = usable[between[usable]], usable[~between[usable]]
        sides = [(marked, others), (others, marked)]
    if any(len(base) < 2 or not len(queries) for queries, base in sides):
        return Found([], 0.0, 0.0)
    spectrum = spectra(small)
    weights = _weights(spectrum[usable[:: max(1, len(usable) // 20_000)]] @ through(WHOLE))
    whole, parts = [], []
    for queries, base in sides:
        one, other = _candidates(spectrum, queries, base, weights)
        whole.append(one)
        parts.append(other)
    usual = _usual(small, np.concatenate(whole))
    difference = float(np.clip(PART * usual, LEAST_DIFFERENCE, MOST_DIFFERENCE))
    found = [*_compared(small, _deduplicated(np.concatenate(whole), _WHOLE_LEAST), 1 - difference)]
    found += _aligned(small, spectrum, _deduplicated(np.concatenate(parts), _PART_LEAST), 1 - difference)
    best: dict[tuple[int, int], Pair] = {}
    for pair in sorted(found, key=lambda pair: (len(pair.how), -pair.likeness, pair.first, pair.second)):  # the simplest way
        best.setdefault((min(pair[:2]), max(pair[:2])), pair)
    return Found(sorted(best.values(), key=lambda pair: (-pair.likeness, pair.first, pair.second)), difference, usual)


_CANDIDATE = np.dtype([("first", np.int64), ("second", np.int64), ("version", np.int64), ("cosine", np.float32)])


def _weights(frequencies: Floats) -> Floats:
    """(63,): between plain (coarse shapes decide) and whitened (noise decides): one over the square root of each deviation."""
    weights: Floats = 1 / np.sqrt(frequencies.std(axis=0) + 1e-3)
    return weights


def _directions(frequencies: Floats, weights: Floats) -> Floats:
    return _unit(frequencies * weights)


def _candidates(spectrum: Floats, queries: Rows, base: Rows, weights: Floats) -> tuple[NDArray[np.void], NDArray[np.void]]:
    """The best neighbours of each query as a whole (plain and mirrored), and of its parts."""
    cells = Cells(_directions(spectrum[base] @ through(WHOLE), weights))
    place = np.full(len(spectrum), -1, np.int64)
    place[base] = np.arange(len(base))
    own = place[queries] if np.array_equal(queries, base) else None
    whole: list[NDArray[np.void]] = []
    parts: list[NDArray[np.void]] = []
    asked = spectrum[queries]
    for number, (window, mirrored) in enumerate(_VERSIONS):
        frequencies = asked @ through(window)
        directions = _directions(frequencies * mirror(8)[1:] if mirrored else frequencies, weights)
        if window == WHOLE:  # all nearest neighbours of plain pictures, for they say what is usual
            found = cells.neighbours(directions, own, least=_WHOLE_LEAST if mirrored else 0, most=3)
        else:
            found = cells.neighbours(directions, own, least=_PART_LEAST, most=2)
        rows = np.empty(len(found[0]), _CANDIDATE)
        rows["first"], rows["second"], rows["version"], rows["cosine"] = queries[found[0]], base[found[1]], number, found[2]
        (whole if window == WHOLE else parts).append(rows)
    return np.concatenate(whole), _top(np.concatenate(parts), 3)


def _top(rows: NDArray[np.void], number: int) -> NDArray[np.void]:
    """The `number` best candidates of each first picture."""
    rows = rows[np.lexsort((-rows["cosine"], rows["first"]))]
    _, starts, counts = np.unique(rows["first"], return_index=True, return_counts=True)
    rank = np.arange(len(rows)) - np.repeat(starts, counts)
    return rows[rank < number]


def _deduplicated(rows: NDArray[np.void], least: float) -> NDArray[np.void]:
    """Each pair and version once (a whole picture in either order), the best first."""
    rows = rows[rows["cosine"] > least]
    rows = rows[np.lexsort((rows["second"], rows["first"], -rows["cosine"]))]
    low, high = np.minimum(rows["first"], rows["second"]), np.maximum(rows["first"], rows["second"])
    turned = (rows["version"] >= 2) & (rows["first"] == high)
    keys = ((low << 31 | high) * len(_VERSIONS) + rows["version"]) * 2 + turned if len(rows) else low
    _, once = np.unique(keys, return_index=True)
    return rows[np.sort(once)]


def _usual(small: NDArray[np.float16], rows: NDArray[np.void]) -> float:
    """Difference between a picture and its nearest neighbour, as a whole and unmirrored: the lower quartile over a thousand."""
    plain = _top(rows[rows["version"] == 0], 1)
    plain = plain[:: max(1, len(plain) // _SAMPLE)]
    if not len(plain):
        return 1.0
    alike = likeness(small[plain["first"]].astype(np.float32), small[plain["second"]].astype(np.float32))
    return float(np.quantile(1 - alike, 0.25))


def _compared(small: NDArray[np.float16], rows: NDArray[np.void], least: float) -> list[Pair]:
    """Whole pictures, compared as they lie."""
    pairs = []
    for start in range(0, len(rows), 2048):
        part = rows[start : start + 2048]
        mirrored = part["version"] == 1
        first, second = small[part["first"]].astype(np.float32), small[part["second"]].astype(np.float32)
        first[mirrored] = first[mirrored, :, ::-1]
        alike = likeness(first, second)
        for at in np.flatnonzero(alike >= least):
            pairs.append(Pair(int(part["first"][at]), int(part["second"][at]), HOWS[int(mirrored[at])], float(alike[at])))
    return pairs


def _aligned(small: NDArray[np.float16], spectrum: Floats, rows: NDArray[np.void], least: float) -> list[Pair]:
    """Parts of pictures: the best window by low frequencies, then the likeness in it."""
    pairs = []
    hopeful = rows[:_MOST_ALIGNED]
    for start in range(0, len(hopeful), 512):
        part = hopeful[start : start + 512]
        mirrored = part["version"] % 2 == 1
        first, second = small[part["first"]].astype(np.float32), small[part["second"]].astype(np.float32)
        first[mirrored] = first[mirrored, :, ::-1]
        one, other = spectrum[part["first"]], spectrum[part["second"]]
        window, cosine = _best_windows(one, other, mirrored, _COARSE)
        close = np.flatnonzero(cosine > least - 0.04)
        window[close], cosine[close] = _best_windows(one[close], other[close], mirrored[close], _ALL)
        chosen = np.flatnonzero(cosine > least)
        places = [_ALIGNMENTS[number] for number in window[chosen]]
        alike = likeness(_seen(first[chosen], places), second[chosen])
        missed = np.flatnonzero((alike < least) & (alike > least - _SUBPIXEL))
        for shift in _HALVES if len(missed) else ():
            moved = [Window(*(a + b for a, b in zip(places[at], shift, strict=True))) for at in missed]
            again = likeness(_seen(first[chosen[missed]], moved), second[chosen[missed]])
            alike[missed] = np.maximum(alike[missed], again)
        for at in np.flatnonzero(alike >= least):
            row = chosen[at]
            pairs.append(Pair(int(part["first"][row]), int(part["second"][row]), HOWS[int(mirrored[row]) + 2], float(alike[at])))
    return pairs


def _seen(small: Floats, places: Sequence[Window]) -> Floats:
    """Each thumbnail through its own window."""
    if not places:
        return small
    vertical = np.stack([enlarging(place.top, place.side) for place in places])
    horizontal = np.stack([enlarging(place.left, place.side) for place in places])
    return np.asarray(vertical @ small @ horizontal.transpose(0, 2, 1), np.float32)


def _best_windows(first: Floats, second: Floats, mirrored: NDArray[np.bool_], numbers: Sequence[int]) -> tuple[Rows, Floats]:
    """Per pair of spectra the alignment (of these) of the first picture, mirrored or not, that is most like the second; its cosine."""
    target = _unit(second @ through(WHOLE))
    turned: Floats = np.where(mirrored[:, None], first * mirror(16), first)
    best = np.full(len(first), -2, np.float32)
    window = np.zeros(len(first), np.int64)
    for number in numbers:
        cosine = np.einsum("nd,nd->n", _unit(turned @ through(_ALIGNMENTS[number])), target)
        better = cosine > best
        best[better], window[better] = cosine[better], number
    return window, best


def _unit(frequencies: Floats) -> Floats:
    unit: Floats = frequencies / np.maximum(np.linalg.norm(frequencies, axis=1, keepdims=True), 1e-6)
    return unit
