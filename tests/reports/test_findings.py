"""What a finding says follows from the numbers, also where the numbers turn round."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from wiesel.evaluation import Evaluation, evaluate_predictions
from wiesel.reports import findings
from wiesel.reports.facts import Facts
from wiesel.reports.words import Words

EN, DE = Words("en"), Words("de")


def evaluation(confusion: list[list[int]], names: str = "abc") -> Evaluation:
    """With exactly this confusion matrix, all answers 90 % sure."""
    labels, said = [], []
    for truth, row in enumerate(confusion):
        for prediction, count in enumerate(row):
            labels += [truth] * count
            said += [prediction] * count
    size = len(confusion)
    logits = np.log(np.where(np.eye(size)[said] == 1, 0.9, 0.1 / (size - 1)))
    return evaluate_predictions(labels, logits, list(names[:size]), resamples=20)


def with_confusion(facts: Facts, confusion: list[list[int]]) -> Facts:
    return replace(facts, evaluation=evaluation(confusion), classes=tuple("abc"[: len(confusion)]))


def test_the_four_most_confused_classes_are_named_with_their_errors(facts: Facts) -> None:
    said = " ".join(findings.confusion(facts, EN))
    for one in facts.evaluation.most_confused_classes:
        assert f"“{facts.classes[one.index]}” ({one.errors} errors)" in said
    assert "The 4 classes confused most" in said


def test_the_pair_mixed_up_most_counts_both_directions(facts: Facts) -> None:
    said = findings.confusion(with_confusion(facts, [[5, 3, 0], [4, 9, 1], [0, 0, 9]]), EN)[0]
    assert said.startswith("8 of 31 test pictures were named wrongly. “a” and “b” are mixed up most: 7 errors, 3 one way and 4")


def test_without_errors_nothing_is_called_confused(facts: Facts) -> None:
    perfect = with_confusion(facts, [[5, 0], [0, 5]])
    assert findings.confusion(perfect, DE) == ["Alle 10 Testbilder wurden richtig benannt; nichts wurde verwechselt."]
    assert findings.classes(perfect, EN) == ["Precision, recall and F1 are 1 for every class."]
    assert "no mistakes" in findings.mistakes(replace(perfect, mistakes=()), EN)[0]


@pytest.mark.parametrize(
    ("confusion", "said"),
    [
        ([[4, 6], [0, 10]], "“a” is named too rarely: what is called so is right in 100 % of the cases, but 60 % of the real"),
        ([[10, 0, 0], [0, 3, 7], [0, 0, 10]], "“b” is named too rarely"),
        ([[6, 0, 0], [14, 26, 0], [0, 0, 9]], "“a” is named too readily: 100 % of the real ones are found, but 70 % of what"),
        ([[5, 5], [5, 5]], "“a” is missed about as often as it is claimed wrongly (precision 0.500, recall 0.500)"),
        ([[0, 5], [1, 5]], "Not one picture of “a” was found."),
    ],
)
def test_the_hardest_class_is_interpreted_by_precision_and_recall(facts: Facts, confusion: list[list[int]], said: str) -> None:
    found = findings.classes(with_confusion(facts, confusion), EN)
    assert said in found[1].replace("\N{NARROW NO-BREAK SPACE}", " ")


def test_confidence_is_judged_only_beyond_chance(facts: Facts) -> None:
    def kind(confusion: list[list[int]]) -> str:
        return findings.calibration(with_confusion(facts, confusion), EN)[0]

    assert "fits" in kind([[90, 10], [10, 90]])
    assert "too sure" in kind([[50, 50], [50, 50]])
    assert "not sure enough" in kind([[300, 0], [0, 300]])


def test_gaps_between_training_and_validation_are_said_in_points(facts: Facts) -> None:
    epochs = facts.history.epochs

    def said(train: float, best: int = 1) -> list[str]:
        rows = tuple(replace(row, train_accuracy=train, validation_accuracy=0.8) for row in epochs)
        return findings.curves(replace(facts, history=replace(facts.history, epochs=rows, best=best)), DE)

    assert "um 10,0 Prozentpunkte besser" in said(0.9)[1]
    assert "5,0 Prozentpunkte weniger" in said(0.75)[1]
    assert "fast gleich" in said(0.805)[1]
    assert "mehr Epochen" in said(0.9, best=len(epochs))[-1]
    assert findings.curves(replace(facts, history=replace(facts.history, epochs=(), best=0)), EN) == [EN("curves.none")]


def test_epochs_with_small_pictures_are_said(facts: Facts) -> None:
    assert not any("smaller pictures" in one for one in findings.curves(facts, EN))
    rows = tuple(replace(row, resolution={1: 16, 2: 20}.get(row.epoch, 0)) for row in facts.history.epochs)
    said = findings.curves(replace(facts, history=replace(facts.history, epochs=rows)), EN)
    assert any("Up to epoch 2" in one and "(16 and 20 pixels" in one for one in said)


def test_warnings_come_with_their_cause_and_only_then(facts: Facts) -> None:
    calm = replace(
        with_confusion(facts, [[1900, 100], [100, 1900]]),
        origin=replace(facts.origin, looks=1, warnings=(), left_out=()),
        history=replace(facts.history, planned=facts.history.done, resumed=0),
    )
    assert findings.warnings(calm, EN) == []
    loud = replace(
        with_confusion(facts, [[3, 0, 4], [0, 0, 0], [2, 0, 1]]),
        origin=replace(facts.origin, looks=3, warnings=("12 copies",), left_out=(("a.txt", "no picture"),)),
        history=replace(facts.history, planned=99, resumed=2),
        has_pictures=False,
    )
    said = "\n".join(findings.warnings(loud, EN))
    for part in (
        *(
            "With 10 test pictures",
            "2 classes have fewer than 20",
            "no better than",
            "No picture was called “b”",
            "no test picture of “b”",
        ),
        *("after 4 of 99 epochs", "resumed 2 times", "looked at 3 times", "1 file of the source was not used", "12 copies"),
        "not available for this report",
    ):
        assert part in said


def test_every_finding_can_be_said_in_both_languages(facts: Facts) -> None:
    for section, say in findings.FINDINGS.items():
        for words in (EN, DE):
            sentences = say(facts, words)
            assert sentences, section
            assert all(sentence.endswith((".", ":")) and "{" not in sentence for sentence in sentences)
