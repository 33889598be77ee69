"""How many processors this process may use."""

from __future__ import annotations

import os


def usable_cores() -> int:
    """Processors that this process may run on (its affinity, which containers and batch systems set), at least 1."""
    try:
        return max(1, len(os.sched_getaffinity(0)))
    except AttributeError:  # macOS, Windows
        return max(1, os.cpu_count() or 1)
