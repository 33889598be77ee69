"""Common ground of every figure: colours, scales, sheets, the alternative text.

How a figure is made here:

    words = spoken(language)                                   # words.py
    sheet = figures.sheet(9, 4)                                # inches; a Matplotlib figure without pyplot
    axes = sheet.subplots(1, 2)
    figures.show_grey(axes[0], picture)                        # pictures: grey, 0 is black and 1 is white
    figures.show_signed(axes[1], response)                     # responses: zero in the middle of the colours, same span both ways
    figures.bar(sheet, axes[1], drawn, words)                  # a colour bar with numbers in the figure's language
    return figures.finished(sheet, title, finding)             # `finding` becomes sheet.alt_text: the result in a sentence, with numbers

A figure without an alternative text does not leave this room: `finished` refuses it. The text carries the finding ("Sobel X is
negative at 31 % of the pixels"), not the looks ("six panels"). `sheet.save("x.png")` writes it into the file, `_repr_html_` into
the notebook, and lessons may print it.

Colours. Both scales grow lighter from their low to their high end, so that they can be read in grey print and by the colour-blind:

    SIGNED    blue and dark below zero, grey at zero, orange and light above it
    PHASE     cyclic; 0, pi/2, pi and -pi/2 have four different lightnesses
    INKS      for lines, with LINES (dashes) beside them, so that no line is told by its colour alone

Matplotlib is imported inside the functions: importing this file costs nothing.
"""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from wiesel.teaching.words import Words

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.colors import Colormap
    from matplotlib.image import AxesImage

    from wiesel.teaching.sheet import Sheet

SIGNED = ("#06234f", "#1f5590", "#5a7fa6", "#8b8b8b", "#c79a5c", "#edc07f", "#fff4dc")
PHASE = ((0.0, "#1c1c28"), (0.25, "#2f6fae"), (0.5, "#f2de9c"), (0.75, "#d98a2b"), (1.0, "#1c1c28"))  # -pi, -pi/2, 0, pi/2, pi
UNDEFINED = "#ffffff"

INKS = ("#12609f", "#c2500a", "#4a4a4a", "#7a9e2f", "#8a4f9e", "#c9a227")
LINES = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)), (0, (1, 1)))
MARKS = ("o", "s", "^", "D", "v", "P")
MUTED = "#57616c"
PALE = "#dde2e7"


def sheet(width: float, height: float) -> Sheet:
    """An empty figure of so many inches, whose parts make room for each other."""
    from wiesel.teaching.sheet import Sheet

    return Sheet(figsize=(width, height), layout="constrained", facecolor="white")


def finished(sheet: Sheet, title: str, finding: str, *, note: str = "") -> Sheet:
    """Give a drawn figure its title, its alternative text and, beneath, a small note (what is scaled, where the border was).

    Raises:
        ValueError: `finding` is empty. That would be a mistake of ours, not of the caller.
    """
    if not finding.strip():
        raise ValueError("a figure needs its finding in words")
    width = float(sheet.get_figwidth())
    if title:
        sheet.suptitle(_wrapped(title, width * 9), fontsize=13)
    if note:
        sheet.supxlabel(_wrapped(note, width * 13), fontsize=8.5, color=MUTED)
    sheet.alt_text = f"{title}. {finding}" if title else finding
    return sheet


def _wrapped(text: str, characters: float) -> str:
    """Matplotlib cuts off what is wider than the figure."""
    return "\n".join(line for part in text.split("\n") for line in (textwrap.wrap(part, max(20, int(characters))) or [""]))


def signed_colours() -> Colormap:
    from matplotlib.colors import LinearSegmentedColormap

    return LinearSegmentedColormap.from_list("wiesel-signed", SIGNED)


def phase_colours() -> Colormap:
    """For angles from -pi to pi; where there is no angle (NaN), white."""
    from matplotlib.colors import LinearSegmentedColormap

    return LinearSegmentedColormap.from_list("wiesel-phase", list(PHASE)).with_extremes(bad=UNDEFINED)


def show_grey(axes: Axes, picture: NDArray[Any], *, low: float = 0.0, high: float = 1.0, **settings: Any) -> AxesImage:
    """(H, W) as grey levels, or (H, W, 3) as colours; `low` is black and `high` is white. Pixels stay sharp squares."""
    settings = {"interpolation": "nearest", **settings}
    drawn = axes.imshow(picture, cmap="gray", vmin=low, vmax=high, **settings)
    bare(axes)
    return drawn


def show_signed(axes: Axes, values: NDArray[Any], *, span: float | None = None, **settings: Any) -> AxesImage:
    """(H, W) from -span to +span with zero in the middle of the colours; `span`: by default the largest absolute value."""
    largest = float(np.abs(values).max()) if span is None else span
    settings = {"interpolation": "nearest", **settings}
    drawn = axes.imshow(values, cmap=signed_colours(), vmin=-(largest or 1.0), vmax=largest or 1.0, **settings)
    bare(axes)
    return drawn


def bare(axes: Axes) -> None:
    """No ticks, a thin frame."""
    axes.set_xticks([])
    axes.set_yticks([])
    for side in axes.spines.values():
        side.set_color(PALE)


def bar(sheet: Sheet, axes: Axes, drawn: AxesImage, words: Words, *, ticks: Sequence[float] | None = None, **settings: Any) -> None:
    """A colour bar right of `axes`, as tall as its picture; by default with the two ends and, between them, zero or the middle."""
    low, high = drawn.get_clim()
    places = [low, (low + high) / 2, high] if ticks is None else list(ticks)
    made = sheet.colorbar(drawn, cax=axes.inset_axes((1.03, 0.0, 0.045, 1.0)), ticks=places, **settings)
    made.ax.set_yticklabels([words.short(place) for place in places], fontsize=8)
    made.outline.set_edgecolor(PALE)


def plain(axes: Axes) -> None:
    """Axes for lines: no box, faint horizontal lines."""
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="y", color=PALE, linewidth=0.8)
    axes.set_axisbelow(True)
