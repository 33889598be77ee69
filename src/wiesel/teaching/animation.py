"""The animation of a convolution, number by number: a page with a player, a GIF, a video."""

from __future__ import annotations

import html
import json
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wiesel.scratch.geometry import Pair
from wiesel.teaching import cells, sliding
from wiesel.teaching.page import Page
from wiesel.teaching.sliding import Sliding
from wiesel.teaching.words import Words, spoken


@dataclass(frozen=True, kw_only=True, repr=False)
class Animation(Page):
    """A page with a player. `made` has every number of it: `made.output`, `made.step(3).products`."""

    made: Sliding
    words: Words

    def save(self, path: str | Path, seconds: float = 0.8) -> Path:
        """Write .html, .gif or .mp4, after the ending of `path`; `seconds` per step in the last two.

        Raises:
            NoVideo: .mp4 without ffmpeg on this machine.
        """
        path = Path(path)
        if path.suffix.lower() in (".gif", ".mp4"):
            from wiesel.teaching import moving

            write = moving.write_gif if path.suffix.lower() == ".gif" else moving.write_mp4
            write(self.made, path, seconds, self.words, self.alt_text)
            return path
        return super().save(path)


def create_conv_animation(
    image: Any = None,
    kernel: Any = None,
    stride: int | Pair = 1,
    padding: int | Pair = 0,
    dilation: int | Pair = 1,
    *,
    language: str | None = None,
) -> Animation:
    """A kernel moving over a picture, with the sum of each position written out.

    In a notebook it shows itself; `.save("x.html")` writes a page that needs no network and can be worked with the keyboard (arrows,
    space, Home, End), `.save("x.gif")` a GIF and `.save("x.mp4")`, where ffmpeg is installed, a video. The kernel is not flipped.

    Args:
        image: a table of numbers (H, W) up to 24 a side, a picture's file, or None for a small one of ours.
        kernel: a table of numbers (h, w), a classic filter's name, or None for Sobel X.
        stride, padding, dilation: one number, or (along the height, along the width).

    Raises:
        NotAPicture, NoSuchPicture, BadValue: not a picture, not a kernel, a geometry that does not fit, or too large to be read.
    """
    words = spoken(language)
    made = sliding.sliding(image, kernel, stride, padding, dilation)
    title = words(en="A convolution, step by step", de="Eine Faltung, Schritt für Schritt")
    finding = sliding.finding(made, words)
    sums = [sliding.sum_in_words(made, made.step(number), words) for number in range(made.steps)]
    tall = max(made.whole.shape[0], made.size[0])
    return Animation(
        title=title,
        body=_body(made, title, sums, words),
        text="\n".join([finding, sliding.size_in_words(made, words), *sums]),
        alt_text=f"{title}. {finding}",
        language=words.language,
        style=_part("player.css"),
        height=330 + 33 * tall + 22 * (made.kernel.size // 6),
        made=made,
        words=words,
    )


def _body(made: Sliding, title: str, sums: list[str], words: Words) -> str:
    steps = []
    for number in range(made.steps):
        step = made.step(number)
        steps.append(
            {
                "at": words(
                    en=f"Position {number + 1} of {made.steps}: output row {step.row + 1}, column {step.column + 1}",
                    de=f"Position {number + 1} von {made.steps}: Ausgabe Zeile {step.row + 1}, Spalte {step.column + 1}",
                ),
                "cells": [f"p{y}-{x}" for y, x in step.pixels.reshape(-1, 2).tolist()],
                "sum": sums[number],
                "out": f"o{step.row}-{step.column}",
            }
        )
    labels = {"play": words(en="Play", de="Abspielen"), "pause": words(en="Pause", de="Anhalten")}
    data = json.dumps({"steps": steps, "labels": labels}, ensure_ascii=False).replace("</", "<\\/")
    height, width = made.picture.shape
    top, left = made.place.padding
    margin = np.ones(made.whole.shape, bool)
    margin[top : top + height, left : left + width] = False
    tables = [
        _table("p", words(en="Picture", de="Bild"), made.whole, cells.grey(made.whole), made, words, margin),
        '<div class="sign" aria-hidden="true">×</div>',
        _table("k", words(en="Kernel", de="Kern"), made.kernel, cells.signed(made.kernel), made, words),
        '<div class="sign" aria-hidden="true">=</div>',
        _table("o", words(en="Output", de="Ausgabe"), made.output, cells.signed(made.output), made, words),
    ]
    buttons = [
        ("first", "⇤", words(en="To the start", de="Zum Anfang")),
        ("back", "←", words(en="One step back", de="Ein Schritt zurück")),
        ("play", labels["play"], ""),
        ("next", "→", words(en="One step on", de="Ein Schritt weiter")),
        ("last", "⇥", words(en="To the end", de="Zum Ende")),
    ]
    row = "".join(
        f'<button type="button" id="{name}"{f" aria-label={json.dumps(said, ensure_ascii=False)}" if said else ""}>{sign}</button>'
        for name, sign, said in buttons
    )
    slider, pace = words(en="Position", de="Position"), words(en="Pace", de="Tempo")
    keys = words(
        en="Keys: ← → step, space play or pause, Home and End. Dashed cells are padding (zeros). The kernel is not flipped.",
        de="Tasten: ← → Schritt, Leertaste abspielen oder anhalten, Pos1 und Ende. Gestrichelt: Padding (Nullen). Der Kern ist nicht gespiegelt.",
    )
    return "\n".join(
        [
            f"<h1>{html.escape(title)}</h1>",
            f'<p class="size">{html.escape(sliding.size_in_words(made, words))}</p>',
            f'<div class="boards">{"".join(tables)}</div>',
            f'<p id="at">{html.escape(str(steps[0]["at"]))}</p>',
            f'<p id="sum" aria-live="polite">{html.escape(sums[0])}</p>',
            f'<div class="controls" role="group" aria-label="{html.escape(title)}">{row}'
            f'<label>{slider} <input id="slider" type="range" min="0" max="{made.steps - 1}" value="0"/></label>'
            f'<label>{pace} <input id="pace" type="range" min="1" max="8" value="2"/></label></div>',
            f'<p class="size">{html.escape(keys)}</p>',
            f'<script type="application/json" id="data">{data}</script>',
            f"<script>{_part('player.js')}</script>",
        ]
    )


def _table(
    name: str,
    title: str,
    values: NDArray[np.float64],
    colours: NDArray[np.uint8],
    made: Sliding,
    words: Words,
    margin: NDArray[np.bool_] | None = None,
) -> str:
    rows = []
    for y in range(values.shape[0]):
        row = []
        for x in range(values.shape[1]):
            padding = margin is not None and margin[y, x]
            style = "" if padding else f' style="background:{cells.web(colours[y, x])};color:{cells.web(cells.ink(colours[y, x]))}"'
            look = ' class="padding"' if padding else ""
            row.append(f'<td id="{name}{y}-{x}"{look}{style}>{words.number(values[y, x], made.digits)}</td>')
        rows.append(f"<tr>{''.join(row)}</tr>")
    size = f"{values.shape[0]} × {values.shape[1]}"
    if margin is not None and margin.any():
        size = f"{made.picture.shape[0]} × {made.picture.shape[1]} + Padding"
    return f'<table class="board" id="{name}"><caption>{html.escape(title)} <small>{size}</small></caption>{"".join(rows)}</table>'


def _part(name: str) -> str:
    return files("wiesel.teaching").joinpath(name).read_text(encoding="utf-8")
