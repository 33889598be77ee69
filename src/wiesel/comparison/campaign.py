"""Train the cells that are still missing, several at a time, each by a worker of its own; survive the death of any of them, and ours.

What is true is on the disc: a cell is finished when its run folder says so. So a driver that is killed, with whatever signal, needs
no farewell. The next one finds finished cells finished, goes on where a run was interrupted, and waits for a training that outlived
its driver instead of starting it a second time.
"""

from __future__ import annotations

import math
import os
import shutil
import signal
import subprocess
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from wiesel.comparison.cells import Cell, State, state
from wiesel.comparison.ledger import Ledger
from wiesel.comparison.workers import Processes, Worker, Workers
from wiesel.errors import RunBusy, WieselError
from wiesel.language import duration, say
from wiesel.recipe import to_toml
from wiesel.runs import commit, events
from wiesel.runs.folder import RunFolder
from wiesel.training.interruption import Interruption

RETRIES = 3
LOSSES = 20
"""How often a training may lose the node it ran on before that counts as its own fault: it may be what brings nodes down."""
PERIOD = 0.2
"""Seconds between two looks at the processes."""
TELL_EVERY = 60.0
"""Seconds between two sentences about how far the trainings are."""
GRACE = 30.0
"""Seconds that a training which hangs has for ending in good order."""
LEAST_SHARE = 0.05
"""Of its steps that a run must have done before its own pace is believed."""
HOPELESS = (2, 4)
"""Exit codes of a training that another attempt would not help: a setting is wrong, or something is missing."""


class CampaignStopped(WieselError):
    """A signal ended the campaign early; everything so far is saved. `exit_code` is 130 or 143, as shells expect."""

    en = "Stopped after {done} of {total} runs; everything so far is saved. Go on with: {command}"
    de = "Nach {done} von {total} Läufen angehalten; alles bis hierher ist gespeichert. Weiter mit: {command}"

    def __init__(self, **facts: object) -> None:
        super().__init__(**facts)
        self.exit_code = 128 + int(str(facts["signal"]))  # type: ignore[misc]


@dataclass
class Job:
    """A cell in training."""

    cell: Cell
    process: Worker | None
    """None: a training that an earlier driver started and that still runs."""
    begun: float
    attempt: int
    pid: int = 0
    hung: bool = False


@dataclass
class Campaign:
    """One sitting."""

    ledger: Ledger
    cells: tuple[Cell, ...]
    """Of the whole plan, in the order of training."""
    jobs: int
    weights: Sequence[float]
    """Of each arm: how long a run takes compared with the others', before any has been timed (its multiply-adds)."""
    command: str
    """With which a person goes on."""
    data_dir: Path | str | None = None
    workers: Workers = field(default_factory=Processes)
    tell: Callable[[str], None] = lambda _: None
    time_limit: float = 900.0
    """Seconds without any sign of life after which a training counts as hanging and is ended; 0: never."""
    places: dict[Cell, Path] = field(default_factory=dict)
    """Where the finished cells lie."""
    attempts: dict[Cell, int] = field(default_factory=dict)
    losses: dict[Cell, int] = field(default_factory=dict)
    failed: list[Cell] = field(default_factory=list)

    def train(self, wanted: Sequence[Cell]) -> None:
        """Train what is missing of `wanted`. Cells that keep failing are in `failed` afterwards.

        Raises:
            CampaignStopped: SIGINT or SIGTERM; the trainings were told to save, and have ended.
        """
        missing = deque(cell for cell in wanted if not self._there(cell))
        running: list[Job] = []
        told = time.monotonic()
        with Interruption() as interruption:
            try:
                while missing or running:
                    if interruption.signal is not None:
                        self._stop(running)
                        done = sum(cell in self.places for cell in self.cells)
                        raise CampaignStopped(done=done, total=len(self.cells), command=self.command, signal=interruption.signal)
                    while missing and len(running) < self.jobs:
                        running.append(self._start(missing.popleft()))
                    time.sleep(PERIOD)
                    if time.monotonic() - told >= TELL_EVERY:
                        told = time.monotonic()
                        self._report(missing, running)
                    for job in running:
                        self._end_if_it_hangs(job)
                    for job in [job for job in running if not self._runs(job)]:
                        running.remove(job)
                        if self._ended(job):
                            self._report(missing, running)
                        elif job.cell not in self.failed:
                            missing.appendleft(job.cell)
            except BaseException:
                self._stop(running)
                raise

    # --- one cell --------------------------------------------------------------------------------------------------------

    def _there(self, cell: Cell) -> bool:
        """Finished here, or in another plan."""
        if cell in self.places:
            return True
        own = self.ledger.folder_of(cell)
        if state(own) in ("finished", "diverged"):
            self._finished(cell, own)
            return True
        other = self.ledger.known().get(cell.key)
        if other is None or own.exists() or RunFolder(other).read_recipe().seed != cell.seed:
            return False
        if not any(row["cell"] == cell.name and row["key"] == cell.key for row in self.ledger.rows("reused")):
            self.ledger.note("reused", cell=cell.name, key=cell.key, path=os.path.relpath(other, self.ledger.folder))
        self.places[cell] = other
        return True

    def _start(self, cell: Cell) -> Job:
        folder = self.ledger.folder_of(cell)
        attempt = self.attempts.get(cell, 0) + 1
        orphan = self._orphan(cell, folder)
        if orphan is not None:
            self.tell(
                say(
                    en=f"{cell.name} is still in training from an earlier sitting (process {orphan or '?'}); waiting for it",
                    de=f"{cell.name} wird noch aus einer früheren Sitzung trainiert (Prozess {orphan or '?'}); es wird darauf gewartet",
                )
            )
            return Job(cell, None, time.monotonic(), attempt, orphan)
        words = ["-m", "wiesel", "train", "--quiet"]
        resumed = state(folder) != "missing"
        if resumed:
            words += ["--resume", str(folder)]
        else:
            if folder.exists():  # made by a training that died before it had written its recipe
                shutil.rmtree(folder)
            recipe = folder.with_name(f"{folder.name}.toml")
            commit.write_file(recipe, to_toml(cell.recipe).encode())
            words += [str(recipe), "--output", str(folder)]
        if self.data_dir is not None:
            words += ["--data-dir", str(self.data_dir)]
        self.attempts[cell] = attempt
        # Noted before the process exists: a row too many does no harm, a training that nobody knows of might.
        self.ledger.note("start", cell=cell.name, key=cell.key, folder=folder.name, attempt=attempt, resumed=resumed)
        process = self.workers.start(words, _log(folder), cell.recipe.training.threads)
        if process.pid:
            self.ledger.note("process", cell=cell.name, folder=folder.name, pid=process.pid)
        return Job(cell, process, time.monotonic(), attempt, process.pid)

    def _orphan(self, cell: Cell, folder: Path) -> int | None:
        """Process that trains this cell already (0: it is not known which), or None."""
        for row in self.ledger.rows("process")[::-1]:
            if row["folder"] == folder.name:
                if _trains(int(row["pid"]), folder):
                    return int(row["pid"])
                break
        return 0 if _locked(folder) else None

    def _runs(self, job: Job) -> bool:
        if job.process is not None:
            if job.process.waiting:
                job.begun = time.monotonic()
            return job.process.poll() is None
        folder = self.ledger.folder_of(job.cell)
        return _trains(job.pid, folder) or _locked(folder)

    def _ended(self, job: Job) -> bool:
        """Whether the cell is done; if not, whether it goes on is in `failed`."""
        cell, folder = job.cell, self.ledger.folder_of(job.cell)
        if state(folder) in ("finished", "diverged"):
            self._finished(cell, folder, time.monotonic() - job.begun if job.process is not None else None)
            return True
        if job.process is None:  # not our attempt
            return False
        code = job.process.returncode
        if code in (1, 2) and _locked(folder):  # somebody else was faster: wait for that one
            self.attempts[cell] = job.attempt - 1
            return False
        if job.process.lost and not job.hung and self.losses.get(cell, 0) < LOSSES:
            self.losses[cell] = self.losses.get(cell, 0) + 1
            self.attempts[cell] = job.attempt - 1
            self.ledger.note("lost", cell=cell.name, attempt=job.attempt)
            self.tell(
                say(
                    en=f"{cell.name} lost the node or the task that it ran in, and goes on elsewhere",
                    de=f"{cell.name} hat den Knoten oder die Task verloren, worin es lief, und geht anderswo weiter",
                )
            )
            return False
        said = last_line(_log(folder))
        if job.hung:
            said = say(
                en=f"no sign of life for {duration(self.time_limit)}, so it was ended",
                de=f"{duration(self.time_limit)} lang kein Lebenszeichen, darum beendet",
            )
        self.ledger.note("died", cell=cell.name, code=code, attempt=job.attempt, said=said)
        again = job.attempt <= RETRIES and code not in HOPELESS
        self.tell(
            say(
                en=f"{cell.name} died (exit code {code}): {said}" + (f"; attempt {job.attempt + 1}" if again else "; given up"),
                de=f"{cell.name} ist gestorben (Exit-Code {code}): {said}"
                + (f"; Versuch {job.attempt + 1}" if again else "; aufgegeben"),
            )
        )
        if not again:
            self.ledger.note("failed", cell=cell.name, attempts=job.attempt)
            self.failed.append(cell)
        return False

    def _end_if_it_hangs(self, job: Job) -> None:
        """A training writes into its history all the time; one that has written nothing for the time limit is ended."""
        if not self.time_limit or job.hung:
            return
        quiet = min(time.monotonic() - job.begun, _quiet(self.ledger.folder_of(job.cell)))
        if quiet < self.time_limit:
            return
        job.hung = True
        if job.process is not None:
            job.process.terminate()
            try:
                job.process.wait(min(GRACE, self.time_limit))
            except subprocess.TimeoutExpired:
                job.process.kill()
                job.process.wait()
        elif job.pid and _trains(job.pid, self.ledger.folder_of(job.cell)):
            os.kill(job.pid, signal.SIGKILL)

    def _finished(self, cell: Cell, folder: Path, wall: float | None = None) -> None:
        self.places[cell] = folder
        # A run that an earlier state of the program finished keeps the row that says so.
        if not any(cell.key == row["key"] or folder.name == row["folder"] for row in self.ledger.rows("done")):
            how: State = state(folder)
            self.ledger.note("done", cell=cell.name, key=cell.key, folder=folder.name, state=how, wall=wall, program=cell.program)
            self.ledger.publish(cell, folder)

    def _stop(self, running: list[Job]) -> None:
        """Tell our trainings to save and end, and wait for it. Those of an earlier driver too: they belong to this plan."""
        for job in running:
            if job.process is not None and job.process.poll() is None:
                job.process.terminate()
            elif job.process is None and job.pid and _trains(job.pid, self.ledger.folder_of(job.cell)):
                os.kill(job.pid, signal.SIGTERM)
        for job in running:
            if job.process is not None:
                job.process.wait()
                self._there(job.cell)

    # --- how long it takes -----------------------------------------------------------------------------------------------

    def _report(self, missing: Sequence[Cell], running: Sequence[Job]) -> None:
        done = len(self.places)
        open_cells = [*missing, *(job.cell for job in running)]
        others = [cell for cell in self.cells if cell not in self.places and cell not in open_cells]
        begun = [(job, progress(self.ledger.folder_of(job.cell))) for job in running]
        left = self.seconds_for(open_cells, begun)
        now = "".join(f"; {job.cell.name} {100 * share:.0f} %" for job, share in begun if share)
        if not left:
            unknown = say(en="how long is not known yet", de="wie lange, ist noch nicht bekannt")
            runs = say(en=f"{done} of at most {len(self.cells)} runs", de=f"{done} von höchstens {len(self.cells)} Läufen")
            self.tell(f"{runs}; {unknown}{now}")
            return
        whole = left + self.seconds_for(others, begun)
        self.tell(
            say(
                en=f"{done} of at most {len(self.cells)} runs; about {duration(left)} to the next look, at most {duration(whole)} in all",
                de=f"{done} von höchstens {len(self.cells)} Läufen; etwa {duration(left)} bis zum nächsten Blick, "
                f"höchstens {duration(whole)} insgesamt",
            )
            + now
        )

    def seconds_for(self, cells: Sequence[Cell], begun: Sequence[tuple[Job, float]] = ()) -> float:
        """Estimate for training these cells from now on; 0 if nothing is known yet.

        From the runs that were timed, and from those in training that have come some way (`begun`: with the share that is done).
        """
        names = {cell.key: cell.arm for cell in self.cells}
        timed: dict[int, list[float]] = {}
        for row in self.ledger.rows("done"):
            if row.get("wall") and row["key"] in names:
                timed.setdefault(names[row["key"]], []).append(float(row["wall"]))
        shares = {job.cell: share for job, share in begun if job.process is not None}
        for job, share in begun:
            if share >= LEAST_SHARE and job.process is not None and job.cell.arm not in timed:
                timed[job.cell.arm] = [(time.monotonic() - job.begun) / share]
        if not timed:
            return 0.0
        means = {number: sum(walls) / len(walls) for number, walls in timed.items()}
        rate = sum(means[number] / self.weights[number] for number in means) / len(means)
        total = sum((1 - shares.get(cell, 0.0)) * means.get(cell.arm, rate * self.weights[cell.arm]) for cell in cells)
        return total / max(1, min(self.jobs, len(cells)))


def progress(folder: Path) -> float:
    """Share of its steps that a run has done, 0..1, as its history tells."""
    history = events.effective(events.rows(folder / "events.jsonl"))
    steps = next((row["steps"] for row in history if row["kind"] == "start" and row.get("steps")), 0)
    return min(1.0, max((row.get("step", 0) for row in history), default=0) / steps) if steps else 0.0


def _quiet(folder: Path) -> float:
    """Seconds since this run last wrote anything; endless before its first word."""
    try:
        return max(0.0, time.time() - (folder / "events.jsonl").stat().st_mtime)
    except OSError:
        return math.inf


def last_line(log: Path) -> str:
    """What a process said at the end; empty if nothing."""
    try:
        lines = log.read_bytes()[-4000:].decode(errors="replace").split("\n")
    except OSError:
        return ""
    return next((line.strip() for line in reversed(lines) if line.strip()), "")


def _log(folder: Path) -> Path:
    return folder.with_name(f"{folder.name}.log")


def _locked(folder: Path) -> bool:
    """Another process writes this run."""
    if not (folder / ".lock").is_file():
        return False
    try:
        with RunFolder(folder).lock():
            return False
    except RunBusy:
        return True


def _trains(pid: int, folder: Path) -> bool:
    """Whether this process is alive and a training of this folder. Known only where there is /proc; elsewhere the lock has to do."""
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return False
    return b"train" in words and str(folder).encode() in words
