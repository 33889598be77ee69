"""What is wrong with a folder of pictures, before any training: unreadable files, repeated pictures, leaks, contradictions."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from wiesel.errors import FolderMissing
from wiesel.images.dataset import SPLITS, digests
from wiesel.images.folder import decoded
from wiesel.images.listing import printable, visible
from wiesel.images.loading import is_name, load
from wiesel.language import say

Findings = dict[str, Any]

PROBLEMS = ("unreadable", "duplicates", "leaks", "conflicts")
"""The findings that a person should do something about. Files left out and odd extensions are only told."""


def check(source: str | Path, *, data_dir: Path | None = None) -> Findings:
    """Findings as JSON; paths are relative to the source, lists of lists are groups of equal pictures.

    - unreadable: pictures that cannot be decoded; `reasons` says why, likewise for left_out.
    - left_out: all other files that are not used.
    - duplicates: groups of equal pixels (as the network would see them, so at the size to which they are brought).
    - leaks: those groups that stand in several splits.
    - conflicts: those groups that stand under several labels.
    - mislabelled_extension: content of another format than the name says; they are read all the same.
    - counts: pictures per split and class.

    Raises:
        PicturesError: the layout is not usable at all.
        MissingError: the source is nowhere.
    """
    if is_name(source):
        data = load(source, data_dir=data_dir)
        pixels = [images.pixels for images in data.splits.values()]
        contents = [content for part in pixels for content in digests(part)]
        labels = np.concatenate([images.labels for images in data.splits.values()]).tolist()
        paths = [name for images in data.splits.values() for name in images.names.tolist()]
        splits = [split for split, images in data.splits.items() for _ in range(len(images))]
        return _findings(data.source, data.classes, contents, labels, paths, splits)
    path = Path(source).expanduser()
    if not path.exists():
        raise FolderMissing(path=path)
    entry = decoded(path, size=0, channels=0, fit="crop")
    about = entry.about
    paths = [about.around + name for name in entry.names]
    splits = [split for split, count in zip(SPLITS, about.counts, strict=True) for _ in range(count)]
    findings = _findings(printable(str(path)), about.classes, digests(entry.pixels), entry.labels.tolist(), paths, splits)
    return findings | {
        "unreadable": [item.path for item in about.unreadable],
        "left_out": [item.path for item in about.left_out],
        "reasons": {item.path: item.en for item in (*about.unreadable, *about.left_out)},
        "mislabelled_extension": about.mislabelled,
    }


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
        "mislabelled_extension": say(en="with another format than their name says", de="mit anderem Format, als ihr Name sagt"),
    }
    total = sum(sum(of.values()) for of in findings["counts"].values())
    lines = [f"{findings['source']}: {total:,} {say(en='usable pictures', de='brauchbare Bilder')}"]
    for kind, title in titles.items():
        found = findings[kind]
        lines.append(f"  {len(found):>6,}  {title}")
        for item in found[:10]:
            what = " = ".join(item) if isinstance(item, list) else item
            why = findings["reasons"].get(item) if isinstance(item, str) else None
            lines.append(f"          {visible(what)}" + (f": {why}" if why else ""))
        if len(found) > 10:
            lines.append(f"          … {len(found) - 10:,} {say(en='more', de='weitere')}")
    return "\n".join(lines)


def _findings(
    source: str,
    classes: Sequence[str],
    contents: Sequence[bytes],
    labels: Sequence[int],
    paths: Sequence[str],
    splits: Sequence[str],
) -> Findings:
    same: dict[bytes, list[int]] = defaultdict(list)
    for row, content in enumerate(contents):
        same[content].append(row)
    groups = [rows for rows in same.values() if len(rows) > 1]
    counts = {split: dict.fromkeys(classes, 0) for split in SPLITS if split in splits}
    for split, label in zip(splits, labels, strict=True):
        counts[split][classes[label]] += 1
    return {
        "source": source,
        "counts": counts,
        "unreadable": [],
        "left_out": [],
        "reasons": {},
        "duplicates": [[paths[row] for row in rows] for rows in groups],
        "leaks": [[paths[row] for row in rows] for rows in groups if len({splits[row] for row in rows}) > 1],
        "conflicts": [[paths[row] for row in rows] for rows in groups if len({labels[row] for row in rows}) > 1],
        "mislabelled_extension": [],
    }
