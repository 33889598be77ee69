"""The estimate against SciPy, against hand calculation, and against what resampling sees."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from wiesel.comparison import arm, difference, split_arm
from wiesel.comparison.difference import Difference, degrees_of_freedom, quantile
from wiesel.comparison.exploration import class_differences, told_apart
from wiesel.comparison.multiplicity import holm
from wiesel.comparison.seconds import seconds_ratio
from wiesel.comparison.small_data import difference_over_divisions
from wiesel.comparison.superiority import chance_to_beat
from wiesel.errors import OtherRuns, OtherTestPictures, TooFewRuns


def made(correct, name="a"):
    return arm(name, correct, np.ones(len(correct)))


def test_two_runs_on_four_pictures_by_hand():
    # accuracies 3/4, 1/4 and 1, 3/4:  s_A² = 1/8, s_B² = 1/32;  V_seed = 1/16 + 1/64 = 5/64
    # a = (1, 1/2, 1/2, 0), b = (1, 1, 1, 1/2):  b - a = (0, 1/2, 1/2, 1/2), sample variance 1/16
    # a(1 - a)/(R - 1) has mean 1/8, b's 1/16: 1/16 - 3/16 < 0, so V_image = 0
    # 2/(n + 2)² = 1/18 < 5/64, so no floor;  nu = (5/64)² / ((1/16)² + (1/64)²) = 25/17
    found = difference(made([[1, 1, 1, 0], [1, 0, 0, 0]]), made([[1, 1, 1, 1], [1, 1, 1, 0]], "b"))
    assert found.value == 0.375
    assert found.run_part == 5 / 64
    assert found.fixed_part == 0
    assert found.degrees == pytest.approx(25 / 17)


def test_runs_that_never_differ_leave_the_paired_variance_of_the_pictures():
    # A is right about 6 of 8, B about 5; they disagree on three pictures: b - a = -1, -1, +1 and five zeros.
    a, b = np.array([1, 1, 1, 1, 1, 1, 0, 0]), np.array([1, 1, 1, 1, 0, 0, 1, 0])
    found = difference(made([a, a]), made([b, b], "b"))
    assert found.run_part == 0
    assert found.fixed_part == pytest.approx(np.var(b - a, ddof=1) / 8)
    assert found.degrees == math.inf


def test_without_an_image_part_it_is_welch_as_scipy_has_it():
    chance = np.random.default_rng(3)
    for runs in [(3, 3), (5, 3), (10, 4)]:
        a, b = chance.normal(0.90, 0.01, runs[0]), chance.normal(0.92, 0.03, runs[1])
        spreads = (a.var(ddof=1), b.var(ddof=1))
        part = spreads[0] / runs[0] + spreads[1] / runs[1]
        found = Difference(b.mean() - a.mean(), spreads, runs, part, 0.0, degrees_of_freedom(spreads, runs))
        oracle = stats.ttest_ind(b, a, equal_var=False)
        assert found.chance() == pytest.approx(oracle.pvalue, rel=1e-9)
        assert found.degrees == pytest.approx(oracle.df, rel=1e-12)
        low, high = oracle.confidence_interval(0.99)
        interval = found.interval(0.01)
        assert (interval.low, interval.high) == pytest.approx((low, high), rel=1e-9)


def test_quantiles_are_students():
    for degrees in (1, 2.5, 30, math.inf):
        assert quantile(0.975, degrees) == pytest.approx(stats.t.ppf(0.975, degrees), rel=1e-9)


answers = st.tuples(st.integers(2, 5), st.integers(2, 5), st.integers(2, 30), st.integers(0, 2**32 - 1))


@settings(max_examples=40)
@given(answers)
def test_swapping_the_arms_mirrors_everything_and_the_order_of_pictures_and_runs_is_nothing(drawn):
    runs_a, runs_b, images, seed = drawn
    chance = np.random.default_rng(seed)
    a, b = chance.random((runs_a, images)) < 0.8, chance.random((runs_b, images)) < 0.7
    there, back = difference(made(a), made(b, "b")), difference(made(b, "b"), made(a))
    assert back.value == pytest.approx(-there.value, abs=1e-12)
    assert back.standard_error == pytest.approx(there.standard_error, rel=1e-9)
    one, other = there.interval(0.05), back.interval(0.05)
    assert (other.low, other.high) == pytest.approx((-one.high, -one.low), abs=1e-9)
    order = chance.permutation(images)
    shuffled = difference(made(a[chance.permutation(runs_a)][:, order]), made(b[:, order], "b"))
    assert shuffled.value == pytest.approx(there.value, abs=1e-12)
    assert shuffled.standard_error == pytest.approx(there.standard_error, rel=1e-9)
    assert shuffled.degrees == pytest.approx(there.degrees, rel=1e-6)


def population(chance, images, luck):
    """Ease of pictures for two designs, and a function that draws runs whose quality differs by about `luck` on the logit scale."""
    logit = chance.normal(2.0, 2.5, images)
    ours = (logit + chance.normal(0, 0.8, images), logit + chance.normal(0.1, 0.8, images))

    def draw(which, runs):
        shifted = ours[which] + chance.normal(0, luck, (runs, 1))
        return chance.random((runs, images)) < 1 / (1 + np.exp(-shifted))

    return draw


def test_standard_error_is_what_new_seeds_and_new_pictures_really_do():
    chance, found, values = np.random.default_rng(5), [], []
    for _ in range(400):
        draw = population(chance, 200, luck=0.15)
        seen = difference(made(draw(0, 4)), made(draw(1, 4), "b"))
        found.append(seen.standard_error**2)
        values.append(seen.value)
    assert np.mean(found) == pytest.approx(np.var(values, ddof=1), rel=0.15)


def test_two_way_bootstrap_sees_the_same_spread_where_quality_and_pictures_dominate():
    chance = np.random.default_rng(11)
    draw = population(chance, 600, luck=0.6)
    a, b = draw(0, 20), draw(1, 20)
    seen, resampled = difference(made(a), made(b, "b")), []
    for _ in range(500):
        rows_a, rows_b, columns = chance.integers(20, size=20), chance.integers(20, size=20), chance.integers(600, size=600)
        resampled.append(b[rows_b].mean(axis=0)[columns].mean() - a[rows_a].mean(axis=0)[columns].mean())
    # Resampling both ways counts the noise of single answers up to three times; here it is a small part.
    assert np.std(resampled) == pytest.approx(seen.standard_error, rel=0.15)


def test_more_runs_narrow_the_interval_on_average():
    chance, widths = np.random.default_rng(7), {3: [], 5: [], 10: []}
    for _ in range(40):
        draw = population(chance, 300, luck=0.2)
        a, b = draw(0, 10), draw(1, 10)
        for runs, kept in widths.items():
            interval = difference(made(a[:runs]), made(b[:runs], "b")).interval(0.05)
            kept.append(interval.high - interval.low)
    assert np.mean(widths[3]) > np.mean(widths[5]) > np.mean(widths[10])


def test_no_disagreement_is_not_perfect_knowledge():
    same = np.ones((3, 50))
    found = difference(made(same), made(same, "b"))
    assert found.value == 0
    assert found.standard_error == pytest.approx(math.sqrt(2) / 52)
    assert found.chance() == 1


def test_one_run_or_other_pictures_are_refused():
    with pytest.raises(TooFewRuns, match="'b'"):
        difference(made([[1, 0], [1, 1]]), made([[1, 0]], "b"))
    with pytest.raises(OtherTestPictures, match="'b'"):
        difference(made([[1, 0], [1, 1]]), made([[1, 0, 1], [1, 0, 1]], "b"))


def test_nadeau_and_bengio_by_hand():
    # d = (0.02, 0.04, 0.06): mean 0.04, s² = 0.0004; V = (1/3 + 20/80) 0.0004 = 0.0007/3; t_2 at 97.5 % is 4.302653
    a, b = split_arm("a", [0.80, 0.80, 0.82], [1, 1, 1]), split_arm("b", [0.82, 0.84, 0.88], [1, 1, 1])
    found = difference_over_divisions(a, b, training_images=8000, test_images=2000)
    assert found.value == pytest.approx(0.04)
    assert found.standard_error**2 == pytest.approx(0.0007 / 3)
    assert found.degrees == 2
    assert found.interval(0.05).high == pytest.approx(0.04 + 4.302653 * math.sqrt(0.0007 / 3), rel=1e-6)
    assert difference_over_divisions(b, a, training_images=8000, test_images=2000).value == pytest.approx(-0.04)
    with pytest.raises(OtherRuns):
        difference_over_divisions(a, split_arm("b", [0.1, 0.2, 0.3], [1, 1, 1], seeds=(1, 2, 3)), training_images=8, test_images=2)


def test_holm_by_hand():
    # alpha 0.05, m = 4: 0.005 < 0.0125, 0.01 < 0.0167, 0.03 > 0.025 ends it; 0.04 is not asked any more
    assert holm([0.01, 0.04, 0.03, 0.005], 0.05) == (True, False, False, True)
    assert holm([0.02, 0.04], 0.05) == (True, True)
    assert holm([0.03, 0.04], 0.05) == (False, False)
    assert holm([0.04], 0.05) == (True,)
    assert holm([], 0.05) == ()


@given(st.lists(st.floats(0, 1), min_size=1, max_size=8))
def test_holm_finds_what_bonferroni_finds_and_nothing_above_the_level(chances):
    found = holm(chances, 0.05)
    assert all(told for told, value in zip(found, chances, strict=True) if value < 0.05 / len(chances))
    assert not any(told for told, value in zip(found, chances, strict=True) if value >= 0.05)


def test_chance_to_beat_is_mann_whitney_over_the_pairs():
    chance = np.random.default_rng(2)
    a, b = chance.integers(90, 95, 7) / 100, chance.integers(91, 96, 5) / 100
    oracle = stats.mannwhitneyu(b, a).statistic / 35
    assert chance_to_beat(b, a) == pytest.approx(oracle)
    assert chance_to_beat(a, b) == pytest.approx(1 - oracle)


def test_seconds_ratio_is_welch_on_logarithms_without_the_diverged():
    chance = np.random.default_rng(4)
    fast, slow = chance.lognormal(3, 0.1, 5), chance.lognormal(3.5, 0.2, 6)
    bits = np.ones((6, 2))
    lost = [False] * 5 + [True]
    found = seconds_ratio(arm("a", bits[:5], fast), arm("b", bits, slow, diverged=lost), 0.05)
    oracle = stats.ttest_ind(np.log(slow[:5]), np.log(fast), equal_var=False).confidence_interval(0.95)
    assert (found.low, found.high) == pytest.approx((math.exp(oracle.low), math.exp(oracle.high)), rel=1e-9)
    assert found.value == pytest.approx(stats.gmean(slow[:5]) / stats.gmean(fast))
    assert seconds_ratio(arm("a", bits[:1], fast[:1]), arm("b", bits, slow)) is None


def test_class_differences_find_the_class_and_sum_to_the_whole():
    labels = np.array([0, 0, 1, 1, 1, 1, 2, 2])
    a, b = np.tile([1, 1, 1, 1, 0, 1, 1, 1], (3, 1)), np.tile([1, 1, 0, 0, 0, 0, 1, 1], (3, 1))
    found = class_differences(made(a), made(b, "b"), labels, ("x", "y", "z", "empty"))
    assert [one.name for one in found] == ["y", "x", "z"]
    assert sum(one.images * one.interval.value for one in found) / 8 == pytest.approx(difference(made(a), made(b, "b")).value)
    assert told_apart(made(a), made(b)).tolist() == [2, 3, 5]
    assert told_apart(made(b), made(a)).tolist() == []
