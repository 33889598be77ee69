"""Pictures that stand out by themselves: almost one grey, very dark, very bright, blurred, of an odd size. Hints, not verdicts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import numpy as np
from numpy.typing import NDArray

UNIFORM = 8
"""Grey levels that 98 of 100 pixels lie within."""
DARK, BRIGHT = 50, 205
"""Grey levels that 99 of 100 pixels do not pass."""
BLURRED = 4.0
"""Robust deviations below the data set's median sharpness."""
STRETCHED = 2.0
"""Times wider or higher than the data set's median shape."""
TINY = 0.5
"""Shorter side in parts of the median's."""

_CHUNK = 2048
_LEAST_SHARPNESS = 0.12
"""Edges (mean size of the second difference) in parts of the contrast; above it nothing is called blurred."""

Oddity = Literal["uniform", "dark", "bright", "blurred"]


def oddities(pixels: NDArray[np.uint8]) -> dict[Oddity, NDArray[np.int64]]:
    """Rows of uint8 (N, H, W, C) that stand out; a uniform picture is only called that."""
    low, high, sharpness = _measured(pixels)
    uniform = high - low <= UNIFORM
    logs = np.log(np.maximum(sharpness, 1e-4))
    usual = logs[~uniform]
    middle = float(np.median(usual)) if len(usual) else 0.0
    spread = 1.4826 * float(np.median(np.abs(usual - middle))) if len(usual) else 0.0
    found: dict[Oddity, NDArray[np.bool_]] = {
        "uniform": uniform,
        "dark": ~uniform & (high <= DARK),
        "bright": ~uniform & (low >= BRIGHT),
        "blurred": ~uniform & (logs < middle - BLURRED * max(spread, 0.05)) & (sharpness < _LEAST_SHARPNESS),
    }
    return {kind: np.flatnonzero(rows) for kind, rows in found.items()}


def _measured(pixels: NDArray[np.uint8]) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
    """Per picture: the grey levels that 1 of 100 pixels lie below and above, and its sharpness."""
    found = np.empty((3, len(pixels)), np.float32)
    for start in range(0, len(pixels), _CHUNK):
        part = pixels[start : start + _CHUNK]
        grey = part[..., 0] if part.shape[3] == 1 else (part @ np.array([77, 150, 29], np.uint16) >> 8).astype(np.uint8)
        flat = grey.reshape(len(grey), -1)
        rank = max(1, flat.shape[1] // 100)
        placed = np.partition(flat, (rank - 1, flat.shape[1] - rank), axis=1)
        found[0, start : start + _CHUNK], found[1, start : start + _CHUNK] = placed[:, rank - 1], placed[:, -rank]
        found[2, start : start + _CHUNK] = _sharpness(grey.astype(np.float32))
    return found[0], found[1], found[2]


def _sharpness(grey: NDArray[np.float32]) -> NDArray[np.float32]:
    contrast = grey.std(axis=(1, 2)) + 1e-3
    if min(grey.shape[1:]) < 3:
        return np.ones(len(grey), np.float32)
    inner = grey[:, 1:-1, 1:-1]
    second = np.abs(grey[:, :-2, 1:-1] + grey[:, 2:, 1:-1] + grey[:, 1:-1, :-2] + grey[:, 1:-1, 2:] - 4 * inner)
    edges: NDArray[np.float32] = second.mean(axis=(1, 2)) / contrast
    return edges


def odd_sizes(sizes: Mapping[str, tuple[int, int]]) -> list[str]:
    """Names whose picture (width, height) is far from the others in shape, or much smaller."""
    if not sizes:
        return []
    values = np.array(list(sizes.values()), np.float64)
    shape = np.log(values[:, 0] / values[:, 1])
    shorter = values.min(axis=1)
    odd = (np.abs(shape - np.median(shape)) > np.log(STRETCHED) + 1e-9) | (shorter < TINY * np.median(shorter))
    return [name for name, is_odd in zip(sizes, odd, strict=True) if is_odd]
