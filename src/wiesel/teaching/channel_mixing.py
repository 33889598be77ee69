"""What a 1 x 1 convolution does: at every pixel the same weighted sum of the channels, and of nothing else.

    space        out[o, y, x] = sum over c of w[o, c] in[c, y, x]
    frequency    OUT[o, wy, wx] = sum over c of w[o, c] IN[c, wy, wx]          the same weights at every frequency

So its frequency response is flat: it cannot blur, sharpen or find an edge in one channel. What it can do is mix channels, and where
channels hold the same wave with opposite signs, the mixture can lose that wave: spectra add as complex numbers, magnitudes do not.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from wiesel.errors import BadValue, NotAPicture
from wiesel.language import say
from wiesel.teaching import figures
from wiesel.teaching.pictures import GREY, picture
from wiesel.teaching.words import Words, spoken

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from wiesel.teaching.sheet import Sheet

Maps = NDArray[np.float64]

MIXES = np.array([GREY, (1.0, -1.0, 0.0)])
"""Of red, green and blue: grey, and red against green."""
MOST = 6


@dataclass(frozen=True)
class Mix:
    """`maps` (C, H, W) in, `weights` (O, C), `mixed` (O, H, W) out."""

    maps: Maps
    weights: Maps
    mixed: Maps

    @property
    def spectral_difference(self) -> float:
        """Largest between the spectrum of the mixture and the mixture of the spectra, relative to the largest wave: rounding."""
        after = np.fft.fft2(self.mixed)
        before = np.einsum("oc,chw->ohw", self.weights, np.fft.fft2(self.maps))
        return float(np.abs(after - before).max() / (np.abs(after).max() or 1.0))

    @property
    def lost(self) -> Maps:
        """(O,): share of the waves' magnitude, zero frequency aside, that channels cancel in each other."""
        separate = np.einsum("oc,chw->ohw", np.abs(self.weights), np.abs(np.fft.fft2(self.maps)))
        left = np.abs(np.fft.fft2(self.mixed))
        separate[:, 0, 0] = left[:, 0, 0] = 0
        total = separate.sum((1, 2))
        shares: Maps = 1 - left.sum((1, 2)) / np.where(total > 0, total, 1.0)
        return shares


def mix(maps: Maps, weights: Maps) -> Mix:
    """`maps` (C, H, W), `weights` (O, C), or (O, C, 1, 1) as a layer has them."""
    return Mix(maps, weights, np.einsum("oc,chw->ohw", weights, maps))


def one_by_one(image: Any = None, weights: Any = None, *, size: int | None = None, language: str | None = None) -> Sheet:
    """Channels in and channels out, each in space and in frequency, with the weights between them.

    Args:
        image: feature maps (C, H, W) of any finite numbers, with C other than 1 and 3; else whatever `picture` takes, in colour:
            red, green and blue are the channels. None: the drawn scene.
        weights: (O, C) or (O, C, 1, 1), a 1 x 1 convolution's `weight` for example; None: grey, and red less green, of colours;
            mean, and first less second, of maps.
        size: reduce a picture to this many pixels a side first.

    Raises:
        BadValue: weights that do not fit the channels; more than 6 channels in or out.
        NotAPicture: and what `picture` raises.
    """
    words = spoken(language)
    maps, names = _maps(image, size, words)
    result = mix(maps, _weights(weights, len(maps)))
    count_in, count_out = len(maps), len(result.mixed)

    rows = max(count_in, count_out)
    sheet = figures.sheet(12, 2.35 * rows + 1.4)
    grid = sheet.subplots(rows, 5, width_ratios=[1, 1, 0.75, 1, 1], squeeze=False)
    highest = _logs(np.concatenate([maps, result.mixed])).max()
    for row in range(rows):
        for axes in grid[row]:
            axes.set_axis_off()
        if row < count_in:
            _pair(sheet, grid[row, 0], grid[row, 1], maps[row], names[row], highest, words)
        if row < count_out:
            _sum(grid[row, 2], result.weights[row], names, row, words)
            name = words(en=f"Out {row + 1}", de=f"Ausgang {row + 1}")
            _pair(sheet, grid[row, 3], grid[row, 4], result.mixed[row], name, highest, words)
    return figures.finished(
        sheet,
        words(en="A 1 × 1 convolution mixes channels, not pixels", de="Eine 1×1-Faltung mischt Kanäle, nicht Pixel"),
        finding(result, words),
        note=words(
            en="Spectra: log₁₀(1 + magnitude), zero frequency in the middle, all on one scale.",
            de="Spektren: log₁₀(1 + Betrag), Frequenz null in der Mitte, alle auf einer Skala.",
        ),
    )


def finding(result: Mix, words: Words) -> str:
    lost = ", ".join(
        words(en=f"{words.percent(float(share))} in output {i}", de=f"{words.percent(float(share))} in Ausgang {i}")
        for i, share in enumerate(result.lost, 1)
    )
    gap = words.short(result.spectral_difference, 2)
    count_out, count_in = result.weights.shape
    return words(
        en=f"{count_in} channels become {count_out}. The spectrum of each mixture is the same mixture of the spectra, to {gap}; no frequency "
        f"is treated otherwise than the next. Where waves of two channels cancel, magnitude is lost: {lost}.",
        de=f"Aus {count_in} Kanälen werden {count_out}. Das Spektrum jeder Mischung ist dieselbe Mischung der Spektren, bis auf {gap}; keine "
        f"Frequenz wird anders behandelt als die nächste. Wo sich Wellen zweier Kanäle aufheben, geht Betrag verloren: {lost}.",
    )


def _maps(image: Any, size: int | None, words: Words) -> tuple[Maps, list[str]]:
    shape = np.shape(image)
    if len(shape) == 4 and shape[0] == 1:
        image, shape = image[0], shape[1:]
    if len(shape) == 3 and shape[0] not in (1, 3) and shape[2] not in (1, 3):
        given = image.detach().cpu().double().numpy() if hasattr(image, "detach") else np.asarray(image, np.float64)
        if not np.isfinite(given).all():
            raise NotAPicture(what=say(en="maps with NaN or infinite values", de="Karten mit NaN oder unendlichen Werten"))
        _check_count("channels", len(given))
        return given, [words(en=f"Channel {i}", de=f"Kanal {i}") for i in range(1, len(given) + 1)]
    colours = np.moveaxis(picture(image, colour=True, size=size), -1, 0)
    return colours, [words(en="Red", de="Rot"), words(en="Green", de="Grün"), words(en="Blue", de="Blau")]


def _weights(given: Any, channels: int) -> Maps:
    if given is None:
        first = np.full((1, channels), 1 / channels)
        second = np.zeros((1, channels))
        second[0, 0], second[0, min(1, channels - 1)] = 1, -1
        return MIXES if channels == 3 else np.concatenate([first, second])
    weights = np.asarray(given.detach().cpu() if hasattr(given, "detach") else given, np.float64)
    if weights.ndim == 4 and weights.shape[2:] == (1, 1):
        weights = weights[:, :, 0, 0]
    if weights.ndim == 1:
        weights = weights[None]
    if weights.ndim != 2 or weights.shape[1] != channels or not len(weights) or not np.isfinite(weights).all():
        raise BadValue(
            setting="weights",
            value=weights.shape,
            expected=say(
                en=f"finite numbers of shape (outputs, {channels}), one column per channel",
                de=f"endliche Zahlen der Form (Ausgänge, {channels}), eine Spalte je Kanal",
            ),
        )
    _check_count("outputs", len(weights))
    return weights


def _check_count(setting: str, count: int) -> None:
    if count > MOST:
        raise BadValue(
            setting=setting,
            value=count,
            expected=say(
                en=f"at most {MOST}, so that the figure can be read", de=f"höchstens {MOST}, damit die Abbildung lesbar bleibt"
            ),
        )


def _logs(maps: Maps) -> Maps:
    logs: Maps = np.log10(1 + np.abs(np.fft.fftshift(np.fft.fft2(maps), axes=(-2, -1))))
    return logs


def _pair(sheet: Sheet, space: Axes, frequency: Axes, values: Maps, name: str, highest: float, words: Words) -> None:
    for axes in (space, frequency):
        axes.set_axis_on()
    if values.min() < -1e-9:
        drawn = figures.show_signed(space, values)
    else:
        drawn = figures.show_grey(space, values, high=max(1.0, float(values.max())))
    figures.bar(sheet, space, drawn, words)
    space.set_title(name, fontsize=10)
    frequency.imshow(_logs(values), cmap="cividis", vmin=0, vmax=highest, interpolation="nearest")
    figures.bare(frequency)
    frequency.set_title(words(en="its spectrum", de="sein Spektrum"), fontsize=10)


def _sum(axes: Axes, weights: Maps, names: list[str], row: int, words: Words) -> None:
    terms = [f"{words.short(float(weight))} · {name}" for weight, name in zip(weights, names, strict=True) if weight]
    head = words(en=f"Out {row + 1} =", de=f"Ausgang {row + 1} =")
    axes.text(0.5, 0.5, "\n".join([head, *(terms or ["0"])]), ha="center", va="center", fontsize=10, transform=axes.transAxes)
