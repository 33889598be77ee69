"""Arrays -> small PNGs: photographs as they are, values through a colour map that keeps their order for every eye (and in grey).

Two maps, each a few colours in equal steps with straight lines between them. `SEQUENTIAL` (viridis by Smith and van der Walt, in
the public domain) is for values from `low` to `high`: lightness grows evenly. `DIVERGING` is for signed values, -limit to limit:
zero is the neutral middle, blue below, orange above, and as far from zero means as dark on either side.
"""

from __future__ import annotations

import base64
import io
from functools import cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image

SEQUENTIAL = (
    "440154 470d60 48186a 482374 472d7b 453781 424086 3e4989 3b528b 375b8d 33638d 2f6b8e 2c728e 297a8e 26828e 23898e 21918c "
    "1f988b 1fa088 22a785 28ae80 32b67a 3fbc73 4ec36b 5ec962 70cf57 84d44b 98d83e addc30 c2df23 d8e219 ece51b fde725"
)
DIVERGING = "08306b 2a6db0 7fb2dc f7f7f7 f3a35c c25a0b 5f2003"

Values = NDArray[np.floating]


@cache
def colours(nodes: str) -> NDArray[np.uint8]:
    """The map as 255 colours, uint8 (255, 3): an odd number, so that a diverging map has a middle."""
    given = np.array([[int(node[i : i + 2], 16) for i in (0, 2, 4)] for node in nodes.split()])
    places = np.linspace(0, len(given) - 1, 255)
    table = np.stack([np.interp(places, np.arange(len(given)), given[:, channel]) for channel in range(3)], axis=1)
    return table.round().astype(np.uint8)


def photograph(pixels: NDArray[np.uint8]) -> bytes:
    """PNG of a picture (H, W, C), C is 1 or 3; every pixel kept."""
    return _png(Image.fromarray(np.ascontiguousarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels)))


def mapped(values: Values, low: float, high: float) -> bytes:
    """PNG of values (H, W), from the darkest colour at `low` to the lightest at `high`; a map without any range is all darkest."""
    scale = 254 / (high - low) if high > low else 0.0
    return _indexed(np.clip(np.rint((values - low) * scale), 0, 254).astype(np.uint8), SEQUENTIAL)


def signed(values: Values, limit: float) -> bytes:
    """PNG of signed values (H, W): blue at -limit, neutral at exactly zero, orange at limit."""
    scale = 127 / limit if limit > 0 else 0.0
    return _indexed((127 + np.clip(np.rint(values * scale), -127, 127)).astype(np.uint8), DIVERGING)


def scale_bar(nodes: str) -> bytes:
    """PNG of a whole colour map, 255 x 20, from low to high."""
    return _indexed(np.broadcast_to(np.arange(255, dtype=np.uint8), (20, 255)), nodes)


def reduced(array: NDArray[np.generic], longest: int) -> NDArray[np.float32]:
    """(H, W) or (H, W, C) with sides of at most `longest` pixels, each the mean of those it replaces; smaller ones as they are."""
    height, width = array.shape[:2]
    if max(height, width) <= longest:
        return array.astype(np.float32)
    size = max(1, round(width * longest / max(height, width))), max(1, round(height * longest / max(height, width)))
    planes = array.astype(np.float32)[..., None] if array.ndim == 2 else array.astype(np.float32)
    small = [np.asarray(Image.fromarray(planes[..., c]).resize(size, Image.Resampling.BOX)) for c in range(planes.shape[-1])]
    return small[0] if array.ndim == 2 else np.stack(small, axis=-1)


def data_uri(png: bytes) -> str:
    return "data:image/png;base64," + base64.b64encode(png).decode("ascii")


def size_of(png: bytes) -> tuple[int, int]:
    """(width, height) from the header of a PNG."""
    return int.from_bytes(png[16:20], "big"), int.from_bytes(png[20:24], "big")


def _indexed(index: NDArray[np.uint8], nodes: str) -> bytes:
    """A palette of only those colours that occur: most maps are a few hundred pixels, which 768 bytes of palette would outweigh."""
    used, place = np.unique(index, return_inverse=True)
    picture = Image.fromarray(place.reshape(index.shape).astype(np.uint8), mode="P")
    picture.putpalette(colours(nodes)[used].tobytes())
    return _png(picture)


def _png(picture: Image.Image) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, "PNG", optimize=True)
    return buffer.getvalue()
