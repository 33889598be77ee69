"""Plain JPEG files without Pillow, whose opening takes five times as long as the pixels of a small picture.

Both are libjpeg-turbo with the same settings (the accurate transform, smooth upsampling), so the pixels are the same to the bit. What is
not plain (EXIF, several pictures, other colours than grey and YCbCr, anything odd) is left to Pillow, and so is what to say about it.
"""

from __future__ import annotations

import numpy as np
import simplejpeg
from numpy.typing import NDArray

_CHANNELS = {"Gray": 1, "YCbCr": 3}


def shape(data: bytes) -> tuple[int, int, int] | None:
    """(H, W, C) from the header of these file bytes; `None` if they are no plain JPEG."""
    if not data.startswith(b"\xff\xd8\xff") or b"Exif\0" in data or b"MPF\0" in data or data.count(b"\xff\xda") != 1:
        return None  # turned, several pictures, or in several passes
    try:
        height, width, colours, _ = simplejpeg.decode_jpeg_header(data)
    except ValueError:
        return None
    channels = _CHANNELS.get(colours)
    return None if channels is None else (height, width, channels)


def pixels(data: bytes, channels: int) -> NDArray[np.uint8] | None:
    """(H, W, C) of a file that has a `shape` with these channels; `None` if anything about it is odd, as in one that was cut short."""
    try:
        found: NDArray[np.uint8] = simplejpeg.decode_jpeg(data, colorspace="Gray" if channels == 1 else "RGB")
    except ValueError:
        return None
    return found
