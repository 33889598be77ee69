"""Losses, ranks and margins against scikit-learn and SciPy, at the ends of the number range, and with ties."""

import warnings

import numpy as np
import pytest
import sklearn.metrics as oracle
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.special import log_softmax as scipy_log_softmax

from wiesel.errors import BadValue, LogitNotFinite, NothingToMeasure, UnfitArray
from wiesel.evaluation import probabilities
from wiesel.evaluation.probabilities import (
    brier_score,
    confident_mistakes,
    log_softmax,
    logits_from,
    negative_log_likelihood,
    outcomes,
    softmax,
    top_k_accuracy,
)


def random_split(seed, pictures, classes):
    draw = np.random.default_rng(seed)
    labels = draw.integers(0, classes, pictures)
    logits = draw.normal(0, 2, (pictures, classes)).astype(np.float32)
    logits[np.arange(pictures), labels] += 2
    return labels, logits


every_split = pytest.mark.parametrize(("seed", "pictures", "classes"), [(0, 1000, 10), (1, 40, 3), (2, 3000, 100), (3, 25, 2)])


@every_split
def test_probabilities_are_scipys(seed, pictures, classes):
    _, logits = random_split(seed, pictures, classes)
    np.testing.assert_allclose(log_softmax(logits), scipy_log_softmax(logits.astype(np.float64), axis=1), rtol=0, atol=1e-12)
    np.testing.assert_allclose(softmax(logits).sum(axis=1), 1, rtol=0, atol=1e-12)


@every_split
def test_loss_and_brier_score_are_scikit_learns(seed, pictures, classes):
    labels, logits = random_split(seed, pictures, classes)
    p = softmax(logits)
    assert negative_log_likelihood(labels, logits) == pytest.approx(oracle.log_loss(labels, p, labels=range(classes)), abs=1e-12)
    by_hand = np.square(p - np.eye(classes)[labels]).sum(axis=1).mean()
    assert brier_score(labels, logits) == pytest.approx(by_hand, abs=1e-12)
    theirs = oracle.brier_score_loss(labels, p if classes > 2 else p[:, 1], labels=range(classes))
    # For two classes scikit-learn gives the one-column version, half of Brier's own.
    assert brier_score(labels, logits) == pytest.approx(theirs if classes > 2 else 2 * theirs, abs=1e-12)


@every_split
@pytest.mark.parametrize("k", [1, 2, 3, 5])
def test_top_k_is_scikit_learns_where_nothing_is_tied(seed, pictures, classes, k):
    labels, logits = random_split(seed, pictures, classes)
    if classes <= max(k, 2):
        assert k < classes or top_k_accuracy(labels, logits, k) == 1
        return
    expected = oracle.top_k_accuracy_score(labels, logits, k=k, labels=range(classes))
    assert top_k_accuracy(labels, logits, k) == pytest.approx(expected, abs=1e-12)


def test_a_picture_that_a_person_can_compute():
    # Odds 1 : 2 : 1, so p = 1/4, 1/2, 1/4; the truth is the last class.
    found = outcomes([2], np.log([[1.0, 2.0, 1.0]]))
    assert found.loss[0] == pytest.approx(np.log(4))
    assert found.squared_error[0] == pytest.approx((1 / 4) ** 2 + (1 / 2) ** 2 + (3 / 4) ** 2)
    assert found.margin[0] == pytest.approx(-np.log(2))
    assert found.confidence[0] == pytest.approx(1 / 2)
    assert found.doubt[0] == pytest.approx(1 / 2)
    assert (found.predicted[0], found.rank[0], found.tied[0], found.correct[0]) == (1, 2, False, False)


def test_a_uniform_guess_costs_log_k():
    assert negative_log_likelihood([0, 1, 2, 3], np.zeros((4, 4))) == pytest.approx(np.log(4), abs=1e-15)


def test_of_equal_logits_the_first_class_wins_and_the_tie_is_counted():
    found = outcomes([0, 1, 2, 2], np.array([[5, 5, 1], [5, 5, 1], [1, 5, 5], [1, 2, 3]]))
    assert found.predicted.tolist() == [0, 0, 1, 2]
    assert found.rank.tolist() == [0, 1, 1, 0]
    assert found.correct.tolist() == [True, False, False, True]
    assert found.tied.tolist() == [True, True, True, False]
    assert found.margin.tolist() == [0, 0, 0, 1]


def test_a_dead_network_that_says_the_same_of_everything_is_right_by_the_first_class_only():
    labels, logits = np.arange(10), np.zeros((10, 10), np.float32)
    assert [top_k_accuracy(labels, logits, k) for k in (1, 3, 10, 99)] == [0.1, 0.3, 1, 1]


@pytest.mark.parametrize("size", [1e4, 3e38])
def test_extreme_logits_stay_finite(size):
    logits = np.array([[size, -size, 0], [-size, size, 0], [0, 0, size]], np.float32)
    found = outcomes([0, 0, 2], logits)
    for field in ("confidence", "doubt", "loss", "squared_error", "margin"):
        assert np.isfinite(getattr(found, field)).all(), field
    assert found.loss.tolist() == [0, pytest.approx(2 * size), 0]
    assert found.squared_error.tolist() == [0, 2, 0]
    assert np.isfinite(log_softmax(logits)).all()
    assert softmax(logits).tolist() == [[1, 0, 0], [0, 1, 0], [0, 0, 1]]


def test_a_nearly_certain_picture_keeps_its_tiny_loss():
    # exp(-60) is lost beside 1 in float64; the loss -log(1 - q) is q itself to that accuracy.
    found = outcomes([0], np.array([[60.0, 0.0]]))
    assert found.loss[0] == pytest.approx(np.exp(-60), rel=1e-12)
    assert found.doubt[0] == pytest.approx(np.exp(-60), rel=1e-12)
    assert found.squared_error[0] == pytest.approx(2 * np.exp(-120), rel=1e-12)


def test_the_most_confident_mistakes_come_first_even_where_confidence_rounds_to_one():
    logits = np.array([[50.0, 0], [90.0, 0], [2.0, 0], [90.0, 0], [99.0, 0], [70.0, 0]])
    labels = [1, 1, 1, 1, 0, 1]  # only picture 4 is right
    assert confident_mistakes(outcomes(labels, logits)).tolist() == [1, 3, 5, 0, 2]
    assert confident_mistakes(outcomes(labels, logits), count=2).tolist() == [1, 3]
    assert confident_mistakes(outcomes([0] * 6, logits)).tolist() == []


def test_block_by_block_gives_what_one_block_gives(monkeypatch):
    labels, logits = random_split(5, 103, 7)
    whole = outcomes(labels, logits)
    monkeypatch.setattr(probabilities, "BLOCK", 50)  # 7 pictures at a time; 103 is not a multiple
    parts = outcomes(labels, logits)
    for field in vars(whole):
        np.testing.assert_array_equal(getattr(parts, field), getattr(whole, field), err_msg=field)


logit_rows = st.tuples(st.integers(1, 12), st.integers(2, 6)).flatmap(
    lambda shape: st.tuples(
        arrays(np.float32, shape, elements=st.floats(-50, 50, width=32) | st.sampled_from([0.0, 1.0])),
        arrays(np.int64, shape[0], elements=st.integers(0, shape[1] - 1)),
    )
)


@given(logit_rows)
def test_what_every_split_obeys(split):
    logits, labels = split
    found = outcomes(labels, logits)
    p = softmax(logits)
    rows = np.arange(len(labels))
    np.testing.assert_array_equal(found.predicted, logits.argmax(axis=1))
    np.testing.assert_array_equal(found.correct, found.predicted == labels)
    np.testing.assert_allclose(found.confidence, p.max(axis=1), atol=1e-12)
    np.testing.assert_allclose(found.confidence + found.doubt, 1, atol=1e-12)
    np.testing.assert_allclose(np.exp(-found.loss), p[rows, labels], atol=1e-12)
    assert ((found.squared_error >= 0) & (found.squared_error <= 2 + 1e-12)).all()
    assert ((found.margin > 0) == (found.correct & ~found.tied)).all()
    assert top_k_accuracy(labels, logits, logits.shape[1]) == 1
    shifted = outcomes(labels, logits.astype(np.float64) + 1000)  # a constant per picture changes nothing
    np.testing.assert_allclose(shifted.loss, found.loss, atol=1e-9)
    np.testing.assert_allclose(shifted.margin, found.margin, atol=1e-9)


def test_probabilities_are_accepted_as_logits():
    labels, logits = random_split(6, 50, 4)
    again = logits_from(softmax(logits))
    assert negative_log_likelihood(labels, again) == pytest.approx(negative_log_likelihood(labels, logits), abs=1e-12)
    assert brier_score(labels, again) == pytest.approx(brier_score(labels, logits), abs=1e-12)


def test_a_truth_held_impossible_costs_708_nats_and_not_infinity():
    assert negative_log_likelihood([1], logits_from([[1.0, 0.0]])) == pytest.approx(708.396, abs=1e-3)


@pytest.mark.parametrize("row", [[0.5, 0.6], [1.5, -0.5], [3.0, 2.0]])
def test_what_are_no_probabilities_is_refused_with_its_row(row):
    with pytest.raises(BadValue, match=r"probabilities\[1\]"):
        logits_from([[0.5, 0.5], row])


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_logit_that_is_no_number_is_refused_with_its_place(value, monkeypatch):
    monkeypatch.setenv("WIESEL_LANG", "en")
    logits = np.zeros((5, 3), np.float32)
    logits[3, 1] = logits[4, 0] = value
    with pytest.raises(LogitNotFinite, match=rf"logits\[3, 1\] is {value} \(2 such numbers") as caught:
        outcomes(np.zeros(5, np.int64), logits)
    assert (caught.value.row, caught.value.column) == (3, 1)


def test_what_cannot_be_measured_is_refused():
    with pytest.raises(NothingToMeasure):
        outcomes(np.zeros(0, np.int64), np.zeros((0, 3), np.float32))
    with pytest.raises(NothingToMeasure):
        softmax(np.zeros((0, 3)))
    for labels, logits in [
        ([0, 1], np.zeros(2)),
        ([0, 1], np.zeros((2, 1))),
        ([0], np.zeros((2, 3))),
        ([0, 1], np.full((2, 2), "1")),
    ]:
        with pytest.raises(UnfitArray):
            outcomes(labels, logits)
    with pytest.raises(BadValue):
        top_k_accuracy([0], np.zeros((1, 3)), 0)


def test_half_precision_logits_are_measured_in_float64():
    labels, logits = random_split(7, 64, 5)
    half = logits.astype(np.float16)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert negative_log_likelihood(labels, half) == negative_log_likelihood(labels, half.astype(np.float64))
