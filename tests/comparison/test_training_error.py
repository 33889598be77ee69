"""The question about the training error: Welch's interval, the right word, and what the sentence says."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from wiesel.comparison.training_error import training_difference


def test_the_interval_is_welchs() -> None:
    rng = np.random.default_rng(0)
    one, other = rng.normal(0.1, 0.01, 4).tolist(), rng.normal(0.15, 0.03, 3).tolist()
    found = training_difference(("a", one), ("b", other), 0.05)
    assert found is not None
    oracle = stats.ttest_ind(other, one, equal_var=False).confidence_interval(0.95)
    assert (found.interval.low, found.interval.high) == pytest.approx((oracle.low, oracle.high))


def test_words_follow_the_interval() -> None:
    assert training_difference(("a", [0.10, 0.11, 0.12]), ("b", [0.30, 0.31, 0.32]), 0.05).word == "higher"  # type: ignore[union-attr]
    assert training_difference(("a", [0.30, 0.31, 0.32]), ("b", [0.10, 0.11, 0.12]), 0.05).word == "lower"  # type: ignore[union-attr]
    found = training_difference(("plain20", [0.1, 0.2, 0.3]), ("plain56", [0.15, 0.2, 0.25]), 0.05)
    assert found is not None
    assert found.word == "open"
    assert found.sentence("en").startswith("Training error of plain56 cannot be told apart: 20.00 % against 20.00 % of plain20")
    assert "20,00 %" in found.sentence("de")


def test_a_single_run_says_nothing() -> None:
    assert training_difference(("a", [0.1]), ("b", [0.2, 0.3]), 0.05) is None
