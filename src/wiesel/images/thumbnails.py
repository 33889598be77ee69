"""Small grey versions of pictures and what they look like through windows: the ground on which likeness is measured.

A thumbnail is 32 x 32. Whatever is done to it (its low frequencies, a part of it enlarged) is a matrix from the left and one from
the right, so a whole data set is one matrix product, and a mirror image is a change of signs.
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

SIDE = 32
FREQUENCIES = 8
"""Lowest frequencies of the cosine transform per direction; the constant is left out, so a brighter copy is the same."""

_SPECTRUM = 16
_CHUNK = 2048
_GREY = np.array([0.299, 0.587, 0.114], np.float32)

Floats = NDArray[np.float32]


class Window(NamedTuple):
    """A square part of a thumbnail, in its pixels. It may reach over the edge, whose pixels are then repeated."""

    top: float
    left: float
    side: float


WHOLE = Window(0, 0, SIDE)


def thumbnails(pixels: NDArray[np.uint8]) -> NDArray[np.float16]:
    """uint8 (N, H, W, C) -> grey levels 0..255 as float16 (N, 32, 32), averaged over areas."""
    small = np.empty((len(pixels), SIDE, SIDE), np.float16)
    rows, columns = (resampling(size, 0, size) for size in pixels.shape[1:3])
    for start in range(0, len(pixels), _CHUNK):
        part = pixels[start : start + _CHUNK]
        grey = part[..., 0].astype(np.float32) if part.shape[3] == 1 else part @ _GREY
        small[start : start + _CHUNK] = grey if grey.shape[1:] == (SIDE, SIDE) else rows @ grey @ columns.T
    return small


def resampling(size: int, start: float, length: float) -> Floats:
    """(32, size): `length` pixels from `start` on brought to 32, with triangular weights that widen with the reduction."""
    step = length / SIDE
    centres = np.clip(start + (np.arange(SIDE) + 0.5) * step - 0.5, 0, size - 1)
    weights = np.maximum(0, 1 - np.abs(centres[:, None] - np.arange(size)) / max(step, 1.0))
    normed: Floats = (weights / weights.sum(axis=1, keepdims=True)).astype(np.float32)
    return normed


@cache
def enlarging(start: float, length: float) -> Floats:
    """(32, 32), see `resampling`."""
    return resampling(SIDE, start, length)


def _cosines(number: int) -> Floats:
    """(number, 32): the first rows of the orthonormal cosine transform (DCT-II)."""
    table = np.cos(np.pi * np.outer(np.arange(number), (np.arange(SIDE) + 0.5) / SIDE)) * np.sqrt(2 / SIDE)
    table[0] /= np.sqrt(2)
    single: Floats = table.astype(np.float32)
    return single


def spectra(small: NDArray[np.floating]) -> Floats:
    """(N, 32, 32) -> (N, 256): the 16 x 16 lowest frequencies, row by row. All that follows is linear in them."""
    found = np.empty((len(small), _SPECTRUM**2), np.float32)
    cosines = _cosines(_SPECTRUM)
    for start in range(0, len(small), _CHUNK):
        part = small[start : start + _CHUNK].astype(np.float32)
        rows = part.reshape(-1, SIDE) @ cosines.T
        found[start : start + _CHUNK] = (cosines @ rows.reshape(len(part), SIDE, _SPECTRUM)).reshape(len(part), -1)
    return found


@cache
def through(window: Window) -> Floats:
    """(256, 63): from a spectrum to the 8 x 8 lowest frequencies, without the constant, of what is in the window."""
    vertical, horizontal = (
        _cosines(FREQUENCIES) @ enlarging(start, window.side) @ _cosines(_SPECTRUM).T for start in (window.top, window.left)
    )
    matrix: Floats = np.kron(vertical, horizontal)[1:].T
    return np.ascontiguousarray(matrix)


def mirror(number: int) -> Floats:
    """(number²,): times frequencies row by row (8: what comes through a window, 16: a spectrum), those of the mirror image."""
    return np.where(np.arange(number**2) % number % 2, -1, 1).astype(np.float32)


def likeness(first: Floats, second: Floats) -> Floats:
    """How alike thumbnails (N, 32, 32) are, in pairs, at most 1: the smallest of three normalised correlations.

    Of the pictures, of their middle frequencies, and, more mildly, of their finest: things of one kind share the coarse shape, only
    copies share the detail. What a JPEG of low quality loses is mostly in the finest, so its distance from 1 counts a quarter.
    """
    blurred = _blurred(first), _blurred(second)
    middle = _correlation(blurred[0] - _blurred(_blurred(blurred[0])), blurred[1] - _blurred(_blurred(blurred[1])))
    fine = _correlation(first - blurred[0], second - blurred[1])
    smallest: Floats = np.minimum(np.minimum(_correlation(first, second), middle), 1 - (1 - fine) / 4)
    return smallest


def _correlation(first: Floats, second: Floats) -> Floats:
    a = first - first.mean(axis=(1, 2), keepdims=True)
    b = second - second.mean(axis=(1, 2), keepdims=True)
    products = np.einsum("nij,nij->n", a, b)
    found: Floats = products / np.sqrt(np.einsum("nij,nij->n", a, a) * np.einsum("nij,nij->n", b, b) + 1e-6)
    return found


def _blurred(small: Floats) -> Floats:
    """Means over 3 x 3 pixels, the edge repeated."""
    wide = np.pad(small, ((0, 0), (1, 1), (1, 1)), mode="edge")
    rows = wide[:, :-2] + wide[:, 1:-1] + wide[:, 2:]
    means: Floats = (rows[:, :, :-2] + rows[:, :, 1:-1] + rows[:, :, 2:]) / np.float32(9)
    return means
