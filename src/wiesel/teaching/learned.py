"""The first filters of a network beside the classic ones: weights, frequency response, and which classic filter is nearest.

Nearest is meant by the angle between the two tables of weights: cosine 1 is the same filter up to strength, -1 the same with its sign
turned, 0 nothing in common. Because with nine weights and a dozen classics something is always rather near, the same is done with
random filters, and only what exceeds 95 % of those counts as a resemblance.

Filters that look at several channels are summed over them: what remains is how the filter answers a grey picture. `grey_share` says how
much of the filter that is; near 0 it compares colours and has no grey counterpart.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from wiesel.errors import BadValue
from wiesel.language import say
from wiesel.teaching import figures
from wiesel.teaching import kernels as filters
from wiesel.teaching.frequency import Kind, frequency_response, kind, kind_name
from wiesel.teaching.kernels import Kernel
from wiesel.teaching.words import Words, spoken

if TYPE_CHECKING:
    from torch import nn

    from wiesel.teaching.sheet import Sheet

ACROSS = 4
"""Filters per row of the figure."""
DRAWS = 2000
COLOUR = 0.05
"""Below this share of grey a filter is called one for colour."""


@dataclass(frozen=True)
class Learned:
    """One filter of the first convolution. `nearest` is a classic filter's name, `cosine` signed."""

    number: int
    weights: Kernel
    grey_share: float
    nearest: str
    cosine: float
    kind: Kind


def learned_filters(network: Any, *, most: int = 16, language: str | None = None) -> Sheet:
    """Each filter's weights, |H|, and nearest classic filter.

    Args:
        network: any `nn.Module` with a `Conv2d`, or a trained run (its folder's path).
        most: how many to show; the strongest (largest norm), in the order they have in the network.

    Raises:
        BadValue: no convolution in it, or `most` below 1; and what opening a run raises.
    """
    words = spoken(language)
    if isinstance(most, bool) or not isinstance(most, int) or most < 1:
        raise BadValue(setting="most", value=most, expected=say(en="a whole number from 1 on", de="eine ganze Zahl ab 1"))
    name, weights = first_convolution(network)
    found = compared(weights)
    chance = chance_level(weights.shape[2], weights.shape[3])
    strongest = sorted(
        sorted(found, key=lambda one: -float(np.linalg.norm(weights[one.number])))[:most], key=lambda one: one.number
    )

    rows = -(-len(strongest) // ACROSS)
    sheet = figures.sheet(13, 2.15 * rows + 1.3)
    grid = sheet.subplots(rows, 2 * ACROSS, squeeze=False)
    for axes in grid.ravel():
        axes.set_axis_off()
    for place, one in enumerate(strongest):
        row, column = divmod(place, ACROSS)
        left, right = grid[row, 2 * column], grid[row, 2 * column + 1]
        left.set_axis_on()
        right.set_axis_on()
        figures.show_signed(left, one.weights)
        left.set_title(f"{one.number + 1}: {_resemblance(one, chance, words)}", fontsize=9, loc="left")
        response = frequency_response(one.weights, samples=65)
        right.imshow(
            response.magnitude, cmap="cividis", vmin=0, vmax=response.peak[0] or 1.0, origin="lower", interpolation="nearest"
        )
        figures.bare(right)
        right.plot([32], [32], marker="o", markersize=4, markerfacecolor="white", markeredgecolor="black")
        right.set_xlabel(kind_name(one.kind, words, article=False), fontsize=8.5, color=figures.MUTED)
    notes = [
        words(
            en="Left: weights, zero grey, each on its own scale. Right: |H|, ring at zero frequency, Nyquist at the edge.",
            de="Links: Gewichte, null ist grau, jedes auf eigener Skala. Rechts: |H|, Ring bei Frequenz null, Nyquist am Rand.",
        ),
        words(
            en=f"Of random filters, 95 % have a cosine below {words.number(chance, 2)} with their nearest classic one; those are in brackets.",
            de=f"Von zufälligen Filtern haben 95 % mit ihrem nächsten klassischen einen Kosinus unter {words.number(chance, 2)}; solche stehen in Klammern.",
        ),
    ]
    if len(found) > len(strongest):
        hidden = len(found) - len(strongest)
        notes[0] += words(en=f" The {hidden} weakest are not shown.", de=f" Die {hidden} schwächsten fehlen.")
    return figures.finished(
        sheet,
        words(
            en=f"First convolution ({name}): {len(found)} filter{'s' * (len(found) > 1)}",
            de=f"Erste Faltung ({name}): {len(found)} Filter",
        ),
        finding(found, chance, words),
        note="\n".join(notes),
    )


def first_convolution(network: Any) -> tuple[str, NDArray[np.float64]]:
    """Name and weights (O, C, h, w) of the first `Conv2d` of a network or a trained run.

    Raises:
        BadValue: there is none, or its weights are not finite.
    """
    from torch import nn

    module: nn.Module
    if isinstance(network, (str, Path)):
        from wiesel.runs import trained

        module = trained.load(network).network
    elif isinstance(network, nn.Module):
        module = network
    else:
        raise BadValue(
            setting="network",
            value=type(network).__name__,
            expected=say(en="a torch.nn.Module or the folder of a run", de="ein torch.nn.Module oder der Ordner eines Laufs"),
        )
    for name, layer in module.named_modules():
        if isinstance(layer, nn.Conv2d):
            weights = layer.weight.detach().cpu().double().numpy()
            if not np.isfinite(weights).all():
                raise BadValue(setting=f"{name}.weight", value="NaN", expected=say(en="finite weights", de="endliche Gewichte"))
            return name or type(layer).__name__, weights
    raise BadValue(
        setting="network",
        value=type(module).__name__,
        expected=say(en="a network with a Conv2d in it", de="ein Netz mit einem Conv2d darin"),
    )


def compared(weights: NDArray[np.float64]) -> list[Learned]:
    """(O, C, h, w) -> each filter with its nearest classic one."""
    found = []
    classics = filters.classics(weights.shape[2], weights.shape[3])
    for number, own in enumerate(weights):
        grey = own.sum(0)
        whole = len(own) * float((own**2).sum())
        name, cosine = nearest(grey, classics)
        found.append(Learned(number, grey, float((grey**2).sum()) / whole if whole else 1.0, name, cosine, kind(grey)))
    return found


def nearest(weights: Kernel, classics: dict[str, Kernel]) -> tuple[str, float]:
    """Name and signed cosine of the classic filter with the largest |cosine|; 0 for a filter of zeros.

    >>> name, cosine = nearest(-3 * filters.SOBEL_Y, filters.classics(3, 3))
    >>> name, round(cosine, 6)
    ('sobel_y', -1.0)
    """
    length = float(np.linalg.norm(weights))
    cosines = {
        name: float((weights * classic).sum()) / (length * float(np.linalg.norm(classic))) if length else 0.0
        for name, classic in classics.items()
    }
    best = max(cosines, key=lambda name: abs(cosines[name]))
    return best, cosines[best]


def chance_level(height: int, width: int) -> float:
    """|cosine| with the nearest classic filter that 95 % of random filters (independent, normal) of this size stay below."""
    bank = np.stack([classic.ravel() / np.linalg.norm(classic) for classic in filters.classics(height, width).values()])
    random = np.random.default_rng(0).standard_normal((DRAWS, height * width))
    random /= np.linalg.norm(random, axis=1, keepdims=True)
    return float(np.quantile(np.abs(random @ bank.T).max(axis=1), 0.95))


def finding(found: list[Learned], chance: float, words: Words) -> str:
    grey = [one for one in found if one.grey_share >= COLOUR]
    alike = Counter(one.nearest for one in grey if abs(one.cosine) > chance)
    listed = ", ".join(f"{filters.named(name, words)} {count}" for name, count in alike.most_common(4))
    kinds = ", ".join(
        f"{kind_name(name, words, article=False)} {count}" for name, count in Counter(one.kind for one in grey).most_common()
    )
    count, brackets = sum(alike.values()), f" ({listed})" if listed else ""
    said = words(
        en=f"Closer to a classic filter than 95 % of random ones: {count} of {len(grey)}{brackets}; by chance about 5 % would be. "
        f"By frequency: {kinds}.",
        de=f"Einem klassischen Filter näher als 95 % der zufälligen: {count} von {len(grey)}{brackets}; durch Zufall wären es etwa 5 %. "
        f"Nach Frequenz: {kinds}.",
    )
    if len(grey) < len(found):
        rest = len(found) - len(grey)
        said += words(en=f" For colours, without an answer to grey: {rest}.", de=f" Für Farben, ohne Antwort auf Grau: {rest}.")
    return said


def _resemblance(one: Learned, chance: float, words: Words) -> str:
    if one.kind == "silent":
        return kind_name(one.kind, words)
    if one.grey_share < COLOUR:
        return words(en="colour", de="Farbe")
    name = filters.named(one.nearest, words)
    sign = "−" if one.cosine < 0 else ""
    value = words.number(abs(one.cosine), 2)
    return f"{sign}{name} {value}" if abs(one.cosine) > chance else f"({sign}{name} {value})"
