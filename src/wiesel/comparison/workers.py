"""Where the trainings of a campaign run. The campaign decides what is trained, how often it is tried and when it hangs; workers only
start a command, and tell how it ended. What they tell is never believed over the run folder.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar, Protocol

from wiesel.training.threads import usable_cores


class Worker(Protocol):
    """One training, as `subprocess.Popen` sees it."""

    pid: int
    """0: it runs on another machine."""
    returncode: int | Any
    """None until `poll` or `wait` has seen its end."""

    @property
    def waiting(self) -> bool:
        """It stands in a queue and has not begun."""
        ...

    @property
    def lost(self) -> bool:
        """What ended was the place where it ran, not the training itself."""
        ...

    def poll(self) -> int | None: ...

    def terminate(self) -> None:
        """Ask it to save and end."""
        ...

    def kill(self) -> None: ...

    def wait(self, timeout: float | None = None) -> int:
        """Raises subprocess.TimeoutExpired."""
        ...


class Workers(Protocol):
    @property
    def room(self) -> int:
        """How many trainings have a processor of their own."""
        ...

    def start(self, words: Sequence[str], log: Path, threads: int) -> Worker:
        """Run the interpreter with these words; what it says goes to the end of `log`. All paths are absolute or below here."""
        ...


class Process(subprocess.Popen[bytes]):
    waiting: ClassVar[bool] = False
    lost: ClassVar[bool] = False


class Processes:
    """Processes of this machine."""

    @property
    def room(self) -> int:
        return usable_cores()

    def start(self, words: Sequence[str], log: Path, threads: int) -> Process:
        with log.open("ab") as end:
            # A session of its own: Ctrl-C reaches the driver only, which passes it on once.
            return Process(
                [sys.executable, *words],
                stdin=subprocess.DEVNULL,
                stdout=end,
                stderr=end,
                env={**os.environ, "OMP_NUM_THREADS": str(threads)},
                start_new_session=True,
            )
