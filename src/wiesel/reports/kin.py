"""Training pictures as a network sees them: which are typical of a class, and which are nearest to a picture in question."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from wiesel.batches import EvaluationBatches
from wiesel.batches.memory import with_room
from wiesel.evaluation.measures import Outcomes
from wiesel.explanation.neighbours import features_of, nearest, prototypes
from wiesel.images import DataSet
from wiesel.images.kept import keep, kept
from wiesel.reports.facts import ClassKin, Kin, Nearest, Picture, TrainingPicture
from wiesel.reports.pictures import photograph, reduced
from wiesel.runs.trained import Trained

MOST = 1000
"""Training pictures that a report compares with; each costs one forward pass."""
MOST_CLASSES = 20
PROTOTYPES, MISTAKES, NEAREST, QUESTIONS = 4, 3, 5, 6


@dataclass(frozen=True, eq=False)
class Known:
    """Training pictures and their features."""

    data: DataSet
    rows: NDArray[np.int64]
    """(N,): rows of the training split."""
    features: Tensor
    """float32 (N, D) of length 1."""

    @property
    def labels(self) -> NDArray[np.int64]:
        return self.data.train.labels[self.rows]


def known(model: Trained, data: DataSet, *, most: int | None = None) -> Known:
    """The features of all training pictures, or of `most`, evenly from each class; kept in the user's cache."""
    rows = _evenly(data.train.labels, len(data.classes), most)
    weights = hashlib.sha256(model.run.weights.read_bytes()).hexdigest()
    key = hashlib.sha256(f"1 {weights} {data.fingerprint} {model.preprocessing} {most}".encode()).hexdigest()[:40]
    if (there := kept("features", key, (len(rows), -1), np.float16)) is not None:
        return Known(data, rows, torch.from_numpy(there.astype(np.float32)))
    part = data.train.take(rows)
    batches = EvaluationBatches(part, model.preprocessing, batch=250)
    features = with_room(batches, lambda some: features_of(model.network, (batch.pictures for batch in some)))
    keep("features", key, features.numpy().astype(np.float16))  # neighbours need no more
    return Known(data, rows, features)


def kin_of(
    model: Trained,
    data: DataSet,
    found: Outcomes,
    mistakes: Sequence[int],
    picture: Callable[[int], Picture],
    network_input: Callable[[int], Tensor],
    *,
    longest_side: int,
) -> Kin:
    """For the report. `picture` and `network_input` give the test pictures by their number; `mistakes`: the surest first."""
    those = known(model, data, most=MOST)
    counts = np.bincount(found.label[~found.correct], minlength=len(data.classes))
    chosen = np.sort(np.argsort(-counts, kind="stable")[:MOST_CLASSES])
    typical = prototypes(those.features, torch.from_numpy(those.labels), len(data.classes), PROTOTYPES)
    asked = list(mistakes[:QUESTIONS])

    def shown(row: int, likeness: float) -> TrainingPicture:
        return training_picture(those, row, likeness, longest_side)

    return Kin(
        compared=len(those.rows),
        available=len(data.train),
        classes=tuple(
            ClassKin(
                int(label),
                tuple(shown(row, likeness) for row, likeness in typical[label]),
                tuple(picture(index) for index in _surest(found, int(label))),
            )
            for label in chosen
        ),
        nearest=tuple(
            Nearest(picture(index), tuple(shown(row, likeness) for row, likeness in neighbours))
            for index, neighbours in zip(
                asked, neighbours_of(model, those, (network_input(index) for index in asked), NEAREST) if asked else [], strict=True
            )
        ),
    )


def neighbours_of(model: Trained, those: Known, inputs: Iterator[Tensor], number: int) -> list[list[tuple[int, float]]]:
    """Per preprocessed picture (1, C, H, W) the rows of `those` that are nearest, with their cosines."""
    cosines, rows = nearest(features_of(model.network, inputs), those.features, number)
    return [list(zip(*pair, strict=True)) for pair in zip(rows.tolist(), cosines.tolist(), strict=True)]


def training_picture(those: Known, row: int, likeness: float, longest_side: int) -> TrainingPicture:
    train, place = those.data.train, int(those.rows[row])
    png = photograph(reduced(np.asarray(train.pixels[place]), longest_side).round().astype(np.uint8))
    return TrainingPicture(str(train.names[place]), int(train.labels[place]), likeness, png)


def _surest(found: Outcomes, label: int) -> list[int]:
    wrong = np.flatnonzero((found.label == label) & ~found.correct)
    return [int(row) for row in wrong[np.argsort(found.doubt[wrong], kind="stable")[:MISTAKES]]]


def _evenly(labels: NDArray[np.int64], classes: int, most: int | None) -> NDArray[np.int64]:
    """All rows, or about `most`: of each class the same number (or all it has), evenly spaced."""
    if most is None or len(labels) <= most:
        return np.arange(len(labels), dtype=np.int64)
    each = max(1, most // classes)
    parts = [np.flatnonzero(labels == label) for label in range(classes)]
    chosen = [part[np.unique(np.linspace(0, len(part) - 1, min(each, len(part))).round().astype(np.int64))] for part in parts]
    return np.sort(np.concatenate(chosen))
