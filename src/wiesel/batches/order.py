"""Who comes when, and what chance does to whom: pure functions of (seed, epoch, sample).

Nothing here has a state, so there is none to save or to lose: a run that was interrupted and resumed sees the same batches as one
that was not, whatever the number of workers or interruptions. The generator is Philox, which is counter-based: (seed, epoch, use)
name an independent stream.
"""

from __future__ import annotations

from enum import IntEnum

import numpy as np
from numpy.typing import NDArray


class Use(IntEnum):
    """What a stream of chance is for; each has its own."""

    ORDER = 0
    FLIP = 1
    SHIFT = 2
    DROPOUT = 3
    INITIAL_WEIGHTS = 4


def chance(seed: int, epoch: int, use: Use) -> np.random.Generator:
    """The stream of chance for one use in one epoch."""
    return np.random.Generator(np.random.Philox(key=seed, counter=[0, 0, epoch, int(use)]))


def shuffled(count: int, *, seed: int, epoch: int) -> NDArray[np.int64]:
    """All sample ids 0..count-1, each once, in the order of this epoch."""
    return chance(seed, epoch, Use.ORDER).permutation(count)


def batches_of(order: NDArray[np.int64], batch: int) -> list[NDArray[np.int64]]:
    """Consecutive batches; a lone last sample joins nobody and is left out of this epoch, because batch norm cannot work with one.

    So an epoch of N pictures uses N of them, or N - 1. (The order changes each epoch: somebody else sits out next time.)
    """
    parts = [order[start : start + batch] for start in range(0, len(order), batch)]
    return parts[:-1] if len(parts) > 1 and len(parts[-1]) == 1 else parts


def steps_per_epoch(count: int, batch: int) -> int:
    full, rest = divmod(count, batch)
    return full + (1 if rest > 1 or full == 0 else 0)
