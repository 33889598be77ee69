"""Run folders that learners name, relative to their own file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from wiesel.language import say
from wiesel.lessons.checking import Own
from wiesel.runs.folder import RunFolder


def opened(own: Own, path: Any) -> RunFolder:
    """The run; a path that is not absolute starts at the learner's file.

    Raises:
        NotARun: names the nearest.
    """
    return RunFolder.open(own.path.parent / Path(str(path)).expanduser())


def unfinished(run: RunFolder) -> str | None:
    """What is missing for it to count, if anything."""
    if not run.evaluation.exists():
        return say(
            en=f"{run.path.name} is not finished: go on with `wiesel train --resume {run.path.name}`",
            de=f"{run.path.name} ist nicht fertig: weiter mit `wiesel train --resume {run.path.name}`",
        )
    return None


def accuracy_of(run: RunFolder) -> float:
    return float(run.read_evaluation()["accuracy"]["value"])


def changes_of(run: RunFolder) -> tuple[str, ...]:
    return run.read_recipe().network.changes


def without_shortcuts(run: RunFolder) -> bool:
    return run.read_recipe().architecture.startswith("plain") or any(
        change.startswith("residual=off") for change in changes_of(run)
    )
