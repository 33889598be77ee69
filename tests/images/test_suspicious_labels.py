"""Confident learning against a count by hand, and on labels that were changed on purpose."""

from __future__ import annotations

import numpy as np
import pytest

from wiesel import images
from wiesel.images.suspicious_labels import FOLDS, _folds, confident_joint_errors, doubtful_labels, out_of_fold


def test_the_confident_joint_by_hand():
    probabilities = np.array([[0.9, 0.1], [0.7, 0.3], [0.2, 0.8], [0.1, 0.9], [0.4, 0.6], [0.95, 0.05]], np.float32)
    labels = np.array([0, 0, 0, 1, 1, 1])
    # thresholds: class 0 (0.9 + 0.7 + 0.2) / 3 = 0.6; class 1 (0.9 + 0.6 + 0.05) / 3 = 0.517
    assert confident_joint_errors(probabilities, labels) == [(2, 1), (5, 0)]


def test_a_class_of_which_the_probe_is_always_unsure_has_a_low_threshold():
    probabilities = np.array([[0.5, 0.3, 0.2], [0.5, 0.3, 0.2], [0.3, 0.4, 0.3], [0.3, 0.2, 0.5]], np.float32)
    labels = np.array([0, 1, 1, 2])  # thresholds 0.5, 0.35, 0.5
    assert confident_joint_errors(probabilities, labels) == [(1, 0)]


def test_copies_stay_in_one_fold_and_classes_are_spread():
    labels = np.arange(200) % 4
    groups = np.arange(200)
    groups[100:120:4] = groups[0:20:4]
    folds = _folds(labels, groups)
    assert (folds[100:120:4] == folds[0:20:4]).all()
    for label in range(4):
        counts = np.bincount(folds[labels == label], minlength=FOLDS)
        assert counts.max() - counts.min() <= 5


def test_the_probe_never_sees_the_picture_it_judges():
    rng = np.random.default_rng(0)
    features = rng.normal(0, 1, (200, 50)).astype(np.float32)
    labels = rng.integers(0, 2, 200)  # nothing to learn: knowing the answer would show
    found = out_of_fold(features, labels, 2, np.arange(200) % FOLDS)
    assert found.sum(axis=1) == pytest.approx(1, abs=1e-5)
    assert 0.35 < (found.argmax(axis=1) == labels).mean() < 0.65


def test_changed_labels_are_found():
    data = images.load("fashion-mnist-sample").test.take(np.arange(800))
    rng = np.random.default_rng(0)
    wrong = rng.choice(800, 24, replace=False)
    labels = data.labels.copy()
    labels[wrong] = (labels[wrong] + 5) % 10
    found = doubtful_labels(data.pixels, labels, 10)
    assert found.accuracy > 0.65
    rows = [doubt.row for doubt in found.doubts]
    assert len(set(rows) & set(wrong.tolist())) >= 14
    assert len(set(rows[:24]) & set(wrong.tolist())) >= 6  # by chance 1
    assert all(doubt.given == labels[doubt.row] != doubt.suggested for doubt in found.doubts)
    differences = [doubt.given_probability - doubt.suggested_probability for doubt in found.doubts]
    assert differences == sorted(differences)


def test_too_few_pictures_give_no_probe():
    pixels = np.zeros((30, 8, 8, 1), np.uint8)
    assert doubtful_labels(pixels, np.arange(30) % 3, 3) is None
    assert doubtful_labels(np.zeros((60, 8, 8, 1), np.uint8), np.zeros(60, np.int64), 3) is None
    rare = np.array([1] * 2 + [0] * 58)
    assert doubtful_labels(np.zeros((60, 8, 8, 1), np.uint8), rare, 2) is None
