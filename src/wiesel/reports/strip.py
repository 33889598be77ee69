"""The network as a strip: a box per block, as high as its maps are large and as wide as it has channels; skips in a lane above."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from wiesel.analysis.stages import Skip, Stage
from wiesel.reports.facts import NetworkFacts
from wiesel.reports.svg import drawing, element, text
from wiesel.reports.words import Words, shown

MOST_BOXES = 16
"""With more blocks than this, equal neighbours share a box."""
TALLEST, LANE, GAP, TOP = 118.0, 62.0, 31.0, 20.0
BARS = 54.0
NARROWEST = 92.0
"""Pixels a stage takes at least, so that the labels beneath do not touch."""


@dataclass(frozen=True)
class Box:
    """`count` blocks of one kind in a row. `skip` None: not a residual block."""

    output: tuple[int, ...]
    skip: Skip | None
    count: int = 1


@dataclass(frozen=True)
class Part:
    """A stage on the strip; the input picture is one without cost."""

    label: str
    output: tuple[int, ...]
    boxes: tuple[Box, ...]
    parameters: int = 0
    macs: int = 0


def parts_of(network: NetworkFacts, input_label: str) -> list[Part]:
    total = sum(len(stage.blocks) for stage in network.stages)
    parts = [Part(input_label, network.image, (Box(network.image, None),))]
    for stage in network.stages:
        if stage.output:
            parts.append(Part(stage.label, stage.output, tuple(_boxes(stage, total > MOST_BOXES)), stage.parameters, stage.macs))
    return parts


def _boxes(stage: Stage, grouped: bool) -> list[Box]:
    if not stage.blocks:
        return [Box(stage.output, None)]
    boxes: list[Box] = []
    for block in stage.blocks:
        if grouped and boxes and (boxes[-1].skip, boxes[-1].output) == (block.skip, block.output):
            boxes[-1] = Box(block.output, block.skip, boxes[-1].count + 1)
        else:
            boxes.append(Box(block.output, block.skip))
    return boxes


def width_of(output: tuple[int, ...]) -> float:
    """Logarithmic: each doubling of the channels adds the same."""
    return 10 + 5.2 * math.log2(max(output[0], 1)) if output else 10


def height_of(output: tuple[int, ...], largest: int) -> float:
    """In proportion to the map's height; a vector gets a thin line's worth."""
    return max(7.0, TALLEST * output[1] / largest) if len(output) == 3 else 7.0


def strip(network: NetworkFacts, words: Words) -> Markup:
    parts = parts_of(network, words("network.input"))
    largest = max(part.output[1] for part in parts if len(part.output) == 3)
    has_skips = any(box.skip not in (None, "none") for part in parts for box in part.boxes)
    ceiling = TOP + LANE if has_skips else TOP
    middle = ceiling + TALLEST / 2
    foot = ceiling + TALLEST + 22
    drawn: list[Markup] = []
    at = 8.0
    previous_right: float | None = None
    centres = []
    for part in parts:
        wide = sum(width_of(box.output) for box in part.boxes) + GAP * (len(part.boxes) - 1)
        span = max(NARROWEST, wide + GAP)
        left = at + (span - wide) / 2
        for box in part.boxes:
            width, height = width_of(box.output), height_of(box.output, largest)
            if previous_right is not None:
                drawn.append(element("line", x1=previous_right, x2=left, y1=middle, y2=middle, class_="flow"))
            if box.skip not in (None, "none"):
                drawn.append(_skip(box, left - 8, left + width + 8, middle, words))
            kind = "input" if part is parts[0] else "block"
            drawn.append(element("rect", x=left, y=middle - height / 2, width=width, height=height, rx=2, class_=kind))
            if box.count > 1:
                drawn.append(text(left + width / 2, middle + height / 2 + 13, f"×{box.count}", anchor="middle"))
            previous_right = left + width
            left += width + GAP
        centres.append(at + span / 2)
        at += span
    for part, centre in zip(parts, centres, strict=True):
        drawn.append(text(centre, foot, shown(part.label, 14), anchor="middle", class_="heading"))
        drawn.append(text(centre, foot + 16, " × ".join(map(str, part.output)), anchor="middle"))
    drawn += _bars(parts[1:], centres[1:], [part.parameters for part in parts[1:]], foot + 34, words("network.parameters"), words)
    drawn += _bars(parts[1:], centres[1:], [part.macs for part in parts[1:]], foot + 34 + BARS + 62, words("network.macs"), words)
    facts = "; ".join(f"{shown(part.label)} {'×'.join(map(str, part.output))}" for part in parts)
    height = foot + 34 + BARS + 62 + BARS + 34 + 20
    return drawing(at + 8, height, words("network.strip"), facts, *drawn, class_="chart strip")


def _skip(box: Box, left: float, right: float, middle: float, words: Words) -> Markup:
    """An arc in the lane above the boxes: it leaves the signal before the block and joins it behind."""
    lane = TOP + 22
    kind = "projection" if box.skip == "projection" else "identity"
    up = f"M{left:.1f},{middle:.1f} V{lane + 8:.1f} Q{left:.1f},{lane:.1f} {left + 8:.1f},{lane:.1f}"
    down = f"H{right - 8:.1f} Q{right:.1f},{lane:.1f} {right:.1f},{lane + 8:.1f} V{middle - 5:.1f}"
    label = words(f"network.skip.{box.skip}")
    centre = (left + right) / 2
    parts = [
        element("path", element("title", words(f"network.kind.{box.skip}", n=box.count)), d=f"{up} {down}", class_=f"skip {kind}"),
        element("circle", cx=right, cy=middle, r=4.6, class_="sum"),
        element("path", d=f"M{right - 2.6:.1f},{middle:.1f}h5.2M{right:.1f},{middle - 2.6:.1f}v5.2", class_="plus"),
    ]
    if box.skip == "projection":
        parts.append(element("rect", x=centre - 14, y=lane - 9, width=28, height=18, rx=3, class_="gate"))
        parts.append(text(centre, lane + 4, label, anchor="middle", class_="gate"))
    else:
        parts.append(text(centre, lane - 6, label, anchor="middle", class_="small"))
    return Markup("").join(parts)


def _bars(
    parts: Sequence[Part], centres: Sequence[float], values: Sequence[int], top: float, title: str, words: Words
) -> list[Markup]:
    """A bar per stage with its number and its share of the sum, which stands in the title."""
    total, most = sum(values), max([*values, 1])
    drawn = [text(8, top + 10, f"{title} ({words.number(total, 'si')})", class_="label")]
    base = top + BARS + 34
    for part, centre, value in zip(parts, centres, values, strict=True):
        tall = BARS * value / most
        share = words.number(value / total, "<%") if total else ""
        said = f"{shown(part.label)}: {words.number(value, 'int')} ({share})"
        drawn.append(
            element(
                "rect", element("title", said), x=centre - 17, y=base - tall, width=34, height=max(tall, 0.8), class_="bar other"
            )
        )
        drawn.append(text(centre, base - tall - 4, share, anchor="middle"))
        drawn.append(text(centre, base + 14, words.number(value, "si") if value else "0", anchor="middle", class_="label"))
    return drawn
