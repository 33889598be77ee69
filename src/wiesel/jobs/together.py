"""Start the processes that help to train, and end them again whatever happens."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import wiesel
from wiesel.errors import HelperFailed
from wiesel.runs.folder import RunFolder

if TYPE_CHECKING:
    from wiesel.training.fit import Machine
    from wiesel.training.team import Team

LOOK_EVERY = 0.02
"""Seconds between two looks at whether all helpers are there."""
NOTICED_WITHIN = 5.0
"""Seconds that the end of a helper may take from its closed connection to its exit code."""


@contextmanager
def together(run: RunFolder, machine: Machine, *, step: int, data_dir: Path | str | None) -> Iterator[Team | None]:
    """The team whose leader this process is, with all helpers ready; None where it trains alone.

    `step`: that of the checkpoint to go on from, 0 for the start.

    Raises:
        HelperFailed: a helper ended before the leader did; carries the last thing that it said.
    """
    if machine.processes == 1:
        yield None
        return
    from wiesel.training.team import Team

    with tempfile.TemporaryDirectory(prefix="wiesel-") as folder:
        meeting = Path(folder) / "meeting"
        helpers = []
        try:
            for rank in range(1, machine.processes):
                helpers.append(_start(run, meeting, rank, step, data_dir))
            while not all(Path(f"{meeting}-{rank}").exists() for rank in range(1, machine.processes)):
                _refuse_the_dead(helpers, meeting, run)
                time.sleep(LOOK_EVERY)
            yield Team(meeting, 0, machine.processes)
        except RuntimeError as error:
            if "gloo" in str(error):  # a connection was closed
                until = time.monotonic() + NOTICED_WITHIN
                while time.monotonic() < until:
                    _refuse_the_dead(helpers, meeting, run)
                    time.sleep(LOOK_EVERY)
            raise
        finally:
            for helper in helpers:
                helper.kill()  # they hold nothing that is not here too
                helper.communicate()


def _start(run: RunFolder, meeting: Path, rank: int, step: int, data_dir: Path | str | None) -> subprocess.Popen[bytes]:
    places = [str(Path(wiesel.__file__).parents[1]), os.environ.get("PYTHONPATH", "")]
    words = [str(run.path), str(meeting), str(rank), str(step), str(data_dir) if data_dir is not None else ""]
    with Path(f"{meeting}-{rank}.log").open("wb") as log:
        return subprocess.Popen(
            [sys.executable, "-P", "-m", "wiesel.jobs.helper", *words],
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, places))},
            start_new_session=True,  # a Ctrl-C is for the leader
        )


def _refuse_the_dead(helpers: list[subprocess.Popen[bytes]], meeting: Path, run: RunFolder) -> None:
    for rank, helper in enumerate(helpers, start=1):
        if (code := helper.poll()) is not None:
            said = Path(f"{meeting}-{rank}.log").read_text(encoding="utf-8", errors="replace").strip().splitlines()
            reason = f" ({said[-1].strip()})" if said else ""
            raise HelperFailed(
                number=rank + 1, of=len(helpers) + 1, code=code, pid=helper.pid, reason=reason, run=shlex.quote(str(run.path))
            )
