"""`wiesel.Classifier` as scikit-learn sees it."""

from __future__ import annotations

import copy
import pickle
import shutil
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from sklearn.base import clone, is_classifier
from sklearn.datasets import load_digits
from sklearn.exceptions import DataConversionWarning, NotFittedError
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils.estimator_checks import parametrize_with_checks

import wiesel
from wiesel.errors import BadValue, UnknownClassName

QUICK = {"model": "simple_cnn", "epochs": 1, "batch": 64, "rate": 0.01}


@pytest.fixture(autouse=True)
def _one_thread(monkeypatch: pytest.MonkeyPatch):  # type: ignore[no-untyped-def]
    import wiesel.training.threads as threads

    monkeypatch.setattr(threads, "usable_cores", lambda: 1)
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def digits() -> tuple[np.ndarray, np.ndarray]:
    X, y = load_digits(return_X_y=True)
    return X[:600], y[:600]


@pytest.fixture(scope="module")
def fitted(digits) -> wiesel.Classifier:  # type: ignore[no-untyped-def]
    return wiesel.Classifier(**{**QUICK, "epochs": 8}).fit(*digits)


with warnings.catch_warnings():  # it does not inherit from scikit-learn on purpose: that package is optional, and slow to import
    warnings.filterwarnings("ignore", message="Estimator Classifier does not inherit")
    every_check = parametrize_with_checks([wiesel.Classifier(**QUICK)])


@pytest.mark.filterwarnings("ignore:Estimator Classifier does not inherit")
@pytest.mark.filterwarnings("ignore:Can't check dok sparse matrix")
@every_check
def test_scikit_learns_own_checks(estimator, check) -> None:  # type: ignore[no-untyped-def]
    check(estimator)


def test_it_learns_digits_given_as_rows_of_pixels(fitted, digits) -> None:  # type: ignore[no-untyped-def]
    X, y = digits
    assert fitted.score(X, y) > 0.6
    probabilities = fitted.predict_proba(X[:50])
    assert probabilities.shape == (50, 10)
    assert probabilities.sum(axis=1) == pytest.approx(np.ones(50))
    assert np.array_equal(fitted.classes_[probabilities.argmax(axis=1)], fitted.predict(X[:50]))
    assert fitted.n_features_in_ == 64
    assert is_classifier(fitted)


def test_rows_squares_tensors_and_channels_mean_the_same(fitted, digits) -> None:  # type: ignore[no-untyped-def]
    X = digits[0][:20]
    expected = fitted.predict_proba(X)
    for same in (X.reshape(-1, 8, 8), X.reshape(-1, 8, 8, 1), X.reshape(-1, 1, 8, 8), torch.from_numpy(X.reshape(-1, 8, 8))):
        assert fitted.predict_proba(same) == pytest.approx(expected, abs=1e-6)


def test_labels_may_be_words(digits) -> None:  # type: ignore[no-untyped-def]
    X, y = digits
    words = np.where(y % 2 == 0, "even", "odd")
    classifier = wiesel.Classifier(**QUICK).fit(X, words)
    assert classifier.classes_.tolist() == ["even", "odd"]
    assert set(classifier.predict(X[:30])) <= {"even", "odd"}


def test_grid_search_cross_validation_clone_and_pipeline(digits) -> None:  # type: ignore[no-untyped-def]
    X, y = digits[0][:200], digits[1][:200]
    search = GridSearchCV(wiesel.Classifier(**QUICK), {"rate": [0.001, 0.01]}, cv=2).fit(X, y)
    assert search.best_params_["rate"] in (0.001, 0.01)
    assert len(cross_val_score(wiesel.Classifier(**QUICK), X, y, cv=2)) == 2
    line = make_pipeline(FunctionTransformer(lambda x: x / 16), wiesel.Classifier(**QUICK)).fit(X, y)
    assert line.predict(X[:3]).shape == (3,)
    twin = clone(wiesel.Classifier(model="lenet5", epochs=3))
    assert twin.get_params()["model"] == "lenet5"
    assert repr(twin) == "Classifier(model='lenet5', epochs=3)"


def test_the_same_seed_gives_the_same_probabilities(digits) -> None:  # type: ignore[no-untyped-def]
    X, y = digits[0][:150], digits[1][:150]
    first, second = (wiesel.Classifier(**QUICK, seed=3).fit(X, y).predict_proba(X) for _ in range(2))
    assert np.array_equal(first, second)


def test_it_takes_a_folder_and_keeps_the_run(tmp_path: Path) -> None:
    from tests.jobs.test_train import make_folder

    folder = make_folder(tmp_path / "stripes", 60)
    classifier = wiesel.Classifier(**{**QUICK, "epochs": 2, "batch": 8}, output=tmp_path / "run").fit(folder)
    assert classifier.classes_.tolist() == ["left", "middle", "right"]
    assert 0 <= classifier.score(folder) <= 1
    assert (tmp_path / "run" / "weights.safetensors").is_file()
    again = pickle.loads(pickle.dumps(classifier))  # what joblib does between processes
    assert np.array_equal(again.predict(folder), classifier.predict(folder))


def test_another_folder_is_scored_by_the_names_of_its_classes(tmp_path: Path) -> None:
    from tests.jobs.test_train import make_folder

    folder = make_folder(tmp_path / "stripes", 60)
    classifier = wiesel.Classifier(**{**QUICK, "epochs": 6, "batch": 8, "output": tmp_path / "run"}).fit(folder)
    shutil.copytree(folder, tmp_path / "some", ignore=shutil.ignore_patterns("left"))
    some = wiesel.images.load(tmp_path / "some")
    names = np.array(some.classes)[some.train.labels]
    by_hand = np.mean(classifier.predict(some) == names)
    assert by_hand > 0.5
    assert classifier.score(some) == classifier.score(tmp_path / "some") == classifier.score(some, names) == by_hand

    (folder / "left").rename(folder / "lefty")
    with pytest.raises(UnknownClassName, match="no class 'lefty'\\. Nearest: left\\. Its classes: left, middle, right"):
        classifier.score(folder)
    with pytest.raises(ValueError, match="one label per picture"):
        classifier.score(some.train.pixels)


def test_labels_in_a_column_are_scored_like_labels_in_a_row(fitted, digits) -> None:  # type: ignore[no-untyped-def]
    X, y = digits
    with pytest.warns(DataConversionWarning):
        assert fitted.score(X, y[:, None]) == fitted.score(X, y)
    with pytest.raises(ValueError, match="one per picture"):
        fitted.score(X, y[:1])


@pytest.mark.parametrize(
    ("learned", "types"),
    [
        (lambda X: X, (np.uint8, np.int64, np.float32)),  # 0..16 as floats
        (lambda X: (X * 15).astype(np.uint8), (np.int64, np.float64, np.float32)),
        (lambda X: (X > 7).astype(float), (bool, np.uint8, np.int64)),
        (lambda X: X > 7, (float, np.uint8, np.int64)),
    ],
    ids=["floats", "bytes", "zeros and ones", "truth values"],
)
def test_equal_numbers_are_equal_pictures_whatever_their_type(digits, learned, types) -> None:  # type: ignore[no-untyped-def]
    X = learned(digits[0][:150])
    classifier = wiesel.Classifier(**QUICK).fit(X, digits[1][:150])
    expected = classifier.predict_proba(X)
    for kind in types:
        assert np.array_equal(classifier.predict_proba(X.astype(kind)), expected)


def test_numbers_on_another_scale_than_in_fit_are_refused_or_clipped(fitted, digits, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setenv("WIESEL_LANG", "de")
    X, y = digits[0][:100], digits[1][:100]
    with_bytes = wiesel.Classifier(**QUICK).fit((X * 15).astype(np.uint8), y)
    with_shares = wiesel.Classifier(**QUICK).fit(X / 16, y)
    for classifier, others, said in (
        (with_bytes, X / 16, "X = '0 bis 1' ist nicht möglich: 0 bis 255, wie in fit"),
        (with_bytes, X * 16, "X = '0 bis 256'"),
        (with_shares, X, "X = '0 bis 16' ist nicht möglich: 0 bis 1, wie in fit"),
    ):
        with pytest.raises(BadValue, match=said):
            classifier.predict(others)
    assert np.array_equal(fitted.predict_proba(X * 2), fitted.predict_proba(np.minimum(X * 2, 16)))


def test_pictures_that_are_not_square_are_predicted_from_their_folder(tmp_path: Path) -> None:
    wide = np.random.default_rng(0).integers(0, 256, (24, 16, 24, 3), dtype=np.uint8)
    for number, picture in enumerate(wide):
        place = tmp_path / "wide" / ("one", "two")[number % 2] / f"{number:02}.png"
        place.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(picture).save(place)
    classifier = wiesel.Classifier(**QUICK).fit(tmp_path / "wide")
    assert classifier.network_(torch.zeros(1, 3, 16, 24)).shape == (1, 2)
    by_hand = classifier.predict(np.concatenate([wide[::2], wide[1::2]]))
    assert classifier.predict(tmp_path / "wide").tolist() == by_hand.tolist()


def test_a_second_fit_leaves_the_first_run_alone(tmp_path: Path, digits) -> None:  # type: ignore[no-untyped-def]
    X, y = digits[0][:100], digits[1][:100]
    classifier = wiesel.Classifier(**QUICK, output=tmp_path / "run").fit(X, y)
    weights = (tmp_path / "run" / "weights.safetensors").read_bytes()
    (tmp_path / "run-2").write_text("a person's notes")
    classifier.fit(X, y % 2)
    assert (classifier.run_.path, len(classifier.classes_)) == (tmp_path / "run-3", 2)
    assert (tmp_path / "run" / "weights.safetensors").read_bytes() == weights
    assert (tmp_path / "run-2").read_text() == "a person's notes"


def test_a_copy_keeps_a_temporary_run_alive(digits) -> None:  # type: ignore[no-untyped-def]
    X, y = digits[0][:100], digits[1][:100]
    twin = copy.deepcopy(wiesel.Classifier(**QUICK).fit(X, y))
    assert twin.predict(X[:2]).shape == (2,)


def test_what_cannot_be_said_before_fit_is_refused(digits) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(NotFittedError, match="call fit first"):
        wiesel.Classifier().predict(digits[0])


@pytest.mark.parametrize(
    ("X", "y", "complaint"),
    [
        (np.zeros((4, 2, 2, 2, 2)), [0, 1, 0, 1], "pictures"),
        (np.zeros((4, 8, 8)), [0, 0, 0, 0], "two or more classes"),
        (np.zeros((4, 8, 8)), [0, 1], "one per picture"),
        (np.full((4, 8, 8), np.nan), [0, 1, 0, 1], "finite"),
        (np.zeros((4, 8, 8)), None, "one label per picture"),
    ],
)
def test_unfit_input_is_refused_in_one_sentence(X, y, complaint: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(ValueError, match=complaint):
        wiesel.Classifier(**QUICK).fit(X, y)


def test_other_pictures_than_in_fit_are_refused(fitted) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(ValueError, match="expecting 64 features"):
        fitted.predict(np.zeros((2, 16, 16)))
    with pytest.raises(BadValue, match="8 x 8 x 1"):
        fitted.predict(np.zeros((2, 4, 16)))
