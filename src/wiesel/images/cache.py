"""Decoded pictures, kept between starts: written once, then memory-mapped.

    <cache>/pictures/<key>/   pixels.bin (N, H, W, C)  labels.npy  names.json  sha256.npy  about.json
    <cache>/pictures/<key>.lock

The key is a hash of what the source holds and of how it was decoded. A folder appears under its name only when all in it is
written and flushed; what is opened has the sizes that `about.json` says. What nobody has opened for `UNUSED` days is removed when
something else is written.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import msgspec
import numpy as np
from filelock import FileLock
from numpy.typing import NDArray

from wiesel.errors import NoRoom

UNUSED = 90
"""Days after which something that can be computed again is forgotten."""

_SPARE = 64 * 2**20
"""Bytes that must stay free on the disc."""


def cache_folder() -> Path:
    """`$WIESEL_CACHE`, else the platform's place for things that may be deleted at any time."""
    if given := os.environ.get("WIESEL_CACHE"):
        return Path(given)
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "wiesel"
    if sys.platform == "win32" and (local := os.environ.get("LOCALAPPDATA")):
        return Path(local) / "wiesel" / "Cache"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "wiesel"


class Refusal(msgspec.Struct, frozen=True):
    """A file that is not used, with the reason in both languages."""

    path: str
    en: str
    de: str


class About(msgspec.Struct, frozen=True):
    """What `about.json` holds. Counts are per split, in the order train, validation, test."""

    source: str
    identity: str
    classes: list[str]
    shape: tuple[int, int, int]
    """(H, W, C)"""
    counts: list[int]
    candidates: int
    """Pictures in class folders, readable or not."""
    unreadable: list[Refusal]
    left_out: list[Refusal]
    around: str
    """The folder around it all, which is not part of the names: "cifar10/", or empty."""
    mislabelled: list[str]
    """Pictures whose content is of another format than their name says."""
    fingerprint: str
    sizes: dict[str, int]
    """Bytes per file, checked at every opening."""


class Stored:
    """An open entry."""

    def __init__(self, folder: Path, about: About) -> None:
        self.about = about
        count = sum(about.counts)
        self.pixels: NDArray[np.uint8] = np.memmap(folder / "pixels.bin", dtype=np.uint8, mode="r", shape=(count, *about.shape))
        self.labels: NDArray[np.int64] = np.load(folder / "labels.npy", allow_pickle=False)
        self.names: list[str] = msgspec.json.decode((folder / "names.json").read_bytes(), type=list[str])
        self.sha256: NDArray[np.uint8] = np.load(folder / "sha256.npy", allow_pickle=False)
        if not len(self.labels) == len(self.names) == len(self.sha256) == count:
            raise ValueError("the parts do not belong together")


def opened(key: str) -> Stored | None:
    """The entry of this key; `None` if there is none or if it is damaged (then it is removed)."""
    return _opened(_root() / key)


def stored(key: str, build: Callable[[Path], About]) -> Stored:
    """The entry of this key, built now if it is not there.

    One process builds, others wait for it. Where the cache cannot be written, the entry lives only as long as this process.

    Args:
        build: writes the four files into an empty folder and says what is in them.
    """
    folder = _root() / key
    try:
        folder.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock = FileLock(folder.with_suffix(".lock"))
        lock.acquire()
    except (OSError, NotImplementedError):  # a read-only home, a file system without locks
        return _for_now(build)
    try:
        if (there := _opened(folder)) is not None:
            return there
        for left in folder.parent.glob(f".{key}-*"):  # of a process that was killed; the lock says that nobody is at it
            shutil.rmtree(left, ignore_errors=True)
        part = Path(tempfile.mkdtemp(prefix=f".{key}-", dir=folder.parent))
        try:
            about = build(part)
            _finish(part, about)
            part.rename(folder)
        finally:
            shutil.rmtree(part, ignore_errors=True)
        _remove_outdated(folder, about)
        forget_unused(folder.parent)
        made = _opened(folder)
        assert made is not None
        return made
    finally:
        lock.release()


def forget_unused(kind: Path) -> None:
    """Remove the entries (files and folders) of a folder of the cache in which nothing was read or written for `UNUSED` days."""
    before = time.time() - UNUSED * 24 * 3600
    for entry in kind.iterdir():
        with contextlib.suppress(OSError):
            if entry.is_dir() and max(path.stat().st_mtime for path in (entry, *entry.iterdir())) < before:
                shutil.rmtree(entry)
            elif entry.is_file() and entry.suffix != ".lock" and entry.stat().st_mtime < before:
                entry.unlink()


def refuse_if_full(folder: Path, needed: int) -> None:
    """Say so before anything is decoded.

    Raises:
        NoRoom: fewer than `needed` bytes (and some) are free where `folder` lies.
    """
    free = shutil.disk_usage(folder).free
    if free < needed + _SPARE:
        raise NoRoom(needed=-(-(needed + _SPARE) // 10**6), path=folder.parent, free=free // 10**6)


def _root() -> Path:
    return cache_folder() / "pictures"


def _opened(folder: Path) -> Stored | None:
    try:
        about = msgspec.json.decode((folder / "about.json").read_bytes(), type=About)
        if any((folder / name).stat().st_size != size for name, size in about.sizes.items()):
            raise ValueError("a file has another size")
        there = Stored(folder, about)
        with contextlib.suppress(OSError):
            os.utime(folder)
        return there
    except FileNotFoundError:
        if not folder.exists():
            return None
    except (OSError, ValueError, msgspec.MsgspecError):
        pass
    shutil.rmtree(folder, ignore_errors=True)
    return None


def _finish(folder: Path, about: About) -> None:
    """Sizes into `about.json`, and everything to the disc before the folder gets its name."""
    sizes = {path.name: path.stat().st_size for path in folder.iterdir()}
    (folder / "about.json").write_bytes(msgspec.json.encode(msgspec.structs.replace(about, sizes=sizes)))
    for path in folder.iterdir():
        with path.open("rb+") as file:
            os.fsync(file.fileno())


def _for_now(build: Callable[[Path], About]) -> Stored:
    part = Path(tempfile.mkdtemp(prefix="wiesel-"))
    try:
        about = build(part)
        _finish(part, about)
        return Stored(part, msgspec.json.decode((part / "about.json").read_bytes(), type=About))
    finally:
        shutil.rmtree(part, ignore_errors=True)  # an open memory map keeps its file


def _remove_outdated(folder: Path, about: About) -> None:
    """Entries of an earlier state of the same source."""
    for other in folder.parent.iterdir():
        if other == folder or not (other / "about.json").is_file():
            continue
        try:
            found = msgspec.json.decode((other / "about.json").read_bytes(), type=About)
        except (OSError, msgspec.MsgspecError):
            continue
        if found.source == about.source and found.identity != about.identity:
            shutil.rmtree(other, ignore_errors=True)
