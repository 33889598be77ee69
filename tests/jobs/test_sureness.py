"""Temperature, sets and strangers through the real commands, on a small folder of pictures."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scipy.special import softmax

import wiesel
from wiesel.batches.views import Views
from wiesel.cli import run as command
from wiesel.errors import BadValue, NotCalibrated, OtherClasses, OtherPictures, TooFewForSets
from wiesel.evaluation import Evaluation
from wiesel.evaluation.predictions import Predictions
from wiesel.jobs.evaluate import assessment_of, evaluate_views
from wiesel.jobs.ood import ood
from wiesel.runs.folder import RunFolder
from wiesel.uncertainty import conformal
from wiesel.uncertainty.out_of_distribution import entropy
from wiesel.uncertainty.temperature import scaled

SMALL = {"model": "simple_cnn", "epochs": 1, "batch": 16, "threads": 1, "optimiser": "adamw", "precision": "fp32"}


def stripes(place: Path, count: int, *, classes: tuple[str, ...] = ("left", "middle", "right"), seed: int = 0) -> Path:
    rng = np.random.default_rng(seed)
    for number in range(count):
        label = number % len(classes)
        pixels = rng.integers(0, 90, (12, 12), dtype=np.uint8)
        pixels[:, 4 * label : 4 * label + 4] += 120
        path = place / classes[label] / f"{number:03}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(path)
    return place


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return stripes(tmp_path_factory.mktemp("pictures") / "stripes", 150)


@pytest.fixture(scope="module")
def trained(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    output = tmp_path_factory.mktemp("runs") / "run"
    return wiesel.train(data=folder, output=output, validation=60, test=30, **SMALL).run  # type: ignore[arg-type, no-any-return]


@pytest.fixture
def copy(trained: Path, tmp_path: Path) -> RunFolder:
    return RunFolder.open(shutil.copytree(trained, tmp_path / "run"))


def test_a_finished_run_is_calibrated_on_its_validation_pictures(trained: Path) -> None:
    run = RunFolder.open(trained)
    found = assessment_of(run)
    assert found is not None
    assert (found.calibrated_on, found.calibration_pictures, found.pictures) == ("validation", 60, 30)
    assert Evaluation.from_json(run.read_evaluation()).n == 30  # older readers see what they know
    assert "How sure it may be" in run.report.read_text(encoding="utf-8")


def test_views_are_told_apart_from_the_run_s_own_figure(copy: RunFolder, capsys: pytest.CaptureFixture[str]) -> None:
    before = copy.read_evaluation()["accuracy"]
    assert command(["evaluate", str(copy.path), "--views", "2", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["views"]["number"] == 2
    assert said["views"]["interval"][0] <= said["views"]["accuracy"] <= said["views"]["interval"][1]
    assert copy.read_evaluation()["accuracy"] == before
    assert [row["views"] for row in copy.history() if "views" in row] == [2]


def test_several_views_of_the_doubtful_pictures_only(copy: RunFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    """Views that turn every answer around find out which pictures were looked at again: the least sure ones."""
    plain = evaluate_views(copy.path, 1)
    saved = Predictions.from_file(copy.predictions("test"))
    monkeypatch.setattr(Views, "forward", lambda self, pictures: -self.network(pictures))
    sure = np.sort(softmax(saved.logits, axis=1).max(axis=1))
    right = saved.logits.argmax(axis=1) == saved.labels
    turned = saved.logits.argmin(axis=1) == saved.labels
    least = softmax(saved.logits, axis=1).max(axis=1) <= sure[5]
    assert least.sum() == 6
    assert evaluate_views(copy.path, 2, doubtful=0.2).value == pytest.approx(np.where(least, turned, right).mean())
    assert evaluate_views(copy.path, 2).value == pytest.approx(turned.mean())
    assert plain.value == pytest.approx(right.mean())


def test_digits_are_not_looked_at_in_a_mirror(copy: RunFolder) -> None:
    recipe = copy.recipe.read_text(encoding="utf-8")
    copy.recipe.write_text(re.sub('source = ".*"', 'source = "mnist"', recipe), encoding="utf-8")
    copy.seal()
    with pytest.raises(BadValue, match="views = 2"):
        evaluate_views(copy.path, 2)


def test_the_command_says_of_how_many_and_refuses_a_share_of_nothing(
    copy: RunFolder, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("WIESEL_LANG", "en")
    assert command(["evaluate", str(copy.path), "--views", "2", "--doubtful", "0.25"]) == 0
    assert "with 2 views averaged for the least sure 25 %: " in capsys.readouterr().out
    assert [row["doubtful"] for row in copy.history() if "doubtful" in row] == [0.25]
    assert command(["evaluate", str(copy.path), "--doubtful", "0.25"]) == 2
    assert "with --views 2" in capsys.readouterr().err


@pytest.mark.parametrize("share", [0.0, -0.1, 1.5, float("nan")])
def test_a_share_of_doubtful_pictures_lies_between_0_and_1(copy: RunFolder, share: float) -> None:
    with pytest.raises(BadValue, match="doubtful"):
        evaluate_views(copy.path, 2, doubtful=share)


def test_evaluate_prints_it_in_both_languages_and_as_json(
    copy: RunFolder, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("WIESEL_LANG", "en")
    assert command(["evaluate", str(copy.path)]) == 0
    said = capsys.readouterr().out
    assert "Calibrated on the 60 validation pictures" in said
    assert "Sets at 90 %, APS" in said
    monkeypatch.setenv("WIESEL_LANG", "de")
    assert command(["evaluate", str(copy.path), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["uncertainty"]["calibration_pictures"] == 60


def test_without_pictures_and_validation_half_of_the_test_calibrates(copy: RunFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    copy.predictions("validation").unlink()
    monkeypatch.setattr("wiesel.jobs.evaluate.pictures_if_there", lambda *_: None)
    wiesel.evaluate(copy.path)
    found = assessment_of(copy)
    assert found is not None
    assert (found.calibrated_on, found.calibration_pictures, found.pictures) == ("half of test", 15, 15)
    assert "drawn at random, were used for it" in copy.report.read_text(encoding="utf-8")


def test_predict_answers_with_the_set_that_the_saved_predictions_give(copy: RunFolder, folder: Path) -> None:
    test = Predictions.from_file(copy.predictions("test"))
    found = assessment_of(copy)
    assert found is not None
    answers = wiesel.predict(copy.path, [folder / name.removeprefix("train/") for name in test.names], sure=90)
    logits = scaled(test.logits, found.temperature.value)
    p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    members = conformal.scores(p, "aps") <= found.at(0.9).threshold
    for one, row, chances in zip(answers, members, p, strict=True):
        assert one.sure is not None
        assert set(one.sure.classes) == {("left", "middle", "right")[k] for k in np.flatnonzero(row)}
        assert one.sure.classes[0] == one.label
        assert one.probability == pytest.approx(chances.max(), abs=1e-4)
    hit = [("left", "middle", "right")[label] in one.sure.classes for one, label in zip(answers, test.labels, strict=True)]  # type: ignore[union-attr]
    assert np.mean(hit) == found.at(0.9).coverage.value
    assert answers[0].to_json()["sure"].keys() == {"classes", "level", "coverage"}


def test_the_answer_is_a_sentence_with_its_error_rate(
    copy: RunFolder, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    plain = copy.read_evaluation()
    for answer in plain["uncertainty"]["answers"]:
        answer["threshold"] = 2.0  # everything belongs to every set
    copy.write_evaluation(plain)
    picture = str(next((folder / "left").iterdir()))
    monkeypatch.setenv("WIESEL_LANG", "en")
    assert command(["predict", str(copy.path), picture, "--sure", "90"]) == 0
    said = capsys.readouterr().out
    assert "not sure: one of {" in said
    assert "At most 10.0 % of such answers are wrong" in said
    monkeypatch.setenv("WIESEL_LANG", "de")
    command(["predict", str(copy.path), picture, "--sure", "90"])
    assert "nicht sicher: eine von {" in capsys.readouterr().out


def test_what_cannot_be_promised_is_refused_with_what_to_do(copy: RunFolder, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    picture = next((folder / "left").iterdir())
    monkeypatch.setenv("WIESEL_LANG", "en")
    with pytest.raises(TooFewForSets, match="at least 99 calibration pictures are needed; there are 60"):
        wiesel.predict(copy.path, [picture], sure=99)
    with pytest.raises(BadValue):
        wiesel.predict(copy.path, [picture], sure=0.9)
    plain = copy.read_evaluation()
    del plain["uncertainty"]
    copy.write_evaluation(plain)
    with pytest.raises(NotCalibrated, match=r"Run `wiesel evaluate .*run` once"):
        wiesel.predict(copy.path, [picture], sure=90)
    assert wiesel.predict(copy.path, [picture])[0].sure is None


def test_strangers_get_a_table_with_ensemble_features_and_rows_of_other_methods(
    trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    strange = tmp_path / "noise"
    (strange / "x").mkdir(parents=True)
    for number in range(12):
        Image.fromarray(np.random.default_rng(number).integers(0, 255, (20, 20), dtype=np.uint8)).save(
            strange / "x" / f"{number}.png"
        )
    stripes(strange, 3, classes=("y",))
    monkeypatch.setenv("WIESEL_LANG", "en")
    found = ood([trained, trained], out=strange, more={"coin": (np.arange(30) % 7, np.arange(15) % 7)})
    names = [row.method for row in found.rows]
    assert names[:5] == ["max-softmax", "entropy", "energy", "margin", "Mahalanobis"]
    assert "ensemble of 2: mutual information" in names
    assert names[-1] == "coin"
    assert {(row.inside, row.outside) for row in found.rows} == {(30, 15)}
    test = Predictions.from_file(RunFolder.open(trained).predictions("test"))
    np.testing.assert_allclose(found.scores["entropy"][0], entropy(test.logits), atol=1e-4)
    np.testing.assert_allclose(found.scores["ensemble of 2: entropy"][0], entropy(test.logits), atol=1e-4)
    assert command(["ood", str(trained), "--out", str(strange), "--most", "10", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)["methods"]
    assert {(row["inside"], row["outside"]) for row in rows} == {(10, 10)}


def test_runs_that_divided_their_pictures_otherwise_make_no_ensemble(trained: Path, folder: Path, tmp_path: Path) -> None:
    with pytest.raises(BadValue, match="most = -7"):
        ood([trained], out=folder, most=-7)
    for name, setting in (("split", {"split_seed": 1}), ("size", {"size": 16})):
        other = wiesel.train(data=folder, output=tmp_path / name, validation=60, test=30, **setting, **SMALL).run  # type: ignore[arg-type]
        with pytest.raises(OtherPictures, match="split 0 against .* split 1" if name == "split" else r"1 x 12 x 12 .* 1 x 16 x 16"):
            ood([trained, other], out=folder)


def test_runs_with_other_classes_make_no_ensemble(trained: Path, tmp_path: Path) -> None:
    other = stripes(tmp_path / "other", 40, classes=("a", "b"))
    second = wiesel.train(data=other, output=tmp_path / "second", **SMALL).run  # type: ignore[arg-type]
    with pytest.raises(OtherClasses):
        ood([trained, second], out=other)
