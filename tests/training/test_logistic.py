"""The linear head of a probe, compared with scikit-learn's optimum."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from wiesel.training.logistic import fit_head, path

linear_model = pytest.importorskip("sklearn.linear_model", reason="scikit-learn is in the extra `sklearn`")


def made(count: int = 300, size: int = 20, classes: int = 4, seed: int = 0):  # type: ignore[no-untyped-def]
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(classes, size)) * 0.6
    labels = np.arange(count) % classes
    scale = 10.0 ** rng.uniform(-2, 2, size)
    features = (centres[labels] + rng.normal(size=(count, size))) * scale + 5 * scale
    return features.astype(np.float32), labels.astype(np.int64)


@pytest.fixture(autouse=True)
def _one_thread():  # type: ignore[no-untyped-def]
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.mark.parametrize("balanced", [False, True])
@pytest.mark.parametrize("penalty", [1.0, 0.01])
def test_each_optimum_is_scikit_learns(penalty: float, balanced: bool) -> None:
    features, labels = made()
    if balanced:
        keep = (labels > 0) | (np.arange(len(labels)) % 3 == 0)
        features, labels = features[keep], labels[keep]
    found = next(path(features.copy(), labels, (features, labels), classes=4, balanced=balanced, penalties=(penalty,)))
    standard = (features - features.mean(0)) / features.std(0)
    theirs = linear_model.LogisticRegression(
        C=1 / (penalty * len(labels)), tol=1e-8, max_iter=5000, class_weight="balanced" if balanced else None
    ).fit(standard, labels)
    ours = torch.from_numpy(features) @ found.weight.T + found.bias
    expected = torch.from_numpy(theirs.decision_function(standard)).float()
    assert torch.allclose(ours - ours.mean(1, keepdim=True), expected - expected.mean(1, keepdim=True), atol=5e-3)


def test_the_penalty_is_the_best_on_validation_and_the_measures_are_those_of_the_head() -> None:
    features, labels = made(seed=1)
    other, truth = made(seed=1, count=200)
    other = other + np.random.default_rng(2).normal(size=other.shape).astype(np.float32) * other.std(0) * 0.5
    tried = []
    best = fit_head(features.copy(), labels, (other, truth), classes=4, after=tried.append)
    assert best.validation_loss == min(one.validation_loss for one in tried)
    assert len(tried) > 2
    assert [one.penalty for one in tried] == sorted((one.penalty for one in tried), reverse=True)
    logits = torch.from_numpy(other) @ best.weight.T + best.bias
    assert best.validation_accuracy == pytest.approx(float((logits.argmax(1).numpy() == truth).mean()))
    assert best.validation_loss == pytest.approx(
        float(torch.nn.functional.cross_entropy(logits, torch.from_numpy(truth))), abs=1e-5
    )


def test_a_feature_that_never_changes_and_a_class_without_pictures_do_no_harm() -> None:
    features, labels = made()
    features[:, 3] = 7
    best = fit_head(features.copy(), labels, (features, labels), classes=5, balanced=True)
    assert torch.isfinite(best.weight).all()
    assert best.weight.shape == (5, 20)
    assert torch.allclose(best.weight[:, 3], torch.zeros(5), atol=1e-6)
    assert best.train_accuracy > 0.8


def test_the_same_features_give_the_same_head() -> None:
    features, labels = made()
    first, second = (fit_head(features.copy(), labels, (features, labels), classes=4) for _ in range(2))
    assert torch.equal(first.weight, second.weight)
