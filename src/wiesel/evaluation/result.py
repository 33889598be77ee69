"""All numbers about one split as one value: `evaluate_predictions(labels, logits, classes) -> Evaluation` <-> `evaluation.json`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np
from numpy.typing import ArrayLike, NDArray

from wiesel.errors import DamagedEvaluation
from wiesel.evaluation.calibration import Calibration, calibration
from wiesel.evaluation.checking import checked_labels, checked_logits
from wiesel.evaluation.intervals import Interval, wilson, wilson_bounds
from wiesel.evaluation.measures import (
    Average,
    ConfusedClass,
    ConfusedPair,
    MixedPair,
    average,
    balanced_accuracy,
    class_measures,
    confused_pairs,
    confusion_matrix,
    mixed_pairs,
    most_confused_classes,
)
from wiesel.evaluation.probabilities import Outcomes, confident_mistakes, outcomes
from wiesel.language import Language


@dataclass(frozen=True)
class TopK:
    """How often the truth was among the `k` largest logits."""

    k: int
    accuracy: Interval


@dataclass(frozen=True)
class ClassResult:
    """One class; precision and recall with Wilson intervals (0..1 as bounds and 0 as value where there is no denominator)."""

    name: str
    precision: Interval
    recall: Interval
    f1: float
    support: int
    predicted: int


@dataclass(frozen=True)
class Quantiles:
    """5 %, 25 %, 50 %, 75 % and 95 % of the pictures lie below."""

    p05: float
    p25: float
    p50: float
    p75: float
    p95: float


@dataclass(frozen=True)
class Mistake:
    """A wrong picture: its index in the split, two classes by index, and how sure the network was (0..1)."""

    index: int
    truth: int
    prediction: int
    confidence: float


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """How good is this network on this split? Classes are indices into `classes`; intervals are at 95 %."""

    n: int
    """Pictures measured."""
    classes: tuple[str, ...]
    accuracy: Interval
    balanced_accuracy: float
    """Mean recall over the classes that have pictures."""
    top: tuple[TopK, ...]
    """For k = 3 and 5, as far as there are more classes than that."""
    macro: Average
    weighted: Average
    per_class: tuple[ClassResult, ...]
    never_predicted: tuple[int, ...]
    """Classes whose precision is 0 for want of a denominator."""
    absent: tuple[int, ...]
    """Classes whose recall is 0 for want of a denominator: the split has no picture of them."""
    confusion: tuple[tuple[int, ...], ...]
    """K rows (truth) of K counts (prediction)."""
    most_confused_classes: tuple[ConfusedClass, ...]
    confused_pairs: tuple[ConfusedPair, ...]
    mixed_pairs: tuple[MixedPair, ...]
    nll: float
    """Mean negative log-likelihood, nats."""
    brier: float
    """0..2."""
    margins: Quantiles
    """Logit of the truth minus the best other one."""
    tied: int
    """Pictures with several largest logits; the first class in the list won."""
    mistakes: tuple[Mistake, ...]
    """The most confident ones, at most 25."""
    calibration: Calibration
    """With 15 bins of equal width."""
    calibration_mass: Calibration
    """With 15 bins of equally many pictures."""

    def __post_init__(self) -> None:
        size, rows = len(self.classes), self.confusion
        if not (
            len(rows) == len(self.per_class) == size and all(len(row) == size for row in rows) and sum(map(sum, rows)) == self.n
        ):
            raise ValueError("classes, per_class, confusion and n disagree")

    @property
    def matrix(self) -> NDArray[np.int64]:
        """`confusion` as an array (K, K)."""
        return np.array(self.confusion, np.int64)

    def to_json(self) -> dict[str, Any]:
        """Lists, strings, finite numbers and dictionaries with English keys, the same in every language."""
        plain: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(self))  # there and back: tuples become lists
        return plain

    @classmethod
    def from_json(cls, plain: dict[str, Any]) -> Evaluation:
        """What `to_json` gave; keys that are not known are ignored.

        Raises:
            DamagedEvaluation: a key is missing, a value has another type, or the sizes disagree.
        """
        try:
            return msgspec.convert(plain, cls)
        except msgspec.ValidationError as error:
            raise DamagedEvaluation(cause=str(error)) from error

    def classification_report(self, language: Language | None = None) -> str:
        """Precision, recall with interval, F1 and support per class as aligned text; `language` None: the reader's."""
        from wiesel.evaluation.tables import classification_report

        return classification_report(self, language)

    def _repr_html_(self) -> str:
        from wiesel.evaluation.tables import summary_html

        return summary_html(self)


def evaluate_predictions(
    labels: ArrayLike, logits: ArrayLike, classes: Sequence[str], *, resamples: int = 300, rng: np.random.Generator | None = None
) -> Evaluation:
    """Every measure of labels (N,) and logits (N, K) for K class names.

    `resamples` and `rng` are for the interval of the calibration error alone (see `calibration`); 0 leaves it out. Without `rng`
    the result is a pure function of the data.

    Raises:
        NothingToMeasure, UnfitArray, LogitNotFinite, LabelOutside: the arrays cannot be measured; names array, index and value.
    """
    size = len(classes)
    scores = checked_logits(logits, classes=size)
    truth = checked_labels(labels, classes=size, pictures=len(scores))
    found = outcomes(truth, scores)
    matrix = confusion_matrix(truth, found.predicted, size)
    measures = class_measures(matrix)
    n, hits = len(truth), int(np.trace(matrix))
    return Evaluation(
        n=n,
        classes=tuple(str(name) for name in classes),
        accuracy=wilson(hits, n),
        balanced_accuracy=balanced_accuracy(matrix),
        top=tuple(TopK(k, wilson(int((found.rank < k).sum()), n)) for k in (3, 5) if k < size),
        macro=average(measures, "macro"),
        weighted=average(measures, "weighted"),
        per_class=_per_class(classes, matrix),
        never_predicted=measures.never_predicted,
        absent=measures.absent,
        confusion=tuple(map(tuple, matrix.tolist())),
        most_confused_classes=most_confused_classes(matrix),
        confused_pairs=confused_pairs(matrix),
        mixed_pairs=mixed_pairs(matrix),
        nll=float(found.loss.mean()),
        brier=float(found.squared_error.mean()),
        margins=Quantiles(*np.quantile(found.margin, (0.05, 0.25, 0.5, 0.75, 0.95)).tolist()),
        tied=int(found.tied.sum()),
        mistakes=_mistakes(found),
        calibration=calibration(found.confidence, found.correct, scheme="width", resamples=resamples, rng=rng),
        calibration_mass=calibration(found.confidence, found.correct, scheme="mass", resamples=resamples, rng=rng),
    )


def _per_class(classes: Sequence[str], matrix: NDArray[np.int64]) -> tuple[ClassResult, ...]:
    measures, hits = class_measures(matrix), np.diag(matrix)
    precision = zip(
        measures.precision.tolist(), *(bound.tolist() for bound in wilson_bounds(hits, measures.predicted)), strict=True
    )
    recall = zip(measures.recall.tolist(), *(bound.tolist() for bound in wilson_bounds(hits, measures.support)), strict=True)
    return tuple(
        ClassResult(str(name), Interval(*p), Interval(*r), f1, support, predicted)
        for name, p, r, f1, support, predicted in zip(
            classes, precision, recall, measures.f1.tolist(), measures.support.tolist(), measures.predicted.tolist(), strict=True
        )
    )


def _mistakes(found: Outcomes) -> tuple[Mistake, ...]:
    return tuple(
        Mistake(i, int(found.label[i]), int(found.predicted[i]), float(found.confidence[i]))
        for i in confident_mistakes(found).tolist()
    )
