"""Colours of cells that show numbers: grey for pixels, the signed scale for weights and outputs, and the ink that can be read on it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from wiesel.teaching.figures import SIGNED

Colour = tuple[int, int, int]


def grey(values: NDArray[np.float64]) -> NDArray[np.uint8]:
    """(H, W) -> (H, W, 3): the smallest value dark grey, the largest white; signed values by `signed`."""
    low, high = float(values.min()), float(values.max())
    if low < 0:
        return signed(values)
    light = 70 + 185 * (values - low) / ((high - low) or 1.0)
    return np.repeat(light[..., None], 3, axis=-1).astype(np.uint8)


def signed(values: NDArray[np.float64], span: float | None = None) -> NDArray[np.uint8]:
    """(H, W) -> (H, W, 3): zero in the middle of the scale; `span` is what its ends stand for."""
    stops = np.array([[int(colour[i : i + 2], 16) for i in (1, 3, 5)] for colour in SIGNED], np.float64)
    largest = (float(np.abs(values).max()) if span is None else span) or 1.0
    place = np.clip((values / largest + 1) / 2, 0, 1)
    channels = [np.interp(place, np.linspace(0, 1, len(stops)), stops[:, i]) for i in range(3)]
    return np.stack(channels, axis=-1).round().astype(np.uint8)


def ink(colour: NDArray[np.uint8]) -> Colour:
    """Black or white, whichever is easier to read on `colour`: relative luminance as WCAG 2 has it."""
    share = colour.astype(np.float64) / 255
    linear = np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)
    light = float(linear @ (0.2126, 0.7152, 0.0722))
    return (0, 0, 0) if (light + 0.05) / 0.05 >= 1.05 / (light + 0.05) else (255, 255, 255)


def web(colour: NDArray[np.uint8] | Colour) -> str:
    """#rrggbb."""
    return "#" + "".join(f"{int(part):02x}" for part in colour)
