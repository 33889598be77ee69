"""A small kernel on a small picture, position by position, with every number that occurs.

    output[r, c] = sum over i, j of  picture[r s + i d - p, c s + j d - p] * kernel[i, j]            zero where that lies in the margin

The positions are those of `wiesel.scratch.geometry`, the ones of every layer here.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wiesel.errors import BadValue
from wiesel.language import say
from wiesel.scratch.geometry import Geometry, Pair, geometry
from wiesel.teaching import kernels as filters
from wiesel.teaching.kernels import Kernel
from wiesel.teaching.pictures import numbers, picture
from wiesel.teaching.words import Words

SMALL = np.array(
    [[0, 0, 0, 9, 9, 9], [0, 0, 0, 9, 9, 9], [0, 0, 9, 9, 9, 9], [0, 0, 9, 9, 9, 0], [0, 9, 9, 9, 0, 0], [0, 9, 9, 9, 0, 0]]
)
"""The picture of the animation when nobody brings one: a bright band that bends."""

MOST_PIXELS = 24
MOST_STEPS = 400


@dataclass(frozen=True)
class Step:
    """One position. `pixels` (kh, kw, 2): row and column in the picture with its margin; `inside`: which of them are real pixels."""

    number: int
    row: int
    column: int
    pixels: NDArray[np.int64]
    inside: NDArray[np.bool_]
    values: NDArray[np.float64]
    products: NDArray[np.float64]
    result: float


@dataclass(frozen=True)
class Sliding:
    picture: NDArray[np.float64]
    kernel: Kernel
    place: Geometry

    @property
    def size(self) -> Pair:
        """Rows and columns of the output."""
        return self.place.output((self.picture.shape[0], self.picture.shape[1]))

    @property
    def steps(self) -> int:
        return self.size[0] * self.size[1]

    @cached_property
    def whole(self) -> NDArray[np.float64]:
        """The picture with its margin of zeros."""
        top, left = self.place.padding
        return np.pad(self.picture, ((top, top), (left, left)))

    @cached_property
    def output(self) -> NDArray[np.float64]:
        made = np.array([self.step(number).result for number in range(self.steps)])
        return made.reshape(self.size)

    def step(self, number: int) -> Step:
        """The position with this number, row after row, counted from 0."""
        row, column = divmod(number, self.size[1])
        rows = row * self.place.stride[0] + self.place.dilation[0] * np.arange(self.kernel.shape[0])
        columns = column * self.place.stride[1] + self.place.dilation[1] * np.arange(self.kernel.shape[1])
        pixels = np.stack(np.meshgrid(rows, columns, indexing="ij"), axis=-1)
        values = self.whole[np.ix_(rows, columns)]
        products = values * self.kernel
        (top, left), (height, width) = self.place.padding, self.picture.shape
        inside = (
            (pixels[..., 0] >= top) & (pixels[..., 0] < top + height) & (pixels[..., 1] >= left) & (pixels[..., 1] < left + width)
        )
        return Step(number, row, column, pixels, inside, values, products, float(products.sum()))

    @cached_property
    def digits(self) -> int:
        """Decimals that its numbers need: none for whole numbers, else two."""
        return 0 if np.all(self.picture == np.rint(self.picture)) and np.all(self.kernel == np.rint(self.kernel)) else 2


def sliding(image: Any, kernel: Any, stride: int | Pair, padding: int | Pair, dilation: int | Pair) -> Sliding:
    """Checked: small enough that one can read its numbers.

    Args:
        image: None (a small one of ours), a table of any numbers (H, W), or what `picture` takes.
        kernel: a table of numbers (h, w) or a classic filter's name; None: Sobel X.

    Raises:
        NotAPicture, BadValue: not a picture, not a kernel, a geometry that does not fit, or too large to be read.
    """
    weights = filters.kernel("sobel_x" if kernel is None else kernel)
    if image is None:
        values = SMALL.astype(np.float64)
    elif isinstance(image, (str, Path)) or (np.ndim(image) == 3 and 3 in np.shape(image)):
        values = picture(image)
    else:
        values = numbers(image)
    place = geometry((weights.shape[0], weights.shape[1]), stride, padding, dilation)
    made = Sliding(values, weights, place)
    rows, columns = place.padded((values.shape[0], values.shape[1]))
    if max(rows, columns) > MOST_PIXELS or made.steps > MOST_STEPS:
        raise BadValue(
            setting="image",
            value=f"{rows} x {columns}",
            expected=say(
                en=f"at most {MOST_PIXELS} pixels a side with its margin and {MOST_STEPS} positions, so that the numbers can be read; "
                "`teaching.picture(image, size=12)` makes a smaller one",
                de=f"höchstens {MOST_PIXELS} Pixel je Seite mit Rand und {MOST_STEPS} Positionen, damit die Zahlen lesbar bleiben; "
                "`teaching.picture(image, size=12)` macht ein kleineres",
            ),
        )
    return made


def sum_in_words(made: Sliding, step: Step, words: Words) -> str:
    """0 × −1 + 9 × 2 + ... = 18, row after row of the window."""
    terms = []
    for value, weight in zip(step.values.ravel(), made.kernel.ravel(), strict=True):
        factor = words.number(weight, made.digits)
        terms.append(f"{words.number(value, made.digits)} × {f'({factor})' if weight < 0 else factor}")
    return " + ".join(terms) + f" = {words.number(step.result, made.digits)}"


def size_in_words(made: Sliding, words: Words) -> str:
    """How the output's height and width come about, with the lines that no window reaches."""
    said, names = [], (words(en="Height", de="Höhe"), words(en="Width", de="Breite"))
    for axis, name in enumerate(names):
        n, k, s = made.picture.shape[axis], made.kernel.shape[axis], made.place.stride[axis]
        p, d = made.place.padding[axis], made.place.dilation[axis]
        rest = (n + 2 * p - d * (k - 1) - 1) % s
        line = f"{name}: ⌊({n} + 2 · {p} − {d} · ({k} − 1) − 1) / {s}⌋ + 1 = {made.size[axis]}"
        if rest:
            line += words(en=f" ({rest} left over, never looked at)", de=f" ({rest} übrig, nie angesehen)")
        said.append(line)
    return "; ".join(said)


def finding(made: Sliding, words: Words) -> str:
    """The animation in a sentence: its size, and what came out."""
    (height, width), (rows, columns), weights = made.picture.shape, made.size, made.kernel.shape
    low, high = (words.number(value, made.digits) for value in (made.output.min(), made.output.max()))
    multiplications = made.steps * made.kernel.size
    return words(
        en=f"A {weights[0]} × {weights[1]} kernel slides over a picture of {height} × {width} pixels in {made.steps} positions and makes "
        f"{rows} × {columns} numbers from {low} to {high}, with {multiplications} multiplications.",
        de=f"Ein {weights[0]}×{weights[1]}-Kern gleitet in {made.steps} Positionen über ein Bild von {height} × {width} Pixeln und macht "
        f"{rows} × {columns} Zahlen von {low} bis {high}, mit {multiplications} Multiplikationen.",
    )
