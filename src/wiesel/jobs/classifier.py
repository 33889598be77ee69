"""A network as a scikit-learn classifier: `Classifier(model="resnet20", epochs=3).fit(X, y).predict(X)`."""

from __future__ import annotations

import inspect
import shutil
import sys
import tempfile
import warnings
import weakref
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from wiesel.errors import BadValue, NotFitted
from wiesel.runs.folder import SEALED, RunFolder
from wiesel.runs.manifest import MANIFEST

if TYPE_CHECKING:
    from wiesel.images import DataSet
    from wiesel.runs.trained import Trained


class Classifier:
    """A convolutional network that follows scikit-learn's conventions.

    `X` may be
    - an array or tensor of pictures: (n, height, width), (n, height, width, channels) or (n, channels, height, width), bytes 0..255
      or numbers 0..1 (numbers outside are stretched from the range seen in `fit`);
    - rows of pixels (n, height * width) of square grey pictures, as in scikit-learn's digits; rows whose length is no square are
      taken as strips one pixel high;
    - a data set, the name of one, a folder or a .zip file; then `y` is left out.

    Args:
        model: name of the network.
        epochs, batch, rate, optimiser, size, flip, shift: as in a recipe.
        validation: share of the training pictures that is kept to choose the best epoch.
        seed: `None` is 0; a run is repeatable in any case.
        output: where the run folder stays; by default it is temporary and goes with the classifier.
        verbose: show progress.

    Attributes after `fit`: `classes_`, `n_features_in_` (values per picture), `run_` (the run folder), `network_`.
    """

    def __init__(
        self,
        model: str = "resnet20",
        *,
        epochs: int = 4,
        batch: int = 64,
        rate: float = 0.002,
        optimiser: str = "adamw",
        size: int = 0,
        flip: bool = False,
        shift: int = 0,
        validation: float = 0.1,
        seed: int | None = 0,
        output: str | Path | None = None,
        verbose: bool = False,
    ) -> None:
        self.model = model
        self.epochs = epochs
        self.batch = batch
        self.rate = rate
        self.optimiser = optimiser
        self.size = size
        self.flip = flip
        self.shift = shift
        self.validation = validation
        self.seed = seed
        self.output = output
        self.verbose = verbose

    # --- learning and using ----------------------------------------------------------------------------------------------

    def fit(self, X: Any, y: ArrayLike | None = None) -> Classifier:
        """Train on `X`; every call starts anew."""
        from wiesel.jobs.train import train_only
        from wiesel.runs.trained import load
        from wiesel.training.progress import Silent, fitting

        data, labels = self._data_set(X, y)
        self._temporary = self.output is None
        place = Path(self.output) if self.output is not None else self._own_folder() / "run"
        self.run_ = train_only(
            data,
            output=place,
            progress=fitting() if self.verbose else Silent(),
            architecture=self.model,
            epochs=self.epochs,
            batch=self.batch,
            rate=self.rate,
            optimiser=self.optimiser,
            flip=self.flip,
            shift=self.shift,
            validation=self.validation,
            seed=0 if self.seed is None else self.seed,
        )
        self.classes_ = labels
        self.n_features_in_ = int(np.prod(data.image_shape))
        self._trained = load(self.run_)
        return self

    def predict_proba(self, X: Any) -> NDArray[np.float64]:
        """Probabilities (n, K), columns in the order of `classes_`."""
        from wiesel.batches import EvaluationBatches
        from wiesel.batches.inference import logits_of

        model = self._model()
        images = self._images(X)
        features = int(np.prod(images.pixels.shape[1:]))
        if features != self.n_features_in_:
            raise ValueError(f"X has {features} features, but Classifier is expecting {self.n_features_in_} features as input.")
        if images.pixels.shape[1:] != (model.preprocessing.height, model.preprocessing.width, model.preprocessing.channels):
            raise BadValue(
                setting="X",
                value="x".join(map(str, images.pixels.shape[1:])),
                expected="pictures of {height} x {width} x {channels} values, as in fit".format(**model.preprocessing.to_json()),
            )
        logits = logits_of(model.network, EvaluationBatches(images, model.preprocessing)).astype(np.float64)
        weights = np.exp(logits - logits.max(axis=1, keepdims=True))
        return np.asarray(weights / weights.sum(axis=1, keepdims=True))

    def predict(self, X: Any) -> NDArray[Any]:
        """The most probable class of each picture, as it was named in `y`."""
        probabilities = self.predict_proba(X)
        return np.asarray(self.classes_[probabilities.argmax(axis=1)])

    def score(self, X: Any, y: ArrayLike | None = None) -> float:
        """Share of pictures classified as in `y` (or as the data set says)."""
        truth = np.asarray(y) if y is not None else np.asarray(self.classes_)[self._images(X).labels]
        return float(np.mean(self.predict(X) == truth))

    @property
    def network_(self) -> Any:
        return self._model().network

    # --- scikit-learn's conventions --------------------------------------------------------------------------------------

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        return {name: getattr(self, name) for name in inspect.signature(type(self).__init__).parameters if name != "self"}

    def set_params(self, **params: Any) -> Classifier:
        known = self.get_params()
        for name, value in params.items():
            if name not in known:
                raise ValueError(f"Invalid parameter {name!r} for estimator {self!r}. Valid parameters are: {sorted(known)!r}.")
            setattr(self, name, value)
        return self

    def __sklearn_tags__(self) -> Any:
        from sklearn.utils import ClassifierTags, InputTags, Tags, TargetTags

        return Tags(
            estimator_type="classifier",
            target_tags=TargetTags(required=True, one_d_labels=True),
            classifier_tags=ClassifierTags(),
            input_tags=InputTags(two_d_array=True, three_d_array=True),
        )

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "run_")

    def __repr__(self) -> str:
        defaults = {name: p.default for name, p in inspect.signature(type(self).__init__).parameters.items()}
        changed = [f"{name}={value!r}" for name, value in self.get_params().items() if value != defaults[name]]
        return f"Classifier({', '.join(changed)})"

    def _repr_html_(self) -> str:
        from html import escape

        state = self.run_._repr_html_() if hasattr(self, "run_") else ""
        return f"<code>{escape(repr(self))}</code>{state}"

    def __getstate__(self) -> dict[str, Any]:
        """A copy, perhaps in another process, must not depend on a temporary folder that goes with the original: it takes the files."""
        state = {name: value for name, value in self.__dict__.items() if name != "_trained"}
        if getattr(self, "_temporary", False):
            state["_files"] = {name: (self.run_.path / name).read_bytes() for name in (MANIFEST, *SEALED)}
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        files = state.pop("_files", None)
        self.__dict__.update(state)
        if files is not None:
            self.run_ = RunFolder(self._own_folder())
            for name, data in files.items():
                (self.run_.path / name).write_bytes(data)
        if hasattr(self, "run_"):
            from wiesel.runs.trained import load

            self._trained = load(self.run_)

    def _own_folder(self) -> Path:
        """A temporary folder that goes when this object goes."""
        place = tempfile.mkdtemp(prefix="wiesel-")
        weakref.finalize(self, shutil.rmtree, place, ignore_errors=True)
        return Path(place)

    # --- pictures of all kinds -------------------------------------------------------------------------------------------

    def _model(self) -> Trained:
        if not hasattr(self, "run_"):
            raise _not_fitted()
        return self._trained

    def _data_set(self, X: Any, y: ArrayLike | None) -> tuple[DataSet, NDArray[Any]]:
        from wiesel import images

        if isinstance(X, images.DataSet):
            return X, np.asarray(X.classes)
        if isinstance(X, str | Path):
            data = images.load(X, size=self.size)
            return data, np.asarray(data.classes)
        if y is None:
            raise ValueError(
                "requires y to be passed, but the target y is None: one label per picture. Only a data set, a folder or a .zip brings its own."
            )
        pictures = _pictures(X)
        classes, numbers = _labels(y, len(pictures))
        self._range = _range(pictures)
        split = images.from_arrays(_bytes(pictures, self._range), numbers)
        return images.data_set_of(split, classes=tuple(str(label) for label in classes), name="arrays"), classes

    def _images(self, X: Any) -> Any:
        from wiesel import images

        if isinstance(X, images.Images):
            return X
        if isinstance(X, images.DataSet):
            return X.test if X.test is not None else X.train
        if isinstance(X, str | Path):
            return self._images(
                images.load(X, size=self._model().preprocessing.height, channels=self._model().preprocessing.channels)
            )
        pictures = _pictures(X)
        return images.from_arrays(_bytes(pictures, getattr(self, "_range", None)), np.zeros(len(pictures), dtype=np.int64))


def _pictures(X: Any) -> NDArray[Any]:
    """Anything array-like as (n, height, width[, channels]) or (n, channels, height, width); rows become squares or strips."""
    if hasattr(X, "tocsr"):
        raise TypeError("Sparse data is not supported: pictures are dense. Use X.toarray().")
    array = np.asarray(X.detach().cpu() if hasattr(X, "detach") else X)
    if array.dtype.kind == "O":
        array = array.astype(np.float64)
    if array.dtype.kind == "c":
        raise ValueError("Complex data not supported: pictures hold real numbers.")
    if array.dtype.kind not in "buif":
        raise BadValue(setting="X", value=str(array.dtype), expected="numbers")
    if array.ndim == 1:
        raise ValueError(
            f"X of shape {array.shape} is one picture or none. Reshape your data: (n, height, width), or rows of pixels."
        )
    if len(array) == 0 or 0 in array.shape:
        raise ValueError(
            f"Found array with {len(array)} sample(s) and 0 feature(s) (shape={array.shape}) while a minimum of 1 is required."
        )
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        raise BadValue(setting="X", value="NaN or infinity (inf)", expected="finite numbers")
    if array.ndim == 2:
        side = round(array.shape[1] ** 0.5)
        return array.reshape(len(array), side, side) if side * side == array.shape[1] else array.reshape(len(array), 1, -1)
    if array.ndim not in (3, 4):
        raise BadValue(setting="X", value=array.shape, expected="pictures (n, height, width[, channels])")
    return array


def _labels(y: ArrayLike, count: int) -> tuple[NDArray[Any], NDArray[np.int64]]:
    """The classes in order, and the number of each picture's class."""
    labels = np.asarray(y)
    if labels.ndim == 2 and labels.shape[1] == 1:
        warnings.warn("A column-vector y was passed when a 1d array was expected.", _conversion_warning(), stacklevel=4)
        labels = labels[:, 0]
    if labels.ndim != 1 or len(labels) != count:
        raise BadValue(setting="y", value=labels.shape, expected=f"{count} labels, one per picture")
    if labels.dtype.kind == "f" and not np.isfinite(labels).all():
        raise BadValue(setting="y", value="NaN or infinity (inf)", expected="labels")
    if labels.dtype.kind == "f" and (labels != np.round(labels)).any():
        raise ValueError("Unknown label type: continuous. Classes are whole numbers or words; y looks like measurements.")
    classes, numbers = np.unique(labels, return_inverse=True)
    if count < 2:
        raise ValueError(f"n_samples = {count}: one sample is not enough to train on.")
    if len(classes) < 2:
        raise BadValue(setting="y", value=list(classes), expected="two or more classes, and there is one class")
    return classes, numbers.astype(np.int64)


def _not_fitted() -> Exception:
    """Our error; where scikit-learn is in use, its own class with our sentence, because its tools look for that."""
    error = NotFitted(name="Classifier")
    module = sys.modules.get("sklearn.exceptions")
    return error if module is None else module.NotFittedError(str(error))


def _conversion_warning() -> type[Warning]:
    """scikit-learn's own category where scikit-learn is in use."""
    module = sys.modules.get("sklearn.exceptions")
    return getattr(module, "DataConversionWarning", UserWarning)


def _range(pictures: NDArray[Any]) -> tuple[float, float] | None:
    """None if the numbers are bytes or lie in 0..1 already; else (lowest, highest), from which they are stretched."""
    if pictures.dtype == np.uint8:
        return None
    low, high = float(pictures.min()), float(pictures.max())
    return None if low >= 0 and high <= 1 and pictures.dtype.kind == "f" else (low, high)


def _bytes(pictures: NDArray[Any], stretch: tuple[float, float] | None) -> NDArray[Any]:
    if pictures.dtype == np.uint8 or stretch is None:
        return pictures
    low, high = stretch
    scaled = (pictures.astype(np.float64) - low) / (high - low if high > low else 1.0)
    return np.asarray((scaled.clip(0, 1) * 255).round().astype(np.uint8))
