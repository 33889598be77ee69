"""Temperature scaling by hand, against an independent optimiser, and on held-out pictures."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.optimize import minimize_scalar

from wiesel.errors import NothingToMeasure
from wiesel.evaluation.probabilities import negative_log_likelihood, outcomes
from wiesel.uncertainty.temperature import fit_temperature, nll_gain, scaled


def drawn(count: int, temperature: float, *, classes: int = 5, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Labels drawn from softmax(logits / temperature): that temperature is the right one."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(0, 3, (count, classes))
    chances = np.exp(logits / temperature)
    chances /= chances.sum(axis=1, keepdims=True)
    labels = (rng.random(count)[:, None] > np.cumsum(chances, axis=1)).sum(axis=1).clip(max=classes - 1)
    return labels, logits


def test_three_of_four_right_at_one_margin_has_a_temperature_that_a_person_can_compute():
    # Two classes, logits 2 and 0, right in 3 of 4: the best p is 3/4, so 2 / T = log 3.
    labels, logits = [0, 0, 0, 1], np.tile([2.0, 0.0], (4, 1))
    assert fit_temperature(labels, logits).value == pytest.approx(2 / math.log(3), rel=1e-9)


def test_the_temperature_is_that_of_an_independent_minimiser():
    labels, logits = drawn(400, 1.7, seed=3)

    def loss(log_t: float) -> float:
        wide = logits / math.exp(log_t)
        return float((np.log(np.exp(wide).sum(axis=1)) - wide[np.arange(400), labels]).mean())

    oracle = minimize_scalar(loss, bounds=(-3, 3), method="bounded", options={"xatol": 1e-9})
    found = fit_temperature(labels, logits)
    assert found.value == pytest.approx(math.exp(oracle.x), rel=1e-5)
    assert found.outcome == "fitted"


@pytest.mark.parametrize("truth", [0.5, 1.0, 2.5])
def test_the_interval_contains_the_true_temperature_as_often_as_it_says(truth):
    inside = sum((found := fit_temperature(*drawn(300, truth, seed=seed))).low <= truth <= found.high for seed in range(200))
    assert 180 <= inside <= 198


def test_it_lowers_the_loss_on_pictures_that_it_was_not_fitted_on_and_changes_no_answer():
    labels, logits = drawn(2000, 2.0, seed=1)
    found = fit_temperature(labels[:1000], logits[:1000])
    held_out = labels[1000:], logits[1000:]
    gain = nll_gain(*held_out, found.value)
    assert gain.low > 0
    assert gain.value == pytest.approx(
        negative_log_likelihood(*held_out) - negative_log_likelihood(held_out[0], scaled(held_out[1], found.value)), abs=1e-12
    )
    assert (scaled(logits, found.value).argmax(axis=1) == logits.argmax(axis=1)).all()


def test_where_probabilities_fit_it_says_that_it_does_nothing(monkeypatch):
    found = fit_temperature(*drawn(500, 1.0, seed=5))
    assert found.outcome == "not needed"
    assert found.low <= 1 <= found.high
    monkeypatch.setenv("WIESEL_LANG", "en")
    assert "cannot be told from 1" in found.sentence()
    monkeypatch.setenv("WIESEL_LANG", "de")
    assert "nicht zu unterscheiden" in found.sentence()


@pytest.mark.parametrize("labels", [[0, 0, 0], [1, 1, 1]])
def test_pictures_that_are_all_right_or_all_wrong_determine_none_and_it_stays_at_one(labels):
    found = fit_temperature(labels, np.tile([2.0, 0.0], (3, 1)))
    assert (found.value, found.outcome) == (1.0, "undetermined")


def test_logits_of_a_saturated_network_are_no_problem():
    labels, logits = drawn(400, 1.0, seed=2)
    assert fit_temperature(labels, logits * 1000 + 1e4).value == 1.0 or fit_temperature(labels, logits * 1000 + 1e4).value < 50
    assert fit_temperature(labels, logits * 30 + 1e4).value == pytest.approx(30 * fit_temperature(labels, logits).value, rel=1e-6)


def test_large_arrays_go_through_in_blocks_and_give_the_same(monkeypatch):
    labels, logits = drawn(257, 1.4)
    whole = fit_temperature(labels, logits)
    monkeypatch.setattr("wiesel.uncertainty.temperature.BLOCK", 50)
    assert fit_temperature(labels, logits).value == pytest.approx(whole.value, rel=1e-12)


def test_no_pictures_are_refused():
    with pytest.raises(NothingToMeasure):
        fit_temperature([], np.zeros((0, 3)))


def test_the_gain_of_no_temperature_is_nothing():
    labels, logits = drawn(50, 1.0)
    assert nll_gain(labels, logits, 1.0).value == 0
    assert outcomes(labels, scaled(logits, 1.0)).loss.tolist() == outcomes(labels, logits).loss.tolist()


def test_a_handful_of_pictures_gives_a_wide_interval_and_no_error():
    rng = np.random.default_rng(0)
    for _ in range(300):
        count, classes = int(rng.integers(2, 12)), int(rng.integers(2, 5))
        logits = rng.normal(size=(count, classes)) * 10 ** rng.uniform(-3, 3)
        labels = logits.argmax(axis=1)
        labels[0] = (labels[0] + 1) % classes
        found = fit_temperature(labels, logits)
        assert 0 < found.low <= found.value <= found.high < 1e6
