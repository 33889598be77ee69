"""What filters do to a picture: each response beside its kernel, computed in floating point, negative values kept and shown.

A picture of bytes has no room for a negative number: filtering it there throws half of every edge away. Here responses with negative
values get colours with zero in the middle, and the caption says which share of the pixels bytes would have lost.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from wiesel.errors import BadValue
from wiesel.language import say
from wiesel.teaching import figures
from wiesel.teaching import kernels as filters
from wiesel.teaching.filtering import Border, border_note, correlate
from wiesel.teaching.frequency import kind, kind_name
from wiesel.teaching.kernels import Kernel
from wiesel.teaching.pictures import caption, picture
from wiesel.teaching.words import Words, spoken

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from wiesel.teaching.sheet import Sheet

COLUMNS = 3
NEGATIVE = -1e-9
MOST_WEIGHTS = 7
"""A kernel's numbers are written into the figure up to this many a side."""


def show_filter_effects(
    image: Any = None,
    kernels: Any = None,
    *,
    border: Border = "reflect",
    size: int | None = None,
    language: str | None = None,
) -> Sheet:
    """The picture in grey, and each filter's response with the numbers of its kernel.

    Args:
        image: whatever `picture` takes; None: the drawn scene.
        kernels: None: the five of textbooks; one kernel, a list, or a mapping from names to kernels. A kernel is a table of numbers of
            any size, even sides included, or a classic filter's name.
        border: what lies beyond the border: "reflect", "edge", "zero" or "wrap".
        size: reduce the picture to this many pixels a side first.
        language: "de" or "en".

    Raises:
        BadValue, NotAPicture: a kernel or a setting that is none; and what `picture` raises.
    """
    words = spoken(language)
    chosen = _chosen(kernels, words)
    grey = picture(image, size=size)
    responses = {name: correlate(grey, weights, border) for name, weights in chosen.items()}

    rows = -(-(len(chosen) + 1) // COLUMNS)
    tall = 3.0 * min(1.6, max(0.3, grey.shape[0] / grey.shape[1]))
    sheet = figures.sheet(11, (tall + 0.6) * rows + 0.6)
    grid = np.atleast_1d(sheet.subplots(rows, COLUMNS)).ravel()
    drawn = figures.show_grey(grid[0], grey)
    figures.bar(sheet, grid[0], drawn, words)
    grid[0].set_title(words(en="Picture", de="Bild"), fontsize=11)
    grid[0].set_xlabel(f"{grey.shape[1]} × {grey.shape[0]}", fontsize=9, color=figures.MUTED)
    for axes, (name, response) in zip(grid[1:], responses.items(), strict=False):
        _panel(sheet, axes, name, chosen[name], response, words)
    for axes in grid[len(chosen) + 1 :]:
        axes.set_axis_off()

    notes = [border_note(border, words), *dict.fromkeys(filters.anchor_note(weights, words) for weights in chosen.values())]
    en, de = caption(image)
    return figures.finished(
        sheet,
        words(en=f"What filters do to {en}", de=f"Was Filter aus {de} machen"),
        " ".join(finding(name, chosen[name], response, words) for name, response in responses.items()),
        note=" ".join(filter(None, [words(en="Computed in floating point.", de="In Gleitkomma gerechnet."), *notes])),
    )


def finding(name: str, weights: Kernel, response: NDArray[np.float64], words: Words) -> str:
    """One sentence: what kind of filter it is, the span of its response, what bytes would lose."""
    low, high = words.number(response.min(), 2), words.number(response.max(), 2)
    said = words(
        en=f"{name} is {kind_name(kind(weights), words)}: its response lies between {low} and {high}",
        de=f"{name} ist {kind_name(kind(weights), words)}: Die Antwort liegt zwischen {low} und {high}",
    )
    lost = float((response < NEGATIVE).mean())
    if lost:
        share = words.percent(lost)
        said += words(en=f", negative at {share} of the pixels", de=f", negativ bei {share} der Pixel")
    return said + "."


def _panel(sheet: Sheet, axes: Axes, name: str, weights: Kernel, response: NDArray[np.float64], words: Words) -> None:
    negative = float((response < NEGATIVE).mean())
    if negative:
        drawn = figures.show_signed(axes, response)
    else:
        drawn = figures.show_grey(axes, response, high=max(1.0, float(response.max())))
    figures.bar(sheet, axes, drawn, words)
    axes.set_title(name, fontsize=11)
    said = kind_name(kind(weights), words, article=False)
    if negative:
        said += words(en=f"; {words.percent(negative)} negative", de=f"; {words.percent(negative)} negativ")
    axes.set_xlabel(said, fontsize=9, color=figures.MUTED)
    if max(weights.shape) <= MOST_WEIGHTS:
        _weights(axes, weights, words)


def _weights(axes: Axes, weights: Kernel, words: Words) -> None:
    """The kernel's numbers in the upper right corner."""
    small = all(float(value).is_integer() for value in weights.ravel())
    texts = [[words.number(value, 0 if small else 2) for value in row] for row in weights]
    widest = max(len(text) for row in texts for text in row)
    axes.text(
        0.985,
        0.985,
        "\n".join(" ".join(text.rjust(widest) for text in row) for row in texts),
        transform=axes.transAxes,
        ha="right",
        va="top",
        family="monospace",
        fontsize=7.5 if weights.shape[1] <= 3 else 5.5,
        bbox={"facecolor": "white", "edgecolor": figures.PALE, "alpha": 0.92, "boxstyle": "round,pad=0.3"},
    )


def _chosen(given: Any, words: Words) -> dict[str, Kernel]:
    """Titles and kernels."""
    if given is None:
        return {filters.named(name, words): weights for name, weights in filters.FIVE.items()}
    if isinstance(given, Mapping):
        chosen = {filters.named(str(name), words): filters.kernel(weights) for name, weights in given.items()}
    elif isinstance(given, str) or getattr(given, "ndim", 0) == 2:
        chosen = _titled([given], words)
    else:
        listed = list(given)
        rows = listed and not isinstance(listed[0], str) and np.ndim(listed[0]) == 1  # one kernel written as a list of rows
        chosen = _titled([given] if rows else listed, words)
    if not chosen:
        raise BadValue(setting="kernels", value=given, expected=say(en="at least one kernel", de="mindestens ein Kern"))
    return chosen


def _titled(given: list[Any], words: Words) -> dict[str, Kernel]:
    return {
        filters.named(one, words) if isinstance(one, str) else words(en=f"Kernel {i}", de=f"Kern {i}"): filters.kernel(one)
        for i, one in enumerate(given, start=1)
    }
