"""The assessment of a run from its predictions: what it says, that it is repeatable, and that it survives its JSON."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest

from wiesel.errors import DamagedEvaluation, TooFewForSets
from wiesel.evaluation.predictions import Predictions
from wiesel.evaluation.result import evaluate_predictions
from wiesel.uncertainty.assessment import Assessment, assess, halves
from wiesel.uncertainty.sentences import lines


def predictions(count: int, seed: int, *, boldness: float = 2.0, split: str = "test") -> Predictions:
    """Of a network whose logits are `boldness` times too large."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(0, 2, (count, 4))
    chances = np.exp(logits)
    chances /= chances.sum(axis=1, keepdims=True)
    labels = (rng.random(count)[:, None] > np.cumsum(chances, axis=1)).sum(axis=1).clip(max=3)
    return Predictions.of(boldness * logits, labels, [f"{split}/{row}" for row in range(count)])


@pytest.fixture(scope="module")
def found() -> Assessment:
    return assess(predictions(1200, 0), predictions(800, 1, split="validation"), resamples=60)


def test_a_bold_network_is_cooled_and_what_it_says_fits_better_afterwards(found):
    assert found.calibrated_on == "validation"
    assert (found.calibration_pictures, found.pictures) == (800, 1200)
    assert found.temperature.low < 2.0 < found.temperature.high
    assert found.nll_gain.low > 0
    assert found.nll_gain.value == pytest.approx(found.nll_before - found.nll_after, abs=1e-12)
    assert found.after.ece.high < found.before.ece.low


def test_the_calibration_error_has_the_interval_that_the_evaluation_gives_it(found):
    test = predictions(1200, 0)
    measured = evaluate_predictions(test.labels, test.logits, [str(k) for k in range(test.logits.shape[1])], resamples=60)
    assert found.before.ece == measured.calibration.ece


def test_all_sets_keep_their_promise_and_say_how_large_they_are(found):
    assert [(one.threshold.method, one.threshold.by_class) for one in found.sets] == [
        ("lac", False), ("aps", False), ("raps", False), ("lac", True),
    ]  # fmt: skip
    for one in found.sets:
        assert one.found.coverage.low - 0.02 < 0.9 < one.found.coverage.high + 0.02
        assert sum(one.found.counts) == 1200


def test_answers_at_higher_levels_are_larger_and_miss_less(found):
    coverages = [one.coverage.value for one in found.answers]
    assert coverages == sorted(coverages)
    assert all(one.coverage.high >= one.level for one in found.answers)
    assert found.at(0.9).level == 0.9
    assert found.at(0.901).level == 0.91
    assert 0 < found.at(0.99).single < found.at(0.5).single <= 1


def test_levels_that_need_more_pictures_say_how_many():
    few = assess(predictions(100, 0), predictions(50, 1), resamples=20)
    assert few.at(0.98).level == 0.98
    with pytest.raises(TooFewForSets) as caught:
        few.at(0.99)
    assert (caught.value.have, caught.value.needed) == (50, 99)


def test_without_validation_half_of_the_test_pictures_calibrates_and_this_is_said(monkeypatch):
    found = assess(predictions(301, 0), None, resamples=20)
    assert found.calibrated_on == "half of test"
    assert (found.calibration_pictures, found.pictures) == (150, 151)
    monkeypatch.setenv("WIESEL_LANG", "en")
    assert "no validation pictures to calibrate on: 150 test pictures" in lines(found, "abcd")[0]
    monkeypatch.setenv("WIESEL_LANG", "de")
    said = "\n".join(lines(found, "abcd"))
    assert "keine Validierungsbilder: 150 zufällig gezogene Testbilder" in said
    assert re.search(r"tiefste Klasse: [abcd] \(\d+,\d %\)\.", said)
    assert not any(word in said for word in ("pictures", "truth"))


def test_halves_share_nothing_and_leave_nothing_out():
    first, second = halves(11, np.random.default_rng(0))
    assert sorted([*first, *second]) == list(range(11))
    assert len(first) == 5


def test_a_class_without_enough_pictures_costs_only_the_sets_by_class():
    validation = predictions(60, 1)
    rare = Predictions(validation.logits, np.where(validation.labels == 3, 0, validation.labels), validation.names)
    found = assess(predictions(100, 0), rare, resamples=20)
    assert [one.by_class for one in found.missing] == [True]
    assert (found.missing[0].have, found.missing[0].needed) == (0, 9)
    tiny = assess(predictions(4, 0), None, resamples=20)
    assert len(tiny.missing) == 4
    assert tiny.answers[-1].level < 0.9


def test_the_same_predictions_give_the_same_assessment_and_json_gives_it_back(found):
    again = assess(predictions(1200, 0), predictions(800, 1, split="validation"), resamples=60)
    assert again == found
    plain = json.loads(json.dumps(found.to_json(), allow_nan=False))
    assert Assessment.from_json({**plain, "from a later version": 1}) == found
    with pytest.raises(DamagedEvaluation):
        Assessment.from_json({**plain, "temperature": "warm"})
