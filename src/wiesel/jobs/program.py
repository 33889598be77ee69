"""Which state of the program and its libraries makes a run: the version, the source of every room that a training passes through, torch."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

import wiesel
from wiesel.runs import provenance

ROOMS = (
    "images",
    "recipe.py",
    "blocks",
    "batches",
    "zoo",
    "runs",
    "training",
    "analysis/folding.py",
    "analysis/last_linear.py",
    "analysis/recording.py",
    "analysis/settings.py",
    "analysis/tape",
    "jobs/begin.py",
    "jobs/pictures.py",
    "jobs/train.py",
    "jobs/settings.py",
    "jobs/evaluate.py",
    "jobs/together.py",
    "jobs/helper.py",
)
"""A change in any of these may change what a recipe trains."""


@cache
def program() -> str:
    """`wiesel 0.1.0 (source 1f3c…), torch 2.14.1`. Equal words, equal program."""
    root, digest = Path(wiesel.__file__).parent, hashlib.sha256()
    for room in ROOMS:
        place = root / room
        for path in [place] if place.is_file() else sorted(place.rglob("*.py")):
            digest.update(path.relative_to(root).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    versions = {name: provenance.version(name) or "?" for name in ("wiesel", "torch")}
    return f"wiesel {versions['wiesel']} (source {digest.hexdigest()[:12]}), torch {versions['torch']}"
