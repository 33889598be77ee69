"""The classic filters by name, and how a kernel is read.

A filter's *anchor* is the weight that lies over the pixel being computed: row h // 2, column w // 2, counted from 0. For odd sides that
is the middle. For even sides there is no middle; this one is the next after it, as in OpenCV and SciPy, and captions say so.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wiesel.errors import BadValue
from wiesel.language import say
from wiesel.teaching.pictures import numbers
from wiesel.teaching.words import Words

Kernel = NDArray[np.float64]


def gaussian(side: int = 3, sigma: float = 1.0) -> Kernel:
    """Samples of the bell curve around the middle, made to sum to 1.

    >>> gaussian(3, 1).round(6)[1].tolist()
    [0.123841, 0.20418, 0.123841]
    """
    distance = np.arange(side) - (side - 1) / 2
    bell = np.exp(-(distance**2) / (2 * sigma**2))
    bell /= bell.sum()
    return np.outer(bell, bell)


def _kernel(*rows: tuple[float, ...]) -> Kernel:
    made = np.array(rows, np.float64)
    made.setflags(write=False)
    return made


SOBEL_X = _kernel((-1, 0, 1), (-2, 0, 2), (-1, 0, 1))
SOBEL_Y = _kernel((-1, -2, -1), (0, 0, 0), (1, 2, 1))

FIVE: Mapping[str, Kernel] = MappingProxyType(
    {
        "gaussian": gaussian(3, 1.0),
        "sharpen": _kernel((0, -1, 0), (-1, 5, -1), (0, -1, 0)),
        "edge": _kernel((-1, -1, -1), (-1, 8, -1), (-1, -1, -1)),
        "emboss": _kernel((-2, -1, 0), (-1, 1, 1), (0, 1, 2)),
        "sobel_x": SOBEL_X,
    }
)
"""The five that textbooks begin with."""

CLASSIC: Mapping[str, Kernel] = MappingProxyType(
    {
        **FIVE,
        "sobel_y": SOBEL_Y,
        "sobel_diagonal": _kernel((0, 1, 2), (-1, 0, 1), (-2, -1, 0)),
        "sobel_antidiagonal": _kernel((-2, -1, 0), (-1, 0, 1), (0, 1, 2)),
        "laplace": _kernel((0, 1, 0), (1, -4, 1), (0, 1, 0)),
        "line_x": _kernel((-1, 2, -1), (-1, 2, -1), (-1, 2, -1)),
        "line_y": _kernel((-1, -1, -1), (2, 2, 2), (-1, -1, -1)),
        "mean": _kernel((1 / 9, 1 / 9, 1 / 9), (1 / 9, 1 / 9, 1 / 9), (1 / 9, 1 / 9, 1 / 9)),
        "identity": _kernel((0, 0, 0), (0, 1, 0), (0, 0, 0)),
    }
)

NAMES: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "gaussian": ("Gaussian blur", "Gauss-Weichzeichner"),
        "sharpen": ("Sharpen", "Schärfen"),
        "edge": ("Edges (8 neighbours)", "Kanten (8 Nachbarn)"),
        "emboss": ("Emboss", "Relief"),
        "sobel_x": ("Sobel X", "Sobel X"),
        "sobel_y": ("Sobel Y", "Sobel Y"),
        "sobel_diagonal": ("Sobel ↗", "Sobel ↗"),
        "sobel_antidiagonal": ("Sobel ↘", "Sobel ↘"),
        "laplace": ("Laplace", "Laplace"),
        "line_x": ("Upright line", "Senkrechte Linie"),
        "line_y": ("Level line", "Waagrechte Linie"),
        "mean": ("Mean", "Mittelwert"),
        "identity": ("Identity", "Identität"),
        "slope_x": ("Slope X", "Gefälle X"),
        "slope_y": ("Slope Y", "Gefälle Y"),
        "slope_diagonal": ("Slope ↗", "Gefälle ↗"),
        "slope_antidiagonal": ("Slope ↘", "Gefälle ↘"),
        "blob": ("Spot", "Fleck"),
    }
)


def named(name: str, words: Words) -> str:
    """The title of a filter; a name that is none of ours stands for itself."""
    en, de = NAMES.get(name, (name, name))
    return words(en=en, de=de)


def kernel(given: Any) -> Kernel:
    """A classic filter's name, or any table of finite numbers (h, w).

    Raises:
        BadValue: an unknown name.
        NotAPicture: not two axes, no numbers, or NaN and infinite ones among them.
    """
    if isinstance(given, str):
        if given not in CLASSIC:
            names = ", ".join(CLASSIC)
            raise BadValue(
                setting="kernel",
                value=given,
                expected=say(en=f"a table of numbers, or one of {names}", de=f"eine Tabelle von Zahlen oder eines von {names}"),
            )
        return CLASSIC[given]
    return numbers(given, say(en="a kernel", de="ein Kern"))


def anchor(weights: Kernel) -> tuple[int, int]:
    """Row and column of the weight that lies over the pixel being computed."""
    return weights.shape[0] // 2, weights.shape[1] // 2


def anchor_note(weights: Kernel, words: Words) -> str:
    """A clause for captions where a side is even, else nothing."""
    if weights.shape[0] % 2 and weights.shape[1] % 2:
        return ""
    row, column = anchor(weights)
    return words(
        en=f"Even side: the anchor is the weight in row {row + 1}, column {column + 1}, half a pixel beyond the middle.",
        de=f"Gerade Seite: Anker ist das Gewicht in Zeile {row + 1}, Spalte {column + 1}, ein halbes Pixel hinter der Mitte.",
    )


def classics(height: int, width: int) -> dict[str, Kernel]:
    """Classic filters of this size, for comparison: the table above at 3 x 3; at others, slopes, spots and blurs of a bell curve."""
    if (height, width) == (3, 3):
        return dict(CLASSIC)
    y, x = np.meshgrid(np.arange(height) - (height - 1) / 2, np.arange(width) - (width - 1) / 2, indexing="ij")
    bell = np.exp(-(y**2) / (2 * max(height / 4, 0.5) ** 2) - x**2 / (2 * max(width / 4, 0.5) ** 2))
    found = {"gaussian": bell / bell.sum(), "mean": np.full((height, width), 1 / (height * width))}
    if height * width > 1:
        found |= {
            "slope_x": x * bell,
            "slope_y": y * bell,
            "slope_diagonal": (x - y) * bell,
            "slope_antidiagonal": (x + y) * bell,
            "blob": bell / bell.sum() - 1 / (height * width),
        }
    if height % 2 and width % 2:
        found["identity"] = np.zeros((height, width))
        found["identity"][height // 2, width // 2] = 1
    return {name: weights for name, weights in found.items() if np.abs(weights).max() > 1e-12}
