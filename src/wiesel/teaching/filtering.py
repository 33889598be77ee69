"""A kernel slid over a picture, in floating point, with the border said aloud.

    response[y, x] = sum over i, j of  picture[y + i - ay, x + j - ax] * kernel[i, j]          (ay, ax) the anchor, see kernels.py

This is what a layer called convolution computes, and what image libraries call filtering: a cross-correlation, the kernel is not
flipped. What lies beyond the border has to be decided:

    reflect   mirrored at the outermost pixel, which is not repeated   (OpenCV's and this room's default)
    edge      the outermost pixel goes on
    zero      black: what padding in a network does
    wrap      the other side of the picture: what the discrete Fourier transform does
"""

from __future__ import annotations

from types import MappingProxyType
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from wiesel.errors import BadValue
from wiesel.language import say
from wiesel.teaching.kernels import Kernel, anchor
from wiesel.teaching.words import Words

Border = Literal["reflect", "edge", "zero", "wrap"]

NUMPYS: MappingProxyType[str, Any] = MappingProxyType({"reflect": "reflect", "edge": "edge", "zero": "constant", "wrap": "wrap"})


def correlate(picture: NDArray[np.float64], weights: Kernel, border: Border = "reflect") -> NDArray[np.float64]:
    """(H, W) -> (H, W), float64, nothing clipped.

    Raises:
        BadValue: an unknown border.
    """
    mode = _mode(border)
    height, width = picture.shape
    rows, columns = weights.shape
    top, left = anchor(weights)
    whole = np.pad(picture, ((top, rows - 1 - top), (left, columns - 1 - left)), mode=mode)
    response = np.zeros((height, width))
    for i in range(rows):
        for j in range(columns):
            response += weights[i, j] * whole[i : i + height, j : j + width]
    return response


def _mode(border: str) -> Any:
    if border not in NUMPYS:
        names = ", ".join(map(repr, NUMPYS))
        raise BadValue(setting="border", value=border, expected=say(en=f"one of {names}", de=f"eines von {names}"))
    return NUMPYS[border]


def border_note(border: Border, words: Words) -> str:
    """What a caption says about the border."""
    return {
        "reflect": words(
            en="Border: mirrored (the outermost pixel is not repeated).", de="Rand: gespiegelt (ohne das äusserste Pixel)."
        ),
        "edge": words(en="Border: the outermost pixel goes on.", de="Rand: das äusserste Pixel setzt sich fort."),
        "zero": words(en="Border: black (zeros), as padding in a network.", de="Rand: schwarz (Nullen), wie Padding im Netz."),
        "wrap": words(en="Border: the picture goes round.", de="Rand: das Bild läuft im Kreis."),
    }[border]
