"""Ctrl-C and SIGTERM set a flag; training looks at it after each step, saves, and leaves with 130 or 143.

Nothing is saved inside the handler: a signal can land in the middle of a backward pass. A second Ctrl-C leaves at once; what was
committed before stays intact.
"""

from __future__ import annotations

import os
import signal
import threading
from types import FrameType
from typing import Any


class Interruption:
    """Context manager; `signal` is None, or the number of the signal that arrived."""

    def __init__(self) -> None:
        self.signal: int | None = None
        self._before: dict[int, Any] = {}

    def _arrived(self, number: int, _frame: FrameType | None) -> None:
        if self.signal is not None:
            os._exit(128 + number)
        self.signal = number

    def listen(self) -> None:
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                before = signal.signal(number, self._arrived)
                self._before.setdefault(number, before)

    def __enter__(self) -> Interruption:
        self.listen()
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self._before.clear()
