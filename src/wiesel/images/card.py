"""The facts of a data set that a reader of results needs."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wiesel.images.dataset import DataSet, digests, place_in_words
from wiesel.images.sources import SOURCES, Source
from wiesel.language import grouped, number, say

Card = dict[str, Any]


def card(data: DataSet) -> Card:
    """Facts as JSON: counts, size, brightness, repeated pictures, files left out, origin and terms.

    `mean` and `std` are per channel, over the training pictures, on the 0..1 scale. `duplicates`: per split, pictures that repeat
    one before them in the same split, and under "across" pictures of validation and test that also stand in an earlier split.
    """
    source = _source(data)
    mean, std = _brightness(data.train.pixels)
    return {
        "name": data.name,
        "title": source.title.en if source else data.name,
        "title_de": source.title.de if source else data.name,
        "source": data.source,
        "classes": list(data.classes),
        "shape": list(data.image_shape),
        "pictures": {split: len(images) for split, images in data.splits.items()},
        "counts": data.counts,
        "mean": mean,
        "std": std,
        "duplicates": _duplicates(data),
        "left_out": [{"path": item.path, "reason": item.reason} for item in data.left_out],
        "warnings": list(data.warnings),
        "fingerprint": data.fingerprint,
        "licence": source.licence if source else None,
        "citation": source.citation if source else None,
        "note": str(source.note) if source else None,
    }


def text(facts: Card) -> str:
    """The card for reading, in the reader's language."""
    channels, height, width = facts["shape"]
    colour = say(en="grey", de="grau") if channels == 1 else say(en="colour", de="farbig")
    across, left_out = facts["duplicates"]["across"], len(facts["left_out"])
    repeated = sum(facts["duplicates"].values()) - across
    title = facts[say(en="title", de="title_de")]
    lines = [
        f"{facts['name']}: {title}" if title != facts["name"] else facts["name"],
        f"  {width} x {height} {say(en='pixels', de='Pixel')}, {colour}; {place_in_words(facts['source'])}",
        f"  {say(en='mean', de='Mittel')} {_numbers(facts['mean'])}; {say(en='deviation', de='Streuung')} {_numbers(facts['std'])}",
    ]
    splits = list(facts["counts"])
    width_of_names = max(len(name) for name in facts["classes"])
    lines += ["", f"  {'':<{width_of_names}}" + "".join(f"{split:>12}" for split in splits)]
    for name in facts["classes"]:
        lines.append(f"  {name:<{width_of_names}}" + "".join(f"{grouped(facts['counts'][split][name]):>12}" for split in splits))
    total = say(en="together", de="zusammen")
    lines.append(f"  {total:<{width_of_names}}" + "".join(f"{grouped(facts['pictures'][split]):>12}" for split in splits))
    lines += [
        "",
        say(
            en=f"  repeated within a split: {repeated}; copies across splits: {across}; files left out: {left_out}",
            de=f"  Wiederholungen im selben Teil: {repeated}; Kopien in anderen Teilen: {across}; ausgelassene Dateien: {left_out}",
        ),
    ]
    if facts["licence"]:
        lines += [f"  {say(en='terms', de='Lizenz')}: {facts['licence']}", f"  {say(en='cite', de='Zitat')}: {facts['citation']}"]
        lines.append(f"  {facts['note']}")
    return "\n".join(lines)


def _source(data: DataSet) -> Source | None:
    """The row of a named data set. A folder of the same name has other counts."""
    found = sum(len(images) for images in data.splits.values())
    return next((row for row in SOURCES if row.name == data.name and sum(row.pictures) == found), None)


def _brightness(pixels: NDArray[np.uint8]) -> tuple[list[float], list[float]]:
    """Exact: from a histogram of whole numbers, a block of pictures at a time."""
    histogram = np.zeros((pixels.shape[3], 256), np.int64)
    for start in range(0, len(pixels), 4096):
        block = pixels[start : start + 4096]
        for channel in range(pixels.shape[3]):
            histogram[channel] += np.bincount(block[..., channel].reshape(-1), minlength=256)
    levels, total = np.arange(256) / 255, histogram.sum(axis=1)
    mean = histogram @ levels / total
    variance = np.maximum(histogram @ levels**2 / total - mean**2, 0)
    return mean.tolist(), np.sqrt(variance).tolist()


def _duplicates(data: DataSet) -> dict[str, int]:
    found: dict[str, int] = {}
    seen: set[bytes] = set()
    across = 0
    for split, images in data.splits.items():
        contents = Counter(digests(images.pixels))
        found[split] = len(images) - len(contents)
        across += sum(count for content, count in contents.items() if content in seen)
        seen.update(contents)
    return found | {"across": across}


def _numbers(values: list[float]) -> str:
    return ", ".join(number(value, 4) for value in values)
