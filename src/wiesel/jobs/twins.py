"""The score of a run with and without the test pictures that have a twin in training."""

from __future__ import annotations

from typing import Any

import numpy as np

from wiesel.errors import RunError
from wiesel.evaluation.predictions import Predictions
from wiesel.evaluation.twins import TwinScores, twin_scores
from wiesel.images import DataSet
from wiesel.images.twins import EXACT, NEAR, twins_in_training
from wiesel.runs.folder import RunFolder

KEY = "twins"
"""Of evaluation.json."""


def scores_of(run: RunFolder) -> TwinScores | None:
    """What evaluation.json says; None if it says nothing, as where the pictures were gone."""
    saved = run.read_evaluation().get(KEY) if run.evaluation.is_file() else None
    return None if saved is None else TwinScores.from_json(saved)


def twins_entry(run: RunFolder, predictions: Predictions, data: DataSet | None) -> dict[str, Any]:
    """The entry for evaluation.json: computed from the pictures, else the one that is there already, else none."""
    if data is None or data.test is None or not np.array_equal(data.test.names, predictions.names):
        try:
            saved = scores_of(run)
        except RunError:  # damaged: it is about to be written anew
            return {}
        return {} if saved is None or saved.n != len(predictions) else {KEY: saved.to_json()}
    found = twins_in_training(data)
    return {KEY: twin_scores(predictions.labels, predictions.logits, exact=found == EXACT, near=found == NEAR).to_json()}
