"""Equal seconds instead of equal epochs: how many epochs of each arm fit into the time.

No training stops by the clock: a schedule of the learning rate that is cut off is not a short schedule, and a clock would make every run
another one. So each arm is timed once, by a run of one epoch, before the first run; the epochs that fit are written down in
`calibration.json` and are part of what is trained from then on. What a run really took stands beside it in the verdict.

The timings run as the trainings will: one thread each, as many at once as the campaign trains.
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from wiesel.comparison.cells import Cell, cells
from wiesel.comparison.plan import Plan
from wiesel.errors import BadValue, Damaged
from wiesel.language import number, say
from wiesel.recipe import to_toml
from wiesel.runs.commit import write_file
from wiesel.runs.documents import read_bytes, to_json

FILE = "calibration.json"


@dataclass(frozen=True, kw_only=True)
class Calibration:
    """What each arm's timing found, and what follows from it."""

    seconds: float
    """Of training per run, that every arm may use."""
    per_epoch: tuple[float, ...]
    """Measured seconds of one epoch of each arm, validation included."""
    epochs: tuple[int, ...]
    recipes: tuple[str, ...]
    """sha256 of each run that was timed, whatever state of the program timed it."""


def timing_cells(plan: Plan, *, data: str, program: str) -> tuple[Cell, ...]:
    """One run of one epoch per arm."""
    once = cells(plan, data=data, program=program, epochs=[1] * len(plan.arms))[: len(plan.arms)]
    return tuple(dataclasses.replace(cell, run=-1, name=f"{cell.name.rpartition('-seed')[0]}-timing") for cell in once)


def calibrated(plan: Plan, timed: Sequence[Cell], per_epoch: Sequence[float]) -> Calibration:
    """Epochs for each arm: the number whose time is nearest to the plan's seconds, or to what the first arm takes for its epochs.

    Raises:
        BadValue: an arm takes longer than the plan's seconds for a single epoch.
    """
    seconds = plan.seconds or plan.training.epochs * per_epoch[0]
    for arm, one in zip(plan.arms, per_epoch, strict=True):
        if one > 1.5 * seconds:
            least = say(
                en=f"at least {number(one, 1)}: one epoch of {arm.title} takes that long here",
                de=f"mindestens {number(one, 1)}: so lange dauert hier eine Epoche von {arm.title}",
            )
            raise BadValue(setting="seconds", value=round(seconds, 1), expected=least)
    epochs = tuple(max(1, round(seconds / one)) for one in per_epoch)
    return Calibration(seconds=seconds, per_epoch=tuple(per_epoch), epochs=epochs, recipes=_recipes(timed))


def read(folder: Path, plan: Plan, timed: Sequence[Cell]) -> Calibration | None:
    """The calibration that was written down for this plan; None if there is none, or one of other arms.

    A timing that another state of the program made stays in force: what was planned with it is being trained.
    """
    try:
        found = msgspec.json.decode(read_bytes(folder / FILE), type=Calibration)
    except (Damaged, msgspec.MsgspecError):
        return None
    seconds = plan.seconds or plan.training.epochs * found.per_epoch[0]
    return found if (found.recipes, found.seconds) == (_recipes(timed), seconds) else None


def _recipes(timed: Sequence[Cell]) -> tuple[str, ...]:
    return tuple(hashlib.sha256(to_toml(cell.recipe).encode()).hexdigest() for cell in timed)


def write(folder: Path, calibration: Calibration) -> None:
    write_file(folder / FILE, to_json(dataclasses.asdict(calibration)))
