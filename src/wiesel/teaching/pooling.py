"""Three ways to halve a picture, side by side: the maximum of each window, its mean, or every second pixel (stride).

And what each of them does when the picture moves by one pixel: none of the three is indifferent to that, but not to the same degree.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from wiesel.errors import BadValue
from wiesel.teaching import figures
from wiesel.teaching.pictures import caption, picture
from wiesel.teaching.words import spoken

if TYPE_CHECKING:
    from wiesel.teaching.sheet import Sheet


def pooled(values: NDArray[np.float64], how: str, window: int = 2) -> NDArray[np.float64]:
    """(H, W) -> (H // window, W // window) by "max", "mean" or "stride"; rows and columns that fill no window are left out.

    >>> pooled(np.arange(16.0).reshape(4, 4), "max")
    array([[ 5.,  7.],
           [13., 15.]])
    """
    height, width = (side // window for side in values.shape)
    if how not in ("max", "mean", "stride"):
        raise BadValue(setting="how", value=how, expected="max, mean, stride")
    if window < 1 or not height or not width:
        raise BadValue(setting="window", value=window, expected=f"1 … {min(values.shape)}")
    windows = values[: height * window, : width * window].reshape(height, window, width, window)
    if how == "stride":
        return windows[:, 0, :, 0]
    reduced: NDArray[np.float64] = windows.max(axis=(1, 3)) if how == "max" else windows.mean(axis=(1, 3))
    return reduced


def moved(values: NDArray[np.float64], how: str, window: int = 2, start: int = 0) -> NDArray[np.float64]:
    """How the pooled picture changes if the picture, moved by `start` pixels to the left already, is moved by one more; both are cut to
    the columns that both have."""
    columns = values.shape[1] - start - 1
    return pooled(values[:, start + 1 :], how, window) - pooled(values[:, start : start + columns], how, window)


def mean_change(values: NDArray[np.float64], how: str, window: int = 2) -> float:
    """The mean absolute change by one pixel, over all places that the windows may begin at.

    One place alone deceives: stripes two pixels wide, say, do not change at all under every second step of a stride of two.
    """
    return float(np.mean([np.abs(moved(values, how, window, start)).mean() for start in range(window)]))


def compare_pooling(image: Any = None, *, window: int = 2, size: int | None = None, language: str | None = None) -> Sheet:
    """The picture, and its halves by maximum, mean and stride; beneath, what moving it by one pixel changes.

    `image`: whatever `picture` takes, in grey; `window`: side of the windows, also the stride.
    """
    words = spoken(language)
    grey = picture(image, size=size)
    names = {
        "max": words(en="Maximum", de="Maximum"),
        "mean": words(en="Mean", de="Mittel"),
        "stride": words(en="Stride", de="Schrittweite"),
    }
    halves = {how: pooled(grey, how, window) for how in names}
    changes = {how: moved(grey, how, window) for how in names}
    means = {how: mean_change(grey, how, window) for how in names}
    span = max(float(np.abs(change).max()) for change in changes.values())

    sheet = figures.sheet(11.5, 6.2)
    grid = sheet.subplots(2, 4)
    figures.show_grey(grid[0, 0], grey)
    grid[0, 0].set_title(words(en="Picture", de="Bild"), fontsize=11)
    grid[0, 0].set_xlabel(f"{grey.shape[1]} × {grey.shape[0]}", fontsize=9, color=figures.MUTED)
    grid[1, 0].set_axis_off()
    grid[1, 0].text(
        0.0,
        0.5,
        words(
            en="Moved by one pixel:\nhow much does the\nresult change?",
            de="Um ein Pixel verschoben:\nwie stark ändert sich\ndas Ergebnis?",
        ),
        va="center",
        fontsize=11,
        transform=grid[1, 0].transAxes,
    )
    drawn: Any = None
    for column, how in enumerate(names, start=1):
        half = halves[how]
        figures.show_grey(grid[0, column], half)
        grid[0, column].set_title(f"{names[how]} {window} × {window}", fontsize=11)
        grid[0, column].set_xlabel(
            f"{half.shape[1]} × {half.shape[0]}; " + words(en="mean ", de="Mittel ") + words.number(half.mean(), 3),
            fontsize=9,
            color=figures.MUTED,
        )
        drawn = figures.show_signed(grid[1, column], changes[how], span=span)
        grid[1, column].set_xlabel(
            words(en="mean change ", de="mittlere Änderung ") + words.number(means[how], 4), fontsize=9, color=figures.MUTED
        )
    figures.bar(sheet, grid[1, 3], drawn, words)
    least, most = min(means, key=lambda how: means[how]), max(means, key=lambda how: means[how])
    en, de = caption(image)
    return figures.finished(
        sheet,
        words(en=f"Three ways to make {en} smaller", de=f"Drei Arten zu verkleinern, an {de}"),
        words(
            en=f"The maximum makes the picture brighter (mean {words.number(halves['max'].mean(), 3)} instead of "
            f"{words.number(grey.mean(), 3)}), the mean keeps it. Moved by one pixel, the result changes least by {names[least].lower()} "
            f"({words.number(means[least], 4)} on average) and most by {names[most].lower()} ({words.number(means[most], 4)}).",
            de=f"Das Maximum macht das Bild heller (Mittel {words.number(halves['max'].mean(), 3)} statt "
            f"{words.number(grey.mean(), 3)}), das Mittel erhält es. Um ein Pixel verschoben ändert sich das Ergebnis am wenigsten bei: "
            f"{names[least]} ({words.number(means[least], 4)} im Mittel), am meisten bei: {names[most]} ({words.number(means[most], 4)}).",
        ),
        note=words(
            en="Changes: one scale for all three, grey is no change; drawn is the first step, the mean is over all places that the windows "
            "may begin at.",
            de="Änderungen: eine Skala für alle drei, Grau heisst keine; gezeichnet ist der erste Schritt, gemittelt wird über alle Orte, "
            "an denen die Fenster beginnen können.",
        ),
    )
