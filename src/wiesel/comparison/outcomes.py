"""What the runs of each arm got right: the only thing that the statistics ever see of a network.

Two shapes. With a fixed test set every run answers the same n pictures, and each answer is kept (`Outcomes`). With few pictures the
division itself is repeated, the test pictures differ from run to run, and the accuracies are kept (`SplitOutcomes`).

A run that diverged stays where it is: its row says what the network that came out of it answers, and if none came out, the row is
wrong throughout. Leaving such runs out would compare the lucky ones.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from wiesel.errors import BadValue, OtherRuns, OtherTestPictures
from wiesel.language import say


@dataclass(frozen=True, eq=False)
class Arm:
    """The runs of one design, in the order of their seeds. Build it with `arm` or `split_arm`, which check everything."""

    name: str
    accuracies: NDArray[np.float64]
    """(R,), 0..1."""
    seconds: NDArray[np.float64]
    """(R,), training time of each run, above 0."""
    diverged: NDArray[np.bool_]
    """(R,)"""
    seeds: tuple[int, ...]
    """R different numbers: the same seed twice is the same run, not two."""
    correct: NDArray[np.bool_] | None = None
    """(R, n): which test pictures each run gets right; None where each run had other test pictures."""

    def __len__(self) -> int:
        return len(self.seeds)

    def first(self, runs: int) -> Arm:
        """The same arm with its first `runs` runs only."""
        return replace(
            self,
            accuracies=self.accuracies[:runs],
            seconds=self.seconds[:runs],
            diverged=self.diverged[:runs],
            seeds=self.seeds[:runs],
            correct=None if self.correct is None else self.correct[:runs],
        )


def arm(
    name: str, correct: ArrayLike, seconds: ArrayLike, *, seeds: tuple[int, ...] = (), diverged: ArrayLike | None = None
) -> Arm:
    """An arm from `correct`, (R, n) of bool or of 0 and 1. Without `seeds`: 0, 1, 2, …; without `diverged`: none did.

    Raises:
        BadValue: a shape or a value that cannot be; names it.
    """
    answers = np.asarray(correct)
    if answers.ndim != 2 or not answers.size or not (answers.dtype == np.bool_ or np.isin(answers, (0, 1)).all()):
        raise BadValue(
            setting=f"correct ({name})",
            value=f"{answers.dtype} {answers.shape}",
            expected=say(en="0 or 1, shape (runs, images)", de="0 oder 1, Form (Läufe, Bilder)"),
        )
    answers = answers.astype(np.bool_)
    answers.setflags(write=False)
    return replace(split_arm(name, answers.mean(axis=1), seconds, seeds=seeds, diverged=diverged), correct=answers)


def split_arm(
    name: str, accuracies: ArrayLike, seconds: ArrayLike, *, seeds: tuple[int, ...] = (), diverged: ArrayLike | None = None
) -> Arm:
    """An arm of which only the accuracies are known, run j on division j.

    Raises:
        BadValue: a shape or a value that cannot be; names it.
    """
    shares = np.array(accuracies, np.float64)
    times = np.array(seconds, np.float64)
    lost = np.zeros(shares.shape, np.bool_) if diverged is None else np.array(diverged, np.bool_)
    numbers = tuple(int(seed) for seed in seeds) or tuple(range(shares.size))
    count = say(en=f"{shares.size} values, one per run", de=f"{shares.size} Werte, einer je Lauf")
    rules = [
        ("accuracies", shares.shape, shares.ndim == 1 and shares.size > 0, say(en="shape (runs,)", de="Form (Läufe,)")),
        ("accuracies", shares, bool(((shares >= 0) & (shares <= 1)).all()), say(en="0 to 1", de="0 bis 1")),
        ("seconds", times.shape, times.shape == shares.shape, count),
        ("seconds", times, bool(np.isfinite(times).all() and (times > 0).all()), say(en="above 0", de="über 0")),
        ("diverged", lost.shape, lost.shape == shares.shape, count),
        ("seeds", numbers, len(numbers) == shares.size, count),
        ("seeds", numbers, len(set(numbers)) == len(numbers), say(en="a different one per run", de="je Lauf ein anderer")),
    ]
    for setting, value, fine, expected in rules:
        if not fine:
            shown = value.tolist() if isinstance(value, np.ndarray) else value
            raise BadValue(setting=f"{setting} ({name})", value=shown, expected=expected)
    for array in (shares, times, lost):
        array.setflags(write=False)
    return Arm(name, shares, times, lost, numbers)


@dataclass(frozen=True, eq=False)
class Outcomes:
    """Arms that answered the same n test pictures. The first is the baseline, the others challenge it.

    Raises:
        BadValue: fewer than two arms, one name twice, or labels outside the classes.
        OtherTestPictures: an arm without answers, or with answers to another number of pictures.
    """

    arms: tuple[Arm, ...]
    labels: NDArray[np.int64]
    """(n,), numbers of the classes."""
    classes: tuple[str, ...]

    def __post_init__(self) -> None:
        refuse_lonely(self.arms)
        for one in self.arms:
            have = 0 if one.correct is None else one.correct.shape[1]
            if have != len(self.labels):
                raise OtherTestPictures(name=one.name, have=have, expected=len(self.labels))
        if self.labels.min() < 0 or self.labels.max() >= len(self.classes):
            raise BadValue(setting="labels", value=int(self.labels.max()), expected=f"0 to {len(self.classes) - 1}")

    def first(self, runs: int) -> Outcomes:
        return replace(self, arms=tuple(one.first(runs) for one in self.arms))


@dataclass(frozen=True, eq=False)
class SplitOutcomes:
    """Arms that were trained and tested on the same repeated divisions: run j of every arm on division j.

    Raises:
        BadValue: fewer than two arms, one name twice, or no pictures.
        OtherRuns: arms whose seeds (so their divisions) differ.
    """

    arms: tuple[Arm, ...]
    training_images: int
    """In each division."""
    test_images: int

    def __post_init__(self) -> None:
        refuse_lonely(self.arms)
        for setting, value in (("training_images", self.training_images), ("test_images", self.test_images)):
            if value < 1:
                raise BadValue(setting=setting, value=value, expected=say(en="1 or more", de="1 oder mehr"))

    def first(self, runs: int) -> SplitOutcomes:
        """The first divisions, on which every arm must have run."""
        short = replace(self, arms=tuple(one.first(runs) for one in self.arms))
        for one in short.arms:
            if one.seeds != short.arms[0].seeds:
                raise OtherRuns(name=one.name, baseline=short.arms[0].name)
        return short


def refuse_lonely(arms: tuple[Arm, ...]) -> None:
    names = [one.name for one in arms]
    if len(arms) < 2 or len(set(names)) < len(names):
        expected = say(en="two or more arms, each with its own name", de="zwei oder mehr Arme mit je eigenem Namen")
        raise BadValue(setting="arms", value=names, expected=expected)
