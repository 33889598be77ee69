"""The cells of a comparison: one arm with one seed, its run folder, and what came out of it.

A cell is known by its key: what trains it, on which pictures, with which state of this program. The same key is the same run, in
whatever plan it stands, and is trained once.
"""

from __future__ import annotations

import dataclasses
import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

import msgspec
import numpy as np
from numpy.typing import NDArray

from wiesel.comparison.outcomes import Arm, Outcomes, SplitOutcomes, arm, split_arm
from wiesel.comparison.plan import Plan, recipe_of
from wiesel.errors import BadValue, Damaged, OtherTestPictures
from wiesel.evaluation.predictions import Predictions
from wiesel.language import say
from wiesel.recipe import Recipe
from wiesel.runs import events
from wiesel.runs.folder import RunFolder

State = Literal["missing", "begun", "finished", "diverged"]


@dataclass(frozen=True)
class Cell:
    arm: int
    """Number of the arm in the plan."""
    run: int
    """Number of the run in its arm."""
    name: str
    """What its folder is called, if no other recipe has that name already."""
    recipe: Recipe
    key: str
    program: str = ""
    """Which state of it would train this cell now."""

    @property
    def seed(self) -> int:
        return self.recipe.seed


@dataclass(frozen=True, eq=False)
class Result:
    """What a finished or diverged cell has to say. A run that diverged left no network: its answers are empty."""

    predictions: Predictions | None
    classes: tuple[str, ...]
    drawn: int
    """Training pictures of the source that this division keeps for validation and test."""
    seconds: float
    diverged: bool
    training_error: float | None = None
    """Share of the training pictures that was wrong in the last epoch, while it trained; None of a run that diverged."""


def cells(plan: Plan, *, data: str, program: str, epochs: Sequence[int] | None = None) -> tuple[Cell, ...]:
    """All cells up to the plan's cap, in the order of training: run by run, and in each run arm by arm.

    `data`: its fingerprint; `program`: which state of it trains; `epochs`: of each arm, where the plan leaves them to the clock.

    Raises:
        BadValue: two arms that would train the very same runs.
    """
    found = []
    names = [file_name(one.title) for one in plan.arms]
    for run in range(plan.rules.cap):
        keys: dict[str, str] = {}
        for number, planned in enumerate(plan.arms):
            recipe = recipe_of(plan, planned, run)
            # A cell has one thread for itself: the other processors train other cells.
            training = dataclasses.replace(recipe.training, threads=recipe.training.threads or 1)
            if epochs is not None:
                training = dataclasses.replace(training, epochs=epochs[number])
            recipe = dataclasses.replace(recipe, training=training)
            key = key_of(recipe, data=data, program=program)
            if key in keys:
                twins = say(
                    en="different designs; these two train the very same runs, so there is nothing to compare",
                    de="verschiedene Entwürfe; diese beiden trainieren genau dieselben Läufe, zu vergleichen gibt es nichts",
                )
                raise BadValue(setting="arms", value=[keys[key], planned.title], expected=twins)
            keys[key] = planned.title
            short = names[number] if names.count(names[number]) == 1 else f"{names[number]}-{number + 1}"
            found.append(Cell(number, run, f"{short}-seed{recipe.seed}", recipe, key, program))
    return tuple(found)


def key_of(recipe: Recipe, *, data: str, program: str) -> str:
    """sha256 over the recipe, the pictures' fingerprint and the state of the program, as hex. Where the pictures lie does not matter."""
    decisions = dataclasses.asdict(recipe)
    decisions["data"]["source"] = data
    return hashlib.sha256(msgspec.json.encode([decisions, program], order="deterministic")).hexdigest()


def state(folder: Path) -> State:
    """How far the run in `folder` is. Damaged or half-made folders count as begun: training goes on there, or says what is wrong."""
    if not (folder / "recipe.toml").is_file():
        return "missing"
    run = RunFolder(folder)
    try:
        if run.manifest.is_file() and run.predictions("test").is_file() and run.evaluation.is_file():
            return "finished"
        # A diverged run would diverge again: the same recipe on the same pictures.
        history = run.history()
    except Damaged:
        return "begun"
    return "diverged" if history and history[-1]["kind"] == "not_finite" else "begun"


def result(folder: Path) -> Result:
    """Of a finished or diverged cell.

    Raises:
        RunError: its files are damaged.
    """
    run = RunFolder(folder)
    division, lost, history = run.read_splits(), state(folder) == "diverged", run.history()
    epochs = [row for row in events.effective(history) if row["kind"] == "epoch"]
    return Result(
        predictions=None if lost else Predictions.from_file(run.predictions("test")),
        classes=run.read_classes(),
        drawn=sum(len(rows) for rows in division["made"].values()),
        seconds=_seconds(history),
        diverged=lost,
        training_error=1 - float(epochs[-1]["train_accuracy"]) if epochs and not lost else None,
    )


def outcomes(plan: Plan, found: Sequence[tuple[Cell, Result]], *, pictures: int) -> Outcomes | SplitOutcomes:
    """What the statistics see. Every arm needs at least one cell. `pictures`: of the source's training split, before any division.

    Raises:
        OtherTestPictures: two cells that ought to have the same test pictures have not.
    """
    tested = next((one.predictions for _, one in found if one.predictions is not None), None)
    if tested is None:
        raise BadValue(
            setting="arms", value=[one.title for one in plan.arms], expected=say(en="runs that end", de="Läufe, die enden")
        )
    arms: list[Arm] = []
    for number, planned in enumerate(plan.arms):
        mine = [(cell, one) for cell, one in found if cell.arm == number]
        seeds = tuple(cell.seed for cell, _ in mine)
        facts: dict[str, Any] = {"seeds": seeds, "diverged": [one.diverged for _, one in mine]}
        seconds = [one.seconds for _, one in mine]
        if plan.divisions == "redrawn":
            shares = [0.0 if one.predictions is None else float(_right(one.predictions).mean()) for _, one in mine]
            arms.append(split_arm(planned.title, shares, seconds, **facts))
        else:
            rows = [_answers(planned.title, one, tested) for _, one in mine]
            arms.append(arm(planned.title, np.array(rows), seconds, **facts))
    if plan.divisions == "redrawn":
        return SplitOutcomes(tuple(arms), training_images=pictures - found[0][1].drawn, test_images=len(tested))
    return Outcomes(tuple(arms), labels=tested.labels, classes=found[0][1].classes)


def _right(predictions: Predictions) -> NDArray[np.bool_]:
    return np.asarray(predictions.logits.argmax(axis=1) == predictions.labels)


def _answers(name: str, one: Result, tested: Predictions) -> NDArray[np.bool_]:
    """Which pictures this run gets right, in the order of `tested`: none, if it diverged."""
    if one.predictions is None:
        return np.zeros(len(tested), np.bool_)
    same = np.array_equal(one.predictions.names, tested.names) and np.array_equal(one.predictions.labels, tested.labels)
    if not same:
        raise OtherTestPictures(name=name, have=len(one.predictions), expected=len(tested))
    return _right(one.predictions)


def _seconds(history: list[events.Row]) -> float:
    """Of training; of a run that diverged, from its first to its last row."""
    ends = [row["seconds"] for row in history if row["kind"] == "end" and "seconds" in row]
    if ends:
        return max(0.001, float(ends[-1]))
    times = [datetime.fromisoformat(row["time"]) for row in history if isinstance(row.get("time"), str)]
    return max(0.001, (times[-1] - times[0]).total_seconds()) if times else 0.001


def file_name(title: str) -> str:
    """What may stand in a folder's name on every system."""
    plain = re.sub(r"[^\w.+=,-]+", "-", title).strip(".-")
    return plain.encode()[:80].decode(errors="ignore") or "arm"
