"""Scores by hand; AUROC, covariance and distances against scikit-learn and scipy; intervals in the field."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import logsumexp
from scipy.stats import entropy as scipy_entropy
from sklearn.covariance import ledoit_wolf as sklearn_ledoit_wolf
from sklearn.metrics import roc_auc_score

from wiesel.errors import NothingToMeasure, UnfitArray
from wiesel.evaluation.probabilities import softmax
from wiesel.uncertainty import out_of_distribution as ood
from wiesel.uncertainty.out_of_distribution import Mahalanobis, auroc, auroc_difference, fpr_at_tpr, table


def test_scores_are_those_of_scipy_and_larger_where_the_network_is_less_sure():
    logits = np.random.default_rng(0).normal(0, 4, (200, 7))
    p = softmax(logits)
    np.testing.assert_allclose(ood.max_softmax(logits), 1 - p.max(axis=1), atol=1e-12)
    np.testing.assert_allclose(ood.entropy(logits), scipy_entropy(p, axis=1), rtol=1e-9)
    np.testing.assert_allclose(ood.energy(logits), -logsumexp(logits, axis=1), rtol=1e-12)
    np.testing.assert_allclose(ood.margin(logits), np.sort(logits, axis=1)[:, -2] - logits.max(axis=1), rtol=1e-12)
    sure, unsure = np.array([[9.0, 0, 0]]), np.array([[1.0, 0.9, 0.8]])
    for score in ood.FROM_LOGITS.values():
        assert score(sure)[0] < score(unsure)[0]


def test_max_softmax_still_tells_certain_pictures_apart():
    logits = np.array([[50.0, 0.0], [60.0, 0.0]])
    assert ood.max_softmax(logits).tolist() == pytest.approx([np.exp(-50), np.exp(-60)])


def test_four_against_three_that_a_person_can_count():
    # Of 12 pairs, outside is larger in: 3 -> {1, 2}: 2 and half for the 3; 5 -> 4; 0 -> 0. 6.5 / 12.
    found = auroc([1, 2, 3, 4], [3, 5, 0])
    assert found.value == pytest.approx(6.5 / 12)
    # 95 % of four: the limit is the largest, 4. Of 3, 5, 0 two pass.
    assert fpr_at_tpr([1, 2, 3, 4], [3, 5, 0], resamples=0).value == pytest.approx(2 / 3)
    assert fpr_at_tpr([1, 2, 3, 4], [3, 5, 0], tpr=0.5, resamples=0).value == pytest.approx(1 / 3)


@pytest.mark.parametrize("decimals", [0, 1, 12])
def test_auroc_is_that_of_scikit_learn_with_and_without_ties(decimals):
    rng = np.random.default_rng(decimals)
    inside, outside = np.round(rng.normal(0, 1, 300), decimals), np.round(rng.normal(0.8, 2, 170), decimals)
    truth = np.repeat([0, 1], [300, 170])
    assert auroc(inside, outside).value == pytest.approx(roc_auc_score(truth, np.concatenate([inside, outside])), abs=1e-12)


def test_delongs_variance_is_that_of_the_definition():
    """Structural components over all pairs, as in the paper, against the ranks."""
    rng = np.random.default_rng(5)
    inside, outside = np.round(rng.normal(0, 1, 40), 1), np.round(rng.normal(1, 1, 30), 1)
    kernel = (outside[:, None] > inside) + 0.5 * (outside[:, None] == inside)
    variance = kernel.mean(axis=1).var(ddof=1) / 30 + kernel.mean(axis=0).var(ddof=1) / 40
    value = kernel.mean()
    half = 1.959963984540054 * variance**0.5 / (value * (1 - value))
    found = auroc(inside, outside)
    odds = np.log(value / (1 - value))
    assert [found.low, found.high] == pytest.approx([1 / (1 + np.exp(half - odds)), 1 / (1 + np.exp(-half - odds))], rel=1e-9)


@pytest.mark.parametrize("shift", [0.0, 1.0, 2.5])
def test_the_interval_of_auroc_contains_the_true_one_as_often_as_it_says(shift):
    from statistics import NormalDist

    truth, rng = NormalDist().cdf(shift / 2**0.5), np.random.default_rng(1)
    found = [auroc(rng.normal(0, 1, 80), rng.normal(shift, 1, 60)) for _ in range(400)]
    assert 366 <= sum(one.low <= truth <= one.high for one in found) <= 394


def test_the_difference_of_two_methods_on_the_same_pictures_has_a_narrower_interval():
    rng = np.random.default_rng(2)
    inside, outside = rng.normal(0, 1, 500), rng.normal(1, 1, 500)
    nearly = inside + rng.normal(0, 0.1, 500), outside + rng.normal(0, 0.1, 500)
    found = auroc_difference((inside, outside), nearly)
    alone = auroc(inside, outside)
    assert found.value == pytest.approx(alone.value - auroc(*nearly).value, abs=1e-12)
    assert found.high - found.low < (alone.high - alone.low) / 3
    assert found.low <= 0 <= found.high or abs(found.value) < 0.02
    same = auroc_difference((inside, outside), (inside, outside))
    assert (same.value, same.low, same.high) == (0, 0, 0)
    with pytest.raises(UnfitArray):
        auroc_difference((inside, outside), (inside[:5], outside))


def test_perfect_separation_is_not_called_certain():
    found = auroc([0, 1, 2], [5, 6, 7])
    assert (found.value, found.high) == (1, 1)
    assert found.low < 0.5
    wrong = auroc([5, 6, 7], [0, 1, 2])
    assert (wrong.value, wrong.low) == (0, 0)
    assert wrong.high > 0.5


def test_equal_scores_everywhere_are_guessing_and_let_everything_pass():
    assert auroc(np.ones(10), np.ones(10)).value == 0.5
    assert fpr_at_tpr(np.ones(10), np.ones(10)).value == 1


def test_covariance_and_shrinkage_are_those_of_scikit_learn():
    rng = np.random.default_rng(3)
    for count, size in ((40, 60), (500, 8)):
        rows = rng.normal(size=(count, size)) @ rng.normal(size=(size, size))
        rows -= rows.mean(axis=0)
        covariance, shrinkage = ood.ledoit_wolf(rows)
        expected, share = sklearn_ledoit_wolf(rows, assume_centered=True)
        np.testing.assert_allclose(covariance, expected, rtol=1e-9, atol=1e-9)
        assert shrinkage == pytest.approx(share, abs=1e-12)


def test_mahalanobis_distance_is_the_quadratic_form_to_the_nearest_mean():
    rng = np.random.default_rng(4)
    labels = rng.integers(0, 3, 300)
    features = rng.normal(size=(300, 5)) @ np.diag([5, 1, 1, 0.2, 1]) + 4 * labels[:, None]
    fitted = Mahalanobis.fit(features, labels)
    means = np.stack([features[labels == k].mean(axis=0) for k in range(3)])
    precision = np.linalg.inv(ood.ledoit_wolf(features - means[labels])[0])
    new = rng.normal(0, 6, (50, 5))
    away = new[:, None] - means
    np.testing.assert_allclose(fitted(new), np.einsum("nkd,de,nke->nk", away, precision, away).min(axis=1), rtol=1e-8)


def test_mahalanobis_stands_features_that_never_vary_and_classes_without_pictures():
    features = np.random.default_rng(6).normal(size=(60, 4))
    features[:, 2] = 0
    fitted = Mahalanobis.fit(features, np.repeat([0, 3], 30))
    assert len(fitted.means) == 2
    assert np.isfinite(fitted(features)).all()
    with pytest.raises(UnfitArray):
        Mahalanobis.fit(features[:, 0], np.zeros(60, int))


def test_any_method_that_gives_two_arrays_gets_a_row():
    rng = np.random.default_rng(7)
    rows = table({"good": (rng.normal(0, 1, 90), rng.normal(5, 1, 70)), "blind": (rng.random(90), rng.random(70))})
    assert [row.method for row in rows] == ["good", "blind"]
    assert rows[0].auroc.low > rows[1].auroc.high
    assert rows[0].fpr95.high < rows[1].fpr95.low
    assert (rows[0].inside, rows[0].outside) == (90, 70)
    with pytest.raises(UnfitArray, match="broken: inside"):
        table({"broken": ([np.nan], [1.0])})
    with pytest.raises(NothingToMeasure):
        table({"empty": ([], [1.0])})
