"""Who visits the files of a source: this process alone, its threads, or helping processes.

Photographs are decoded by threads, because Pillow decodes and scales outside Python's lock. A file with a small picture is mostly Python's
own work, which threads cannot divide; there, all processors but one get a helper: a process that runs `helper.py`, reads the same source, and
talks through its standard input and output (msgpack, a length before each message). It is started by its name, so the caller's script or
notebook needs no guard around its main part. A helper that cannot be started, or dies, costs time and nothing else: its part is done here.
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

import wiesel
from wiesel.images.dataset import Reason
from wiesel.images.listing import Entry, Listing
from wiesel.images.visits import Head, Look, Picture, Read

MOST = 8
"""Processors that are used."""

SMALL = 8 * 2**10
"""Bytes of a file, on average, below which Python's own work weighs more than decoding."""

ENOUGH = 1000
"""Small files for which helpers are worth their start."""

PART = 16
"""Files per task of a thread."""

PART_OF_HELPERS = 128
"""Files per message."""

Visit = Look | Read
Found = Head | Picture | Reason


class Request(msgspec.Struct, frozen=True):
    visit: Visit
    entries: list[Entry]


_Hand = Callable[[Visit, Sequence[Entry]], Sequence[Found]]


class Crew:
    """Use it with `with`; helpers end with it."""

    def __init__(self, source: Path, listing: Listing, entries: Sequence[Entry]) -> None:
        self.listing = listing
        small = sum(entry.size for entry in entries) < SMALL * len(entries)
        self.helpers: list[_Helper] = []
        if not small:
            hands: list[_Hand] = [self._here] * processors()
        elif len(entries) < ENOUGH:
            hands = [self._here]
        else:
            self.helpers = [_Helper(source, self._here) for _ in range(processors() - 1)]
            hands = [self._here, *self.helpers]
        self.part = PART_OF_HELPERS if self.helpers else PART
        self.hands: queue.SimpleQueue[_Hand] = queue.SimpleQueue()
        for hand in hands:
            self.hands.put(hand)
        self.threads = ThreadPoolExecutor(len(hands)) if len(hands) > 1 else None

    def __enter__(self) -> Crew:
        return self

    def __exit__(self, *_: object) -> None:
        if self.threads is not None:
            self.threads.shutdown(cancel_futures=True)
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
        parts = [entries[start : start + self.part] for start in range(0, len(entries), self.part)]
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


class _Helper:
    def __init__(self, source: Path, otherwise: _Hand) -> None:
        self.otherwise = otherwise
        places = [str(Path(wiesel.__file__).parents[1]), os.environ.get("PYTHONPATH", "")]
        self.process = None
        with contextlib.suppress(OSError):
            self.process = subprocess.Popen(
                [sys.executable, "-P", "-m", "wiesel.images.helper", os.fspath(source)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, places))},
                start_new_session=True,  # a Ctrl-C is for this process; the helper ends when its input does
            )

    def __call__(self, visit: Visit, part: Sequence[Entry]) -> Sequence[Found]:
        if self.process is None:
            return self.otherwise(visit, part)
        try:
            request = msgspec.msgpack.encode(Request(visit, list(part)))
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
        except (OSError, EOFError, msgspec.MsgspecError):
            self.close()
            return self.otherwise(visit, part)

    def close(self) -> None:
        if self.process is not None:
            self.process.kill()  # it holds nothing that is not here too
            self.process.communicate()
            self.process = None


def send(file: IO[bytes], message: bytes) -> None:
    file.write(len(message).to_bytes(8, "big") + message)
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
