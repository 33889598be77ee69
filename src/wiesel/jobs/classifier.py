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

from wiesel.errors import BadValue, NotFitted, UnknownClassName, nearest
from wiesel.language import say
from wiesel.runs.folder import SEALED, RunFolder
from wiesel.runs.manifest import MANIFEST

if TYPE_CHECKING:
    from wiesel.images import DataSet
    from wiesel.runs.trained import Trained

BYTES, SHARES = (0.0, 255.0), (0.0, 1.0)
"""Scales of pictures: the numbers that are black and white."""


class Classifier:
    """A convolutional network that follows scikit-learn's conventions.

    `X` may be
    - an array or tensor of pictures: (n, height, width), (n, height, width, channels) or (n, channels, height, width). `fit` decides
      what black and white are: 0 and 255 for bytes and for a data set, 0 and 1 for floats within 0..1 and for truth values, else the
      lowest and the highest number seen. Afterwards equal numbers are equal pictures, whatever their type; numbers beyond a scale of
      0..255 or 0..1 are refused, others are clipped;
    - rows of pixels (n, height * width) of square grey pictures, as in scikit-learn's digits; rows whose length is no square are
      taken as strips one pixel high;
    - a data set, the name of one, a folder or a .zip file; then `y` is left out.

    Args:
        model: name of the network.
        epochs, batch, rate, optimiser, size, flip, shift: as in a recipe.
        validation: share of the training pictures that is kept to choose the best epoch.
        seed: `None` is 0; a run is repeatable in any case.
        output: where the run folder stays; by default it is temporary and goes with the classifier. What is there already is never
            touched: the next `fit` makes `output-2`, then `output-3`, …; `run_` says which.
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
        """Train on `X`; every call starts anew, in a run folder of its own (see `output`)."""
        from wiesel.jobs.train import train_only
        from wiesel.runs.trained import load
        from wiesel.training.progress import Silent, fitting

        data, labels = self._data_set(X, y)
        self._temporary = self.output is None
        self.run_ = train_only(
            data,
            output=self._own_folder() / "run" if self.output is None else _free(Path(self.output)),
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
        """Share of pictures classified as in `y`; without `y`, as the data set, folder or .zip names them.

        Raises:
            UnknownClassName: the data set has pictures of a class that `fit` did not see.
        """
        if y is not None:
            found = self.predict(X)
            return float(np.mean(found == _one_each(y, len(found))))
        data = self._named(X)
        numbers = self.predict_proba(data).argmax(axis=1)
        return float(np.mean(numbers == self._numbers(data)))

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

        if isinstance(X, str | Path):
            X = images.load(X, size=self.size)
        if isinstance(X, images.DataSet):
            self._scale = BYTES
            return X, np.asarray(X.classes)
        if y is None:
            raise _no_labels()
        pictures = _pictures(X)
        classes, numbers = _classes(_one_each(y, len(pictures)))
        self._scale = _scale(pictures)
        split = images.from_arrays(_bytes(pictures, self._scale), numbers)
        return images.data_set_of(split, classes=tuple(str(label) for label in classes), name="arrays"), classes

    def _images(self, X: Any) -> Any:
        from wiesel import images

        if isinstance(X, images.Images):
            return X
        if isinstance(X, str | Path | images.DataSet):
            data = self._named(X)
            return data.test if data.test is not None else data.train
        pictures = _pictures(X)
        _refuse_other_scale(pictures, self._scale)
        return images.from_arrays(_bytes(pictures, self._scale), np.zeros(len(pictures), dtype=np.int64))

    def _named(self, X: Any) -> DataSet:
        """Pictures that bring the names of their classes."""
        from wiesel import images

        if isinstance(X, images.DataSet):
            return X
        if not isinstance(X, str | Path):
            raise _no_labels()
        known = self._model().preprocessing
        size = known.height if known.height == known.width else 0  # other than square are only pictures of their own size
        return images.load(X, size=size, channels=known.channels)

    def _numbers(self, data: DataSet) -> NDArray[np.int64]:
        """The number that the network gives to the class of each picture; a data set may number the same names otherwise."""
        known, labels = list(self._model().classes), self._images(data).labels
        own = np.zeros(len(data.classes), dtype=np.int64)
        for number in np.unique(labels).tolist():
            name = data.classes[number]
            if name not in known:
                shown = ", ".join(known[:20]) + (" …" if len(known) > 20 else "")
                raise UnknownClassName(name=name, nearest=nearest(name, known), known=shown)
            own[number] = known.index(name)
        numbers: NDArray[np.int64] = own[labels]
        return numbers


def _free(wanted: Path) -> Path:
    """The folder, or the first of folder-2, folder-3, … where nothing is yet."""
    place, number = wanted, 1
    while place.exists() and not (place.is_dir() and not any(place.iterdir())):
        number += 1
        place = Path(f"{wanted}-{number}")
    return place


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


def _one_each(y: ArrayLike, count: int) -> NDArray[Any]:
    """`y` as `count` labels in a row."""
    labels = np.asarray(y)
    if labels.ndim == 2 and labels.shape[1] == 1:
        warnings.warn("A column-vector y was passed when a 1d array was expected.", _conversion_warning(), stacklevel=4)
        labels = labels[:, 0]
    if labels.ndim != 1 or len(labels) != count:
        raise BadValue(setting="y", value=labels.shape, expected=f"{count} labels, one per picture")
    return labels


def _classes(labels: NDArray[Any]) -> tuple[NDArray[Any], NDArray[np.int64]]:
    """The classes in order, and the number of each picture's class."""
    if labels.dtype.kind == "f" and not np.isfinite(labels).all():
        raise BadValue(setting="y", value="NaN or infinity (inf)", expected="labels")
    if labels.dtype.kind == "f" and (labels != np.round(labels)).any():
        raise ValueError("Unknown label type: continuous. Classes are whole numbers or words; y looks like measurements.")
    classes, numbers = np.unique(labels, return_inverse=True)
    if len(labels) < 2:
        raise ValueError(f"n_samples = {len(labels)}: one sample is not enough to train on.")
    if len(classes) < 2:
        raise BadValue(setting="y", value=list(classes), expected="two or more classes, and there is one class")
    return classes, numbers.astype(np.int64)


def _no_labels() -> ValueError:
    return ValueError(
        "requires y to be passed, but the target y is None: one label per picture. Only a data set, a folder or a .zip brings its own."
    )


def _not_fitted() -> Exception:
    """Our error; where scikit-learn is in use, its own class with our sentence, because its tools look for that."""
    error = NotFitted(name="Classifier")
    module = sys.modules.get("sklearn.exceptions")
    return error if module is None else module.NotFittedError(str(error))


def _conversion_warning() -> type[Warning]:
    """scikit-learn's own category where scikit-learn is in use."""
    module = sys.modules.get("sklearn.exceptions")
    return getattr(module, "DataConversionWarning", UserWarning)


def _scale(pictures: NDArray[Any]) -> tuple[float, float]:
    """Which numbers are black and white."""
    if pictures.dtype == np.uint8:
        return BYTES
    low, high = float(pictures.min()), float(pictures.max())
    return SHARES if low >= 0 and high <= 1 and pictures.dtype.kind in "fb" else (low, high)


def _refuse_other_scale(pictures: NDArray[Any], scale: tuple[float, float]) -> None:
    """Numbers that cannot be meant on the scale of `fit`: beyond 0..255 or 0..1, or fractions up to 1 where 255 is white.

    Raises:
        BadValue: names both scales.
    """
    low, high = float(pictures.min()), float(pictures.max())
    beyond = scale in (BYTES, SHARES) and (low < scale[0] or high > scale[1])
    shares = scale == BYTES and low >= 0 and high <= 1 and bool((pictures != np.round(pictures)).any())
    if beyond or shares:
        to, as_before = say(en="to", de="bis"), say(en="as in fit", de="wie in fit")
        raise BadValue(setting="X", value=f"{low:g} {to} {high:g}", expected=f"{scale[0]:g} {to} {scale[1]:g}, {as_before}")


def _bytes(pictures: NDArray[Any], scale: tuple[float, float]) -> NDArray[np.uint8]:
    if pictures.dtype == np.uint8 and scale == BYTES:
        return pictures
    low, high = scale
    scaled = (pictures.astype(np.float64) - low) / (high - low if high > low else 1.0)
    return np.asarray((scaled.clip(0, 1) * 255).round().astype(np.uint8))
