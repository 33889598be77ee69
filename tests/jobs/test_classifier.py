"""`wiesel.Classifier` as scikit-learn sees it."""

from __future__ import annotations

import copy
import pickle
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.base import clone, is_classifier
from sklearn.datasets import load_digits
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils.estimator_checks import parametrize_with_checks

import wiesel
from wiesel.errors import BadValue

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
