"""Who visits the files of a source: this thread alone, or as many threads as there are processors.

Photographs are decoded by threads, because libjpeg and Pillow decode and scale outside Python's lock. A file with a small picture is
mostly Python's own work, which threads cannot divide; there, they would only get into each other's way.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import chain
from typing import TypeVar

from wiesel.images.dataset import Reason
from wiesel.images.listing import Entry, Listing
from wiesel.images.visits import Head, Look, Picture, Read

MOST = 8
"""Processors that are used."""

SMALL = 8 * 2**10
"""Bytes of a file, on average, below which Python's own work weighs more than decoding."""

PART = 16
"""Files per task of a thread, at most."""

Found = TypeVar("Found", Head, Picture | Reason)


class Crew:
    """Use it with `with`; its threads end with it."""

    def __init__(self, listing: Listing, entries: Sequence[Entry]) -> None:
        self.listing = listing
        small = sum(entry.size for entry in entries) < SMALL * len(entries)
        self.threads = ThreadPoolExecutor(processors()) if not small and processors() > 1 else None

    def __enter__(self) -> Crew:
        return self

    def __exit__(self, *_: object) -> None:
        if self.threads is not None:
            self.threads.shutdown(cancel_futures=True)

    def look(self, look: Look, entries: Sequence[Entry]) -> Iterator[Head]:
        """In the order of the entries."""
        return self._all(look, entries)

    def read(self, read: Read, entries: Sequence[Entry]) -> Iterator[Picture | Reason]:
        """The same. Holds all that is not taken yet: hand over no more entries than fit into memory."""
        return self._all(read, entries)

    def _all(self, visit: Callable[[Listing, Entry], Found], entries: Sequence[Entry]) -> Iterator[Found]:
        if self.threads is None:
            return (visit(self.listing, entry) for entry in entries)
        step = max(1, min(PART, -(-len(entries) // processors())))
        parts = (entries[start : start + step] for start in range(0, len(entries), step))
        return chain.from_iterable(self.threads.map(lambda part: [visit(self.listing, entry) for entry in part], parts))


def processors() -> int:
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(MOST, usable)
