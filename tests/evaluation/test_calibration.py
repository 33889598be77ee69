"""Calibration error against scikit-learn's reliability curve, by hand, under ties, and its interval in the field."""

import numpy as np
import pytest
from sklearn.calibration import calibration_curve

from wiesel.errors import BadValue, NothingToMeasure, UnfitArray
from wiesel.evaluation.calibration import calibration
from wiesel.evaluation.intervals import Interval, wilson


def network(draw, pictures, overconfidence=0.0):
    """Confidences as a good network gives them, and outcomes; the chance to be right is confidence x (1 - overconfidence)."""
    confidence = np.clip(1 - draw.beta(0.35, 4, pictures), 0.1, 1)
    return confidence, draw.random(pictures) < confidence * (1 - overconfidence)


@pytest.mark.parametrize(("scheme", "strategy"), [("width", "uniform"), ("mass", "quantile")])
def test_bins_and_errors_are_those_of_scikit_learns_curve(scheme, strategy):
    confidence, correct = network(np.random.default_rng(3), 15 * 40)
    found = calibration(confidence, correct, scheme=scheme, resamples=0)
    share_right, mean_confidence = calibration_curve(correct, confidence, n_bins=15, strategy=strategy)
    np.testing.assert_allclose([row.accuracy.value for row in found.bins], share_right, rtol=0, atol=1e-12)
    np.testing.assert_allclose([row.confidence for row in found.bins], mean_confidence, rtol=0, atol=1e-12)
    gaps = np.abs(share_right - mean_confidence)
    counts = np.array([row.count for row in found.bins])
    assert counts.sum() == 600
    assert found.ece.value == pytest.approx((counts / 600 * gaps).sum(), abs=1e-12)
    assert found.mce == pytest.approx(gaps.max(), abs=1e-12)
    assert (found.ece.low, found.ece.high) == (found.ece.value, found.ece.value)


def test_four_pictures_that_a_person_can_compute():
    # Five bins. (0.4, 0.6]: 0.5 and 0.6, one right: |1/2 - 0.55| = 0.05. (0.8, 1]: 0.9 and 1.0, one right: |1/2 - 0.95| = 0.45.
    found = calibration([0.5, 0.9, 0.6, 1.0], [True, False, False, True], bins=5, resamples=0)
    assert found.ece.value == pytest.approx(2 / 4 * 0.05 + 2 / 4 * 0.45)
    assert found.mce == pytest.approx(0.45)
    assert [(row.low, row.high, row.count) for row in found.bins] == [(0.4, 0.6, 2), (0.8, 1.0, 2)]
    assert [row.confidence for row in found.bins] == [pytest.approx(0.55), pytest.approx(0.95)]
    assert found.bins[0].accuracy == wilson(1, 2)


def test_an_edge_belongs_to_the_bin_below_it():
    edges = np.arange(1, 16) / 15
    found = calibration(edges, np.ones(15), resamples=0)
    assert [row.count for row in found.bins] == [1] * 15
    assert [row.high for row in found.bins] == edges.tolist()
    assert calibration([0.0], [False], resamples=0).bins[0].low == 0.0


def test_bins_of_equal_mass_differ_by_one_picture_at_most():
    confidence, correct = network(np.random.default_rng(4), 1000)
    confidence = np.unique(confidence)  # without ties
    found = calibration(confidence, correct[: len(confidence)], scheme="mass", resamples=0)
    counts = [row.count for row in found.bins]
    assert len(counts) == 15
    assert sum(counts) == len(confidence)
    assert max(counts) - min(counts) <= 1
    assert all(left.high < right.low for left, right in zip(found.bins, found.bins[1:], strict=False))


def test_equal_confidences_share_a_bin_so_the_order_of_the_pictures_does_not_matter():
    # 1000 pictures at 0.9, 600 of them right: the gap is 0.3 whatever the bins; torn apart, it would depend on the order.
    confidence, correct = np.full(1000, 0.9), np.arange(1000) < 600
    for order in (slice(None), np.random.default_rng(0).permutation(1000)):
        found = calibration(confidence, correct[order], scheme="mass", resamples=0)
        assert found.ece.value == pytest.approx(0.3, abs=1e-12)
        assert [row.count for row in found.bins] == [1000]
    draw = np.random.default_rng(1)
    confidence, correct = np.round(network(draw, 500)[0], 2), draw.random(500) < 0.9
    order = draw.permutation(500)
    assert calibration(confidence, correct, scheme="mass", resamples=0).ece.value == pytest.approx(
        calibration(confidence[order], correct[order], scheme="mass", resamples=0).ece.value, abs=1e-12
    )


def test_a_network_that_is_always_certain_and_always_right_has_no_error():
    found = calibration(np.ones(50), np.ones(50))
    assert found.ece == Interval(0.0, 0.0, 0.0)
    assert found.noise == found.mce == 0.0
    assert found.bins[0].accuracy.low < 0.95  # fifty pictures prove no more


def test_as_many_right_as_expected_leaves_room_above_zero():
    found = calibration(np.full(100, 0.5), np.arange(100) % 2)
    assert found.ece.value == found.ece.low == 0.0
    assert 0.03 < found.ece.high < 0.3


@pytest.mark.parametrize("scheme", ["width", "mass"])
def test_noise_is_what_a_calibrated_network_shows_on_average(scheme):
    draw = np.random.default_rng(5)
    confidence = network(draw, 3000)[0]
    shown = [calibration(confidence, draw.random(3000) < confidence, scheme=scheme, resamples=0).ece.value for _ in range(200)]
    assert calibration(confidence, np.ones(3000), scheme=scheme, resamples=0).noise == pytest.approx(np.mean(shown), rel=0.05)


@pytest.mark.parametrize("overconfidence", [0.0, 0.03, 0.2])
def test_interval_covers_the_true_error_about_as_often_as_it_says(overconfidence):
    # The gap has one sign and is overconfidence x confidence in every bin, so the true ECE is its mean.
    draw = np.random.default_rng(20261122)
    truth = overconfidence * network(draw, 1_000_000)[0].mean()
    hits, trials = 0, 100
    for _ in range(trials):
        found = calibration(*network(draw, 600, overconfidence), resamples=100, rng=draw).ece
        hits += found.low <= truth <= found.high
    assert hits / trials > 0.88  # the percentile bootstrap, same draws: 0.00, 0.27, 0.94


def test_the_interval_excludes_zero_only_for_a_network_that_is_off():
    draw = np.random.default_rng(6)
    assert calibration(*network(draw, 2000)).ece.low == 0.0
    assert calibration(*network(draw, 2000, overconfidence=0.2)).ece.low > 0.1


def test_the_same_data_give_the_same_interval_and_a_generator_another():
    split = network(np.random.default_rng(7), 300)
    assert calibration(*split) == calibration(*split)
    first, second = (calibration(*split, rng=np.random.default_rng(seed)).ece for seed in (1, 2))
    assert first != second
    assert first.high == pytest.approx(second.high, rel=0.3)


def test_a_higher_level_gives_a_wider_interval():
    split = network(np.random.default_rng(8), 500, overconfidence=0.1)
    narrow, wide = (calibration(*split, level=level).ece for level in (0.5, 0.99))
    assert wide.low < narrow.low <= narrow.value <= narrow.high < wide.high


@pytest.mark.parametrize(
    ("confidence", "correct", "options", "error"),
    [
        ([], [], {}, NothingToMeasure),
        ([[0.5]], [1], {}, UnfitArray),
        ([0.5], [1, 0], {}, UnfitArray),
        ([0.5], [2], {}, UnfitArray),
        ([0.5, 1.01], [1, 0], {}, BadValue),
        ([np.nan], [1], {}, BadValue),
        ([0.5], [1], {"bins": 0}, BadValue),
        ([0.5], [1], {"scheme": "even"}, BadValue),
        ([0.5], [1], {"resamples": 3}, BadValue),
        ([0.5], [1], {"level": 95}, BadValue),
    ],
)
def test_what_is_no_confidence_or_no_choice_is_refused(confidence, correct, options, error):
    with pytest.raises(error):
        calibration(confidence, correct, **options)
