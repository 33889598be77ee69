"""What goes in: shapes that are refused, looks that are taken, the margin."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wiesel.comparison import Outcomes, Rules, SplitOutcomes, arm, split_arm
from wiesel.comparison.looks import reached, schedule
from wiesel.comparison.rules import margin_for
from wiesel.errors import BadValue, OtherRuns, OtherTestPictures

ANSWERS = [[1, 0, 1, 1], [1, 1, 1, 0]]


def test_an_arm_knows_its_accuracies_and_cannot_be_changed():
    made = arm("a", ANSWERS, [1, 2])
    assert made.accuracies.tolist() == [0.75, 0.75]
    assert made.seeds == (0, 1)
    with pytest.raises(ValueError, match="read-only"):
        made.correct[0, 0] = False


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"correct": [1, 0, 1]}, "correct"),
        ({"correct": [[0, 2], [1, 1]]}, "0 or 1"),
        ({"seconds": [1, 2, 3]}, "seconds"),
        ({"seconds": [1, 0]}, "above 0"),
        ({"seconds": [1, np.nan]}, "above 0"),
        ({"seeds": (3, 3)}, "a different one per run"),
        ({"seeds": (3,)}, "2 values"),
        ({"diverged": [True]}, "diverged"),
    ],
)
def test_what_cannot_be_is_refused_by_name(changed, said, monkeypatch):
    monkeypatch.setenv("WIESEL_LANG", "en")
    given_values = {"correct": ANSWERS, "seconds": [1, 2]} | changed
    with pytest.raises(BadValue, match=said):
        arm("a", given_values.pop("correct"), given_values.pop("seconds"), **given_values)


def test_arms_must_have_answered_the_same_pictures():
    one, other = arm("a", ANSWERS, [1, 2]), arm("b", [[1, 0], [0, 1]], [1, 2])
    with pytest.raises(OtherTestPictures):
        Outcomes((one, other), np.zeros(4, np.int64), ("x",))
    with pytest.raises(OtherTestPictures):
        Outcomes((one, split_arm("b", [0.5, 0.5], [1, 2])), np.zeros(4, np.int64), ("x",))
    with pytest.raises(BadValue):
        Outcomes((one, one), np.zeros(4, np.int64), ("x",))
    with pytest.raises(BadValue):
        Outcomes((one, arm("b", ANSWERS, [1, 2])), np.ones(4, np.int64), ("x",))


def test_divisions_are_paired_by_seed_or_not_at_all():
    arms = (split_arm("a", [0.5, 0.6], [1, 2]), split_arm("b", [0.5, 0.6], [1, 2], seeds=(5, 6)))
    with pytest.raises(OtherRuns):
        SplitOutcomes(arms, 80, 20).first(2)


@pytest.mark.parametrize(
    "wrong",
    [
        {"margin": -0.1},
        {"margin": float("nan")},
        {"looks": (5, 3, 10)},
        {"looks": (1, 3, 10)},
        {"looks": ()},
        {"looks": (3, 5, 10**9), "cap": 10**9},
        {"alphas": (0.05,)},
        {"alphas": (0.01, -0.01, 0.02)},
        {"alphas": (0.1, 0.1, 0.1)},
        {"cap": 11},
        {"cap": 1},
    ],
)
def test_rules_that_cannot_be_kept_are_refused(wrong):
    with pytest.raises(BadValue):
        Rules(**wrong)


def test_looks_are_taken_one_after_the_other():
    found = [reached(Rules(), runs) for runs in range(1, 12)]
    assert [look and look.runs for look in found] == [None, None, 3, 3, 5, 5, 5, 5, 5, 10, 10]
    assert [look.last for look in found if look] == [False] * 7 + [True] * 2


@given(st.integers(2, 10))
def test_all_of_the_error_is_spent_whatever_the_cap(cap):
    looks = schedule(Rules(cap=cap))
    assert sum(look.alpha for look in looks) == pytest.approx(0.05)
    assert looks[-1].runs == cap
    assert looks[-1].last


def test_the_default_margin_is_a_twentieth_of_the_error_but_never_below_a_tenth_of_a_point():
    assert margin_for(Rules(), 0.06) == pytest.approx(0.003)
    assert margin_for(Rules(), 0.001) == 0.001
    assert margin_for(Rules(margin=0.02), 0.5) == 0.02
