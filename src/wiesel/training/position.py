"""How far a run has come: all that training must remember beside the weights and the optimiser's buffers."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

import msgspec


@dataclass
class Window:
    """Sums over the steps since the last metric row of this kind."""

    loss: float = 0.0
    correct: int = 0
    seen: int = 0


@dataclass
class Best:
    """The epoch with the highest validation accuracy so far; the first of several equals."""

    epoch: int
    step: int
    accuracy: float


@dataclass
class Position:
    """Steps done, and the running sums that the next metric rows need. Exact through JSON (floats round-trip)."""

    epoch: int = 0
    """Epochs fully done, validation included."""
    batch: int = 0
    """Steps done in the current epoch."""
    step: int = 0
    """Steps done in all."""
    seconds: float = 0.0
    """Training time so far, over all sittings; not part of what a resumed run must reproduce."""
    recent: Window = field(default_factory=Window)
    """Since the last `train` row."""
    whole: Window = field(default_factory=Window)
    """Since the epoch began."""
    best: Best | None = None
    without_gain: int = 0
    """Epochs since the best one."""

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, facts: dict[str, Any]) -> Position:
        return msgspec.convert(facts, cls)
