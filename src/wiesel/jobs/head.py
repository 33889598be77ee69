"""Another head on the features of a finished run: a Gaussian process, a Laplace approximation, SNGP, or softmax on few labels.

The run's own files stay as they are, seal included; the head lies beside them in `heads/<kind>/`, with a manifest of its own.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wiesel import images
from wiesel.batches import EvaluationBatches
from wiesel.comparison.difference import least_variance
from wiesel.errors import BadValue, NothingToMeasure, TooFewOfAClass
from wiesel.evaluation.calibration import calibration
from wiesel.evaluation.intervals import Interval, wilson
from wiesel.evaluation.probabilities import log_softmax, logits_from
from wiesel.images.dataset import Images
from wiesel.jobs.evaluate import pictures_of
from wiesel.language import grouped, say
from wiesel.runs import trained
from wiesel.runs.folder import RunFolder
from wiesel.runs.manifest import hash_of, verify
from wiesel.runs.trained import Trained
from wiesel.uncertainty import heads, laplace, softmax
from wiesel.uncertainty.answer import Answer, of_logits
from wiesel.uncertainty.features import Features, ending, features_of, kept
from wiesel.uncertainty.heads import KINDS, Head, Kind
from wiesel.uncertainty.out_of_distribution import auroc

MOST_OUTSIDE = 10_000
"""Pictures from elsewhere that are looked at."""

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Row:
    """One head on one split; intervals at 95 %."""

    head: str
    """"run": the run's own; "softmax": fitted here on the same labels; else the kind."""
    split: str
    pictures: int
    accuracy: Interval
    ahead: Interval | None
    """Accuracy minus that of the first row on the same pictures (normal interval for pairs); None in the first row."""
    nll: float
    """Mean negative log-likelihood, nats."""
    ece: Interval
    auroc: Mapping[str, Interval]
    """Score -> how well it tells pictures from elsewhere; empty if none were given."""


@dataclass(frozen=True)
class HeadResult:
    run: Path
    kind: Kind
    folder: Path
    labels: int
    """Training labels that were used."""
    labels_per_class: int | None
    against: str | None
    rows: tuple[Row, ...]
    seconds: Mapping[str, float]
    facts: Mapping[str, Any]
    """What the head says about its fit."""

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "run": str(self.run), "folder": str(self.folder)}


def head(
    run: Path | str,
    kind: Kind = "laplace",
    *,
    labels_per_class: int | None = None,
    seed: int = 0,
    against: str | Path | None = None,
    test: bool = False,
    data_dir: Path | str | None = None,
    tell: Callable[[str], None] = lambda _: None,
) -> HeadResult:
    """Fit a head on the training pictures of a run, measure it beside the run's own on validation, and keep it in the run folder.

    Args:
        kind: softmax, laplace, sngp or dkl. `laplace` takes the run's own head as its centre, unless `labels_per_class` is given.
        labels_per_class: so many training labels of each class, drawn with `seed`, instead of all. A softmax head on the same
            labels is measured as well. The features still come from the whole run.
        against: a data set whose pictures the network was not made for; how well doubt tells them apart is measured.
        test: measure on the test split too; the look is noted in the run's events.

    Raises:
        BadValue: no such kind, labels_per_class below 1, or seed below 0. TooFewOfAClass: more labels than there are.
        NoFeatures: the network does not end in a linear layer. GaussianProcessesMissing: dkl without GPyTorch.
        RunError, DataChanged: not a finished run, or its pictures are not there.
    """
    if kind not in KINDS:
        raise BadValue(setting="kind", value=kind, expected=" | ".join(KINDS))
    if labels_per_class is not None and labels_per_class < 1:
        raise BadValue(setting="labels-per-class", value=labels_per_class, expected=">= 1")
    if seed < 0:
        raise BadValue(setting="seed", value=seed, expected=">= 0")
    folder = RunFolder.open(Path(run))
    model = trained.load(folder)
    data = pictures_of(folder, data_dir=data_dir)
    classes = len(model.classes)
    taking = Taking(model, tell)
    rows = None if labels_per_class is None else few(data.train.labels, model.classes, labels_per_class, seed)
    training = data.train if rows is None else data.train.take(rows)
    start = time.perf_counter()
    known = taking.of(training, (data.fingerprint, "train", f"{labels_per_class}", f"{seed if rows is not None else 0}"))
    splits: dict[str, tuple[Images, Features]] = {}
    for name, part in (("validation", data.validation), ("test", data.test if test else None)):
        if part is not None:
            splits[name] = (part, taking.of(part, (data.fingerprint, name)))
    if not splits:
        raise NothingToMeasure(where=str(folder.path))
    if test:
        folder.record("look", 0, split="test", head=kind)
    strange = None if against is None else taking.elsewhere(against, data_dir)
    taken = time.perf_counter() - start

    start = time.perf_counter()
    fitted = _fit(kind, model, known, training.labels, seed, own=rows is None, picture=taking.first(training))
    fitting = time.perf_counter() - start
    asked: dict[str, Callable[[Features], Answer]] = {"run": _own}
    if rows is not None and kind != "softmax":
        few_softmax = softmax.fit(known.values, training.labels, classes, seed)
        asked["softmax"] = lambda features: few_softmax.answer(features.values)
    asked[kind] = lambda features: fitted.answer(features.values)
    start = time.perf_counter()
    result = HeadResult(
        run=folder.path,
        kind=kind,
        folder=folder.path / "heads" / (kind if rows is None else f"{kind}-{labels_per_class}-per-class"),
        labels=len(training),
        labels_per_class=labels_per_class,
        against=None if against is None else str(against),
        rows=_table(asked, splits, strange),
        seconds={"features": round(taken, 3), "fit": round(fitting, 3), "measure": round(time.perf_counter() - start, 3)},
        facts=fitted.facts(),
    )
    about = {"labels": len(training), "labels_per_class": labels_per_class, "seed": seed, "sealed": taking.identity}
    with folder.lock():
        heads.save(result.folder, fitted, about=about, evaluation=result.to_json())
    return result


def few(labels: NDArray[np.int64], classes: tuple[str, ...], count: int, seed: int) -> NDArray[np.int64]:
    """Rows of `count` pictures of each class, in order.

    Raises:
        TooFewOfAClass: names it.
    """
    generator = np.random.default_rng(seed)
    chosen = []
    for number, name in enumerate(classes):
        rows = np.flatnonzero(labels == number)
        if len(rows) < count:
            raise TooFewOfAClass(name=name, have=len(rows), wanted=count)
        chosen.append(generator.choice(rows, count, replace=False))
    return np.sort(np.concatenate(chosen))


def measured(
    name: str,
    split: str,
    labels: NDArray[np.int64],
    answer: Answer,
    log_p: Floats,
    strange: Answer | None,
    first: NDArray[np.bool_] | None,
) -> Row:
    """One row from an answer for a split, its log probabilities (N, K), and one for pictures from elsewhere.

    `first`: which pictures the first row got right.
    """
    right = answer.probabilities.argmax(1) == labels
    confidence = answer.probabilities.max(1).clip(0, 1)
    return Row(
        head=name,
        split=split,
        pictures=len(labels),
        accuracy=wilson(int(right.sum()), len(labels)),
        ahead=None if first is None else paired(right, first),
        nll=float(-log_p[np.arange(len(labels)), labels].mean()),
        ece=calibration(confidence, right).ece,
        auroc={} if strange is None else {score: auroc(own, strange.scores[score]) for score, own in answer.scores.items()},
    )


def paired(right: NDArray[np.bool_], first: NDArray[np.bool_]) -> Interval:
    """Difference of two accuracies on the same pictures, with the normal interval at 95 % for pairs; not narrower than so many pictures
    allow, however rarely the two disagree (`least_variance`)."""
    difference = right.astype(np.float64) - first
    count, value = len(difference), float(difference.mean())
    spread = float(difference.var(ddof=1)) / count if count > 1 else 1.0
    half = 1.959964 * float(np.sqrt(max(spread, least_variance(count))))
    return Interval(value, max(value - half, -1.0), min(value + half, 1.0))


def _table(
    asked: Mapping[str, Callable[[Features], Answer]], splits: Mapping[str, tuple[Images, Features]], strange: Features | None
) -> tuple[Row, ...]:
    rows = []
    for split, (part, features) in splits.items():
        first: NDArray[np.bool_] | None = None
        for name, ask in asked.items():
            answer = ask(features)
            log_p = log_softmax(features.logits) if name == "run" else logits_from(answer.probabilities)
            rows.append(measured(name, split, part.labels, answer, log_p, None if strange is None else ask(strange), first))
            if first is None:
                first = answer.probabilities.argmax(1) == part.labels
    return tuple(rows)


def _fit(kind: Kind, model: Trained, known: Features, labels: NDArray[np.int64], seed: int, *, own: bool, picture: Any) -> Head:
    if kind == "laplace" and own:
        layer = ending(model.network, picture)
        bias = np.zeros(layer.out_features) if layer.bias is None else layer.bias.detach().numpy()
        weights = (layer.weight.detach().numpy(), bias)
        return laplace.fit(known.values, labels, len(model.classes), seed, trained=weights)
    return heads.fit(kind, known.values, labels, len(model.classes), seed)


def _own(features: Features) -> Answer:
    import torch

    return of_logits(torch.from_numpy(features.logits))


class Taking:
    """Features of one trained run, each split computed once on this machine."""

    def __init__(self, model: Trained, tell: Callable[[str], None]) -> None:
        self.model = model
        self.tell = tell
        self.identity = hash_of(verify(model.run.path))
        self.precision = str(model.run.read_provenance()["settled"]["precision"])

    def of(self, part: Images, key: tuple[str, ...]) -> Features:
        def make() -> Features:
            count = grouped(len(part))
            self.tell(say(en=f"features of {count} pictures", de=f"Merkmale von {count} Bildern"))
            batches = EvaluationBatches(part, self.model.preprocessing)
            return features_of(self.model.network, batches, precision=self.precision)

        return kept(("1", self.identity, self.precision, *key), make)

    def strangers(self, source: str | Path, data_dir: Path | str | None) -> tuple[Images, str]:
        """At most 10,000 pictures of the test split of another data set (else of all it has), as large and as coloured as the run's;
        and the fingerprint of the whole."""
        ready = self.model.preprocessing
        other = images.load(source, data_dir=data_dir, size=ready.height, channels=ready.channels, fit=ready.fit)
        part = other.test or other.validation or other.train
        if len(part) > MOST_OUTSIDE:
            part = part.take(np.sort(np.random.default_rng(0).choice(len(part), MOST_OUTSIDE, replace=False)))
        return part, other.fingerprint

    def elsewhere(self, source: str | Path, data_dir: Path | str | None) -> Features:
        """Features of `strangers`."""
        ready = self.model.preprocessing
        part, fingerprint = self.strangers(source, data_dir)
        return self.of(part, (fingerprint, "elsewhere", f"{ready.height}", f"{ready.channels}", ready.fit))

    def first(self, part: Images) -> Any:
        """One picture, as the network gets it."""
        return next(iter(EvaluationBatches(part.take([0]), self.model.preprocessing))).pictures
