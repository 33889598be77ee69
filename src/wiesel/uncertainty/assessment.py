"""How sure may this run be? Everything that two sets of predictions say about it, as one value <-> the key `uncertainty` of evaluation.json.

The calibration pictures (validation, or half of the test pictures where there is none) give the temperature and the thresholds of the
sets; the test pictures say what both are worth. Temperature and thresholds come from the same pictures; the one number that is fitted
costs the promise of the sets no more than about 1 / n.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

import msgspec
import numpy as np
from numpy.typing import NDArray

from wiesel.errors import DamagedEvaluation, TooFewForSets
from wiesel.evaluation.calibration import Calibration, calibration
from wiesel.evaluation.intervals import Interval
from wiesel.evaluation.predictions import Predictions
from wiesel.evaluation.probabilities import negative_log_likelihood, outcomes, softmax
from wiesel.uncertainty import conformal
from wiesel.uncertainty.conformal import Method, SetSizes, Threshold
from wiesel.uncertainty.selective import Selective, curve, selective
from wiesel.uncertainty.temperature import Temperature, fit_temperature, nll_gain, scaled

CalibratedOn = Literal["validation", "half of test"]

LEVEL = 0.9
KINDS: tuple[tuple[Method, bool], ...] = (("lac", False), ("aps", False), ("raps", False), ("lac", True))
"""(method, by class) of the sets that are reported."""
LEVELS = (*(round(0.5 + 0.01 * step, 2) for step in range(50)), 0.995, 0.999)
"""At which a prediction can be asked for; in between, the next higher one holds."""


@dataclass(frozen=True)
class Gap:
    """A calibration error with its interval, and what chance alone would leave of it."""

    ece: Interval
    noise: float


@dataclass(frozen=True)
class Sets:
    """Sets of one kind at `LEVEL`, measured on the test pictures; aps and raps draw their u, so coverage is exact."""

    threshold: Threshold
    found: SetSizes


@dataclass(frozen=True)
class Missing:
    """A kind of sets for which the calibration pictures are too few."""

    method: Method
    by_class: bool
    have: int
    needed: int


@dataclass(frozen=True)
class Answers:
    """What `predict` asks at one level: aps with u = 0 for all classes, which is never empty and does not depend on chance."""

    level: float
    threshold: float
    coverage: Interval
    """On the test pictures."""
    mean_size: float
    single: float
    """Share of test pictures for which one class is the whole answer."""


@dataclass(frozen=True, kw_only=True)
class Assessment:
    """Intervals are at 95 %; before and after: without and with the temperature; all measured on `pictures` test pictures."""

    calibrated_on: CalibratedOn
    calibration_pictures: int
    pictures: int
    temperature: Temperature
    nll_before: float
    nll_after: float
    nll_gain: Interval
    """before - after, nats, paired."""
    before: Gap
    after: Gap
    selective: Selective
    curve: tuple[tuple[float, float], ...]
    """(coverage, accuracy) for a drawing."""
    level: float
    sets: tuple[Sets, ...]
    missing: tuple[Missing, ...]
    answers: tuple[Answers, ...]

    def at(self, level: float) -> Answers:
        """The answers at `level`, or at the next higher one that there is.

        Raises:
            TooFewForSets: the calibration pictures are too few for this level.
        """
        for one in self.answers:
            if one.level >= level - 1e-9:
                return one
        least = conformal.needed(level)
        raise TooFewForSets(have=self.calibration_pictures, needed=least, level=f"{100 * level:g}", whose="")

    def to_json(self) -> dict[str, Any]:
        plain: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(self))  # there and back: tuples become lists
        return plain

    @classmethod
    def from_json(cls, plain: dict[str, Any]) -> Assessment:
        """What `to_json` gave; unknown keys are ignored.

        Raises:
            DamagedEvaluation: a key is missing or a value has another type.
        """
        try:
            return msgspec.convert(plain, cls)
        except msgspec.ValidationError as error:
            raise DamagedEvaluation(cause=str(error)) from error


def assess(
    test: Predictions, validation: Predictions | None, *, seed: int = 0, resamples: int = 300, level: float = LEVEL
) -> Assessment:
    """Calibrate on `validation` and measure on `test`; without validation, each on one half of the test pictures, drawn with `seed`.

    A pure function of its arguments: `seed` also decides the u of aps and raps, and the bootstrap of the selective answers.

    Raises:
        NothingToMeasure: fewer than two test pictures and no validation.
    """
    if validation is None:
        first, second = halves(len(test), np.random.default_rng((seed, 0)))
        calibrating, measured = _part(test, first), _part(test, second)
    else:
        calibrating, measured = validation, test
    temperature = fit_temperature(calibrating.labels, calibrating.logits)
    fitted, shown = scaled(calibrating.logits, temperature.value), scaled(measured.logits, temperature.value)
    raw, cooked = outcomes(measured.labels, measured.logits), outcomes(measured.labels, shown)
    before = calibration(raw.confidence, raw.correct, resamples=resamples)  # drawn as in the evaluation: one number, one interval
    after = calibration(cooked.confidence, cooked.correct, resamples=resamples)
    surest = -cooked.doubt  # keeps its digits where the confidence rounds to 1
    accepted = selective(surest, cooked.correct, resamples=resamples, rng=np.random.default_rng((seed, 2)))
    accepted = replace(accepted, points=tuple(replace(point, confidence=1 + point.confidence) for point in accepted.points))
    found, missing = _sets(calibrating.labels, softmax(fitted), measured.labels, softmax(shown), seed, level)
    return Assessment(
        calibrated_on="half of test" if validation is None else "validation",
        calibration_pictures=len(calibrating),
        pictures=len(measured),
        temperature=temperature,
        nll_before=negative_log_likelihood(measured.labels, measured.logits),
        nll_after=negative_log_likelihood(measured.labels, shown),
        nll_gain=nll_gain(measured.labels, measured.logits, temperature.value),
        before=_gap(before),
        after=_gap(after),
        selective=accepted,
        curve=tuple(zip(*(axis.tolist() for axis in curve(surest, cooked.correct, points=80)), strict=True)),
        level=level,
        sets=tuple(found),
        missing=tuple(missing),
        answers=tuple(_answers(calibrating.labels, softmax(fitted), measured.labels, softmax(shown), seed)),
    )


def halves(count: int, rng: np.random.Generator) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Two halves of 0..count-1, drawn; the first is the smaller one if they cannot be equal."""
    order = rng.permutation(count)
    return np.sort(order[: count // 2]), np.sort(order[count // 2 :])


def _part(whole: Predictions, rows: NDArray[np.int64]) -> Predictions:
    return Predictions(whole.logits[rows], whole.labels[rows], whole.names[rows])


def _gap(found: Calibration) -> Gap:
    return Gap(found.ece, found.noise)


def _sets(
    calibrating: NDArray[np.int64],
    fitted: NDArray[np.float64],
    labels: NDArray[np.int64],
    shown: NDArray[np.float64],
    seed: int,
    level: float,
) -> tuple[list[Sets], list[Missing]]:
    found, missing = [], []
    for method, by_class in KINDS:
        rng = np.random.default_rng((seed, 3))
        try:
            threshold = conformal.calibrate(calibrating, fitted, method, level=level, by_class=by_class, rng=rng)
        except TooFewForSets as error:
            missing.append(Missing(method, by_class, error.facts["have"], error.facts["needed"]))
            continue
        found.append(Sets(threshold, conformal.measure(labels, conformal.sets(shown, threshold, rng=rng))))
    return found, missing


def _answers(
    calibrating: NDArray[np.int64],
    fitted: NDArray[np.float64],
    labels: NDArray[np.int64],
    shown: NDArray[np.float64],
    seed: int,
) -> list[Answers]:
    found = []
    random = np.random.default_rng((seed, 3)).random(len(fitted))
    own = conformal.scores(fitted, "aps", random=random)[np.arange(len(fitted)), calibrating]
    badness = conformal.scores(shown, "aps")
    for level in LEVELS:
        if conformal.needed(level) > len(own):
            break
        threshold = conformal.quantile(own, level)
        members = badness <= threshold
        measured = conformal.measure(labels, members)
        single = float((members.sum(axis=1) == 1).mean())
        found.append(Answers(level, threshold, measured.coverage, measured.mean_size, single))
    return found
