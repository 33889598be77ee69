"""What a learner says about filters, against their computed frequency response."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from scipy.signal import correlate2d

from wiesel.language import say
from wiesel.lessons.checking import Own, Result
from wiesel.lessons.reader import scientific
from wiesel.teaching.frequency import kind
from wiesel.teaching.kernels import FIVE
from wiesel.teaching.scene import scene

WORDS = ("low-pass", "high-pass", "band-pass", "high-emphasis", "band-emphasis")


def check(own: Own) -> Iterator[Result]:
    kinds = own.get("kinds") or {}
    for name, weights in FIVE.items():
        said, right = kinds.get(name) if isinstance(kinds, dict) else None, kind(weights)
        if said is None:
            yield Result(
                name, "open", say(en=f"`kinds[{name!r}]` is not filled in yet.", de=f"`kinds[{name!r}]` ist noch nicht ausgefüllt.")
            )
        elif str(said).strip().lower() == right:
            yield Result(name, "right", say(en=f"{right}, so it is.", de=f"{right}, so ist es."))
        elif str(said).strip().lower() not in WORDS:
            yield Result(
                name,
                "wrong",
                say(
                    en=f"{said!r} is none of the words: {', '.join(WORDS)}",
                    de=f"{said!r} ist keines der Wörter: {', '.join(WORDS)}",
                ),
            )
        else:
            yield Result(
                name,
                "wrong",
                say(
                    en=f"{said!r} does not fit: look at the response at 0 (sum of the weights: {weights.sum():.0f}) and at the finest waves.",
                    de=f"{said!r} passt nicht: Sieh den Frequenzgang bei 0 an (Summe der Gewichte: {weights.sum():.0f}) und bei den feinsten Wellen.",
                ),
            )
    yield own.part(
        "blur",
        "blur",
        _blur,
        say(en="keeps the brightness and calms the picture.", de="erhält die Helligkeit und beruhigt das Bild."),
    )
    yield own.part("level_edges", "level_edges", _level, say(en="sees level edges only.", de="sieht nur waagrechte Kanten."))
    yield own.part("nothing", "nothing", _nothing, say(en="leaves every picture alone.", de="lässt jedes Bild, wie es ist."))
    yield own.text("description", "description")


def _table(given: Any) -> np.ndarray[Any, Any] | str:
    weights = np.asarray(given, dtype=float)
    if weights.shape != (3, 3):
        return say(en=f"has the shape {weights.shape}, not (3, 3)", de=f"hat die Form {weights.shape}, nicht (3, 3)")
    return weights


def _blur(given: Any) -> str | None:
    weights = _table(given)
    if isinstance(weights, str):
        return weights
    if abs(weights.sum() - 1) > 1e-6:
        return say(
            en=f"changes the brightness: the sum of its weights is {scientific(weights.sum())}, not 1",
            de=f"ändert die Helligkeit: Die Summe der Gewichte ist {scientific(weights.sum())} statt 1",
        )
    if kind(weights) != "low-pass":
        return say(en=f"is no low-pass but {kind(weights)}", de=f"ist kein Tiefpass (low-pass), sondern {kind(weights)}")
    return None


def _level(given: Any) -> str | None:
    weights = _table(given)
    if isinstance(weights, str):
        return weights
    upright, level = np.tile(np.arange(8.0) > 3, (8, 1)), np.tile((np.arange(8.0) > 3)[:, None], (1, 8))
    seen = [float(np.abs(correlate2d(one.astype(float), weights, mode="valid")).max()) for one in (upright, level)]
    if seen[0] > 1e-9:
        return say(
            en=f"also responds to an upright edge ({scientific(seen[0])})",
            de=f"antwortet auch auf eine senkrechte Kante ({scientific(seen[0])})",
        )
    if seen[1] < 1e-9:
        return say(en="does not respond to a level edge", de="antwortet nicht auf eine waagrechte Kante")
    return None


def _nothing(given: Any) -> str | None:
    weights = _table(given)
    if isinstance(weights, str):
        return weights
    picture = scene().mean(2) if scene().ndim == 3 else scene()
    changed = float(np.abs(correlate2d(picture, weights, mode="valid") - picture[1:-1, 1:-1]).max())
    return (
        None
        if changed < 1e-9
        else say(en=f"changes pixels by up to {scientific(changed)}", de=f"ändert Pixel um bis zu {scientific(changed)}")
    )
