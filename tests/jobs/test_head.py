"""A head beside a finished run, from the command line to the files, and the run unharmed."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.reports.example_run import write_run
from wiesel import images
from wiesel.cli import run as command
from wiesel.errors import BadValue, TooFewOfAClass
from wiesel.evaluation import Predictions
from wiesel.jobs.evaluate import predictions_of
from wiesel.jobs.head import few, head, paired
from wiesel.runs import trained
from wiesel.runs.folder import RunFolder
from wiesel.uncertainty import heads


def write_pictures(place: Path, *, count: int, shade: int) -> Path:
    """Three classes that differ by their brightness; `shade`: how much brighter all of them are."""
    rng = np.random.default_rng(shade)
    for number in range(count):
        label = number % 3
        pixels = rng.integers(0, 40, (12, 12), dtype=np.uint8) + np.uint8(60 * label + shade)
        path = place / "abc"[label] / f"{number:03}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(path)
    return place


@pytest.fixture(autouse=True)
def _here(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    monkeypatch.setenv("WIESEL_LANG", "en")
    monkeypatch.setenv("WIESEL_CACHE", str(tmp_path_factory.getbasetemp() / "cache-heads"))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run with the weights it was born with: its features are as good as any here."""
    place = write_pictures(tmp_path_factory.mktemp("pictures") / "shades", count=120, shade=0)
    data, record = images.divide(images.load(place), validation=0.25, test=0.25, seed=0)
    run = write_run(tmp_path_factory.mktemp("runs") / "run", data, architecture="simple_cnn", source=str(place))
    run.write_splits(record)
    run.seal()
    run.predictions("test").unlink(missing_ok=True)
    return run.path


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_pictures(tmp_path_factory.mktemp("elsewhere") / "bright", count=30, shade=90)


def test_a_head_is_fitted_measured_and_kept_and_the_run_stays_as_it_is(folder: Path, elsewhere: Path) -> None:
    run = RunFolder.open(folder)
    seal, events = run.manifest.read_bytes(), run.events.read_bytes()
    told: list[str] = []
    result = head(folder, "softmax", against=elsewhere, tell=told.append)
    assert run.manifest.read_bytes() == seal
    assert run.events.read_bytes() == events
    run.check()
    trained.load(folder)
    own, new = result.rows
    assert (own.head, own.split, own.pictures, own.ahead) == ("run", "validation", 30, None)
    assert new.accuracy.value > 0.9 > own.accuracy.value
    assert new.ahead is not None
    assert new.ahead.value == pytest.approx(new.accuracy.value - own.accuracy.value)
    assert new.nll < own.nll
    assert set(new.auroc) == {"entropy"}
    assert told == ["features of 60 pictures", "features of 30 pictures", "features of 30 pictures"]
    assert json.loads((result.folder / "evaluation.json").read_text())["rows"][1]["head"] == "softmax"
    assert heads.load(result.folder).kind == "softmax"
    again = head(folder, "softmax", against=elsewhere, tell=told.append)
    assert again.rows == result.rows
    assert len(told) == 3  # the features were there


def test_the_run_s_own_row_is_what_evaluate_says(folder: Path) -> None:
    run = RunFolder.open(folder)
    before = len(run.history())
    result = head(folder, "laplace", test=True)
    assert [(row["kind"], row["split"], row["head"]) for row in run.history()[before:]] == [("look", "test", "laplace")]
    assert [row.split for row in result.rows] == ["validation", "validation", "test", "test"]
    model = trained.load(folder)
    predictions: Predictions = predictions_of(run, model, "test", None, None)
    right = predictions.logits.argmax(1) == predictions.labels
    assert result.rows[2].accuracy.value == pytest.approx(right.mean())
    layer = model.network.head.linear
    kept = heads.load(result.folder)
    np.testing.assert_allclose(kept.tensors()["weights"][:, :-1], layer.weight.detach().double())
    np.testing.assert_allclose(kept.tensors()["weights"][:, -1], layer.bias.detach().double())


def test_few_labels_stand_beside_softmax_on_the_same(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command(["head", str(folder), "--kind", "laplace", "--labels-per-class", "4", "--seed", "3"]) == 0
    printed = capsys.readouterr().out
    assert "30 pictures; head fitted on 12 labels" in printed
    assert "softmax, 4 per class" in printed
    assert printed.strip().endswith("laplace-4-per-class")
    with pytest.raises(TooFewOfAClass, match="at most 20"):
        head(folder, "laplace", labels_per_class=21)
    with pytest.raises(BadValue, match="kind"):
        head(folder, "svm")  # type: ignore[arg-type]
    with pytest.raises(BadValue, match="labels-per-class"):
        head(folder, labels_per_class=0)


def test_labels_are_drawn_by_class_and_seed() -> None:
    labels = np.repeat([0, 1, 2], 10)
    rows = few(labels, ("a", "b", "c"), 4, seed=0)
    assert np.bincount(labels[rows]).tolist() == [4, 4, 4]
    assert not np.array_equal(rows, few(labels, ("a", "b", "c"), 4, seed=1))
    np.testing.assert_array_equal(rows, few(labels, ("a", "b", "c"), 4, seed=0))


def test_the_interval_of_a_difference_knows_that_the_pictures_are_the_same() -> None:
    first = np.array([True] * 90 + [False] * 10)
    second = first.copy()
    second[90:94] = True
    found = paired(second, first)
    assert found.value == pytest.approx(0.04)
    assert (found.low, found.high) == pytest.approx((0.04 - 1.96 * 0.0197, 0.04 + 1.96 * 0.0197), abs=1e-4)


def test_two_that_never_disagree_on_a_few_pictures_are_not_proven_equal() -> None:
    right = np.array([True] * 20 + [False] * 4)
    found = paired(right, right)
    half = 1.96 * (2 / 26**2) ** 0.5  # Bonett and Price 2012: as if half a picture more had gone either way
    assert (found.low, found.value, found.high) == pytest.approx((-half, 0.0, half), abs=1e-4)


def test_a_seed_below_0_is_refused() -> None:
    with pytest.raises(BadValue, match="seed = -1"):
        head("anywhere", seed=-1)
