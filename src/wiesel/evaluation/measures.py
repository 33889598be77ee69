"""What was taken for what: confusion matrix, accuracy, precision, recall, F1, and the classes that are mixed up.

All of it follows from the confusion matrix, (K, K) counts with rows for the truth and columns for the prediction. A ratio without
a denominator is 0, and the classes concerned are named (`never_predicted`, `absent`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from wiesel.evaluation.checking import checked_labels
from wiesel.evaluation.probabilities import (
    Outcomes,
    brier_score,
    confident_mistakes,
    log_softmax,
    logits_from,
    negative_log_likelihood,
    outcomes,
    softmax,
    top_k_accuracy,
)

__all__ = [
    "Average",
    "ClassMeasures",
    "ConfusedClass",
    "ConfusedPair",
    "MixedPair",
    "Outcomes",
    "accuracy",
    "average",
    "balanced_accuracy",
    "brier_score",
    "class_measures",
    "confident_mistakes",
    "confused_pairs",
    "confusion_matrix",
    "log_softmax",
    "logits_from",
    "mixed_pairs",
    "most_confused_classes",
    "negative_log_likelihood",
    "outcomes",
    "softmax",
    "top_k_accuracy",
]

Counts = NDArray[np.int64]
Floats = NDArray[np.float64]


def confusion_matrix(labels: ArrayLike, predicted: ArrayLike, classes: int) -> Counts:
    """(K, K) counts: row = truth, column = prediction. Row sums are the pictures of a class, the diagonal is what was right."""
    truth = checked_labels(labels, classes=classes)
    guess = checked_labels(predicted, classes=classes, pictures=len(truth), where="predicted")
    return np.bincount(truth * classes + guess, minlength=classes**2).reshape(classes, classes).astype(np.int64, copy=False)


def accuracy(matrix: Counts) -> float:
    """Share of all pictures that were named rightly."""
    return float(np.trace(matrix) / matrix.sum())


def balanced_accuracy(matrix: Counts) -> float:
    """Mean recall over the classes that have pictures: what the accuracy would be if each had equally many."""
    support = matrix.sum(axis=1)
    return float((np.diag(matrix)[support > 0] / support[support > 0]).mean())


@dataclass(frozen=True, eq=False)
class ClassMeasures:
    """Per class; every array has shape (K,)."""

    precision: Floats
    """Of the pictures called so, the share that is so."""
    recall: Floats
    """Of the pictures that are so, the share that was called so."""
    f1: Floats
    """Harmonic mean of both, 2 tp / (2 tp + fp + fn)."""
    support: Counts
    """Pictures of this class."""
    predicted: Counts
    """Pictures called this class."""

    @property
    def never_predicted(self) -> tuple[int, ...]:
        """Classes no picture was called: their precision is set to 0."""
        return tuple(np.flatnonzero(self.predicted == 0).tolist())

    @property
    def absent(self) -> tuple[int, ...]:
        """Classes without a picture: their recall is set to 0."""
        return tuple(np.flatnonzero(self.support == 0).tolist())


def class_measures(matrix: Counts) -> ClassMeasures:
    hits, support, predicted = np.diag(matrix), matrix.sum(axis=1), matrix.sum(axis=0)
    return ClassMeasures(
        precision=hits / np.maximum(predicted, 1),
        recall=hits / np.maximum(support, 1),
        f1=2 * hits / np.maximum(support + predicted, 1),
        support=support,
        predicted=predicted,
    )


@dataclass(frozen=True)
class Average:
    """Precision, recall and F1 averaged over classes."""

    precision: float
    recall: float
    f1: float


def average(measures: ClassMeasures, weights: Literal["macro", "weighted"]) -> Average:
    """`macro`: every class counts the same; `weighted`: every class counts as often as it has pictures (its recall: the accuracy).

    A class that is neither among the truths nor among the predictions is left out of the macro average: nothing is known of it.
    """
    weight = ((measures.support + measures.predicted) > 0) if weights == "macro" else measures.support
    share = weight / weight.sum()
    return Average(*(float(values @ share) for values in (measures.precision, measures.recall, measures.f1)))


@dataclass(frozen=True)
class ConfusedPair:
    """`count` pictures of class `truth` were called `prediction`: `share` of all pictures of `truth`."""

    truth: int
    prediction: int
    count: int
    share: float


def confused_pairs(matrix: Counts, count: int = 10) -> tuple[ConfusedPair, ...]:
    """The most frequent errors in one direction, at most `count`; equal ones in the order of truth, then of prediction."""
    errors = _without_diagonal(matrix)
    support = matrix.sum(axis=1)
    return tuple(
        ConfusedPair(truth, prediction, int(errors[truth, prediction]), float(errors[truth, prediction] / support[truth]))
        for truth, prediction in _largest(errors, count)
    )


@dataclass(frozen=True)
class MixedPair:
    """`count` errors between two classes, `first` before `second` in the list of classes: count = there + back."""

    first: int
    second: int
    count: int
    there: int
    """Pictures of `first` that were called `second`."""
    back: int
    """Pictures of `second` that were called `first`."""


def mixed_pairs(matrix: Counts, count: int = 10) -> tuple[MixedPair, ...]:
    """The pairs of classes that are mixed up most, both directions added; equal ones in the order of first, then of second."""
    both = np.triu(matrix + matrix.T, k=1)
    return tuple(
        MixedPair(first, second, int(both[first, second]), int(matrix[first, second]), int(matrix[second, first]))
        for first, second in _largest(both, count)
    )


@dataclass(frozen=True)
class ConfusedClass:
    """A class and the errors it takes part in: errors = missed + intruders."""

    index: int
    errors: int
    missed: int
    """Its pictures that were called something else (it was the truth)."""
    intruders: int
    """Pictures of other classes that were called this one (it was the prediction)."""


def most_confused_classes(matrix: Counts, count: int = 4) -> tuple[ConfusedClass, ...]:
    """The classes confused most: by the number of errors in which a class takes part, as the truth or as the prediction.

    Every error counts once for each of its two classes, so the sum over all classes is twice the number of errors. Of equally
    confused classes the one that stands first in the list of classes comes first. Classes without an error are not listed, so
    there may be fewer than `count`.
    """
    errors = _without_diagonal(matrix)
    missed, intruders = errors.sum(axis=1), errors.sum(axis=0)
    total = missed + intruders
    order = np.argsort(-total, kind="stable")[:count]
    return tuple(ConfusedClass(int(i), int(total[i]), int(missed[i]), int(intruders[i])) for i in order if total[i])


def _without_diagonal(matrix: Counts) -> Counts:
    errors = matrix.copy()
    np.fill_diagonal(errors, 0)
    return errors


def _largest(table: Counts, count: int) -> list[tuple[int, int]]:
    """(row, column) of the largest positive cells, row by row where they are equal."""
    rows, columns = np.nonzero(table)
    order = np.argsort(-table[rows, columns], kind="stable")[:count]
    return list(zip(rows[order].tolist(), columns[order].tolist(), strict=True))
