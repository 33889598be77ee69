"""Counts against scikit-learn, against numbers a person can check, and under relabelling of the classes."""

import numpy as np
import pytest
import sklearn.metrics as oracle
from hypothesis import given
from hypothesis import strategies as st

from wiesel.errors import LabelOutside, NothingToMeasure, UnfitArray
from wiesel.evaluation.measures import (
    ConfusedClass,
    ConfusedPair,
    MixedPair,
    accuracy,
    average,
    balanced_accuracy,
    class_measures,
    confused_pairs,
    confusion_matrix,
    mixed_pairs,
    most_confused_classes,
)


def random_split(seed, pictures, classes):
    """Labels of very unequal frequency and predictions that are right three times in four."""
    draw = np.random.default_rng(seed)
    frequency = draw.dirichlet(np.ones(classes))
    labels = draw.choice(classes, size=pictures, p=frequency)
    return labels, np.where(draw.random(pictures) < 0.75, labels, draw.integers(0, classes, pictures))


SPLITS = [(0, 1000, 10), (1, 57, 3), (2, 5000, 100), (3, 8, 2), (4, 12, 30)]
every_split = pytest.mark.parametrize(("seed", "pictures", "classes"), SPLITS)


@every_split
def test_the_matrix_is_scikit_learns(seed, pictures, classes):
    labels, predicted = random_split(seed, pictures, classes)
    expected = oracle.confusion_matrix(labels, predicted, labels=range(classes))
    np.testing.assert_array_equal(confusion_matrix(labels, predicted, classes), expected)


@every_split
@pytest.mark.filterwarnings("ignore:y_pred contains classes not in y_true")
def test_accuracies_are_scikit_learns(seed, pictures, classes):
    labels, predicted = random_split(seed, pictures, classes)
    matrix = confusion_matrix(labels, predicted, classes)
    assert accuracy(matrix) == pytest.approx(oracle.accuracy_score(labels, predicted), abs=1e-12)
    assert balanced_accuracy(matrix) == pytest.approx(oracle.balanced_accuracy_score(labels, predicted), abs=1e-12)


@every_split
def test_precision_recall_f1_and_support_per_class_are_scikit_learns(seed, pictures, classes):
    labels, predicted = random_split(seed, pictures, classes)
    found = class_measures(confusion_matrix(labels, predicted, classes))
    expected = oracle.precision_recall_fscore_support(labels, predicted, labels=range(classes), zero_division=0)
    for ours, theirs in zip((found.precision, found.recall, found.f1, found.support), expected, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-12)


@every_split
@pytest.mark.parametrize("weights", ["macro", "weighted"])
def test_averages_are_scikit_learns(seed, pictures, classes, weights):
    labels, predicted = random_split(seed, pictures, classes)
    found = average(class_measures(confusion_matrix(labels, predicted, classes)), weights)
    expected = oracle.precision_recall_fscore_support(labels, predicted, average=weights, zero_division=0)[:3]
    assert (found.precision, found.recall, found.f1) == pytest.approx(expected, abs=1e-12)


# Three cats, one of them called dog; four dogs, two of them called cat; no cow, but one fox, which was called cow.
LABELS, PREDICTED = [0, 0, 0, 1, 1, 1, 1, 3], [0, 0, 1, 1, 1, 0, 0, 2]


def test_a_split_that_a_person_can_count():
    matrix = confusion_matrix(LABELS, PREDICTED, 4)
    assert matrix.tolist() == [[2, 1, 0, 0], [2, 2, 0, 0], [0, 0, 0, 0], [0, 0, 1, 0]]
    assert accuracy(matrix) == 4 / 8
    assert balanced_accuracy(matrix) == pytest.approx((2 / 3 + 2 / 4 + 0) / 3)
    found = class_measures(matrix)
    assert found.precision.tolist() == [2 / 4, 2 / 3, 0, 0]
    assert found.recall.tolist() == [2 / 3, 2 / 4, 0, 0]
    assert found.f1.tolist() == pytest.approx([4 / 7, 4 / 7, 0, 0])
    assert found.support.tolist() == [3, 4, 0, 1]


def test_classes_without_a_denominator_are_named():
    found = class_measures(confusion_matrix(LABELS, PREDICTED, 5))
    assert found.never_predicted == (3, 4)
    assert found.absent == (2, 4)


def test_a_class_that_nobody_saw_or_said_does_not_lower_the_macro_average():
    seen = average(class_measures(confusion_matrix(LABELS, PREDICTED, 4)), "macro")
    assert average(class_measures(confusion_matrix(LABELS, PREDICTED, 9)), "macro") == seen
    assert seen.recall == pytest.approx((2 / 3 + 2 / 4 + 0 + 0) / 4)


# Rows: truth. Between 0 and 1: 5 + 4 errors; from 2 to 3: 6; from 3 to 0: 5.
MATRIX = np.array([[50, 5, 0, 0], [4, 50, 0, 0], [0, 0, 44, 6], [5, 0, 0, 45]])


def test_directed_pairs_are_sorted_by_count_then_by_truth():
    assert confused_pairs(MATRIX) == (
        ConfusedPair(2, 3, 6, 6 / 50),
        ConfusedPair(0, 1, 5, 5 / 55),  # as many as the next one, but its truth stands first in the list of classes
        ConfusedPair(3, 0, 5, 5 / 50),
        ConfusedPair(1, 0, 4, 4 / 54),
    )
    assert confused_pairs(MATRIX, count=1) == (ConfusedPair(2, 3, 6, 6 / 50),)


def test_mixed_pairs_add_both_directions():
    assert mixed_pairs(MATRIX) == (MixedPair(0, 1, 9, 5, 4), MixedPair(2, 3, 6, 6, 0), MixedPair(0, 3, 5, 0, 5))


def test_the_classes_confused_most_count_an_error_for_its_truth_and_for_its_prediction():
    # 0: missed 5, intruders 4 + 5. 1: missed 4, intruders 5. 2: missed 6. 3: missed 5, intruders 6.
    assert most_confused_classes(MATRIX) == (
        ConfusedClass(0, 14, 5, 9),
        ConfusedClass(3, 11, 5, 6),
        ConfusedClass(1, 9, 4, 5),
        ConfusedClass(2, 6, 6, 0),
    )
    assert sum(row.errors for row in most_confused_classes(MATRIX)) == 2 * (MATRIX.sum() - np.trace(MATRIX))


def test_equally_confused_classes_come_in_the_order_of_the_list():
    ring = 7 * np.eye(6, dtype=np.int64) + np.roll(np.eye(6, dtype=np.int64), 1, axis=1)
    assert [row.index for row in most_confused_classes(ring)] == [0, 1, 2, 3]


def test_without_errors_no_class_is_confused():
    perfect = 7 * np.eye(3, dtype=np.int64)
    assert most_confused_classes(perfect) == confused_pairs(perfect) == mixed_pairs(perfect) == ()


splits = st.integers(2, 7).flatmap(
    lambda classes: st.tuples(
        st.just(classes),
        st.lists(st.tuples(st.integers(0, classes - 1), st.integers(0, classes - 1)), min_size=1, max_size=60),
        st.permutations(range(classes)),
    )
)


@given(splits)
def test_row_sums_are_the_support_and_accuracy_is_the_weighted_recall(split):
    classes, pairs, _ = split
    labels, predicted = np.array(pairs).T
    matrix = confusion_matrix(labels, predicted, classes)
    measures = class_measures(matrix)
    np.testing.assert_array_equal(matrix.sum(axis=1), np.bincount(labels, minlength=classes))
    np.testing.assert_array_equal(measures.support, matrix.sum(axis=1))
    np.testing.assert_array_equal(measures.predicted, np.bincount(predicted, minlength=classes))
    assert average(measures, "weighted").recall == pytest.approx(accuracy(matrix), abs=1e-12)
    assert accuracy(matrix) == pytest.approx(np.mean(labels == predicted), abs=1e-12)


@given(splits)
def test_renaming_the_classes_renames_the_results(split):
    classes, pairs, permutation = split
    labels, predicted = np.array(pairs).T
    new_name = np.array(permutation)
    matrix, renamed = (confusion_matrix(f(labels), f(predicted), classes) for f in (lambda x: x, lambda x: new_name[x]))
    before, after = class_measures(matrix), class_measures(renamed)
    for field in ("precision", "recall", "f1", "support", "predicted"):
        np.testing.assert_array_equal(getattr(after, field)[new_name], getattr(before, field))
    assert balanced_accuracy(renamed) == pytest.approx(balanced_accuracy(matrix), abs=1e-12)
    assert {(new_name[p.truth], new_name[p.prediction], p.count) for p in confused_pairs(matrix, 99)} == {
        (p.truth, p.prediction, p.count) for p in confused_pairs(renamed, 99)
    }
    assert {(frozenset(new_name[[p.first, p.second]].tolist()), p.count) for p in mixed_pairs(matrix, 99)} == {
        (frozenset((p.first, p.second)), p.count) for p in mixed_pairs(renamed, 99)
    }
    assert {(new_name[c.index], c.errors, c.missed) for c in most_confused_classes(matrix, 99)} == {
        (c.index, c.errors, c.missed) for c in most_confused_classes(renamed, 99)
    }


def test_an_empty_split_is_refused():
    with pytest.raises(NothingToMeasure):
        confusion_matrix(np.array([], np.int64), np.array([], np.int64), 3)


@pytest.mark.parametrize(("label", "row"), [(3, 2), (-1, 0)])
def test_a_label_outside_the_classes_is_refused_with_its_place(label, row):
    labels = [0, 1, 2, 0]
    labels[row] = label
    with pytest.raises(LabelOutside, match=rf"labels\[{row}\].* {label}\b"):
        confusion_matrix(labels, [0, 0, 0, 0], 3)


@pytest.mark.parametrize("labels", [[0.0, 1.0], [[0], [1]], ["0", "1"], [0, 1, 1], [True, False]])
def test_labels_that_are_not_one_whole_number_per_picture_are_refused(labels):
    with pytest.raises(UnfitArray):
        confusion_matrix([0, 1], labels, 3)
