"""What is wrong with pictures before any training: unreadable files, copies, leaks, contradictions, and what merely stands out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wiesel.images.dataset import SPLITS, digests, place_in_words
from wiesel.images.folder import decoded, sizes_of
from wiesel.images.listing import printable, visible
from wiesel.images.loading import is_name, load, nowhere
from wiesel.images.near_duplicates import Pair, near_duplicates
from wiesel.images.quality import odd_sizes, oddities
from wiesel.images.suspicious_labels import doubtful_labels
from wiesel.language import grouped, number, say

Findings = dict[str, Any]

PROBLEMS = ("unreadable", "duplicates", "leaks", "conflicts", "near_duplicates", "near_leaks", "near_conflicts")
"""The findings that a person should do something about; the others are only told."""

HINTS = ("left_out", "mislabelled_extension", "uniform", "dark", "bright", "blurred", "odd_sizes", "rare", "suspicious_labels")

RARE = 0.2
"""A class with fewer training pictures than this part of the largest is rare."""


@dataclass(frozen=True)
class Examined:
    """Findings, and how to get at the pictures they speak of."""

    findings: Findings
    picture: Callable[[str], NDArray[np.uint8] | None]
    """uint8 (H, W, C) by its path in the findings; None if it could not be read."""


def check(source: str | Path, *, data_dir: Path | str | None = None, quick: bool = False) -> Findings:
    """Findings as JSON; paths are relative to the source.

    - unreadable: pictures that cannot be decoded; `reasons` (`reasons_de`) says why, likewise for left_out.
    - left_out: all other files that are not used.
    - duplicates: groups of equal pixels (as the network would see them, so at the size to which they are brought).
    - leaks, conflicts: those groups that stand in several splits, or under several labels.
    - near_duplicates: pairs `{"pictures": [a, b], "how", "likeness"}` that are encoded again, mirrored or slightly cropped; of groups
      of equal pictures the first stands for all. near_leaks, near_conflicts: likewise. `near`: how strictly they were compared.
    - mislabelled_extension: content of another format than the name says; they are read all the same.
    - uniform, dark, bright, blurred: pictures that stand out (see `quality`); odd_sizes: by the size of the file's picture.
    - rare: classes with less than a fifth of the training pictures of the largest; counts: pictures per split and class.
    - suspicious_labels: `{"picture", "given", "suggested", "given_probability", "suggested_probability"}`, the most doubtful first;
      `probe`: how often the probe agrees with the labels, or None if there were too few pictures.

    Args:
        quick: without near duplicates and suspicious labels, which take most of the time; `near` and `probe` are None.

    Raises:
        PicturesError: the layout is not usable at all.
        MissingError: the source is nowhere.
    """
    return examine(source, data_dir=data_dir, quick=quick).findings


def examine(source: str | Path, *, data_dir: Path | str | None = None, quick: bool = False) -> Examined:
    """As `check`, with the pictures."""
    about: Findings = {}
    if is_name(source):
        data = load(source, data_dir=data_dir)
        pixels = np.concatenate([images.pixels for images in data.splits.values()])
        labels = np.concatenate([images.labels for images in data.splits.values()])
        paths = [name for images in data.splits.values() for name in images.names.tolist()]
        splits = [split for split, images in data.splits.items() for _ in range(len(images))]
        title, classes = data.source, data.classes
    else:
        path = Path(source).expanduser()
        if not path.exists():
            raise nowhere(source)
        entry = decoded(path, size=0, channels=0, fit="crop")
        pixels, labels, classes = entry.pixels, entry.labels, tuple(entry.about.classes)
        paths = [entry.about.around + name for name in entry.names]
        splits = [split for split, count in zip(SPLITS, entry.about.counts, strict=True) for _ in range(count)]
        title = printable(str(path))
        refused = (*entry.about.unreadable, *entry.about.left_out)
        about = {
            "unreadable": [item.path for item in entry.about.unreadable],
            "left_out": [item.path for item in entry.about.left_out],
            "reasons": {item.path: item.en for item in refused},
            "reasons_de": {item.path: item.de for item in refused},
            "mislabelled_extension": entry.about.mislabelled,
            "odd_sizes": odd_sizes(sizes_of(path, set(paths))),
        }
    found = _findings(title, classes, pixels, labels, paths, splits, quick=quick) | about
    row_of = {path: row for row, path in enumerate(paths)}
    return Examined(found, lambda path: pixels[row_of[path]] if path in row_of else None)


def problems(findings: Findings) -> dict[str, int]:
    """How many findings of each kind call for action; empty if all is well."""
    return {kind: len(findings[kind]) for kind in PROBLEMS if findings[kind]}


def text(findings: Findings) -> str:
    """The findings for reading, in the reader's language; of each kind the first ten."""
    titles = {
        "unreadable": say(en="unreadable", de="nicht lesbar"),
        "left_out": say(en="not used", de="nicht verwendet"),
        "duplicates": say(en="groups of equal pictures", de="Gruppen gleicher Bilder"),
        "leaks": say(en="of these in several splits", de="davon in mehreren Teilen"),
        "conflicts": say(en="of these under several labels", de="davon unter mehreren Etiketten"),
        "near_duplicates": say(en="pairs of nearly equal pictures", de="Paare fast gleicher Bilder"),
        "near_leaks": say(en="of these in two splits", de="davon in zwei Teilen"),
        "near_conflicts": say(en="of these under two labels", de="davon unter zwei Etiketten"),
        "mislabelled_extension": say(en="with another format than their name says", de="mit anderem Format, als ihr Name sagt"),
        "uniform": say(en="almost one single grey or colour", de="fast nur ein Grau oder eine Farbe"),
        "dark": say(en="very dark", de="sehr dunkel"),
        "bright": say(en="very bright", de="sehr hell"),
        "blurred": say(en="much more blurred than the others", de="viel unschärfer als die anderen"),
        "odd_sizes": say(
            en="of another shape, or much smaller, than the others", de="von anderer Form oder viel kleiner als die anderen"
        ),
        "rare": say(en="classes with few pictures", de="Klassen mit wenigen Bildern"),
        "suspicious_labels": say(en="labels that a quick probe doubts", de="Etiketten, an denen eine schnelle Probe zweifelt"),
    }
    alone = {
        "duplicates": say(en="group of equal pictures", de="Gruppe gleicher Bilder"),
        "near_duplicates": say(en="pair of nearly equal pictures", de="Paar fast gleicher Bilder"),
        "rare": say(en="class with few pictures", de="Klasse mit wenigen Bildern"),
        "suspicious_labels": say(en="label that a quick probe doubts", de="Etikett, an dem eine schnelle Probe zweifelt"),
    }
    total = sum(sum(of.values()) for of in findings["counts"].values())
    lines = [f"{place_in_words(findings['source'])}: {grouped(total)} {say(en='usable pictures', de='brauchbare Bilder')}"]
    for kind, title in titles.items():
        found = findings[kind]
        if (findings["near"] is None and kind.startswith("near_")) or (findings["probe"] is None and kind == "suspicious_labels"):
            lines.append(f"{'—':>8}  {title}: {say(en='not looked for', de='nicht gesucht')}")
            continue
        if len(found) == 1:
            title = alone.get(kind, title)
        lines.append(f"  {grouped(len(found)):>6}  {title}" + (_how_strict(findings) if kind == "near_duplicates" else ""))
        for item in found[:10]:
            why = findings[say(en="reasons", de="reasons_de")].get(item) if isinstance(item, str) else None
            lines.append(f"          {visible(_in_words(item))}" + (f": {why}" if why else ""))
        if len(found) > 10:
            lines.append(f"          … {grouped(len(found) - 10)} {say(en='more', de='weitere')}")
    if findings["probe"] is not None:
        share = number(100 * findings["probe"]["accuracy"], 1)
        lines.append(
            say(
                en=f"The probe agrees with {share} % of the labels; it is a hint where to look, not a judge.",
                de=f"Die Probe stimmt mit {share} % der Etiketten überein; sie sagt, wo man hinsehen soll, und richtet nicht.",
            )
        )
    return "\n".join(lines)


def how_in_words(how: str) -> str:
    """The way in which a near duplicate differs, in the reader's language."""
    return {
        "same": say(en="nearly the same", de="fast gleich"),
        "mirrored": say(en="mirrored", de="gespiegelt"),
        "cropped": say(en="cropped or shifted", de="beschnitten oder verschoben"),
        "mirrored and cropped": say(en="mirrored and cropped", de="gespiegelt und beschnitten"),
    }[how]


def _how_strict(findings: Findings) -> str:
    near = findings["near"]
    low, usual = number(100 * near["difference"], 1), number(100 * near["usual"], 1)
    return say(
        en=f" (difference at most {low} %; of nearest neighbours here usually {usual} %)",
        de=f" (Unterschied höchstens {low} %; bei nächsten Nachbarn hier üblich {usual} %)",
    )


def _in_words(item: Any) -> str:
    if isinstance(item, str):
        return item
    if isinstance(item, list):
        return " = ".join(item)
    if "how" in item:
        return f"{' ≈ '.join(item['pictures'])} ({how_in_words(item['how'])}, {number(100 * item['likeness'], 2)} %)"
    chance = number(100 * item["suggested_probability"], 1)
    return f"{item['picture']}: {item['given']} → {item['suggested']}? ({chance} %)"


def _findings(
    source: str,
    classes: Sequence[str],
    pixels: NDArray[np.uint8],
    labels: NDArray[np.int64],
    paths: Sequence[str],
    splits: Sequence[str],
    *,
    quick: bool,
) -> Findings:
    same: dict[bytes, list[int]] = defaultdict(list)
    for row, content in enumerate(digests(pixels)):
        same[content].append(row)
    groups = [rows for rows in same.values() if len(rows) > 1]
    counts = {split: dict.fromkeys(classes, 0) for split in SPLITS if split in splits}
    for split, label in zip(splits, labels.tolist(), strict=True):
        counts[split][classes[label]] += 1
    most = max(counts["train"].values())
    found: Findings = {
        "source": source,
        "counts": counts,
        "unreadable": [],
        "left_out": [],
        "reasons": {},
        "reasons_de": {},
        "duplicates": [[paths[row] for row in rows] for rows in groups],
        "leaks": [[paths[row] for row in rows] for rows in groups if len({splits[row] for row in rows}) > 1],
        "conflicts": [[paths[row] for row in rows] for rows in groups if len({int(labels[row]) for row in rows}) > 1],
        "mislabelled_extension": [],
        **{kind: [paths[row] for row in rows] for kind, rows in oddities(pixels).items()},
        "odd_sizes": [],
        "rare": [name for name, count in counts["train"].items() if count < RARE * most],
        "near": None,
        "near_duplicates": [],
        "near_leaks": [],
        "near_conflicts": [],
        "probe": None,
        "suspicious_labels": [],
    }
    return (
        found
        if quick
        else found
        | _near(pixels, labels, paths, splits, list(same.values()))
        | _doubts(classes, pixels, labels, paths, list(same.values()))
    )


def _near(
    pixels: NDArray[np.uint8], labels: NDArray[np.int64], paths: Sequence[str], splits: Sequence[str], same: list[list[int]]
) -> Findings:
    """Of equal pictures the first stands for all; the pair leaks or conflicts if any two of both groups do."""
    firsts = np.array([rows[0] for rows in same], np.int64)
    found = near_duplicates(pixels if len(firsts) == len(pixels) else pixels[firsts])

    def differs(pair: Pair, of: Sequence[Any]) -> bool:
        return len({of[row] for place in pair[:2] for row in same[place]}) > 1

    named = [
        {"pictures": [paths[firsts[pair.first]], paths[firsts[pair.second]]], "how": pair.how, "likeness": round(pair.likeness, 5)}
        for pair in found.pairs
    ]
    return {
        "near": {"difference": round(found.difference, 5), "usual": round(found.usual, 5)},
        "near_duplicates": named,
        "near_leaks": [name for name, pair in zip(named, found.pairs, strict=True) if differs(pair, splits)],
        "near_conflicts": [name for name, pair in zip(named, found.pairs, strict=True) if differs(pair, labels.tolist())],
    }


def _doubts(
    classes: Sequence[str], pixels: NDArray[np.uint8], labels: NDArray[np.int64], paths: Sequence[str], same: list[list[int]]
) -> Findings:
    groups = np.empty(len(labels), np.int64)
    for group, rows in enumerate(same):
        groups[rows] = group
    found = doubtful_labels(pixels, labels, len(classes), groups=groups)
    if found is None:
        return {}
    return {
        "probe": {"accuracy": round(found.accuracy, 4)},
        "suspicious_labels": [
            {
                "picture": paths[doubt.row],
                "given": classes[doubt.given],
                "suggested": classes[doubt.suggested],
                "given_probability": round(doubt.given_probability, 4),
                "suggested_probability": round(doubt.suggested_probability, 4),
            }
            for doubt in found.doubts
        ],
    }
