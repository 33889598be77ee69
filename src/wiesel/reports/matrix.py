"""The confusion matrix as a table of cells with shades: shares of a row in a few steps, so that a legend can say what they mean."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from wiesel.evaluation import Evaluation

MOST_CLASSES = 100
"""With more classes only the `SHOWN_OF_MANY` with the most errors are in the table."""
SHOWN_OF_MANY = 40
RIGHT_STEPS = (0.5, 0.7, 0.8, 0.9, 0.95, 1.0)
"""Upper ends, included, of the shades on the diagonal."""
WRONG_STEPS = (0.01, 0.03, 0.06, 0.12, 0.25, 1.0)
"""The same beside it: mistakes are rare, and one in a hundred has to be seen as well as one in four."""


@dataclass(frozen=True)
class Cell:
    count: int
    shade: str
    """"r1".."r6" on the diagonal, "w1".."w6" beside it, empty where there is no picture."""


@dataclass(frozen=True)
class Row:
    index: int
    cells: tuple[Cell, ...]
    total: int
    """Over all classes, shown or not."""


@dataclass(frozen=True)
class Matrix:
    columns: tuple[int, ...]
    rows: tuple[Row, ...]
    totals: tuple[int, ...]
    """Per column, over all classes."""
    partial: bool


def matrix_of(evaluation: Evaluation) -> Matrix:
    counts = evaluation.matrix
    support, said = counts.sum(axis=1), counts.sum(axis=0)
    indices = list(range(len(counts)))
    if partial := len(indices) > MOST_CLASSES:
        errors = support + said - 2 * counts.diagonal()
        indices = sorted((-errors).argsort(kind="stable")[:SHOWN_OF_MANY].tolist())
    rows = tuple(
        Row(
            row,
            tuple(
                Cell(int(counts[row, column]), shade(int(counts[row, column]), int(support[row]), row == column))
                for column in indices
            ),
            int(support[row]),
        )
        for row in indices
    )
    return Matrix(tuple(indices), rows, tuple(int(said[column]) for column in indices), partial)


def shade(count: int, total: int, diagonal: bool) -> str:
    if not count:
        return ""
    steps: Sequence[float] = RIGHT_STEPS if diagonal else WRONG_STEPS
    return ("r" if diagonal else "w") + str(next(i for i, end in enumerate(steps, start=1) if count <= end * total))
