"""Shades follow the legend, and a table of very many classes is cut with its sums kept."""

from __future__ import annotations

import numpy as np

from wiesel.evaluation import evaluate_predictions
from wiesel.reports.matrix import MOST_CLASSES, SHOWN_OF_MANY, matrix_of, shade


def test_shades_are_the_steps_of_the_legend_with_their_upper_ends_included() -> None:
    right = [shade(count, 100, True) for count in (50, 51, 70, 80, 90, 95, 96, 100)]
    assert right == ["r1", "r2", "r2", "r3", "r4", "r5", "r6", "r6"]
    wrong = [shade(count, 100, False) for count in (0, 1, 2, 3, 4, 6, 12, 13, 25, 26, 100)]
    assert wrong == ["", "w1", "w2", "w2", "w3", "w3", "w4", "w5", "w5", "w6", "w6"]


def test_all_cells_up_to_a_hundred_classes() -> None:
    labels = np.repeat(np.arange(MOST_CLASSES), 2)
    logits = np.eye(MOST_CLASSES)[(labels + (np.arange(len(labels)) % 2)) % MOST_CLASSES]
    found = evaluate_predictions(labels, logits, [str(i) for i in range(MOST_CLASSES)], resamples=0)
    table = matrix_of(found)
    assert not table.partial
    assert [[cell.count for cell in row.cells] for row in table.rows] == found.matrix.tolist()
    assert sum(row.total for row in table.rows) == sum(table.totals) == found.n


def test_beyond_that_the_classes_with_the_most_errors_with_sums_over_all() -> None:
    size = 150
    labels = np.repeat(np.arange(size), 4)
    said = labels.copy()
    said[4 * 60 : 4 * 60 + 4] = 149  # class 60 is always called 149
    found = evaluate_predictions(labels, np.eye(size)[said], [str(i) for i in range(size)], resamples=0)
    table = matrix_of(found)
    assert table.partial
    assert len(table.columns) == len(table.rows) == SHOWN_OF_MANY
    assert {60, 149} <= set(table.columns)
    assert table.totals[table.columns.index(149)] == 8
    assert [row.index for row in table.rows] == sorted(row.index for row in table.rows)
