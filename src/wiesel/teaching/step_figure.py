"""One position of a convolution as a figure: the window, what is multiplied, and where the sum goes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from wiesel.errors import BadValue
from wiesel.language import say
from wiesel.scratch.geometry import Pair
from wiesel.teaching import cells, figures, sliding
from wiesel.teaching.sliding import Sliding
from wiesel.teaching.words import Words, spoken

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from wiesel.teaching.sheet import Sheet


def visualize_convolution_step(
    image: Any = None,
    kernel: Any = None,
    row: int = 0,
    column: int = 0,
    stride: int | Pair = 1,
    padding: int | Pair = 0,
    dilation: int | Pair = 1,
    *,
    language: str | None = None,
) -> Sheet:
    """The picture with the window of one output number, the products under that window, and the output with that number framed.

    Args:
        image, kernel, stride, padding, dilation: as for `create_conv_animation`.
        row, column: which number of the output, counted from 0.

    Raises:
        BadValue: there is no such position; and what `create_conv_animation` raises.
    """
    words = spoken(language)
    made = sliding.sliding(image, kernel, stride, padding, dilation)
    rows, columns = made.size
    if not (0 <= row < rows and 0 <= column < columns):
        raise BadValue(
            setting="row, column",
            value=(row, column),
            expected=say(en=f"within the output of {rows} x {columns}", de=f"innerhalb der Ausgabe von {rows} x {columns}"),
        )
    step = made.step(row * columns + column)

    widths = [made.whole.shape[1], made.kernel.shape[1] * 1.7, made.size[1]]
    sheet = figures.sheet(12, 1.9 + 3.4 * max(0.6, min(1.2, made.whole.shape[0] / made.whole.shape[1])))
    before, products, after = sheet.subplots(1, 3, width_ratios=widths)
    _board(
        before,
        made.whole,
        cells.grey(made.whole),
        made,
        words,
        [tuple(at) for at in step.pixels.reshape(-1, 2).tolist()],
        made.place.padding,
    )
    before.set_title(words(en="Picture, window framed", de="Bild, Fenster umrahmt"), fontsize=11)
    _board(products, step.products, cells.signed(step.products), made, words, [], (0, 0), _factors(made, step, words))
    products.set_title(words(en="Value × weight", de="Wert × Gewicht"), fontsize=11)
    _board(after, made.output, cells.signed(made.output), made, words, [(row, column)], (0, 0))
    after.set_title(words(en="Output", de="Ausgabe"), fontsize=11)

    written = sliding.sum_in_words(made, step, words)
    title = words(
        en=f"Convolution at output row {row + 1}, column {column + 1}",
        de=f"Faltung bei Ausgabe Zeile {row + 1}, Spalte {column + 1}",
    )
    margin = int((~step.inside).sum())
    finding = words(en=f"The sum of the products is {written}.", de=f"Die Summe der Produkte ist {written}.")
    if margin:
        finding += words(en=f" {margin} of the values are padding.", de=f" {margin} der Werte sind Padding.")
    note = written if made.kernel.size <= 16 else f"Σ = {words.number(step.result, made.digits)}"
    return figures.finished(sheet, title, finding, note=note)


def _factors(made: Sliding, step: sliding.Step, words: Words) -> list[list[str]]:
    gap = "\n" if made.digits else " "  # decimals need a line of their own
    return [
        [
            f"{words.number(step.values[i, j], made.digits)}{gap}× {words.number(made.kernel[i, j], made.digits)}\n"
            f"= {words.number(step.products[i, j], made.digits)}"
            for j in range(made.kernel.shape[1])
        ]
        for i in range(made.kernel.shape[0])
    ]


def _board(
    axes: Axes,
    values: Any,
    colours: Any,
    made: Sliding,
    words: Words,
    framed: list[Any],
    padding: Pair,
    texts: list[list[str]] | None = None,
) -> None:
    from matplotlib.patches import Rectangle

    axes.imshow(colours, interpolation="nearest")
    figures.bare(axes)
    top, left = padding
    size = min(12.0, 75 / max(values.shape)) if texts is None else min(11.0, 33 / values.shape[1])
    for y, x in np.ndindex(values.shape):
        margin = y < top or x < left or y >= values.shape[0] - top or x >= values.shape[1] - left
        if margin:
            axes.add_patch(
                Rectangle((x - 0.5, y - 0.5), 1, 1, facecolor="white", edgecolor=figures.PALE, hatch="///", linewidth=0.6)
            )
        colour = "black" if margin else cells.web(cells.ink(colours[y, x]))
        said = words.number(values[y, x], made.digits) if texts is None else texts[y][x]
        axes.text(x, y, said, ha="center", va="center", fontsize=size, color=colour)
    for y, x in framed:
        for ink, width in (("white", 5.0), ("black", 2.2)):  # seen on dark and on light cells, in grey as well
            axes.add_patch(Rectangle((x - 0.45, y - 0.45), 0.9, 0.9, fill=False, edgecolor=ink, linewidth=width))
