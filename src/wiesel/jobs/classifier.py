"""A network as a scikit-learn classifier: `Classifier(model="resnet20", epochs=3).fit(X, y).predict(X)`."""

from __future__ import annotations

import inspect
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from wiesel.errors import BadValue, NotFitted

if TYPE_CHECKING:
    from wiesel.images import DataSet
    from wiesel.runs.trained import Trained


class Classifier:
    """A convolutional network that follows scikit-learn's conventions.

    `X` may be
    - an array or tensor of pictures: (n, height, width), (n, height, width, channels) or (n, channels, height, width), bytes 0..255
      or numbers 0..1 (numbers outside are stretched from the range seen in `fit`);
    - rows of pixels (n, height * width) of square grey pictures, as in scikit-learn's digits;
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
        from wiesel.training.progress import Silent, fitting

        data, labels = self._data_set(X, y)
        self._keep = tempfile.TemporaryDirectory(prefix="wiesel-") if self.output is None else None
        place = Path(self.output if self.output is not None else f"{self._keep.name}/run")  # type: ignore[union-attr]
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
        self._trained: Trained | None = None
        return self

    def predict_proba(self, X: Any) -> NDArray[np.float64]:
        """Probabilities (n, K), columns in the order of `classes_`."""
        from wiesel.batches import EvaluationBatches
        from wiesel.batches.inference import logits_of

        model = self._model()
        images = self._images(X)
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
        return np.asarray(self.classes_)[self.predict_proba(X).argmax(axis=1)] if self._model() else np.empty(0)

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
            input_tags=InputTags(two_d_array=False, three_d_array=True),
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
        """Copies and worker processes get the parameters and the run's place, not the network in memory."""
        return {name: value for name, value in self.__dict__.items() if name not in ("_keep", "_trained")}

    # --- pictures of all kinds -------------------------------------------------------------------------------------------

    def _model(self) -> Trained:
        if not hasattr(self, "run_"):
            raise NotFitted(name="Classifier")
        if getattr(self, "_trained", None) is None:
            from wiesel.runs.trained import load

            self._trained = load(self.run_)
        assert self._trained is not None
        return self._trained

    def _data_set(self, X: Any, y: ArrayLike | None) -> tuple[DataSet, NDArray[Any]]:
        from wiesel import images

        if isinstance(X, images.DataSet):
            return X, np.asarray(X.classes)
        if isinstance(X, str | Path):
            data = images.load(X, size=self.size)
            return data, np.asarray(data.classes)
        if y is None:
            raise BadValue(setting="y", value=None, expected="one label per picture (only a data set, a folder or a .zip brings its own)")
        pictures = _pictures(X)
        labels = np.asarray(y)
        if labels.ndim == 2 and labels.shape[1] == 1:
            labels = labels[:, 0]
        if labels.ndim != 1 or len(labels) != len(pictures):
            raise BadValue(setting="y", value=labels.shape, expected=f"{len(pictures)} labels, one per picture")
        classes, numbers = np.unique(labels, return_inverse=True)
        if len(classes) < 2:
            raise BadValue(setting="y", value=list(classes), expected="two or more classes")
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
            return self._images(images.load(X, size=self._model().preprocessing.height, channels=self._model().preprocessing.channels))
        pictures = _pictures(X)
        if len(pictures) == 0:
            raise BadValue(setting="X", value=pictures.shape, expected="at least one picture")
        return images.from_arrays(_bytes(pictures, getattr(self, "_range", None)), np.zeros(len(pictures), dtype=np.int64))


def _pictures(X: Any) -> NDArray[Any]:
    """Anything array-like as (n, height, width[, channels]) or (n, channels, height, width); rows of pixels become squares."""
    array = np.asarray(X.detach().cpu() if hasattr(X, "detach") else X)
    if array.dtype.kind not in "buif":
        raise BadValue(setting="X", value=str(array.dtype), expected="numbers")
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        raise BadValue(setting="X", value="NaN or infinity", expected="finite numbers")
    if array.ndim == 2:
        side = round(array.shape[1] ** 0.5)
        if side * side != array.shape[1]:
            raise BadValue(setting="X", value=array.shape, expected="pictures (n, height, width[, channels]), or rows of a square's pixels")
        array = array.reshape(len(array), side, side)
    if array.ndim not in (3, 4):
        raise BadValue(setting="X", value=array.shape, expected="pictures (n, height, width[, channels])")
    return array


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
