"""Pictures that one arm gets right and the other wrong in nearly all runs, with what was said about them. For looking only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from wiesel.comparison.exploration import told_apart
from wiesel.comparison.outcomes import Arm
from wiesel.evaluation.predictions import Predictions

MOST = 12
"""Pictures per direction and challenger that are kept for showing; the rest is counted."""


@dataclass(frozen=True)
class ToldApart:
    """One test picture. Numbers of classes are those of the networks' outputs."""

    picture: int
    name: str
    label: int
    right: tuple[int, int]
    """Runs of the baseline and of the challenger that name it correctly."""
    said: int
    """What the arm that is wrong names most often instead."""


def pictures_told_apart(
    baseline: Arm, challenger: Arm, answers: tuple[Sequence[Predictions | None], Sequence[Predictions | None]]
) -> dict[str, list[ToldApart]]:
    """`better`: pictures that only the challenger gets right; `worse`: only the baseline. `answers`: of the runs of both, None for a run
    that diverged. The most one-sided pictures come first."""
    directions = {"better": (challenger, baseline, answers[0]), "worse": (baseline, challenger, answers[1])}
    return {
        word: _shown(told_apart(winner, loser).tolist(), baseline, challenger, loser_answers)
        for word, (winner, loser, loser_answers) in directions.items()
    }


def _shown(numbers: list[int], baseline: Arm, challenger: Arm, loser: Sequence[Predictions | None]) -> list[ToldApart]:
    given = [one for one in loser if one is not None]
    if baseline.correct is None or challenger.correct is None or not given:
        return []
    ease = baseline.correct.mean(axis=0) - challenger.correct.mean(axis=0)
    found = []
    for number in sorted(numbers, key=lambda one: (-abs(ease[one]), one))[:MOST]:
        named = np.array([int(one.logits[number].argmax()) for one in given])
        wrong = named[named != given[0].labels[number]]
        said = int(np.bincount(wrong).argmax()) if len(wrong) else int(given[0].labels[number])
        right = (int(baseline.correct[:, number].sum()), int(challenger.correct[:, number].sum()))
        found.append(ToldApart(number, str(given[0].names[number]), int(given[0].labels[number]), right, said))
    return found
