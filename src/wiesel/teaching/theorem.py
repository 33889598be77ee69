"""The convolution theorem, side by side: what is summed over windows in space is a product of two spectra in frequency.

    circular    the picture goes round: the discrete Fourier transform's own convolution, equal to rounding
    linear      black beyond the border: equal too, once picture and kernel are padded with zeros to H + h - 1 by W + w - 1

Both are convolution proper, with the kernel flipped: (I * K)[y, x] = sum over i, j of I[y - i, x - j] K[i, j], positions counted from
the anchor. Circular and linear differ only near the border, where the window sees the other side or black.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from wiesel.errors import BadValue
from wiesel.language import say
from wiesel.teaching import figures
from wiesel.teaching import kernels as filters
from wiesel.teaching.kernels import Kernel
from wiesel.teaching.pictures import caption, picture
from wiesel.teaching.words import Words, spoken

if TYPE_CHECKING:
    from wiesel.teaching.sheet import Sheet

Maps = NDArray[np.float64]

CORNER = 16
"""Pixels a side of the part of the border that is shown."""


@dataclass(frozen=True)
class Theorem:
    """All four results (H, W): computed in space and by FFT, with the picture going round and with black beyond its border."""

    circular: Maps
    circular_fft: Maps
    linear: Maps
    linear_fft: Maps

    @property
    def difference(self) -> float:
        """The largest between space and FFT, in either version: rounding."""
        return float(max(np.abs(self.circular - self.circular_fft).max(), np.abs(self.linear - self.linear_fft).max()))

    @property
    def border(self) -> Maps:
        """Circular less linear."""
        return self.circular - self.linear


def both_ways(image: Maps, weights: Kernel) -> Theorem:
    """Convolution proper of `image` (H, W) with `weights` (h, w) around their anchor, float64.

    Raises:
        BadValue: the kernel is larger than the picture.
    """
    (height, width), (rows, columns) = image.shape, weights.shape
    if rows > height or columns > width:
        raise BadValue(
            setting="kernel",
            value=f"{rows} x {columns}",
            expected=say(
                en=f"no larger than the picture, {height} x {width}", de=f"nicht grösser als das Bild, {height} x {width}"
            ),
        )
    top, left = filters.anchor(weights)
    black = np.pad(image, ((rows, rows), (columns, columns)))
    circular, linear = np.zeros(image.shape), np.zeros(image.shape)
    for i in range(rows):
        for j in range(columns):
            circular += weights[i, j] * np.roll(image, (i - top, j - left), axis=(0, 1))
            y, x = rows - (i - top), columns - (j - left)
            linear += weights[i, j] * black[y : y + height, x : x + width]

    around = np.zeros(image.shape)
    around[:rows, :columns] = weights
    around = np.roll(around, (-top, -left), axis=(0, 1))
    circular_fft = np.fft.irfft2(np.fft.rfft2(image) * np.fft.rfft2(around), s=image.shape)
    room = (height + rows - 1, width + columns - 1)
    full = np.fft.irfft2(np.fft.rfft2(image, s=room) * np.fft.rfft2(weights, s=room), s=room)
    return Theorem(circular, circular_fft, linear, full[top : top + height, left : left + width])


def convolution_theorem(
    image: Any = None, kernel: Any = "sobel_x", *, size: int | None = None, language: str | None = None
) -> Sheet:
    """Above, spectra: picture, kernel, product. Below: the sum over windows, what the product of spectra gives, and the border.

    Args:
        image: whatever `picture` takes; None: the drawn scene.
        kernel: a table of numbers or a classic filter's name.
        size: reduce the picture to this many pixels a side first.

    Raises:
        BadValue, NotAPicture: a kernel that is none or larger than the picture; and what `picture` raises.
    """
    words = spoken(language)
    grey, weights = picture(image, size=size), filters.kernel(kernel)
    result = both_ways(grey, weights)

    sheet = figures.sheet(12, 7.6)
    above, below = sheet.subplots(2, 3)
    spectra = _spectra(grey, weights)
    titles = (
        words(en="Spectrum of the picture", de="Spektrum des Bildes"),
        words(en="× spectrum of the kernel", de="× Spektrum des Kerns"),
        words(en="= product of the spectra", de="= Produkt der Spektren"),
    )
    for axes, spectrum, title in zip(above, spectra, titles, strict=True):
        drawn = axes.imshow(spectrum, cmap="cividis", vmin=0, interpolation="nearest")
        figures.bare(axes)
        axes.set_title(title, fontsize=11)
        figures.bar(sheet, axes, drawn, words)
    span = float(np.abs(result.circular).max())
    panels = (
        (words(en="In space: sums over windows", de="Im Raum: Summen über Fenster"), result.circular, span),
        (words(en="By FFT: back from the product", de="Mit FFT: zurück aus dem Produkt"), result.circular_fft, span),
        (
            words(en="Circular less zero-padded, a corner", de="Kreisförmig minus mit Nullen, eine Ecke"),
            _corner(result.border),
            None,
        ),
    )
    signed = bool(result.circular.min() < -1e-9)
    for i, (axes, (title, values, own)) in enumerate(zip(below, panels, strict=True)):
        if signed or i == 2:
            drawn = figures.show_signed(axes, values, span=own)
        else:
            drawn = figures.show_grey(axes, values, high=max(1.0, span))
        axes.set_title(title, fontsize=11)
        figures.bar(sheet, axes, drawn, words)
    gap, edge = words.short(result.difference, 2), border_width(result)
    below[1].set_xlabel(words(en=f"largest difference from the left: {gap}", de=f"grösste Differenz zu links: {gap}"), fontsize=9)
    below[2].set_xlabel(words(en=f"zero from {edge} px off the border on", de=f"null ab {edge} px vom Rand"), fontsize=9)
    en, de = caption(image)
    return figures.finished(
        sheet,
        words(en=f"The convolution theorem on {en}", de=f"Das Faltungstheorem an {de}"),
        finding(result, words),
        note="\n".join(
            filter(
                None,
                [
                    words(
                        en="Spectra: log₁₀(1 + magnitude), zero frequency in the middle. Convolution proper: the kernel is flipped.",
                        de="Spektren: log₁₀(1 + Betrag), Frequenz null in der Mitte. Echte Faltung: Der Kern ist gespiegelt.",
                    ),
                    filters.anchor_note(weights, words),
                ],
            )
        ),
    )


def border_width(result: Theorem) -> int:
    """Pixels from the border beyond which circular and linear agree."""
    rows, columns = np.nonzero(np.abs(result.border) > 1e-9)
    height, width = result.border.shape
    if not rows.size:
        return 0
    return int(np.minimum(np.minimum(rows, height - 1 - rows), np.minimum(columns, width - 1 - columns)).max()) + 1


def _corner(border: Maps) -> Maps:
    """The corner with the largest difference in it: at the scale of the whole picture one could not see one pixel."""
    rows, columns = (min(CORNER, side) for side in border.shape)
    corners = [border[y, x] for y in (slice(rows), slice(-rows, None)) for x in (slice(columns), slice(-columns, None))]
    return max(corners, key=lambda corner: float(np.abs(corner).max()))


def finding(result: Theorem, words: Words) -> str:
    gap, edge, share = words.short(result.difference, 2), border_width(result), float((np.abs(result.border) > 1e-9).mean())
    largest = words.number(float(np.abs(result.border).max()), 2)
    return words(
        en=f"Summing over windows and multiplying spectra give the same numbers: the largest difference is {gap}. Letting the picture go "
        f"round instead of padding with zeros changes {words.percent(share, 1)} of the pixels, all within {edge} px of the border, by up to {largest}.",
        de=f"Summen über Fenster und das Produkt der Spektren geben dieselben Zahlen: Die grösste Differenz ist {gap}. Das Bild im Kreis laufen "
        f"zu lassen statt mit Nullen aufzufüllen ändert {words.percent(share, 1)} der Pixel, alle höchstens {edge} px vom Rand, um bis zu {largest}.",
    )


def _spectra(grey: Maps, weights: Kernel) -> tuple[Maps, Maps, Maps]:
    picture_waves, kernel_waves = np.fft.fft2(grey), np.fft.fft2(weights, s=grey.shape)
    shown = (np.log10(1 + np.abs(np.fft.fftshift(waves))) for waves in (picture_waves, kernel_waves, picture_waves * kernel_waves))
    first, second, third = shown
    return first, second, third
