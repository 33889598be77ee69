"""The whole evaluation: complete, stable as JSON, readable as text and HTML in both languages."""

import json
import subprocess
import sys
import time

import numpy as np
import pytest
import sklearn.metrics as oracle

from wiesel.errors import DamagedEvaluation, LogitNotFinite, NothingToMeasure, UnfitArray
from wiesel.evaluation import Evaluation, evaluate_predictions
from wiesel.evaluation.calibration import calibration
from wiesel.evaluation.intervals import wilson
from wiesel.evaluation.measures import ConfusedClass, MixedPair
from wiesel.evaluation.probabilities import outcomes, softmax

CLOTHES = ("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot")


def random_split(seed, pictures, classes):
    draw = np.random.default_rng(seed)
    labels = draw.integers(0, classes, pictures)
    logits = draw.normal(0, 1.5, (pictures, classes)).astype(np.float32)
    logits[np.arange(pictures), labels] += 3
    return labels, logits


@pytest.fixture(scope="module")
def clothes():
    labels, logits = random_split(0, 2000, 10)
    return labels, logits, evaluate_predictions(labels, logits, CLOTHES)


def test_every_number_is_the_one_computed_apart(clothes):
    labels, logits, found = clothes
    predicted = logits.argmax(axis=1)
    hits = int((predicted == labels).sum())
    assert found.n == 2000
    assert found.accuracy == wilson(hits, 2000)
    assert found.balanced_accuracy == pytest.approx(oracle.balanced_accuracy_score(labels, predicted), abs=1e-12)
    np.testing.assert_array_equal(found.matrix, oracle.confusion_matrix(labels, predicted))
    for k in (3, 5):
        expected = oracle.top_k_accuracy_score(labels, logits, k=k)
        assert {row.k: row.accuracy.value for row in found.top}[k] == pytest.approx(expected, abs=1e-12)
    table = oracle.classification_report(labels, predicted, target_names=CLOTHES, output_dict=True)
    for row in found.per_class:
        theirs = table[row.name]
        assert [row.precision.value, row.recall.value, row.f1] == pytest.approx(
            [theirs[key] for key in ("precision", "recall", "f1-score")]
        )
        assert row.support == theirs["support"]
        assert row.recall == wilson(round(row.recall.value * row.support), row.support)
        assert row.precision == wilson(round(row.precision.value * row.predicted), row.predicted)
    for ours, theirs in ((found.macro, table["macro avg"]), (found.weighted, table["weighted avg"])):
        assert [ours.precision, ours.recall, ours.f1] == pytest.approx(
            [theirs[key] for key in ("precision", "recall", "f1-score")], abs=1e-12
        )
    assert found.nll == pytest.approx(oracle.log_loss(labels, softmax(logits)), abs=1e-12)
    assert found.brier == pytest.approx(oracle.brier_score_loss(labels, softmax(logits)), abs=1e-12)
    each = outcomes(labels, logits)
    assert found.calibration == calibration(each.confidence, each.correct, scheme="width")
    assert found.calibration_mass == calibration(each.confidence, each.correct, scheme="mass")
    assert found.margins.p50 == np.median(each.margin)
    assert found.margins.p05 < found.margins.p25 < found.margins.p50 < found.margins.p75 < found.margins.p95
    assert len(found.mistakes) == 25
    for mistake, after in zip(found.mistakes, found.mistakes[1:], strict=False):
        assert mistake.confidence >= after.confidence
        assert labels[mistake.index] == mistake.truth != mistake.prediction == predicted[mistake.index]


def test_the_lab_sheets_question_which_four_are_confused_most_has_its_answer():
    # Shirts are called T-shirts three times and coats once, a coat a shirt twice, a sneaker a boot once; the rest is right.
    labels = np.array([6, 6, 6, 6, 4, 4, 7, 0, 1, 9])
    predicted = np.array([0, 0, 0, 4, 6, 6, 9, 0, 1, 9])
    found = evaluate_predictions(labels, np.eye(10)[predicted], CLOTHES)
    assert found.most_confused_classes == (
        ConfusedClass(6, 6, 4, 2),
        ConfusedClass(0, 3, 0, 3),
        ConfusedClass(4, 3, 2, 1),
        ConfusedClass(7, 1, 1, 0),  # as many errors as class 9, which stands later in the list
    )
    assert found.mixed_pairs[:2] == (MixedPair(0, 6, 3, 0, 3), MixedPair(4, 6, 3, 2, 1))


def test_json_comes_back_as_the_same_evaluation(clothes):
    found = clothes[2]
    text = json.dumps(found.to_json(), allow_nan=False)
    assert Evaluation.from_json(json.loads(text)) == found
    assert json.dumps(Evaluation.from_json(json.loads(text)).to_json()) == json.dumps(found.to_json())
    assert Evaluation.from_json({**json.loads(text), "added_later": 1}) == found


def test_json_keys_are_stable_and_the_same_in_every_language(clothes, monkeypatch):
    labels, logits, found = clothes
    monkeypatch.setenv("WIESEL_LANG", "de")
    plain = evaluate_predictions(labels, logits, CLOTHES).to_json()
    assert plain == found.to_json()
    assert list(plain) == [
        *("n", "classes", "accuracy", "balanced_accuracy", "top", "macro", "weighted", "per_class", "never_predicted", "absent"),
        *("confusion", "most_confused_classes", "confused_pairs", "mixed_pairs", "nll", "brier", "margins", "tied", "mistakes"),
        *("calibration", "calibration_mass"),
    ]
    assert plain["accuracy"] == {"value": found.accuracy.value, "low": found.accuracy.low, "high": found.accuracy.high}
    assert list(plain["per_class"][0]) == ["name", "precision", "recall", "f1", "support", "predicted"]
    assert list(plain["calibration"]) == ["scheme", "ece", "noise", "mce", "bins"]
    assert list(plain["calibration"]["bins"][0]) == ["low", "high", "count", "confidence", "accuracy"]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda plain: plain.pop("nll"), "nll"),
        (lambda plain: plain.update(n="2000"), r"\$.n"),
        (lambda plain: plain["accuracy"].pop("low"), r"\$.accuracy"),
        (lambda plain: plain["confusion"].pop(), "disagree"),
        (lambda plain: plain["confusion"][0].pop(), "disagree"),
        (lambda plain: plain["classes"].append("Hat"), "disagree"),
        (lambda plain: plain.update(n=1999), "disagree"),
    ],
)
def test_json_of_something_else_is_refused_with_its_place(clothes, change, says):
    plain = clothes[2].to_json()
    change(plain)
    with pytest.raises(DamagedEvaluation, match=says):
        Evaluation.from_json(plain)
    with pytest.raises(DamagedEvaluation):
        Evaluation.from_json([])


def test_a_split_without_some_classes_can_be_measured():
    labels, logits = random_split(1, 60, 4)
    logits[:, 3] = -9
    logits[labels == 3, 0] += 9
    labels[labels == 3] = 0
    found = evaluate_predictions(labels, np.hstack([logits, np.full((60, 1), -9)]), ["a", "b", "c", "d", "e"])
    assert found.absent == found.never_predicted == (3, 4)
    assert found.per_class[3].support == 0
    assert (found.per_class[3].recall.low, found.per_class[3].recall.high) == (0, 1)
    assert found.balanced_accuracy == pytest.approx(np.mean([row.recall.value for row in found.per_class[:3]]))
    json.dumps(found.to_json(), allow_nan=False)
    assert "no picture in this split, recall set to 0: d, e" in found.classification_report("en")


@pytest.mark.parametrize("size", [1e4, 3e38])
def test_extreme_logits_give_finite_numbers_only(size):
    logits = (np.random.default_rng(2).choice([-1.0, 0, 1], size=(50, 4)) * size).astype(np.float32)
    found = evaluate_predictions(np.arange(50) % 4, logits, "abcd")
    assert Evaluation.from_json(json.loads(json.dumps(found.to_json(), allow_nan=False))) == found
    assert found.tied == int(((logits == logits.max(axis=1, keepdims=True)).sum(axis=1) > 1).sum())
    assert found.tied > 5


def test_one_picture_is_enough():
    found = evaluate_predictions([1], [[0.0, 2.0]], ["no", "yes"])
    assert found.accuracy == wilson(1, 1)
    assert found.top == ()
    assert found.mistakes == found.confused_pairs == found.most_confused_classes == ()


def test_what_cannot_be_measured_is_refused():
    with pytest.raises(NothingToMeasure):
        evaluate_predictions([], np.zeros((0, 3)), "abc")
    with pytest.raises(LogitNotFinite, match=r"\[1, 2\]"):
        evaluate_predictions([0, 1], [[0, 0, 0], [0, 0, np.nan]], "abc")
    with pytest.raises(UnfitArray, match=r"\(2, 3\).*\(N, 4\)"):
        evaluate_predictions([0, 1], np.zeros((2, 3)), "abcd")


REPORT = """\
              precision  recall [95 % interval]  f1-score  support

         Cat      0.667    0.500 [0.150, 0.850]     0.571        4
   Dachshund      0.600    0.750 [0.301, 0.954]     0.667        4
         Owl      0.000    0.000                    0.000        0

    accuracy               0.625 [0.306, 0.863]                  8
   macro avg      0.633    0.625                    0.619        8
weighted avg      0.633    0.625                    0.619        8

never predicted, precision set to 0: Owl

no picture in this split, recall set to 0: Owl
"""


def pets():
    # Four cats, two called dachshund; four dachshunds, one called cat: 2 of 3 called cat and 3 of 5 called dachshund are right.
    predicted = np.array([0, 0, 1, 1, 1, 1, 1, 0])
    return evaluate_predictions([0, 0, 0, 0, 1, 1, 1, 1], np.eye(3)[predicted], ["Cat", "Dachshund", "Owl"])


def test_the_report_reads_like_this():
    assert pets().classification_report("en") == REPORT


def test_the_german_report_has_the_same_numbers_in_german(monkeypatch):
    german = pets().classification_report("de")
    assert "Präzision  Recall [95-%-Intervall]  F1-Score  Anzahl" in german
    assert "0,500 [0,150; 0,850]" in german
    assert "nie vorhergesagt, Präzision auf 0 gesetzt: Owl" in german
    assert "." not in german
    monkeypatch.setenv("WIESEL_LANG", "de")
    assert pets().classification_report() == german
    assert pets().classification_report("en") == REPORT


def test_report_columns_line_up_for_names_of_any_script():
    names = ["猫", "Größe", "e\N{COMBINING ACUTE ACCENT}tage\x1b[31m\n", "x" * 200]
    labels, logits = random_split(3, 200, 4)
    lines = evaluate_predictions(labels, logits, names).classification_report("en").splitlines()
    assert len(lines) == 10
    cat, size, stage, long = (len(line) for line in lines[2:6])
    assert size == long == len(lines[0]) == len(lines[-1])
    assert (cat, stage) == (size - 1, size + 1)  # one character takes two columns, two characters take one
    assert "\x1b" not in "".join(lines)


def test_html_shows_the_headline_and_escapes_class_names(clothes, monkeypatch):
    monkeypatch.setenv("WIESEL_LANG", "de")
    html = clothes[2]._repr_html_()
    assert html.count("<tr>") == 11
    assert clothes[2].accuracy.percent(2) in html
    assert "Genauigkeit" in html
    labels, logits = random_split(4, 300, 40)
    html = evaluate_predictions(labels, logits, [f"<script>{i}" for i in range(40)])._repr_html_()
    assert "<script>" not in html
    assert html.count("<tr>") == 31
    assert "und 10 weitere Klassen" in html


def test_a_full_test_split_takes_a_moment():
    labels, logits = random_split(5, 10_000, 10)
    seconds = []
    for resamples in (0, 0, 0, 300):
        start = time.process_time()
        evaluate_predictions(labels, logits, CLOTHES, resamples=resamples)
        seconds.append(time.process_time() - start)
    assert min(seconds[:3]) < 0.1
    assert seconds[3] < 1


def test_evaluating_loads_neither_torch_nor_scipy_nor_scikit_learn():
    code = (
        "import sys, wiesel.evaluation as e; e.evaluate_predictions([0, 1], [[1, 0], [1, 0]], 'ab').classification_report();"
        "print([m for m in ('torch', 'scipy', 'sklearn', 'matplotlib') if m in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"
