"""Accuracy against coverage: by hand, against brute force over all orders of ties, and its interval."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest

from wiesel.errors import BadValue, NothingToMeasure, UnfitArray
from wiesel.evaluation.intervals import wilson
from wiesel.uncertainty.selective import curve, risk_area, selective


def test_four_pictures_that_a_person_can_compute():
    # Falling: right, wrong, right, right. Risks 0, 1/2, 1/3, 1/4; area (0 + 1/2 + 1/3 + 1/4) / 4 = 13/48.
    # Best order: the error last: risks 0, 0, 0, 1/4; area 1/16.
    found = selective([0.9, 0.8, 0.7, 0.6], [1, 0, 1, 1], coverages=(0.5, 1.0), resamples=0)
    assert found.area.value == pytest.approx(13 / 48)
    assert found.best_area == pytest.approx(1 / 16)
    assert [(point.coverage, point.confidence) for point in found.points] == [(0.5, 0.8), (1.0, 0.6)]
    assert [point.accuracy for point in found.points] == [wilson(1, 2), wilson(3, 4)]


def test_the_area_is_the_mean_over_all_orders_of_equal_confidences():
    rng = np.random.default_rng(0)
    for _ in range(20):
        confidence, correct = rng.integers(0, 3, 6).astype(float), rng.integers(0, 2, 6).astype(float)
        areas = []
        for order in permutations(range(6)):
            places = np.array(order)
            if (np.diff(confidence[places]) <= 0).all():
                areas.append((np.cumsum(1 - correct[places]) / np.arange(1, 7)).mean())
        assert risk_area(confidence, correct) == pytest.approx(np.mean(areas), abs=1e-12)


def test_equally_sure_pictures_are_accepted_together_in_any_order():
    confidence, correct = np.array([0.9, 0.5, 0.5, 0.5, 0.1]), np.array([1, 1, 0, 0, 1])
    for order in (np.arange(5), np.array([4, 2, 0, 3, 1])):
        found = selective(confidence[order], correct[order], coverages=(0.4,), resamples=0)
        assert found.points[0].coverage == 4 / 5
        assert found.points[0].accuracy == wilson(2, 4)
        shares, accuracies = curve(confidence[order], correct[order])
        assert shares.tolist() == [0.2, 0.8, 1.0]
        assert accuracies.tolist() == pytest.approx([1, 1 / 2, 3 / 5])


def test_a_confidence_that_knows_nothing_has_the_error_rate_as_its_area():
    correct = np.arange(1000) % 10 > 0
    assert risk_area(np.zeros(1000), correct) == pytest.approx(0.1)
    knowing = selective(correct.astype(float), correct, resamples=0)
    assert knowing.area.value == knowing.best_area < 0.01


def test_the_interval_of_the_area_contains_the_true_one_about_as_often_as_it_says():
    rng = np.random.default_rng(4)

    def sample(count):
        confidence = rng.random(count)
        return confidence, (rng.random(count) < 0.5 + 0.5 * confidence).astype(float)

    truth = np.mean([risk_area(*sample(20_000)) for _ in range(5)])
    found = [selective(*sample(200), resamples=100, rng=rng).area for _ in range(100)]
    inside = sum(one.low <= truth <= one.high for one in found)
    assert 86 <= inside <= 100


def test_what_cannot_be_measured_is_refused():
    with pytest.raises(NothingToMeasure):
        selective([], [])
    with pytest.raises(UnfitArray):
        selective([0.5, np.nan], [1, 0])
    with pytest.raises(UnfitArray):
        selective([0.5], [2])
    with pytest.raises(BadValue):
        selective([0.5], [1], coverages=(0.0,))
