"""A kernel seen from the side of frequencies: magnitude, phase and cuts, with the zero frequency and Nyquist marked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from wiesel.teaching import figures
from wiesel.teaching import kernels as filters
from wiesel.teaching.frequency import Response, frequency_response, kind, kind_name
from wiesel.teaching.kernels import Kernel
from wiesel.teaching.words import Words, spoken

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from wiesel.teaching.sheet import Sheet

MOST_WEIGHTS = 11


def plot_frequency_response(kernel: Any, title: str | None = None, *, language: str | None = None) -> Sheet:
    """The kernel, |H|, the phase of H counted from the anchor, and |H| along the axes and the diagonal.

    Args:
        kernel: a table of numbers (h, w) or a classic filter's name.
        title: what to call it; by default its name.

    Raises:
        BadValue, NotAPicture: a kernel that is none.
    """
    words = spoken(language)
    weights = filters.kernel(kernel)
    name = title or (filters.named(kernel, words) if isinstance(kernel, str) else words(en="Kernel", de="Kern"))
    response = frequency_response(weights)

    sheet = figures.sheet(10, 8.4)
    (numbers, magnitude), (cuts, phase) = sheet.subplots(2, 2)
    show_weights(sheet, numbers, weights, words)
    _magnitude(sheet, magnitude, response, words)
    _phase(sheet, phase, response, words)
    _cuts(cuts, response, words)
    note = words(
        en="Frequencies in radians per pixel; response of convolution proper, phase counted from the anchor. Not flipped: opposite phase.",
        de="Frequenzen in Radiant pro Pixel; Antwort der echten Faltung, Phase vom Anker aus. Ohne Spiegeln: umgekehrte Phase.",
    )
    return figures.finished(
        sheet,
        f"{name}: {kind_name(kind(weights), words, article=False)}",
        finding(name, weights, response, words),
        note="\n".join(filter(None, [note, filters.anchor_note(weights, words)])),
    )


def finding(name: str, weights: Kernel, response: Response, words: Words) -> str:
    highest, wy, wx = response.peak
    along_x, along_y, both = (words.short(value) for value in response.nyquist)
    place = f"({_angle(wx, words)}, {_angle(wy, words)})"
    return words(
        en=f"{name} is {kind_name(kind(weights), words)}. At zero frequency H = {words.short(response.zero)}, the sum of the weights; "
        f"|H| is largest, {words.short(highest)}, at (wx, wy) = {place}; at Nyquist it is {along_x} along x, {along_y} along y "
        f"and {both} along both. {phase_finding(response, words)}",
        de=f"{name} ist {kind_name(kind(weights), words)}. Bei Frequenz null ist H = {words.short(response.zero)}, die Summe der Gewichte; "
        f"|H| ist am grössten, {words.short(highest)}, bei (wx, wy) = {place}; bei Nyquist ist es {along_x} entlang x, {along_y} entlang y "
        f"und {both} entlang beider. {phase_finding(response, words)}",
    )


def phase_finding(response: Response, words: Words) -> str:
    """What the phase says about symmetry."""
    angles = response.phase[np.isfinite(response.phase)]
    if not angles.size:
        return words(en="Nothing passes, so there is no phase.", de="Nichts kommt durch, also gibt es keine Phase.")
    if np.all(np.minimum(np.abs(angles), np.abs(np.abs(angles) - np.pi)) < 1e-6):
        if np.all(np.abs(angles) < 1e-6):
            return words(en="The phase is 0: nothing is shifted.", de="Die Phase ist 0: Nichts wird verschoben.")
        return words(
            en="The phase is 0 or pi (symmetric kernel): waves keep their place, some are inverted.",
            de="Die Phase ist 0 oder pi (symmetrischer Kern): Wellen bleiben am Ort, einige werden umgekehrt.",
        )
    if np.all(np.abs(np.abs(angles) - np.pi / 2) < 1e-6):
        return words(
            en="The phase is pi/2 or −pi/2 (antisymmetric kernel): waves are shifted by a quarter, as a derivative does.",
            de="Die Phase ist pi/2 oder −pi/2 (antisymmetrischer Kern): Wellen verschieben sich um ein Viertel, wie bei einer Ableitung.",
        )
    return words(
        en="The phase takes other values too: the kernel is neither symmetric nor antisymmetric about its anchor.",
        de="Die Phase nimmt auch andere Werte an: Der Kern ist um seinen Anker weder symmetrisch noch antisymmetrisch.",
    )


def show_weights(sheet: Sheet, axes: Axes, weights: Kernel, words: Words) -> None:
    """The kernel as a table of coloured numbers, its anchor framed."""
    drawn = figures.show_signed(axes, weights)
    axes.set_title(
        words(en=f"Weights, sum {words.short(float(weights.sum()))}", de=f"Gewichte, Summe {words.short(float(weights.sum()))}")
    )
    row, column = filters.anchor(weights)
    for colour, thickness in (("white", 4.0), ("black", 1.8)):  # seen on dark and on light cells
        axes.add_patch(_frame(column, row, colour, thickness))
    if max(weights.shape) > MOST_WEIGHTS:
        figures.bar(sheet, axes, drawn, words)
        return
    whole = all(float(value).is_integer() for value in weights.ravel())
    largest = float(np.abs(weights).max()) or 1.0
    for i, j in np.ndindex(weights.shape):
        axes.text(
            j,
            i,
            words.number(float(weights[i, j]), 0 if whole else 2),
            ha="center",
            va="center",
            fontsize=min(16.0, 46 / max(weights.shape)),
            color="white" if weights[i, j] < -0.25 * largest else "black",
        )


def _frame(column: int, row: int, colour: str, thickness: float) -> Any:
    from matplotlib.patches import Rectangle

    return Rectangle((column - 0.46, row - 0.46), 0.92, 0.92, fill=False, edgecolor=colour, linewidth=thickness)


def _magnitude(sheet: Sheet, axes: Axes, response: Response, words: Words) -> None:
    highest = response.peak[0] or 1.0
    drawn = _plane(axes, response.magnitude, cmap="cividis", vmin=0.0, vmax=highest)
    figures.bar(sheet, axes, drawn, words)
    axes.set_title(words(en="Magnitude |H|", de="Betrag |H|"))
    marks(axes, words)


def _phase(sheet: Sheet, axes: Axes, response: Response, words: Words) -> None:
    drawn = _plane(axes, response.phase, cmap=figures.phase_colours(), vmin=-np.pi, vmax=np.pi)
    made = sheet.colorbar(drawn, cax=axes.inset_axes((1.03, 0.0, 0.045, 1.0)), ticks=[-np.pi, -np.pi / 2, 0, np.pi / 2, np.pi])
    made.ax.set_yticklabels(["−π", "−π/2", "0", "π/2", "π"], fontsize=8)
    made.outline.set_edgecolor(figures.PALE)
    axes.set_title(words(en="Phase (white: nothing passes)", de="Phase (weiss: nichts kommt durch)"))


def _plane(axes: Axes, values: Any, **settings: Any) -> Any:
    drawn = axes.imshow(values, origin="lower", extent=(-np.pi, np.pi, -np.pi, np.pi), interpolation="nearest", **settings)
    ticks, labels = [-np.pi, -np.pi / 2, 0, np.pi / 2, np.pi], ["−π", "−π/2", "0", "π/2", "π"]
    axes.set_xticks(ticks, labels)
    axes.set_yticks(ticks, labels)
    axes.set_xlabel("ωx")
    axes.set_ylabel("ωy", rotation=0)
    return drawn


def marks(axes: Axes, words: Words) -> None:
    """A ring at the zero frequency, diamonds at Nyquist: (pi, 0), (0, pi), (pi, pi)."""
    edges: dict[str, Any] = {"markeredgecolor": "black", "markeredgewidth": 1.1, "linestyle": "none", "clip_on": False}
    axes.plot([0], [0], marker="o", markersize=8, markerfacecolor="white", label=words(en="zero", de="null"), **edges)
    axes.plot([np.pi, 0, np.pi], [0, np.pi, np.pi], marker="D", markersize=6, markerfacecolor="white", label="Nyquist", **edges)
    axes.legend(loc="lower left", fontsize=8, framealpha=0.9)


def _cuts(axes: Axes, response: Response, words: Words) -> None:
    middle = len(response.frequencies) // 2
    frequencies, magnitude = response.frequencies[middle:], response.magnitude
    lines = (
        (words(en="along x", de="entlang x"), magnitude[middle, middle:]),
        (words(en="along y", de="entlang y"), magnitude[middle:, middle]),
        (words(en="along ωx = ωy", de="entlang ωx = ωy"), np.diagonal(magnitude)[middle:]),
    )
    for (label, values), colour, line in zip(lines, figures.INKS, figures.LINES, strict=False):
        axes.plot(frequencies, values, color=colour, linestyle=line, linewidth=2, label=label)
    figures.plain(axes)
    axes.set_xlim(0, np.pi)
    axes.set_ylim(0, (response.peak[0] or 1.0) * 1.12)
    axes.set_xticks([0, np.pi / 4, np.pi / 2, 3 * np.pi / 4, np.pi], ["0", "π/4", "π/2", "3π/4", "π"])
    axes.yaxis.set_major_formatter(lambda value, _: words.short(value))
    axes.set_xlabel(words(en="frequency  (0: even grey, π: Nyquist)", de="Frequenz  (0: gleichmässiges Grau, π: Nyquist)"))
    axes.set_title(words(en="|H| along three lines", de="|H| entlang dreier Linien"))
    axes.legend(fontsize=8, frameon=False)


def _angle(value: float, words: Words) -> str:
    """A frequency as a share of pi where it is a simple one."""
    eighths = value / (np.pi / 8)
    if abs(eighths - round(eighths)) < 1e-6:
        names = ("0", "pi/8", "pi/4", "3pi/8", "pi/2", "5pi/8", "3pi/4", "7pi/8", "pi")
        return names[round(eighths)]
    return words.number(value, 2)
