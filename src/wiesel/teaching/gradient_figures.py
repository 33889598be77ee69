"""Gradients, seen: the vanishing gradient and its cures at the start, the same along training, shortcuts against branches."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import floor, log10
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from wiesel.errors import BadValue
from wiesel.teaching import figures
from wiesel.teaching.words import MINUS, RAISED, Words, spoken

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from wiesel.analysis.gradient_flow import GradientFlow, LayerFlow
    from wiesel.teaching.sheet import Sheet

Quantity = Literal["gradient", "weight_gradient", "activation"]
QUANTITIES = ("gradient", "weight_gradient", "activation")
History = Sequence[tuple[int, "GradientFlow"]]
VANISHED = -12.0
"""Powers of ten at which the colours of `gradient_flow_along_training` end."""


def gradient_flow_figure(
    flows: Mapping[tuple[str, int], GradientFlow] | None = None,
    *,
    show: Quantity = "gradient",
    seed: int = 0,
    language: str | None = None,
) -> Sheet:
    """Sigmoid/ReLU, N(0, 0.01²)/Xavier/He, without/with batch norm, plain/residual, at 20 and 56 layers, before the first step.

    Args:
        flows: what `flows_of_cures` gave; None: it is asked, which takes half a minute.
        show: norms of gradients with respect to each convolution's output ("gradient") or weights ("weight_gradient"), or root mean
            squares of the outputs ("activation").
    """
    from matplotlib.ticker import NullFormatter

    from wiesel.teaching import flow_cures

    words = spoken(language)
    if show not in QUANTITIES:
        raise BadValue(setting="show", value=show, expected=", ".join(QUANTITIES))
    measured = flow_cures.flows_of_cures(seed=seed) if flows is None else dict(flows)
    depths = sorted({depth for _, depth in measured})
    end = -1 if show == "activation" else 0  # where the signal arrives: activations at the top, gradients at the bottom
    sheet = figures.sheet(13, 1.2 + 3.1 * len(depths))
    grid = np.array(sheet.subplots(len(depths), len(flow_cures.CURES), sharey="col", squeeze=False))
    for row, depth in zip(grid, depths, strict=True):
        for axes, cure in zip(row, flow_cures.CURES, strict=True):
            for number, setting in enumerate(cure.settings):
                heights = [_height(layer, show) for layer in measured[setting, depth].weighted[:-1]]
                label = f"{flow_cures.said(setting, words)}: {scientific(heights[end], words)}"
                _line(axes, heights, number, label)
            axes.set_yscale("log")
            axes.yaxis.set_minor_formatter(NullFormatter())
            figures.plain(axes)
            axes.set_xlabel(words(en="convolution, from the picture up", de="Faltung, vom Bild an gezählt"), fontsize=8.5)
            axes.legend(fontsize=8.5, frameon=False, loc="best", handlelength=3.4)
            title, same = flow_cures.headline(cure.name, words)
            axes.set_title(f"{title}\n{same}" if depth == depths[0] else "", fontsize=10.5)
        row[0].set_ylabel(words(en=f"{depth} layers", de=f"{depth} Schichten"), fontsize=12)
    for axes in grid[0]:
        low, high = axes.get_ylim()
        if high < low * 1e8:  # no free corner for the legend
            axes.set_ylim(low, high * (high / low) ** 0.35)
    deepest = depths[-1]
    first = {setting: _height(measured[setting, deepest].weighted[:-1][end], show) for setting in flow_cures.SETTINGS}
    what = _called(show, words)
    finding = words(
        en=f"{what} at the first of {deepest} layers: sigmoid {{sigmoid}}, ReLU with Xavier {{relu}}, with He {{he}}; drawn from "
        f"N(0, 0.01²) {{normal}}, with batch norm as well {{norm}}. Batch norm alone makes it explode in a plain network ({{plain}}); "
        f"shortcuts hold it at {{residual}}.",
        de=f"{what} an der ersten von {deepest} Schichten: Sigmoid {{sigmoid}}, ReLU mit Xavier {{relu}}, mit He {{he}}; aus "
        f"N(0, 0,01²) gezogen {{normal}}, mit Batch-Norm dazu {{norm}}. Batch-Norm allein lässt ihn ohne Abkürzungen (Shortcuts) explodieren "
        f"({{plain}}); mit Abkürzungen bleibt er bei {{residual}}.",
    )
    if show != "gradient" or first["plain"] < 10 * first["residual"]:
        where = words(en="last", de="letzten") if end else words(en="first", de="ersten")
        finding = words(
            en=f"{what} at the {where} convolution of {deepest} layers: ",
            de=f"{what} an der {where} Faltung von {deepest} Schichten: ",
        )
        finding += ", ".join(f"{flow_cures.said(key, words)} {{{key}}}" for key in first) + "."
    return figures.finished(
        sheet,
        words(
            en=f"The vanishing gradient and its cures, before the first step: {what[0].lower()}{what[1:]}",
            de=f"Der verschwindende Gradient und was hilft, vor dem ersten Schritt: {what}",
        ),
        finding.format(**{key: scientific(value, words) for key, value in first.items()}),
        note=words(
            en=f"Numbers: at the {'last' if end else 'first'} convolution. "
            "Each column has its own scale. Loss: mean cross-entropy of 8 pictures, double precision.",
            de=f"Zahlen: an der {'letzten' if end else 'ersten'} Faltung. "
            "Jede Spalte hat ihre eigene Skala. Verlust: mittlere Kreuzentropie von 8 Bildern, doppelte Genauigkeit.",
        ),
    )


def gradient_flow_along_training(histories: Mapping[str, History], *, language: str | None = None) -> Sheet:
    """For each training, step by step: the gradient of every convolution's weights as colour, and the loss beneath.

    Args:
        histories: name -> (steps done, flow), as `flow_histories` and `wiesel.jobs.gradient_flow.noted(run)` give them.
    """
    from matplotlib.ticker import MaxNLocator

    words = spoken(language)
    if not histories or any(len(history) < 2 for history in histories.values()):
        raise BadValue(
            setting="histories",
            value={name: len(history) for name, history in histories.items()},
            expected=words(en="at least one, each with two steps or more", de="mindestens eine, jede mit zwei Schritten oder mehr"),
        )
    tables = {name: _table(history) for name, history in histories.items()}
    losses = {name: [flow.loss for _, flow in history] for name, history in histories.items()}
    finite = np.concatenate([table[np.isfinite(table)] for table in tables.values()] or [np.zeros(1)])
    low = max(VANISHED, float(np.floor(finite.min()))) if finite.size else VANISHED
    high = float(np.ceil(finite.max())) if finite.size else 0.0
    high = max(high, low + 1)
    sheet = figures.sheet(max(5.5, 2.9 * len(tables) + 1), 5.6)
    grid = np.array(sheet.subplots(2, len(tables), squeeze=False, sharex="col", height_ratios=(2.2, 1)))
    drawn: Any = None
    top = 1.08 * max(loss for series in losses.values() for loss in series if np.isfinite(loss))
    for column, (name, history) in enumerate(histories.items()):
        steps, table = [step for step, _ in history], tables[name]
        axes, below = grid[0, column], grid[1, column]
        middle = (steps[1] - steps[0]) / 2
        extent = (steps[0] - middle, steps[-1] + middle, 0.5, len(table) + 0.5)
        shown = np.clip(np.nan_to_num(table, nan=low, neginf=low, posinf=high), low, high)
        drawn = axes.imshow(
            shown, origin="lower", aspect="auto", extent=extent, cmap="cividis", vmin=low, vmax=high, interpolation="nearest"
        )
        axes.set_title(name, fontsize=10)
        axes.yaxis.set_major_locator(MaxNLocator(5, integer=True))
        axes.tick_params(labelsize=8)
        below.plot(steps, losses[name], color=figures.INKS[0], marker="o", markersize=3)
        below.set_ylim(0, top)
        figures.plain(below)
        below.tick_params(labelsize=8)
        below.set_xlabel(words(en="steps done", de="Schritte"), fontsize=9)
        if column:
            below.set_yticklabels([])
    grid[0, 0].set_ylabel(words(en="layer, from the picture up", de="Schicht, vom Bild an"), fontsize=9)
    grid[1, 0].set_ylabel(words(en="loss", de="Verlust"), fontsize=9)
    ticks = sorted({float(round(place)) for place in np.linspace(low, high, 5)})
    made = sheet.colorbar(drawn, ax=list(grid[0]), ticks=ticks, fraction=0.03, pad=0.01)
    made.ax.set_yticklabels(
        [("≤ " if place == low == VANISHED else "") + f"10{str(round(place)).translate(RAISED)}" for place in ticks],
        fontsize=8,
    )
    parts = []
    for name, table in tables.items():
        parts.append(
            words(en="{name}: first layer {first} at the start and {last} at the end, loss {before} to {after}", de="{name}: erste "
            "Schicht {first} am Anfang und {last} am Ende, Verlust {before} auf {after}").format(
                name=name.replace("\n", " "),
                first=scientific(10 ** float(table[0, 0]), words),
                last=scientific(10 ** float(table[0, -1]), words),
                before=words.number(losses[name][0], 2),
                after=words.number(losses[name][-1], 2),
            )
        )  # fmt: skip
    return figures.finished(
        sheet,
        words(en="Gradients of the weights along training", de="Gradienten der Gewichte beim Training"),
        ". ".join(parts) + ".",
        note=words(
            en="Colour: norm of the gradient; the same scale everywhere.", de="Farbe: Norm des Gradienten; überall dieselbe Skala."
        ),
    )


def shortcut_figure(flow: GradientFlow, *, language: str | None = None) -> Sheet:
    """What each residual block adds to its input, and by which way the gradient comes back.

    Raises:
        BadValue: the network has no sum of a shortcut and a branch.
    """
    words = spoken(language)
    if not flow.shortcuts:
        raise BadValue(
            setting="flow",
            value=words(en="no shortcut in it", de="keine Abkürzung darin"),
            expected=words(en="the flow of a residual network", de="der Fluss eines Residualnetzes"),
        )
    names = [one.name.removeprefix("features.") for one in flow.shortcuts]
    places = np.arange(len(names))
    sheet = figures.sheet(max(7.0, 0.42 * len(names) + 3), 5.4)
    above, below = sheet.subplots(2, 1, sharex=True)
    ratios = [one.ratio for one in flow.shortcuts]
    for axes, pairs, labels in (
        (
            above,
            [(one.skip, one.branch) for one in flow.shortcuts],
            (words(en="shortcut", de="Abkürzung"), words(en="branch", de="Zweig")),
        ),
        (
            below,
            [(one.gradient or 0.0, np.nan if one.gradient_branch is None else one.gradient_branch) for one in flow.shortcuts],
            (
                words(en="back by the shortcut", de="zurück über die Abkürzung"),
                words(en="back by the branch", de="zurück über den Zweig"),
            ),
        ),
    ):
        for side, (label, ink, hatch) in enumerate(zip(labels, figures.INKS, ("", "///"), strict=False)):
            heights = [pair[side] for pair in pairs]
            axes.bar(places + (side - 0.5) * 0.4, heights, 0.38, label=label, color=ink, hatch=hatch, edgecolor="white")
        figures.plain(axes)
        axes.set_ylim(0, 1.3 * max(value for pair in pairs for value in pair if np.isfinite(value)))
        axes.yaxis.set_major_formatter(lambda value, _: words.short(value))
        axes.legend(fontsize=8.5, frameon=False, ncols=2, loc="upper right")
    above.set_ylabel(words(en="norm of the activation", de="Norm der Aktivierung"), fontsize=9)
    below.set_ylabel(words(en="norm of the gradient", de="Norm des Gradienten"), fontsize=9)
    below.set_xticks(places, names, rotation=60, ha="right", fontsize=8)
    computed = sum(one.gradient_branch is None for one in flow.shortcuts)
    lowest, highest = words.number(min(ratios), 2), words.number(max(ratios), 2)
    finding = words(
        en=f"In {len(names)} blocks the branch is {lowest} to {highest} times as large as the shortcut.",
        de=f"In {len(names)} Blöcken ist der Zweig {lowest}- bis {highest}-mal so gross wie die Abkürzung (Shortcut).",
    )
    return figures.finished(
        sheet,
        words(en="Shortcut against branch, block by block", de="Abkürzung gegen Zweig, Block für Block"),
        finding,
        note=words(
            en=f"No hatched bar below: the shortcut computes something, the two ways cannot be told apart ({computed} blocks).",
            de=f"Kein schraffierter Balken unten: Die Abkürzung rechnet etwas, die Wege sind nicht zu trennen ({computed} Blöcke).",
        )
        if computed
        else "",
    )


def scientific(value: float, words: Words) -> str:
    """0.004 -> 0.004, 9.1e-38 -> 9·10⁻³⁸."""
    if 100 <= abs(value) < 1e4:
        return words.grouped(round(value))
    if value == 0 or not np.isfinite(value) or 1e-3 <= abs(value) < 100:
        return words.short(value, 2)
    power = floor(log10(abs(value)))
    leading = round(value / 10.0**power)
    if abs(leading) == 10:
        leading, power = leading // 10, power + 1
    return f"{leading}·10{str(power).translate(RAISED)}".replace("-", MINUS)


def _height(layer: LayerFlow, show: Quantity) -> float:
    value = layer.activation_rms if show == "activation" else getattr(layer, show)
    return float("nan") if value is None else float(value)


def _line(axes: Axes, heights: list[float], number: int, label: str) -> None:
    axes.plot(
        range(1, len(heights) + 1),
        [height or float("nan") for height in heights],
        color=figures.INKS[number],
        linestyle=figures.LINES[number],
        marker=figures.MARKS[number],
        markevery=max(1, len(heights) // 6),
        markersize=4.5,
        linewidth=1.3,
        label=label,
    )


def _called(show: Quantity, words: Words) -> str:
    return {
        "gradient": words(en="Gradient of the loss", de="Gradient des Verlusts"),
        "weight_gradient": words(en="Gradient of the weights", de="Gradient der Gewichte"),
        "activation": words(en="Activations (root mean square)", de="Aktivierungen (quadratisches Mittel)"),
    }[show]


def _table(history: History) -> Any:
    """(layers, steps): log10 of the norm of the weights' gradients."""
    with np.errstate(divide="ignore"):
        return np.array([[np.log10(layer.weight_gradient or 0.0) for layer in flow.weighted] for _, flow in history]).T
