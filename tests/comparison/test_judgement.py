"""From outcomes to a word, a sentence and a document."""

import json
import math
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wiesel.comparison import Outcomes, Rules, SplitOutcomes, arm, document, judge, sentence, small_print, split_arm
from wiesel.comparison.difference import Difference, degrees_of_freedom, difference
from wiesel.comparison.equivalence import decide
from wiesel.comparison.looks import schedule
from wiesel.comparison.planning import chance_to_settle, outlook
from wiesel.comparison.sentences import points
from wiesel.errors import TooFewRuns
from wiesel.evaluation.intervals import Interval


def outcomes(accuracies, *, runs=10, images=4000, seed=0, seconds=60.0, luck=0.0, diverged=()):
    """Arms with these chances to be right about every picture: the same pictures are hard for all of them."""
    chance = np.random.default_rng(seed)
    hardness = np.linspace(0, 1, images)
    arms = []
    for number, accuracy in enumerate(accuracies):
        shift = chance.normal(0, luck, (runs, 1))
        correct = hardness < accuracy + shift + chance.normal(0, 0.003, (runs, images))
        for run in diverged if number else ():
            correct[run] = hardness < 0.1
        lost = np.isin(np.arange(runs), diverged) if number else None
        arms.append(arm(f"arm{number}", correct, chance.normal(seconds, 1, runs), diverged=lost))
    return Outcomes(tuple(arms), np.arange(images) % 4, ("a", "b", "c", "d"))


def test_the_five_words():
    words = [
        decide(Interval(0, low, high), 0.003)
        for low, high in [(0.001, 0.005), (-0.005, -0.001), (-0.002, 0.002), (-0.001, 0.004), (0.001, 0.002), (0, 0.003)]
    ]
    assert words == ["better", "worse", "same", "undecided", "better", "undecided"]


def test_clear_differences_are_found_at_the_first_look_and_mirrored():
    there, back = (judge(outcomes(pair, luck=0.001), Rules()) for pair in [(0.90, 0.93), (0.93, 0.90)])
    assert (there.leading.word, back.leading.word) == ("better", "worse")
    assert there.leading.clear
    assert there.leading.beats == 1.0
    assert judge(outcomes((0.90, 0.93), runs=4), Rules()).look.runs == 3


def test_identical_models_are_the_same_and_nothing_crashes():
    found = judge(outcomes((0.93, 0.93), images=10_000), Rules())
    assert found.leading.word == "same"
    flat = np.ones((10, 10_000))
    equal = judge(Outcomes((arm("a", flat, np.ones(10)), arm("b", flat, np.ones(10))), np.zeros(10_000, int), ("x",)), Rules())
    assert equal.leading.word == "same"


def test_few_pictures_without_a_disagreement_do_not_make_two_designs_the_same():
    flat = np.ones((10, 50))
    found = judge(Outcomes((arm("a", flat, np.ones(10)), arm("b", flat, np.ones(10))), np.zeros(50, int), ("x",)), Rules())
    assert found.leading.word == "test_set_too_small"
    assert found.leading.outlook.images is None  # nobody knows how rarely they disagree


def test_noisy_runs_are_undecided_and_say_how_many_more():
    found = judge(outcomes((0.93, 0.9325), runs=3, luck=0.003, images=10_000), Rules())
    assert found.leading.word == "undecided"
    low, high = found.leading.outlook.more
    assert 2 <= low <= high <= 30
    assert found.leading.more_seconds[1] == pytest.approx(high * found.leading.per_run)


def test_a_small_test_set_is_the_limit_not_the_runs():
    chance = np.random.default_rng(0)
    logits = chance.normal(2, 3, 500)
    arms = []
    for name in "ab":
        easy = logits + chance.normal(0, 3, 500) > 0  # the two designs find other pictures hard
        arms.append(arm(name, np.tile(easy, (10, 1)), np.ones(10)))
    found = judge(Outcomes(tuple(arms), np.zeros(500, np.int64), ("x",)), Rules(margin=0.005))
    assert found.leading.word == "test_set_too_small"
    assert document(found)["more_runs"] is None
    assert document(found)["images_needed"] > 10_000


def test_diverged_runs_are_counted_in_the_accuracy_and_told():
    found = judge(outcomes((0.93, 0.93), diverged=(1,)), Rules())
    assert found.leading.diverged == (0, 1)
    assert found.leading.accuracies[1] == pytest.approx((9 * 0.93 + 0.1) / 10, abs=0.002)
    assert found.leading.word == "undecided"
    assert "1 of the 10 runs of arm1 diverged" in sentence(found, reader="en")
    assert "1 von 10 Läufen von arm1 divergiert" in sentence(found, reader="de")


def test_runs_beyond_a_look_wait_and_the_margin_never_moves():
    data = outcomes((0.90, 0.93), runs=7, luck=0.002)
    found, short = judge(data, Rules()), judge(data.first(5), Rules())
    assert found.look.runs == 5
    assert found.leading.interval == short.leading.interval
    assert judge(data.first(3), Rules()).leading.margin == found.leading.margin
    with pytest.raises(TooFewRuns):
        judge(data.first(2), Rules())


def test_with_several_challengers_the_intervals_widen_and_holm_never_contradicts_them():
    data = outcomes((0.90, 0.93, 0.901, 0.88), runs=5, luck=0.001)
    several = judge(data, Rules())
    alone = judge(Outcomes(data.arms[:2], data.labels, data.classes), Rules())
    assert several.findings[0].interval.low < alone.leading.interval.low
    assert several.leading.challenger == "arm1"
    assert [one.word for one in several.findings][::2] == ["better", "worse"]
    for one in several.findings:
        assert (one.word == "better") <= (one.interval.low >= 0)
        assert (one.word == "worse") <= (one.interval.high <= 0)


def test_redrawn_divisions_speak_of_the_split():
    a, b = split_arm("a", [0.80, 0.81, 0.79, 0.80, 0.82], np.ones(5)), split_arm("b", [0.90, 0.91, 0.88, 0.91, 0.92], np.ones(5))
    found = judge(SplitOutcomes((a, b), 800, 200), Rules())
    assert found.leading.word == "better"
    assert "luck of the split" in small_print(found, comparisons=1, tta=False, reader="en")
    assert "; 1 comparison in this" in small_print(found, comparisons=1, tta=False, reader="en")
    assert "; 1 Vergleich in diesem" in small_print(found, comparisons=1, tta=False, reader="de")
    assert "; 2 Vergleiche in diesem" in small_print(found, comparisons=2, tta=False, reader="de")
    assert json.dumps(document(found))


def test_the_document_keeps_its_promised_keys_and_is_plain_json():
    tree = json.loads(json.dumps(document(judge(outcomes((0.90, 0.92, 0.91)), Rules()), plan="abc")))
    assert {"verdict", "difference", "interval", "margin", "runs", "more_runs", "arms"} <= tree.keys()
    assert tree["verdict"] == "better"
    assert tree["challenger"] == "arm1"
    assert tree["interval"][0] < tree["difference"] < tree["interval"][1]
    assert [one["name"] for one in tree["arms"]] == ["arm0", "arm1", "arm2"]
    assert "verdict" not in tree["arms"][0]
    assert tree["arms"][2]["verdict"] == "better"
    pictures = tree["arms"][1]["exploration"]["pictures"]
    assert len(pictures["better"]) > 50 > len(pictures["worse"])  # 2 points of 4000 are 80
    assert tree["error_change"] == pytest.approx(-tree["difference"] / (1 - tree["arms"][0]["accuracy"]))
    assert -1 <= tree["arms"][1]["seed_correlation"] <= 1


def test_sentences_of_the_five_words():
    better = judge(outcomes((0.90, 0.92), images=10_000, seconds=60, luck=0.001), Rules())
    number = r"\+\d\.\d\d"
    bounds = rf"{number} points \(95 % sure: {number} to {number}\)"
    expected = rf"arm1 is clearly better: {bounds}, 10 runs each, about 1 error in \d+ fewer\."
    assert re.fullmatch(expected, sentence(better, reader="en"))
    number = r"\+\d,\d\d"
    bounds = rf"{number} Punkte \(zu 95 % sicher: {number} bis {number}\)"
    expected = rf"arm1 ist klar besser: {bounds}, je 10 Läufe, etwa 1 Fehler von \d+ weniger\."
    assert re.fullmatch(expected, sentence(better, reader="de"))
    same = judge(outcomes((0.93, 0.93), images=10_000), Rules())
    most, limit = map(float, re.search(r"at most (.*) points, below your limit of (.*) \(", sentence(same, reader="en")).groups())
    assert 100 * max(-same.leading.interval.low, same.leading.interval.high) <= most <= limit
    assert sentence(same, reader="de").startswith("Praktisch gleich: ")
    open_ = judge(outcomes((0.93, 0.9325), runs=3, luck=0.003, images=10_000), Rules())
    expected = r"Not enough runs: so far .* points for arm1, could be .* to .*\. About .* more runs each \(about .* minutes\) "
    assert re.match(expected, sentence(open_, reader="en"))
    assert re.match(r"Zu wenige Läufe: bisher .* Punkte für arm1, möglich sind .* bis .*\. Etwa ", sentence(open_, reader="de"))
    explored = judge(outcomes((0.90, 0.92)), Rules(), exploratory=True)
    assert sentence(explored, reader="en").startswith("Exploratory only: ")


def test_a_faster_arm_is_named_with_its_factor():
    data = outcomes((0.93, 0.93), images=10_000)
    slow = arm("slow", data.arms[0].correct, data.arms[0].seconds * 1.6)
    text = sentence(judge(Outcomes((slow, data.arms[1]), data.labels, data.classes), Rules()), reader="en")
    assert "arm1 trains 1.6 times as fast." in text


FORBIDDEN = re.compile(r"signifi|p-value|p-wert|best seed|bester startwert|\d[.,]\d{3,}|nan|inf\b", re.IGNORECASE)


@settings(max_examples=25)
@given(st.integers(2, 10), st.floats(0.5, 0.999), st.floats(-0.05, 0.05), st.floats(0, 0.01), st.integers(0, 1000), st.booleans())
def test_no_sentence_says_a_forbidden_word(runs, accuracy, step, luck, seed, lost):
    data = outcomes(
        (accuracy, min(1.0, accuracy + step)), runs=runs, images=400, luck=luck, seed=seed, diverged=(0,) if lost else ()
    )
    found = judge(data, Rules(looks=(runs,), alphas=(0.05,), cap=runs))
    for reader in ("en", "de"):
        assert not FORBIDDEN.search(sentence(found, reader=reader))
        assert not FORBIDDEN.search(small_print(found, comparisons=3, tta=True, reader=reader))
    json.dumps(document(found), allow_nan=False)


def test_points_have_a_sign_only_where_there_is_something_to_sign():
    assert [points(value, "en") for value in (0.0042, -0.0042, 0.00001, -0.0)] == ["+0.42", "\u22120.42", "0.00", "0.00"]


def state(value, deviation, image, runs=5):
    spreads = (deviation**2, deviation**2)
    degrees = degrees_of_freedom(spreads, (runs, runs), image**2)
    return Difference(value, spreads, (runs, runs), 2 * deviation**2 / runs, image**2, degrees)


def test_chance_to_settle_is_what_a_simulation_of_the_future_finds():
    chance, delta, after = np.random.default_rng(8), 0.003, 10
    for value, deviation, image in [(0.0015, 0.002, 0.0003), (0.0, 0.0015, 0.0005), (0.003, 0.003, 0.0001)]:
        now = state(value, deviation, image)
        spread = math.sqrt(2 * deviation**2 * (1 / 5 - 1 / after))
        future = value + spread * chance.standard_t(degrees_of_freedom(now.run_variances, (5, 5)), 100_000)
        reach = state(value, deviation, image, runs=after).interval(0.025).high - value
        settled = (np.abs(future) > reach) | (np.abs(future) < delta - reach)
        assert chance_to_settle(now, after, alpha=0.025, margin=delta) == pytest.approx(settled.mean(), abs=0.006)


def test_a_question_far_from_every_edge_needs_few_runs_and_an_open_one_many():
    rules, looks = Rules(margin=0.003), schedule(Rules())
    early = [
        outlook(state(value, 0.0015, 0.0002, runs=3), margin=0.003, rules=rules, look=looks[0], images=10_000)
        for value in (0.004, 0.0015)
    ]
    assert early[0].more[0] <= early[1].more[0]
    assert early[0].more[0] < early[0].more[1]  # three runs: a range
    late = outlook(state(0.0015, 0.003, 0.0002, runs=10), margin=0.003, rules=rules, look=looks[2], images=10_000)
    assert late.fresh  # the plan is used up
    assert late.limit > 0.8
    blocked = outlook(state(0.001, 0.0005, 0.004, runs=10), margin=0.003, rules=rules, look=looks[2], images=1000)
    assert blocked.hopeless
    assert blocked.more is None
    # z sqrt(V) = 1.96 * 0.4 points must shrink to 0.15: (7.84/1.5)² times as many pictures
    assert blocked.images == pytest.approx(1000 * (2 * 1.959964 * 0.004 / 0.003) ** 2, rel=1e-3)


def test_an_arm_may_be_measured_against_another_than_the_first() -> None:
    chance = np.random.default_rng(3)
    arms = tuple(arm(name, chance.random((3, 400)) < ease, [1, 1, 1]) for name, ease in (("a", 0.6), ("b", 0.7), ("c", 0.9)))
    outcomes = Outcomes(arms, labels=np.zeros(400, np.int64), classes=("all",))
    found = judge(outcomes, Rules(), against=(0, 1))
    assert [(one.challenger, one.baseline) for one in found.findings] == [("b", "a"), ("c", "b")]
    assert found.findings[1].difference == difference(arms[1], arms[2])
    assert found.findings[0].margin == judge(outcomes, Rules()).findings[0].margin  # still that of the first arm
    assert sentence(found, found.findings[1], reader="en").startswith("c is clearly better than b: +")
    assert sentence(found, found.findings[1], reader="de").startswith("c ist klar besser als b: +")
