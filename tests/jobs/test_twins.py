"""The score with and without test pictures that were learned by heart: from the pictures to evaluation.json and the report."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.reports.example_run import blobs, write_run
from wiesel.errors import DamagedEvaluation
from wiesel.evaluation.predictions import Predictions
from wiesel.evaluation.twins import TwinScores, twin_scores
from wiesel.images.dataset import from_splits
from wiesel.jobs.twins import scores_of, twins_entry
from wiesel.reports.collecting import collect
from wiesel.reports.page import html

CLASSES = ("cat", "dog", "bird")


@pytest.fixture(autouse=True)
def _apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WIESEL_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("WIESEL_LANG", "en")


def test_scores_by_hand() -> None:
    labels = np.array([0, 0, 1, 1])
    logits = np.array([[1, 0], [0, 1], [0, 1], [0, 1]])  # right, wrong, right, right
    exact, near = np.array([False, False, True, False]), np.array([False, False, True, True])
    found = twin_scores(labels, logits, exact=exact, near=near)
    assert (found.n, found.exact, found.near) == (4, 1, 1)
    assert (found.every.value, found.without.value, found.twins.value) == (0.75, 0.5, 1.0)
    assert TwinScores.from_json(json.loads(json.dumps(found.to_json()))) == found
    assert "2 of 4 test pictures have a twin in training (1 exact, 1 near)" in found.sentence()
    nobody = twin_scores(labels, logits, exact=np.zeros(4, bool), near=np.zeros(4, bool))
    assert nobody.sentence() == "No test picture has an exact or near twin in training."
    with pytest.raises(DamagedEvaluation):
        TwinScores.from_json({"n": 3})


def test_twins_reach_the_report_and_outlive_the_pictures(tmp_path: Path) -> None:
    data = blobs(CLASSES, test=30)
    assert data.test is not None
    pixels = data.test.pixels.copy()
    pixels[:3] = data.train.pixels[:3]
    parts = {"train": data.train, "test": replace(data.test, pixels=pixels)}
    leaky = from_splits("leaky", CLASSES, parts, source="made here")
    run = write_run(tmp_path / "run", leaky, architecture="lenet5")
    predictions = Predictions.from_file(run.predictions("test"))
    entry = twins_entry(run, predictions, leaky)
    assert entry["twins"]["exact"] == 3
    run.write_evaluation({**run.read_evaluation(), **entry})
    assert twins_entry(run, predictions, None) == entry
    found = scores_of(run)
    assert found is not None
    page = html(collect(run, leaky), lang="en")
    assert "3 test pictures have a twin among the training pictures (3 exact, 0 near)" in page
    right = predictions.logits.argmax(axis=1) == predictions.labels
    assert found.without.value == pytest.approx(right[3:].mean())
