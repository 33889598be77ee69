"""Ensembles from saved predictions: by hand, against scipy's entropy, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import entropy

from wiesel.errors import OtherPictures, TooFewMembers
from wiesel.evaluation.predictions import Predictions
from wiesel.evaluation.probabilities import softmax
from wiesel.uncertainty.ensemble import ensemble, of_predictions

NAMES = np.array(["test/0", "test/1", "test/2"])


def test_two_members_that_contradict_each_other_are_unsure_of_themselves_and_not_of_the_picture():
    sure = np.array([[50.0, -50.0]])
    found = ensemble([sure, -sure])
    assert found.probabilities[0].tolist() == pytest.approx([0.5, 0.5])
    assert found.total[0] == pytest.approx(np.log(2))
    assert found.expected[0] == pytest.approx(0, abs=1e-12)
    assert found.mutual_information[0] == pytest.approx(np.log(2))
    assert found.disagreement[0] == 1


def test_equal_members_are_one_member():
    logits = np.random.default_rng(0).normal(size=(7, 4))
    found = ensemble([logits] * 3)
    np.testing.assert_allclose(found.probabilities, softmax(logits), rtol=1e-12)
    np.testing.assert_allclose(found.mutual_information, 0, atol=1e-12)
    assert found.disagreement.tolist() == [0] * 7


def test_mean_and_entropies_are_those_of_scipy():
    rng = np.random.default_rng(1)
    members = [rng.normal(0, 3, (50, 6)) for _ in range(5)]
    found = ensemble(members)
    each = np.stack([softmax(one) for one in members])
    np.testing.assert_allclose(found.probabilities, each.mean(axis=0), rtol=1e-12)
    np.testing.assert_allclose(found.total, entropy(each.mean(axis=0), axis=1), rtol=1e-10)
    np.testing.assert_allclose(found.expected, entropy(each, axis=2).mean(axis=0), rtol=1e-10)
    assert (found.mutual_information >= 0).all()
    votes = each.argmax(axis=2)
    pairs = [(votes[i] != votes[j]) for i in range(5) for j in range(i)]
    np.testing.assert_allclose(found.disagreement, np.mean(pairs, axis=0), atol=1e-12)


def test_a_certain_member_does_not_make_infinities():
    found = ensemble([np.array([[1e4, 0, 0]]), np.array([[0, 1e4, 0]])])
    assert np.isfinite(found.log_probabilities[:, :2]).all()
    assert np.isfinite(found.total).all()


def predictions(seed: int, names: np.ndarray = NAMES, labels: tuple[int, ...] = (0, 1, 2)) -> Predictions:
    return Predictions.of(np.random.default_rng(seed).normal(size=(len(names), 3)), np.array(labels), names)


def test_pictures_are_paired_by_name():
    first, second = predictions(0), predictions(1)
    order = np.array([2, 0, 1])
    turned = Predictions(second.logits[order], second.labels[order], second.names[order])
    labels, straight = of_predictions([first, second])
    _, paired = of_predictions([first, turned])
    assert labels.tolist() == [0, 1, 2]
    np.testing.assert_array_equal(straight.log_probabilities, paired.log_probabilities)
    turned_labels, first_turned = of_predictions([turned, first])
    assert turned_labels.tolist() == [2, 0, 1]
    np.testing.assert_allclose(first_turned.log_probabilities, straight.log_probabilities[order], rtol=1e-12)


def test_runs_on_other_pictures_are_refused_and_the_first_difference_is_named(monkeypatch):
    monkeypatch.setenv("WIESEL_LANG", "en")
    with pytest.raises(OtherPictures, match=r"Run 2 .* \(test/1: test/1 / test/7\)"):
        of_predictions([predictions(0), predictions(1, np.array(["test/0", "test/7", "test/9"]))])
    with pytest.raises(OtherPictures, match=r"\(test/2: 2 / 0\)"):
        of_predictions([predictions(0), predictions(1, labels=(0, 1, 0))])
    with pytest.raises(OtherPictures, match="Run 3"):
        of_predictions([predictions(0), predictions(1), predictions(1, NAMES[:2], (0, 1))])
    with pytest.raises(OtherPictures):
        ensemble([np.zeros((2, 3)), np.zeros((2, 4))])


def test_one_run_is_no_ensemble():
    with pytest.raises(TooFewMembers):
        of_predictions([predictions(0)])
    with pytest.raises(TooFewMembers):
        ensemble([np.zeros((2, 3))])
