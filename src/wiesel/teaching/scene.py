"""The picture that is there when nobody brings one: drawn by code, so free of rights and the same on every machine.

A house under a sun, made for filters: upright and level edges (walls, windows), slanted ones (roof), every direction at once (sun,
hill), smooth parts (sky), fine stripes (fence) and stripes that grow finer (water). No letters, so that it means nothing when mirrored.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

SIDE = 128
FINER = 4
"""Points per pixel along each axis; their mean makes smooth edges."""


@cache
def scene() -> NDArray[np.float64]:
    """(128, 128, 3): red, green, blue from 0 to 1. Drawn once, and read-only."""
    points = (np.arange(SIDE * FINER) + 0.5) / FINER
    y, x = np.meshgrid(points, points, indexing="ij")
    colours = np.empty((*x.shape, 3))

    sky = np.clip(y / 96, 0, 1)[..., None]
    colours[:] = (1 - sky) * np.array([0.36, 0.58, 0.86]) + sky * np.array([0.86, 0.92, 0.97])
    _paint(colours, (x - 26) ** 2 + (y - 26) ** 2 < 14**2, (0.99, 0.88, 0.35))
    _paint(colours, y > 84 - 16 * np.exp(-(((x - 104) / 26) ** 2)), (0.35, 0.55, 0.30))
    _paint(colours, y > 92, (0.46, 0.66, 0.33))

    wall = (x > 40) & (x < 92) & (y > 58) & (y < 104)
    _paint(colours, wall, (0.93, 0.86, 0.74))
    _paint(colours, (y < 58) & (y > 26 + np.abs(x - 66) * 32 / 34), (0.66, 0.24, 0.18))
    _paint(colours, (x > 80) & (x < 87) & (y > 26) & (y < 46), (0.45, 0.20, 0.17))
    _paint(colours, (x > 60) & (x < 73) & (y > 78) & (y < 104), (0.38, 0.24, 0.14))
    for left in (45, 77):
        pane = (x > left) & (x < left + 11) & (y > 66) & (y < 80)
        _paint(colours, pane, (0.20, 0.29, 0.40))
        cross = (np.abs(x - left - 5.5) < 0.75) | (np.abs(y - 73) < 0.75)
        _paint(colours, pane & cross, (0.97, 0.96, 0.93))

    fence = (x < 38) & (y > 88) & (y < 104)
    _paint(colours, fence & ((x % 4 < 2) | (np.abs(y - 92.5) < 1) | (np.abs(y - 99.5) < 1)), (0.97, 0.96, 0.94))
    water = y > 110
    waves = 0.5 + 0.32 * np.cos(2 * np.pi * (x / 24 + (x / 64) ** 2 * 3.6))  # from a wave of 24 pixels to one of 4
    colours[water] = (waves[..., None] * np.array([0.62, 0.84, 1.0]))[water]
    means: NDArray[np.float64] = colours.reshape(SIDE, FINER, SIDE, FINER, 3).mean((1, 3))
    means.setflags(write=False)
    return means


def _paint(colours: NDArray[np.float64], where: NDArray[np.bool_], colour: tuple[float, float, float]) -> None:
    colours[where] = colour
