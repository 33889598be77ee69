"""Who visits the files of a source: this process alone, its threads, or helping processes.

Photographs are decoded by threads, because Pillow decodes and scales outside Python's lock. A file with a small picture is mostly Python's
own work, which threads cannot divide; there, all processors but one get a helper: a process that runs `helper.py`, reads the same source, and
talks through its standard input and output (msgpack, a length before each message). It is started by its name, so the caller's script or
notebook needs no guard around its main part. A helper that cannot be started, or fails, costs time and nothing else: its part is done here.
"""

from __future__ import annotations

import contextlib
import os
import queue
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import chain
from pathlib import Path
from typing import IO

import msgspec
from PIL import Image, ImageFile

from wiesel.images.dataset import Reason
from wiesel.images.listing import Entry, Listing
from wiesel.images.visits import Head, Look, Picture, Read

MOST = 8
"""Processors that are used."""

SMALL = 8 * 2**10
"""Bytes of a file, on average, below which Python's own work weighs more than decoding."""

ENOUGH = 4000
"""Small files for which helpers are worth their start."""

MOST_IN_ARCHIVE = 200_000
"""Files of a .zip up to which helpers are used: each of them reads and holds its directory too."""

PART = 16
"""Files per task of a thread."""

PART_OF_HELPERS = 128
"""Files per message."""

Visit = Look | Read
Found = Head | Picture | Reason


class Request(msgspec.Struct, frozen=True):
    visit: Visit
    entries: list[tuple[str, int]]
    """Path and size."""


_Hand = Callable[[Visit, Sequence[Entry]], Sequence[Found]]


class Crew:
    """Use it with `with`; helpers end with it."""

    def __init__(self, source: Path, listing: Listing, entries: Sequence[Entry]) -> None:
        self.listing = listing
        small = sum(entry.size for entry in entries) < SMALL * len(entries)
        helped = small and len(entries) >= ENOUGH and _can_help(listing)
        self.helpers = [_Helper(source, self._here) for _ in range(processors() - 1)] if helped else []
        hands: list[_Hand] = [self._here, *self.helpers] if small else [self._here] * processors()
        self.part = PART_OF_HELPERS if self.helpers else PART
        self.number = len(hands)
        self.hands: queue.SimpleQueue[_Hand] = queue.SimpleQueue()
        for hand in hands:
            self.hands.put(hand)
        self.threads = ThreadPoolExecutor(self.number) if self.number > 1 else None

    def __enter__(self) -> Crew:
        return self

    def __exit__(self, *_: object) -> None:
        try:
            if self.threads is not None:
                self.threads.shutdown(cancel_futures=True)
        finally:  # a second Ctrl-C may come
            for helper in self.helpers:
                helper.close()

    def look(self, look: Look, entries: Sequence[Entry]) -> Iterator[Head]:
        """In the order of the entries."""
        return self._all(look, entries)  # type: ignore[return-value]

    def read(self, read: Read, entries: Sequence[Entry]) -> Iterator[Picture | Reason]:
        """The same. Holds all that is not taken yet: hand over no more entries than fit into memory."""
        return self._all(read, entries)  # type: ignore[return-value]

    def _all(self, visit: Visit, entries: Sequence[Entry]) -> Iterator[Found]:
        if self.threads is None:
            return (visit(self.listing, entry) for entry in entries)
        step = max(1, min(self.part, -(-len(entries) // self.number)))
        parts = [entries[start : start + step] for start in range(0, len(entries), step)]
        return chain.from_iterable(self.threads.map(lambda part: self._by_somebody(visit, part), parts))

    def _by_somebody(self, visit: Visit, part: Sequence[Entry]) -> Sequence[Found]:
        hand = self.hands.get()  # as many threads as hands: one is always free
        try:
            return hand(visit, part)
        finally:
            self.hands.put(hand)

    def _here(self, visit: Visit, part: Sequence[Entry]) -> Sequence[Found]:
        return [visit(self.listing, entry) for entry in part]


def processors() -> int:
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(MOST, usable)


def _can_help(listing: Listing) -> bool:
    """Not where the files lie in shards, which a helper would have to walk over again; where this program is no plain Python; or where
    somebody has turned Pillow's switches, of which a helper would know nothing."""
    plain = bool(sys.executable) and not getattr(sys, "frozen", False)
    untouched = not ImageFile.LOAD_TRUNCATED_IMAGES and Image.MAX_IMAGE_PIXELS == _PILLOWS_LIMIT
    reachable = type(listing) is Listing and (listing.archive is None or len(listing.entries) <= MOST_IN_ARCHIVE)
    return plain and untouched and reachable


_PILLOWS_LIMIT = 1024**3 // 4 // 3


class _Helper:
    def __init__(self, source: Path, otherwise: _Hand) -> None:
        self.otherwise = otherwise
        self.process = None
        with contextlib.suppress(OSError):
            self.process = subprocess.Popen(
                [sys.executable, "-P", "-m", "wiesel.images.helper", os.fspath(source)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},  # the same packages as here
                start_new_session=True,  # a Ctrl-C is for this process; the helper ends when its input does
            )

    def __call__(self, visit: Visit, part: Sequence[Entry]) -> Sequence[Found]:
        if self.process is None:
            return self.otherwise(visit, part)
        try:
            request = msgspec.msgpack.encode(Request(visit, [(entry.path, entry.size) for entry in part]))
        except UnicodeEncodeError:  # a name that is no text
            return self.otherwise(visit, part)
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        try:
            send(self.process.stdin, request)
            answer = receive(self.process.stdout)
            if isinstance(visit, Look):
                return msgspec.msgpack.decode(answer, type=list[Head])
            return msgspec.msgpack.decode(answer, type=list[Picture | Reason])
        except Exception:  # it is dead, or something else has written into its output
            self.close()
            return self.otherwise(visit, part)

    def close(self) -> None:
        if self.process is not None:
            self.process.kill()  # it holds nothing that is not here too
            self.process.communicate()
            self.process = None


def send(file: IO[bytes], message: bytes) -> None:
    file.write(len(message).to_bytes(8, "big"))
    file.write(message)
    file.flush()


def receive(file: IO[bytes]) -> bytes:
    """Raises:
    EOFError: nothing more comes.
    """
    length = file.read(8)
    message = file.read(int.from_bytes(length, "big")) if len(length) == 8 else b""
    if len(length) < 8 or len(message) < int.from_bytes(length, "big"):
        raise EOFError
    return message
