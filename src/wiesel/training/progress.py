"""How a run tells a person where it is: a Rich display on a terminal, one line per epoch elsewhere, HTML in a notebook.

The estimate of the time left counts whole-run steps by the median of the recent ones. The display is touched at most four times a
second, so that it costs the training nothing. Everything goes to stderr: stdout is for results.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections import deque
from collections.abc import Callable, Sequence
from html import escape
from typing import Any, Protocol, TextIO

from wiesel.language import duration, number, say

PERIOD = 0.25  # seconds between two touches of the display
WARM = 3.0  # seconds of training before `Lines` tells its one estimate: the first steps make kernels and buffers and are slow


class Progress(Protocol):
    """What training calls; every method must be quick."""

    def begin(self, *, steps: int, done: int, epochs: int, work: Sequence[float] = ()) -> None:
        """`work`: what a step costs in each epoch, in any unit; empty: the same in all."""

    def step(self, step: int) -> None: ...
    def train(self, row: dict[str, Any]) -> None: ...
    def epoch(self, row: dict[str, Any]) -> None: ...
    def note(self, sentence: str) -> None: ...
    def end(self) -> None: ...


class Silent:
    def begin(self, *, steps: int, done: int, epochs: int, work: Sequence[float] = ()) -> None: ...
    def step(self, step: int) -> None: ...
    def train(self, row: dict[str, Any]) -> None: ...
    def epoch(self, row: dict[str, Any]) -> None: ...
    def note(self, sentence: str) -> None: ...
    def end(self) -> None: ...


class Clock:
    """Estimates the seconds left from the median time of recent steps and from how much work each step is."""

    def __init__(self) -> None:
        self.times: deque[float] = deque(maxlen=50)
        self.last: float | None = None
        self.steps = 0
        self.done = 0
        self.work: Sequence[float] = (1.0,)

    def begin(self, *, steps: int, done: int, work: Sequence[float] = ()) -> None:
        self.steps, self.done, self.last = steps, done, time.perf_counter()
        self.work = work or (1.0,)
        self.times.clear()  # of a probe before this: other steps, another unit of work

    def step(self, step: int) -> None:
        now = time.perf_counter()
        if self.last is not None:
            self.times.append((now - self.last) / self._work_of(step - 1))
        self.last, self.done = now, step

    def left(self) -> float | None:
        """Seconds until the last step, or None before the third step."""
        if len(self.times) < 3:
            return None
        per_epoch = self.steps / len(self.work)
        begun, within = divmod(self.done, per_epoch)
        ahead = sum(self.work[int(begun) :]) * per_epoch - (self._work_of(self.done) * within if within else 0.0)
        return ahead * statistics.median(self.times)

    def _work_of(self, step: int) -> float:
        return self.work[min(len(self.work) - 1, step * len(self.work) // max(1, self.steps))]


def epoch_sentence(row: dict[str, Any], epochs: int, left: float | None) -> str:
    """One line about a finished epoch."""
    rest = "" if left is None or row["epoch"] >= epochs else "  " + say(en="left", de="noch") + f" {duration(left)}"
    mark = " *" if row["best"] else "  "
    small = f"  ({row['resolution']} px)" if row.get("resolution") else ""
    return (
        say(en="epoch", de="Epoche")
        + f" {row['epoch']:>{len(str(epochs))}}/{epochs}{mark} "
        + say(en="loss", de="Verlust")
        + f" {number(row['train_loss'], 3)}  "
        + say(en="training", de="Training")
        + f" {number(100 * row['train_accuracy'], 1)} %  "
        + say(en="validation", de="Validierung")
        + f" {number(100 * row['validation_accuracy'], 1)} %{small}  "
        + duration(row["seconds"])
        + rest
    )


class Lines:
    """One plain line per epoch; the estimate of the whole run once after a few steps. For files, pipes and CI."""

    def __init__(self, out: TextIO | None = None) -> None:
        self.out = out or sys.stderr
        self.clock = Clock()
        self.epochs = 0
        self.told = False
        self.begun = 0.0

    def begin(self, *, steps: int, done: int, epochs: int, work: Sequence[float] = ()) -> None:
        self.epochs, self.told, self.begun = epochs, False, time.perf_counter()
        self.clock.begin(steps=steps, done=done, work=work)

    def step(self, step: int) -> None:
        self.clock.step(step)
        warm = len(self.clock.times) >= 5 and time.perf_counter() - self.begun >= WARM
        if not self.told and warm and (left := self.clock.left()) is not None:
            self.told = True
            remaining = say(en="about", de="etwa") + f" {duration(left)} " + say(en="to go", de="verbleiben")
            print(f"{self.clock.steps} " + say(en="steps", de="Schritte") + f", {remaining}", file=self.out, flush=True)

    def train(self, row: dict[str, Any]) -> None: ...

    def epoch(self, row: dict[str, Any]) -> None:
        print(epoch_sentence(row, self.epochs, self.clock.left()), file=self.out, flush=True)

    def note(self, sentence: str) -> None:
        print(sentence, file=self.out, flush=True)

    def end(self) -> None: ...


class Terminal:
    """A Rich bar over the whole run with the current loss, and a line per finished epoch above it."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, TextColumn
        from rich.progress import Progress as Bars

        self.console = Console(stderr=True)
        self.bars = Bars(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.completed}/{task.total}"),
            TextColumn("{task.fields[now]}"),
            console=self.console,
            auto_refresh=False,
            transient=True,
        )
        self.clock = Clock()
        self.epochs = 0
        self.now = ""
        self.drawn = 0.0

    def begin(self, *, steps: int, done: int, epochs: int, work: Sequence[float] = ()) -> None:
        self.epochs = epochs
        self.clock.begin(steps=steps, done=done, work=work)
        for finished in self.bars.task_ids:
            self.bars.remove_task(finished)
        self.bars.start()
        self.task = self.bars.add_task(say(en="training", de="Training"), total=steps, completed=done, now="")

    def step(self, step: int) -> None:
        self.clock.step(step)
        now = time.perf_counter()
        if now - self.drawn >= PERIOD:
            self.drawn = now
            left = self.clock.left()
            eta = "" if left is None else say(en="left", de="noch") + " " + duration(left)
            self.bars.update(self.task, completed=step, now=f"{self.now}  {eta}")
            self.bars.refresh()

    def train(self, row: dict[str, Any]) -> None:
        self.now = say(en="loss", de="Verlust") + f" {number(row['loss'], 3)}"

    def epoch(self, row: dict[str, Any]) -> None:
        self.console.print(epoch_sentence(row, self.epochs, self.clock.left()), highlight=False)

    def note(self, sentence: str) -> None:
        self.console.print(sentence, highlight=False, markup=False)

    def end(self) -> None:
        self.bars.stop()


class Notebook:
    """A small table in the cell's output, updated in place."""

    def __init__(self, update: Callable[[str], None]) -> None:
        self.update = update
        self.clock = Clock()
        self.rows: list[str] = []
        self.epochs = 0
        self.drawn = 0.0

    def begin(self, *, steps: int, done: int, epochs: int, work: Sequence[float] = ()) -> None:
        self.epochs = epochs
        self.clock.begin(steps=steps, done=done, work=work)

    def _draw(self) -> None:
        left = self.clock.left()
        eta = "" if left is None else " · " + say(en="left", de="noch") + " " + duration(left)
        bar = f"<progress value='{self.clock.done}' max='{self.clock.steps}'></progress> {self.clock.done}/{self.clock.steps}{eta}"
        self.update(bar + "<pre>" + "\n".join(self.rows) + "</pre>")

    def step(self, step: int) -> None:
        self.clock.step(step)
        now = time.perf_counter()
        if now - self.drawn >= PERIOD:
            self.drawn = now
            self._draw()

    def train(self, row: dict[str, Any]) -> None: ...

    def epoch(self, row: dict[str, Any]) -> None:
        self.rows.append(epoch_sentence(row, self.epochs, None))
        self._draw()

    def note(self, sentence: str) -> None:
        self.rows.append(escape(sentence))

    def end(self) -> None:
        self._draw()


def fitting() -> Progress:
    """The display that fits where we are: notebook, terminal, or anything else."""
    if (notebook := _notebook()) is not None:
        return notebook
    return Terminal() if sys.stderr.isatty() else Lines()


def _notebook() -> Notebook | None:
    if "ipykernel" not in sys.modules:
        return None
    try:
        from IPython import get_ipython
        from IPython.display import HTML, display
    except ImportError:
        return None
    if not hasattr(get_ipython(), "kernel"):  # the package was imported, but no notebook is listening
        return None
    handle = display(HTML(""), display_id=True)
    return Notebook(lambda html: handle.update(HTML(html)))
