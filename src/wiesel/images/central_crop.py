"""The middle of a photograph, as those prepare it who publish ImageNet figures: shorter side to so many pixels, then a square cut out.

Torch-free. `decoding` does almost the same in one step for one's own pictures; here the filter and the share that is cut away can be
those that a set of published weights was measured with.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Interpolation = Literal["bilinear", "bicubic"]

FILTERS = {"bilinear": Image.Resampling.BILINEAR, "bicubic": Image.Resampling.BICUBIC}


def central_crop(
    pixels: NDArray[np.uint8], *, side: int, resize: int, interpolation: Interpolation, squash: bool = False
) -> NDArray[np.uint8]:
    """uint8 (H, W, C) -> uint8 (side, side, C).

    Args:
        resize: pixels of the shorter side (with `squash`: of both sides) before `side` x `side` are cut out; at least `side`.
        interpolation: the filter; it widens with the reduction.
    """
    image = Image.fromarray(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels)
    width, height = image.size
    shorter = min(width, height)
    wide, high = (resize, resize) if squash else (int(resize * width / shorter), int(resize * height / shorter))
    image = image.resize((wide, high), FILTERS[interpolation])
    left, top = round((wide - side) / 2), round((high - side) / 2)
    made = np.asarray(image.crop((left, top, left + side, top + side)))
    return made[:, :, None] if made.ndim == 2 else made
