"""Run folder, network and test pictures -> `Facts`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray

from wiesel.analysis import cost, stages
from wiesel.batches import Preprocessing
from wiesel.evaluation import Evaluation, Predictions, evaluate_predictions
from wiesel.evaluation.measures import Outcomes, confident_mistakes, outcomes, softmax
from wiesel.evaluation.twins import TwinScores
from wiesel.images import DataSet, Images
from wiesel.recipe import to_toml
from wiesel.reports import inside
from wiesel.reports.facts import (
    Epoch,
    Facts,
    History,
    Kin,
    Layer,
    NetworkFacts,
    Origin,
    PairExamples,
    Picture,
    Softmax,
    TrainRow,
    Walk,
)
from wiesel.reports.kin import kin_of
from wiesel.reports.pictures import photograph, reduced
from wiesel.runs import events, manifest, trained
from wiesel.runs.folder import RunFolder
from wiesel.uncertainty.assessment import Assessment
from wiesel.zoo.naming import joined

FIRST = 25
SOFTMAX = 6
PAIRS = 5
PER_PAIR = 6
MISTAKES = 18
SURE = 0.9
LONGEST_SIDE = 96
"""Pixels; larger pictures are averaged down to it for display."""


def collect(run: RunFolder, data: DataSet | None, *, longest_side: int = LONGEST_SIDE) -> Facts:
    """All facts of a finished run with test predictions. `data`: the pictures it was trained on, or None if they are gone.

    Raises:
        RunError: the run is not finished or damaged, or has no test predictions.
    """
    model = trained.load(run)
    predictions = Predictions.from_file(run.predictions("test"))
    evaluation = _evaluation(run, predictions, model.classes)
    found = outcomes(predictions.labels, predictions.logits)
    provenance = run.read_provenance()
    splits = run.read_splits()
    table = cost(model.network, model.preprocessing.image)
    parts = stages(model.network, model.preprocessing.image, table)
    album = _Album(predictions, found, model.preprocessing, data.test if data is not None else None, longest_side)
    wrong = confident_mistakes(found, MISTAKES)
    return Facts(
        run=run.path.resolve().name,
        data=data.name if data is not None else model.recipe.data.source,
        classes=model.classes,
        sizes=_sizes(data, splits, len(predictions)),
        evaluation=evaluation,
        history=history(run.history(), planned=model.recipe.training.epochs),
        network=NetworkFacts(
            architecture=joined(model.recipe.architecture, model.recipe.network.changes),
            image=model.preprocessing.image,
            parameters=table.parameters,
            macs=table.macs,
            stages=parts,
            layers=tuple(Layer(row.name, row.type, row.output, row.parameters, row.macs) for row in table.layers),
            filters=inside.first_filters(model.network),
        ),
        origin=_origin(run, provenance, splits, model),
        first=album.pictures(range(min(FIRST, len(predictions)))),
        softmax=tuple(
            Softmax(album.picture(i), row) for i, row in enumerate(softmax(predictions.logits[: min(SOFTMAX, len(predictions))]))
        ),
        pairs=_pairs(evaluation, found, album),
        mistakes=album.pictures(wrong),
        sure_mistakes=int((~found.correct & (found.confidence >= SURE)).sum()),
        walk=_walk(model, album, parts),
        mean=model.preprocessing.mean,
        std=model.preprocessing.std,
        has_pictures=album.rows is not None,
        shown_at=album.shown_at,
        uncertainty=_uncertainty(run),
        twins=_twins(run),
        kin=_kin(model, data, found, wrong, album, longest_side),
    )


def history(rows: Sequence[dict[str, Any]], *, planned: int) -> History:
    """What counts of the rows of events.jsonl, interruptions undone."""
    counting = events.effective(rows)
    epochs = [row for row in counting if row["kind"] == "epoch"]
    steps = next((row["step"] / row["epoch"] for row in reversed(epochs)), 0)
    best = next((row for row in reversed(epochs) if row["best"]), None)
    ended = next((row for row in reversed(counting) if row["kind"] == "end"), None)
    seconds = (ended or {}).get("seconds") or (epochs[-1]["seconds"] if epochs else 0.0)
    return History(
        epochs=tuple(
            Epoch(
                epoch=row["epoch"],
                train_loss=row["train_loss"],
                train_accuracy=row["train_accuracy"],
                validation_loss=row["validation_loss"],
                validation_accuracy=row["validation_accuracy"],
                seconds=row["seconds"],
                resolution=row.get("resolution", 0),
            )
            for row in epochs
        ),
        rows=tuple(
            TrainRow(epoch=row["step"] / steps, loss=row["loss"], accuracy=row["accuracy"], rate=row["rate"])
            for row in counting
            if row["kind"] == "train" and steps
        ),
        planned=planned,
        best=best["epoch"] if best else 0,
        seconds=float(seconds),
        resumed=sum(row["kind"] == "resume" for row in rows),
    )


class _Album:
    """Test pictures by their place among the predictions, with what the network said of them."""

    def __init__(
        self, predictions: Predictions, found: Outcomes, preprocessing: Preprocessing, test: Images | None, longest_side: int
    ) -> None:
        self.predictions, self.found, self.preprocessing = predictions, found, preprocessing
        self.test, self.longest_side = test, longest_side
        self.rows = _rows(predictions, test)

    @property
    def shown_at(self) -> int:
        large = max(self.preprocessing.height, self.preprocessing.width) > self.longest_side
        return self.longest_side if large and self.rows is not None else 0

    def input(self, index: int) -> torch.Tensor:
        """What the network gets: float32 (1, C, H, W)."""
        assert self.rows is not None
        assert self.test is not None
        return self.preprocessing.normalise(torch.from_numpy(np.array(self.test.pixels[self.rows[index]])[None]))

    def picture(self, index: int) -> Picture:
        png = None
        if self.rows is not None:
            pixels = self.preprocessing.denormalise(self.input(index))[0].numpy()
            png = photograph(reduced(pixels, self.longest_side).round().astype(np.uint8))
        return Picture(
            index=index,
            name=str(self.predictions.names[index]),
            truth=int(self.found.label[index]),
            prediction=int(self.found.predicted[index]),
            confidence=float(self.found.confidence[index]),
            png=png,
        )

    def pictures(self, indices: Sequence[int] | range | NDArray[np.int64]) -> tuple[Picture, ...]:
        return tuple(self.picture(int(index)) for index in indices)


def _rows(predictions: Predictions, test: Images | None) -> NDArray[np.int64] | None:
    """Row in `test` of each predicted picture, by name; None unless every one is there under the same label."""
    if test is None:
        return None
    if np.array_equal(predictions.names, test.names):
        rows = np.arange(len(predictions), dtype=np.int64)
    else:
        place = {name: row for row, name in enumerate(test.names.tolist())}
        rows = np.array([place.get(name, -1) for name in predictions.names.tolist()], np.int64)
    return rows if (rows >= 0).all() and np.array_equal(test.labels[rows], predictions.labels) else None


def _evaluation(run: RunFolder, predictions: Predictions, classes: tuple[str, ...]) -> Evaluation:
    if run.evaluation.is_file():
        saved = Evaluation.from_json(run.read_evaluation())
        if saved.classes == classes and saved.n == len(predictions):
            return saved
    return evaluate_predictions(predictions.labels, predictions.logits, classes)


def _kin(
    model: trained.Trained, data: DataSet | None, found: Outcomes, wrong: NDArray[np.int64], album: _Album, longest_side: int
) -> Kin | None:
    if data is None or album.rows is None or not len(data.train):
        return None
    return kin_of(model, data, found, wrong.tolist(), album.picture, album.input, longest_side=longest_side)


def _twins(run: RunFolder) -> TwinScores | None:
    saved = run.read_evaluation().get("twins") if run.evaluation.is_file() else None
    return None if saved is None else TwinScores.from_json(saved)


def _uncertainty(run: RunFolder) -> Assessment | None:
    saved = run.read_evaluation().get("uncertainty") if run.evaluation.is_file() else None
    return None if saved is None else Assessment.from_json(saved)


def _sizes(data: DataSet | None, splits: dict[str, Any], tested: int) -> dict[Literal["train", "validation", "test"], int]:
    if data is not None:
        return {
            "train": len(data.train),
            **({"validation": len(data.validation)} if data.validation is not None else {}),
            "test": tested,
        }
    made = splits.get("made", {})
    return {**({"validation": len(made["validation"])} if "validation" in made else {}), "test": tested}


def _pairs(evaluation: Evaluation, found: Outcomes, album: _Album) -> tuple[PairExamples, ...]:
    examples = []
    for pair in evaluation.confused_pairs[:PAIRS]:
        members = np.flatnonzero((found.label == pair.truth) & (found.predicted == pair.prediction))
        surest = members[np.argsort(found.doubt[members], kind="stable")[:PER_PAIR]]
        examples.append(PairExamples(pair.truth, pair.prediction, pair.count, pair.share, album.pictures(surest)))
    return tuple(examples)


def _walk(model: trained.Trained, album: _Album, parts: tuple[Any, ...]) -> Walk | None:
    if album.rows is None:
        return None
    every = inside.walk_layers(parts)
    return Walk(album.picture(0), inside.layer_maps(model.network, album.input(0), inside.some_of(every)), len(every))


def _origin(run: RunFolder, provenance: dict[str, Any], splits: dict[str, Any], model: trained.Trained) -> Origin:
    settled, machine = provenance.get("settled", {}), provenance.get("machine", {})
    more = {"platform": provenance.get("platform"), "commit": provenance.get("commit"), **provenance.get("environment", {})}
    return Origin(
        command=str(provenance.get("command", "")),
        recipe=to_toml(model.recipe),
        seed=model.recipe.seed,
        split_seed=int(splits.get("seed", model.recipe.data.split_seed)),
        fingerprint=str(splits["fingerprint"]),
        source=str(provenance.get("source", model.recipe.data.source)),
        left_out=tuple((str(entry["path"]), str(entry["reason"])) for entry in provenance.get("left_out", ())),
        warnings=tuple(str(warning) for warning in provenance.get("warnings", ())),
        sealed=tuple((name, entry["size"], entry["sha256"]) for name, entry in sorted(manifest.verify(run.path).items())),
        looks=sum(row["kind"] == "look" and row.get("split") == "test" for row in run.history()),
        threads=int(provenance.get("threads", 0)),
        precision=str(provenance.get("precision", "")),
        device=str(settled.get("device", "cpu")),
        processor=str(machine.get("cpu", "")),
        cores=int(machine.get("cores", 0)),
        started=str(provenance.get("started", "")),
        versions={
            "python": str(provenance.get("python", "")),
            **{name: str(version) for name, version in provenance.get("versions", {}).items() if version},
        },
        more={key: str(value) for key, value in more.items() if value},
    )
