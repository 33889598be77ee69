"""Memory that stays with the process while it trains.

Each step of a small network allocates and frees the same tensors of some ten megabytes. glibc gives such memory back to the system at
once and asks for it again in the next step, and the kernel then fills every page with zeros: 20,000 page faults in a step of 256
pictures. Kept, they cost nothing (docs/speed.md has what that is worth). Other C libraries are left as they are.
"""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Iterator
from contextlib import contextmanager

TRIM_THRESHOLD, MMAP_THRESHOLD, MMAP_MAX = -1, -3, -4
"""What `mallopt` can set (mallopt(3)): free bytes on top that are given back; bytes from which a block is mapped by itself; such blocks."""

MIB = 2**20


@contextmanager
def kept_pages() -> Iterator[None]:
    """Within, freed memory is used again and not given back; what is free at the end is given back then."""
    libc = ctypes.CDLL(None) if sys.platform == "linux" else None
    if libc is None or not hasattr(libc, "mallopt") or not hasattr(libc, "malloc_trim"):
        yield
        return
    libc.mallopt(MMAP_MAX, 0)
    libc.mallopt(TRIM_THRESHOLD, 2**31 - 1)
    try:
        yield
    finally:  # glibc moves its two thresholds by itself until they are set; these are where it ends up after freeing a large block
        libc.mallopt(MMAP_MAX, 65536)
        libc.mallopt(MMAP_THRESHOLD, 32 * MIB)
        libc.mallopt(TRIM_THRESHOLD, 64 * MIB)
        libc.malloc_trim(0)
