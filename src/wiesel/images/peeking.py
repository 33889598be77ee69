"""How large a source's pictures are, from a few headers, before anything is decoded."""

from __future__ import annotations

import os
from pathlib import Path

from wiesel.errors import Undecodable
from wiesel.images.decoding import SNIFF, header, kind
from wiesel.images.loading import is_name
from wiesel.images.shards import listed
from wiesel.images.sources import SOURCES
from wiesel.images.visits import LARGEST_OWN_SIZE

LOOKS = 64
"""Files that are looked at, spread over the whole source."""


def small_side(source: str | Path) -> int:
    """The side in pixels if all pictures seem to be squares of one size that is at most 96; else 0, also where there is nothing to see.

    Only a few headers are read, so a picture of another size may hide; `load` finds it later.
    """
    if is_name(source):
        _, height, width = next(row.shape for row in SOURCES if row.name == source)
        return height if height == width <= LARGEST_OWN_SIZE else 0
    path = Path(source).expanduser()
    if not path.exists():
        return 0
    found: set[tuple[int, int]] = set()
    with listed(path) as listing:
        entries = listing.entries
        for entry in entries[:: max(1, len(entries) // LOOKS)]:
            try:
                with listing.open(entry) as file:
                    if kind(file.read(SNIFF)) is None:
                        continue
                    file.seek(0, os.SEEK_SET)
                    head = header(file)
            except (Undecodable, OSError):
                continue
            found.add((head.height, head.width))
    if len(found) != 1:
        return 0
    height, width = found.pop()
    return height if height == width <= LARGEST_OWN_SIZE else 0
