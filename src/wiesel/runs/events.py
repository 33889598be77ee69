"""The history of a run: `events.jsonl`, append-only, one JSON object per line.

    {"kind": "train", "step": 120, "time": "2026-11-21T09:30:00.123+00:00", "loss": 0.41, ...}

Kinds: "start", "train" (a step's measurements), "epoch" (after validation), "commit" (a checkpoint is on the disc), "resume",
"stop" (interrupted in good order), "end"; others may be added. `step` counts optimiser steps done. Nothing is ever taken out: a
resumed run writes again what it computes again, and `effective` shows what a run without interruptions would have written.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from wiesel.runs.commit import append_line
from wiesel.runs.documents import read_bytes

LARGEST_HISTORY = 2**30
"""Bytes; some millions of rows."""

INTERRUPTIONS = ("resume", "stop")

Row = dict[str, Any]


def append(path: Path, kind: str, step: int, **facts: Any) -> Row:
    """Write a row down, on the disc when this returns. Returns the row.

    Raises:
        CannotSave: the machine refused.
    """
    row = {"kind": kind, "step": step, "time": now(), **facts}
    append_line(path, row)
    return row


def rows(path: Path) -> list[Row]:
    """Every row, in the order of writing. A line torn by a crash is passed over, wherever it stands; no file means no rows.

    Raises:
        Damaged: the file is not a plain file, or larger than a history can be.
    """
    if not path.is_symlink() and not path.exists():
        return []
    found = []
    for line in read_bytes(path, limit=LARGEST_HISTORY).split(b"\n"):
        row = _row(line)
        if row is not None:
            found.append(row)
    return found


def effective(history: Iterable[Row]) -> list[Row]:
    """The rows that count: each (kind, step) once, as if nothing had ever interrupted the run.

    A "resume" row at step s takes back the rows of later steps that stand before it, and an "end". Rows about interruptions are
    left out. Rows without a step are kept.
    """
    counting: list[Row] = []
    for row in history:
        if row["kind"] == "resume" and "step" in row:
            counting = [earlier for earlier in counting if earlier.get("step", 0) <= row["step"] and earlier["kind"] != "end"]
        if row["kind"] not in INTERRUPTIONS:
            counting.append(row)
    seen: set[tuple[str, int]] = set()
    once = []
    for row in counting:
        if "step" in row:
            if (row["kind"], row["step"]) in seen:
                continue
            seen.add((row["kind"], row["step"]))
        once.append(row)
    return once


def now() -> str:
    """The time in UTC, ISO 8601, to the millisecond."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def _row(line: bytes) -> Row | None:
    """A prefix of a JSON object is never valid JSON, so a torn row cannot be taken for a whole one."""
    try:
        row = msgspec.json.decode(line)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
        return None
    if not isinstance(row, dict) or not isinstance(row.get("kind"), str):
        return None
    if "step" in row and (type(row["step"]) is not int or row["step"] < 0):
        return None
    return row
