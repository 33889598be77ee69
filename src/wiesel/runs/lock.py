"""One writer per run folder. The kernel holds the lock, so it ends with the process that has it, however that ends."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from wiesel.errors import Damaged, RunBusy
from wiesel.runs import commit
from wiesel.runs.documents import read_json, to_json
from wiesel.runs.events import now

LOCK = ".lock"
OWNER = ".owner.json"
"""Who has the lock, for the sentence that others get; never used to decide anything."""

ABANDONED_AFTER = 600.0
"""Seconds after which an unfinished document is taken for a dead writer's: documents may be written without the lock."""


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold the lock of a run folder; do not wait for it. What writers that died left unfinished is swept away.

    Raises:
        RunBusy: another process has it; names the process, its host and since when.
        CannotSave: the folder cannot be written.
    """
    from filelock import FileLock, Timeout

    lock = FileLock(folder / LOCK, thread_local=False)
    with commit.saving(folder / LOCK, 0, run=folder):
        try:
            lock.acquire(blocking=False)
        except Timeout:
            raise RunBusy(path=str(folder), **_owner(folder)) from None
    try:
        note = {"pid": os.getpid(), "host": socket.gethostname(), "since": now()}
        commit.write_file(folder / OWNER, to_json(note))
        commit.sweep(folder, older_than=ABANDONED_AFTER)
        yield
    finally:
        with suppress(OSError):
            (folder / OWNER).unlink()
        lock.release()


def _owner(folder: Path, patience: float = 1.0) -> dict[str, Any]:
    """The owner's note. It is written just after the lock was got: until then the note of a dead process may stand there."""
    deadline = time.monotonic() + patience
    while True:
        note: Any = None
        with suppress(Damaged):
            note = read_json(folder / OWNER)
        whole = isinstance(note, dict) and {"pid", "host", "since"} <= note.keys()
        if whole and (note["host"] != socket.gethostname() or _alive(note["pid"])):
            return {key: note[key] for key in ("pid", "host", "since")}
        if time.monotonic() > deadline:
            return {"pid": "?", "host": "?", "since": "?"}
        time.sleep(0.02)


def _alive(pid: Any) -> bool:
    if type(pid) is not int or pid <= 0:
        return False
    try:
        os.kill(pid, 0)
    except PermissionError:
        return True
    except (OSError, OverflowError):
        return False
    return True
