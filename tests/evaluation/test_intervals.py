"""Wilson's interval against the literature, against its definition, and in the field."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wiesel.errors import BadValue
from wiesel.evaluation.intervals import Interval, decimal, wilson, wilson_bounds

# Newcombe 1998, Statistics in Medicine 17, 857-872, table I, method 3 (score without continuity correction). By hand for 81 of 263
# with z = 1.959964, z² = 3.841459:
#     centre  81 + 3.841459/2                               = 82.920729
#     half    1.959964 sqrt(81·182/263 + 3.841459/4)        = 1.959964 sqrt(56.053232 + 0.960365) = 14.799196
#     bounds  (82.920729 ∓ 14.799196) / (263 + 3.841459)    = 68.121533 / 266.841459, 97.719925 / 266.841459
PUBLISHED = [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)]


@pytest.mark.parametrize(("hits", "trials", "low", "high"), PUBLISHED)
def test_bounds_are_the_published_ones(hits, trials, low, high):
    found = wilson(hits, trials)
    assert (round(found.value, 4), round(found.low, 4), round(found.high, 4)) == (round(hits / trials, 4), low, high)


def test_bounds_agree_with_scipy():
    from scipy.stats import binomtest

    for hits, trials, level in [(81, 263, 0.95), (9234, 10000, 0.95), (3, 7, 0.5), (0, 5, 0.99), (12, 12, 0.9), (1, 10**6, 0.999)]:
        expected = binomtest(hits, trials).proportion_ci(level, method="wilson")
        found = wilson(hits, trials, level)
        assert found.low == pytest.approx(expected.low, abs=1e-12)
        assert found.high == pytest.approx(expected.high, abs=1e-12)


counts = st.integers(1, 10**6).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


@given(counts, st.floats(0.01, 0.999))
def test_each_bound_is_where_the_score_test_just_rejects(counted, level):
    from scipy.special import ndtri

    hits, trials = counted
    found, z = wilson(hits, trials, level), ndtri((1 + level) / 2)
    assert 0 <= found.low <= found.value <= found.high <= 1
    for bound in (found.low, found.high):
        score = abs(bound - hits / trials)
        assert score == pytest.approx(z * math.sqrt(bound * (1 - bound) / trials), rel=1e-6, abs=1e-12)


@given(counts)
def test_failures_have_the_mirrored_interval(counted):
    hits, trials = counted
    right, wrong = wilson(hits, trials), wilson(trials - hits, trials)
    assert (right.low, right.high) == pytest.approx((1 - wrong.high, 1 - wrong.low), abs=1e-15)


def test_nothing_right_and_everything_right_touch_the_ends_exactly():
    assert wilson(0, 7).low == 0.0
    assert wilson(7, 7).high == 1.0
    assert wilson(0, 7).high > 0.3
    assert wilson(7, 7).low < 0.7


def test_without_a_trial_everything_is_possible():
    assert wilson(0, 0) == Interval(0.0, 0.0, 1.0)


def test_arrays_give_what_single_calls_give():
    low, high = wilson_bounds([81, 0, 0], [263, 20, 0])
    single = [wilson(81, 263), wilson(0, 20), wilson(0, 0)]
    assert low.tolist() == [interval.low for interval in single]
    assert high.tolist() == [interval.high for interval in single]


@pytest.mark.parametrize("truth", [0.5, 0.92, 0.99])
def test_interval_covers_the_truth_as_often_as_it_says(truth):
    hits = np.random.default_rng(20261122).binomial(1000, truth, size=20_000)
    low, high = wilson_bounds(hits, 1000)
    assert ((low <= truth) & (truth <= high)).mean() == pytest.approx(0.95, abs=0.015)


def test_percent_speaks_the_readers_language(monkeypatch):
    interval = Interval(0.923, 0.91765, 0.92799)
    monkeypatch.setenv("WIESEL_LANG", "en")
    assert interval.percent() == "92.3 % [91.8, 92.8]"
    monkeypatch.setenv("WIESEL_LANG", "de")
    assert interval.percent() == "92,3 % [91,8; 92,8]"
    assert interval.percent(2) == "92,30 % [91,77; 92,80]"
    assert decimal(0.5, 2, "en") == "0.50"


@pytest.mark.parametrize("level", [0.0, 1.0, -0.5, 95, math.nan])
def test_a_level_outside_zero_to_one_is_refused(level):
    with pytest.raises(BadValue, match="level = "):
        wilson(1, 2, level)


@pytest.mark.parametrize(("hits", "trials"), [(3, 2), (-1, 2)])
def test_impossible_counts_are_refused_with_their_value(hits, trials, monkeypatch):
    monkeypatch.setenv("WIESEL_LANG", "en")
    with pytest.raises(BadValue, match=rf"successes = {hits}\.0 is not possible: 0 to {trials}, the number of trials"):
        wilson(hits, trials)
