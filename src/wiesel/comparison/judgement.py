"""Outcomes and rules -> one finding per challenger: the word, the numbers behind it, and what lies ahead.

At each look exactly the runs of that look are used, the first of every arm in the order of their seeds; later ones wait. With m
challengers, intervals are widened to alpha/m and the words "better" and "worse" follow Holm's rule; where Holm tells apart what the wider
interval does not quite, the interval ends at zero (the bound that the claim itself implies).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from wiesel.comparison.difference import Difference, difference
from wiesel.comparison.equivalence import Word, beyond_margin, decide, within_margin
from wiesel.comparison.exploration import ClassDifference, class_differences
from wiesel.comparison.looks import Look, reached
from wiesel.comparison.multiplicity import holm
from wiesel.comparison.outcomes import Arm, Outcomes, SplitOutcomes
from wiesel.comparison.planning import Outlook, outlook
from wiesel.comparison.rules import Rules, margin_for
from wiesel.comparison.seconds import seconds_ratio
from wiesel.comparison.small_data import difference_over_divisions
from wiesel.comparison.superiority import chance_to_beat
from wiesel.errors import TooFewRuns
from wiesel.evaluation.intervals import Interval


@dataclass(frozen=True)
class Finding:
    """One challenger against the baseline."""

    baseline: str
    challenger: str
    word: Word
    difference: Difference
    interval: Interval
    """Of the difference of accuracies, challenger minus baseline, at this look's share of the error."""
    margin: float
    clear: bool
    """The difference is larger than the margin, whatever it is exactly."""
    small: bool
    """The difference is smaller than the margin, whatever it is exactly."""
    accuracies: tuple[float, float]
    """Means, baseline and challenger."""
    diverged: tuple[int, int]
    """Runs that diverged, counted in every number of this finding except the seconds."""
    beats: float
    """Share of the pairs of runs in which the challenger is ahead, 0..1."""
    seconds: Interval | None
    """Training time of the challenger for each second of the baseline."""
    per_run: float
    """Mean seconds of one run of each arm together."""
    outlook: Outlook | None
    """Only while nothing is decided."""
    classes: tuple[ClassDifference, ...]
    """Exploration, see `wiesel.comparison.exploration`."""

    @property
    def edge(self) -> bool:
        """What was measured so far lies within 10 % of the margin."""
        return abs(abs(self.interval.value) - self.margin) <= 0.1 * self.margin

    @property
    def more_seconds(self) -> tuple[float, float] | None:
        """Training time of the runs that the outlook asks for, both arms, one after the other."""
        if self.outlook is None or self.outlook.more is None:
            return None
        low, high = self.outlook.more
        return low * self.per_run, high * self.per_run


@dataclass(frozen=True)
class Judgement:
    """All findings of one look."""

    findings: tuple[Finding, ...]
    look: Look
    rules: Rules
    outcomes: Outcomes | SplitOutcomes
    """The runs that were looked at."""
    exploratory: bool
    """The plan was changed after its first run: the error is no longer what the plan says."""

    @property
    def leading(self) -> Finding:
        """The challenger with the highest mean accuracy."""
        return max(self.findings, key=lambda one: one.accuracies[1])


def judge(outcomes: Outcomes | SplitOutcomes, rules: Rules, *, exploratory: bool = False, against: Sequence[int] = ()) -> Judgement:
    """Look at the runs there are. `against`: for each arm but the first, the number of its baseline; empty: the first for all.

    Raises:
        TooFewRuns: an arm has not the runs of the first look.
        OtherRuns: divisions that differ between arms.
    """
    fewest = min(outcomes.arms, key=len)
    look = reached(rules, len(fewest))
    if look is None:
        raise TooFewRuns(name=fewest.name, have=len(fewest), needed=min(rules.looks[0], rules.cap))
    seen = outcomes.first(look.runs)
    first, *challengers = seen.arms
    baselines = [seen.arms[number] for number in against or [0] * len(challengers)]
    start = min(rules.looks[0], rules.cap)
    margin = margin_for(rules, 1 - float(first.first(start).accuracies.mean()))
    pairs = list(zip(baselines, challengers, strict=True))
    differences = [_difference(seen, baseline, challenger) for baseline, challenger in pairs]
    apart = holm([found.chance() for found in differences], look.alpha)
    share = 1 / len(challengers)
    findings = []
    for (baseline, challenger), found, told in zip(pairs, differences, apart, strict=True):
        interval = found.interval(look.alpha * share)
        if told and interval.low <= 0 <= interval.high:
            interval = replace(interval, low=0.0) if found.value > 0 else replace(interval, high=0.0)
        word: Word = ("better" if found.value > 0 else "worse") if told else decide(interval, margin)
        ahead = None
        if word == "undecided":
            images = len(seen.labels) if isinstance(seen, Outcomes) else None
            ahead = outlook(found, margin=margin, rules=rules, look=look, images=images, share=share)
            word = "test_set_too_small" if ahead.hopeless else word
        findings.append(_finding(seen, baseline, challenger, found, interval, word, margin, ahead, look.alpha * share))
    return Judgement(tuple(findings), look, rules, seen, exploratory)


def _difference(seen: Outcomes | SplitOutcomes, baseline: Arm, challenger: Arm) -> Difference:
    if isinstance(seen, Outcomes):
        return difference(baseline, challenger)
    sizes = {"training_images": seen.training_images, "test_images": seen.test_images}
    return difference_over_divisions(baseline, challenger, **sizes)


def _finding(
    seen: Outcomes | SplitOutcomes,
    baseline: Arm,
    challenger: Arm,
    found: Difference,
    interval: Interval,
    word: Word,
    margin: float,
    ahead: Outlook | None,
    alpha: float,
) -> Finding:
    classes: tuple[ClassDifference, ...] = ()
    if isinstance(seen, Outcomes):
        classes = class_differences(baseline, challenger, seen.labels, seen.classes, alpha)
    return Finding(
        baseline=baseline.name,
        challenger=challenger.name,
        word=word,
        difference=found,
        interval=interval,
        margin=margin,
        clear=beyond_margin(interval, margin),
        small=within_margin(interval, margin),
        accuracies=(float(baseline.accuracies.mean()), float(challenger.accuracies.mean())),
        diverged=(int(baseline.diverged.sum()), int(challenger.diverged.sum())),
        beats=chance_to_beat(challenger.accuracies, baseline.accuracies),
        seconds=seconds_ratio(baseline, challenger, alpha),
        per_run=float(np.mean(baseline.seconds) + np.mean(challenger.seconds)),
        outlook=ahead,
        classes=classes,
    )
