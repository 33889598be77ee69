"""Conformal sets by hand, their coverage in simulations, ties, and too few pictures."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wiesel.errors import BadValue, TooFewForSets
from wiesel.uncertainty.conformal import Threshold, calibrate, measure, needed, quantile, scores, sets

P = np.array([[0.5, 0.3, 0.2], [0.1, 0.1, 0.8]])


def network(
    rng: np.random.Generator, count: int, *, classes: int = 6, overconfidence: float = 2.0
) -> tuple[np.ndarray, np.ndarray]:
    """Labels and the probabilities of a network that is too sure of itself: no method may rely on them."""
    logits = rng.normal(0, 1.5, (count, classes))
    chances = np.exp(logits)
    chances /= chances.sum(axis=1, keepdims=True)
    labels = (rng.random(count)[:, None] > np.cumsum(chances, axis=1)).sum(axis=1).clip(max=classes - 1)
    said = np.exp(logits * overconfidence)
    return labels, said / said.sum(axis=1, keepdims=True)


def test_scores_that_a_person_can_compute():
    np.testing.assert_allclose(scores(P, "lac"), [[0.5, 0.7, 0.8], [0.9, 0.9, 0.2]])
    np.testing.assert_allclose(scores(P, "aps"), [[0, 0.5, 0.8], [0.8, 0.9, 0]])  # equal ones in the order of the classes
    np.testing.assert_allclose(scores(P, "aps", random=[1, 0.5]), [[0.5, 0.8, 1.0], [0.85, 0.95, 0.4]])
    np.testing.assert_allclose(scores(P, "raps", penalty=0.1, free=1), [[0, 0.6, 1.0], [0.9, 1.1, 0]])


def test_the_quantile_is_the_finite_sample_one():
    # n = 9 at 90 %: the 9th of 9. n = 10: ceil(9.9) = 10th. n = 19 at 90 %: the 18th.
    assert quantile(np.arange(1.0, 10), 0.9) == 9
    assert quantile(np.arange(10.0, 0, -1), 0.9) == 10
    assert quantile(np.arange(1.0, 20), 0.9) == 18


@given(st.integers(1, 500), st.integers(1, 99))
@settings(max_examples=200)
def test_the_rank_is_exact_in_rational_numbers(count, percent):
    level = Fraction(percent, 100)
    rank = -(-(count + 1) * level.numerator // level.denominator)  # ceil
    smallest = next(n for n in range(1, 200) if -(-(n + 1) * level.numerator // level.denominator) <= n)
    assert needed(float(level)) == smallest
    if rank <= count:
        assert quantile(np.arange(1.0, count + 1), float(level)) == rank
    else:
        with pytest.raises(TooFewForSets):
            quantile(np.arange(1.0, count + 1), float(level))


@pytest.mark.parametrize(("method", "by_class"), [("lac", False), ("aps", False), ("raps", False), ("lac", True)])
def test_coverage_is_what_was_promised_on_average_over_many_calibrations(method, by_class):
    """300 calibrations of 60 pictures, each tested on 200 others: exact theory says between 90 % and 90 % + 1 / (n + 1)."""
    rng = np.random.default_rng(7)
    share = []
    for _ in range(300):
        labels, p = network(rng, 60 if not by_class else 240, classes=3 if by_class else 6)
        if by_class and np.bincount(labels, minlength=3).min() < 9:
            continue
        threshold = calibrate(labels, p, method, level=0.9, by_class=by_class, rng=rng)
        new, q = network(rng, 200, classes=p.shape[1])
        inside = sets(q, threshold, rng=rng)
        share.append(inside[np.arange(200), new].mean())
    mean, error = np.mean(share), np.std(share) / len(share) ** 0.5
    upper = 0.9 + 1 / 61
    assert 0.9 - 3 * error <= mean <= upper + 3 * error


def test_by_class_covers_every_class_where_one_threshold_for_all_does_not():
    """Class 0 is hard and rare. One threshold for all spares it; one for each does not."""
    rng = np.random.default_rng(0)

    def hard_and_easy(count: int) -> tuple[np.ndarray, np.ndarray]:
        labels = (rng.random(count) > 0.15).astype(np.int64)
        right = rng.beta(1, 1, count) * (labels == 0) + rng.beta(9, 1, count) * (labels == 1)
        p = np.empty((count, 2))
        p[np.arange(count), labels], p[np.arange(count), 1 - labels] = right, 1 - right
        return labels, p

    labels, p = hard_and_easy(2000)
    new, q = hard_and_easy(20_000)
    whole = measure(new, sets(q, calibrate(labels, p, "lac")))
    each = measure(new, sets(q, calibrate(labels, p, "lac", by_class=True)))
    assert whole.worst_class == 0
    assert whole.worst_coverage.value < 0.6
    assert each.worst_coverage.value > 0.87


def test_sets_without_chance_contain_those_with_it_and_are_never_empty():
    rng = np.random.default_rng(1)
    labels, p = network(rng, 500)
    for method in ("aps", "raps"):
        threshold = calibrate(labels, p, method, rng=rng)
        fixed, drawn = sets(p, threshold), sets(p, threshold, rng=rng)
        assert (fixed >= drawn).all()
        assert fixed.any(axis=1).all()
        assert fixed[np.arange(500), p.argmax(axis=1)].all()
        assert (sets(p, threshold) == fixed).all()


def test_chance_comes_from_the_seed_alone():
    labels, p = network(np.random.default_rng(2), 100)
    assert calibrate(labels, p, "aps", rng=np.random.default_rng(5)) == calibrate(labels, p, "aps", rng=np.random.default_rng(5))
    assert calibrate(labels, p, "aps") == calibrate(labels, p, "aps")
    assert calibrate(labels, p, "aps") != calibrate(labels, p, "aps", rng=np.random.default_rng(5))


def test_a_network_that_says_the_same_of_every_class_covers_all_the_same():
    """All scores are tied: sets hold everything (lac) or as much as chance demands (aps); the promise is kept in both."""
    rng = np.random.default_rng(3)
    labels, p = rng.integers(0, 4, 400), np.full((400, 4), 0.25)
    assert sets(p, calibrate(labels, p, "lac")).all()
    threshold = calibrate(labels, p, "aps", rng=rng)
    new = rng.integers(0, 4, 20_000)
    found = measure(new, sets(np.full((20_000, 4), 0.25), threshold, rng=rng))
    assert 0.87 <= found.coverage.value <= 0.93
    assert found.mean_size == pytest.approx(3.6, abs=0.1)


def test_measures_that_a_person_can_count():
    members = np.array([[1, 0, 0], [1, 1, 0], [0, 0, 0], [0, 1, 1]], bool)
    found = measure([0, 0, 1, 1], members)
    assert found.coverage.value == 3 / 4
    assert found.mean_size == 5 / 4
    assert found.counts == (1, 1, 2, 0)
    assert (found.worst_class, found.worst_coverage.value) == (1, 1 / 2)


def test_too_few_pictures_are_refused_with_the_number_needed(monkeypatch):
    monkeypatch.setenv("WIESEL_LANG", "en")
    with pytest.raises(TooFewForSets, match=r"99 % of cases, at least 99 calibration pictures are needed; there are 2"):
        calibrate([0, 2], P, "lac", level=0.99)
    labels = np.repeat([0, 1, 2], [20, 20, 5])
    with pytest.raises(TooFewForSets, match="at least 9 calibration pictures of class 2 are needed; there are 5"):
        calibrate(labels, np.full((45, 3), 1 / 3), "lac", by_class=True)
    monkeypatch.setenv("WIESEL_LANG", "de")
    with pytest.raises(TooFewForSets, match="mindestens 99 Kalibrierungsbilder; vorhanden: 2"):
        calibrate([0, 2], P, "lac", level=0.99)


def test_impossible_wishes_are_refused():
    for level in (0.0, 1.0, 90.0):
        with pytest.raises(BadValue):
            needed(level)
    with pytest.raises(BadValue):
        scores(P, "best")  # type: ignore[arg-type]
    with pytest.raises(BadValue):
        scores(P, "aps", random=[0.5])
    with pytest.raises(BadValue):
        scores(P, "aps", random=[0.5, 1.5])


def test_a_threshold_by_class_asks_each_class_for_its_own():
    inside = sets(P, Threshold("lac", 0.9, (0.5, 0.6, 0.1), 30))
    assert inside.tolist() == [[True, False, False], [False, False, False]]
