"""How good a finished run is on one split: predictions saved once per picture, every number computed from them."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from scipy.special import softmax

from wiesel import images
from wiesel.analysis.folding import folded
from wiesel.batches import EvaluationBatches
from wiesel.batches.inference import logits_of
from wiesel.batches.views import NumberOfViews, Views
from wiesel.errors import BadValue, DataChanged, NothingToMeasure, WieselError
from wiesel.evaluation.intervals import Interval
from wiesel.evaluation.predictions import Predictions
from wiesel.evaluation.result import Evaluation, evaluate_predictions
from wiesel.images import DataSet
from wiesel.jobs.pictures import load
from wiesel.jobs.twins import twins_entry
from wiesel.language import say
from wiesel.runs import trained
from wiesel.runs.commit import make_folder, write_file
from wiesel.runs.folder import RunFolder

if TYPE_CHECKING:
    from wiesel.jobs.train import Result
    from wiesel.runs.trained import Trained
    from wiesel.uncertainty.assessment import Assessment

FEWEST = 4
"""Test pictures, of which one half can calibrate and the other be measured."""

Split = Literal["train", "validation", "test"]


def pictures_of(run: RunFolder, *, data_dir: Path | str | None = None) -> DataSet:
    """The data set that a run was trained on, divided as it was then.

    Raises:
        DataChanged: the pictures there now are not the same.
    """
    return divided_again(run, load(run.read_recipe().data, data_dir))


def divided_again(run: RunFolder, whole: DataSet) -> DataSet:
    """The data set divided as the run's record says."""
    record = run.read_splits()
    if whole.fingerprint != record["fingerprint"]:
        source = run.read_recipe().data.source
        raise DataChanged(source=source, run=run.path, now=whole.fingerprint[:12], then=record["fingerprint"][:12])
    return images.apply(whole, record)


def predictions_of(run: RunFolder, model: Trained, split: Split, data: DataSet | None, data_dir: Path | str | None) -> Predictions:
    """The saved predictions of a split, or new ones, saved at once. A look at the test split is noted in the run's events."""
    path = run.predictions(split)
    if path.exists():
        return Predictions.from_file(path)
    data = data or pictures_of(run, data_dir=data_dir)
    part = getattr(data, split)
    if part is None:
        raise NothingToMeasure(where=split)
    machine = run.read_provenance()["settled"]
    # Validation is there to be looked at: epochs were chosen by it. Noted before anything is seen, so that no look goes missing; a row
    # without an answer is a look that was interrupted, and this is the same one.
    if split != "validation" and not _noted(run, split):
        run.record("look", 0, split=split)
    network = folded(model.network, model.preprocessing.image)
    logits = logits_of(network, EvaluationBatches(part, model.preprocessing), precision=machine["precision"])
    predictions = Predictions(logits=logits, labels=part.labels, names=part.names)
    if not path.parent.exists():
        make_folder(path.parent)
    write_file(path, predictions.to_bytes())
    return predictions


def _noted(run: RunFolder, split: Split) -> bool:
    """Whether the run's own look at this split, without views and without another head, has been noted."""
    own = {"kind", "step", "time", "split"}
    return any(row["kind"] == "look" and row.get("split") == split and row.keys() == own for row in run.history())


def evaluate_test(run: RunFolder, model: Trained, data: DataSet) -> Evaluation:
    """Evaluate on the test split and write `evaluation.json`."""
    predictions = predictions_of(run, model, "test", data, None)
    evaluation = evaluate_predictions(predictions.labels, predictions.logits, model.classes)
    write_measured(run, evaluation, assess_test(run, model, predictions, data, None), twins_entry(run, predictions, data))
    return evaluation


def assess_test(
    run: RunFolder, model: Trained, test: Predictions, data: DataSet | None, data_dir: Path | str | None
) -> Assessment | None:
    """How sure the run may be, calibrated on its validation pictures, or, where these are gone, on half of the test pictures; None if
    there are too few pictures for anything.
    """
    from wiesel.uncertainty.assessment import assess

    validation = None
    if not run.predictions("validation").exists():
        data = data or pictures_if_there(run, data_dir)
    if run.predictions("validation").exists() or (data is not None and data.validation is not None):
        validation = predictions_of(run, model, "validation", data, data_dir)
    if len(test) < 2 or (validation is None and len(test) < FEWEST):
        return None
    return assess(test, validation)


def write_measured(run: RunFolder, evaluation: Evaluation, assessment: Assessment | None, twins: dict[str, Any]) -> None:
    """Write evaluation.json: every measure, below `uncertainty` how sure the run may be, and the entry of `twins_entry`."""
    more = {} if assessment is None else {"uncertainty": assessment.to_json()}
    run.write_evaluation({**evaluation.to_json(), **more, **twins})


def assessment_of(run: RunFolder) -> Assessment | None:
    """What evaluation.json says below `uncertainty`; None if it says nothing, as those of older versions."""
    from wiesel.uncertainty.assessment import Assessment

    if not run.evaluation.is_file():
        return None
    saved = run.read_evaluation().get("uncertainty")
    return None if saved is None else Assessment.from_json(saved)


def evaluate(
    run: Path | str,
    *,
    split: Split = "test",
    data_dir: Path | str | None = None,
    lang: str = "both",
    tell: Callable[[str], None] | None = None,
) -> Result:
    """Measure a finished run on a split. For the test split the report is written anew as well.

    The predictions are made once and kept; asking again computes from them, without the pictures. `tell`: is called with a sentence
    if these are gone or others now.

    Raises:
        RunError: not a finished run, or its files are damaged.
        DataChanged: predictions have to be made, and the pictures there now are not those of the run.
    """
    from wiesel import reports
    from wiesel.jobs.train import Result, size_of, training_seconds

    folder = RunFolder.open(Path(run))
    model = trained.load(folder)
    start = time.perf_counter()
    predictions = predictions_of(folder, model, split, None, data_dir)
    evaluation = evaluate_predictions(predictions.labels, predictions.logits, model.classes)
    seconds = {"train": training_seconds(folder), "evaluate": round(time.perf_counter() - start, 3), "report": 0.0}
    if split == "test":
        data = pictures_if_there(folder, data_dir, tell)
        twins = twins_entry(folder, predictions, data)
        write_measured(folder, evaluation, assess_test(folder, model, predictions, data, data_dir), twins)
        start = time.perf_counter()
        reports.write(folder, data=data, lang=lang)
        seconds["report"] = round(time.perf_counter() - start, 3)
    parameters, macs = size_of(model)
    return Result(
        run=folder.path,
        recipe=model.recipe,
        split=split,
        evaluation=evaluation,
        seconds=seconds,
        parameters=parameters,
        macs=macs,
        report=folder.report,
    )


def evaluate_views(
    run: Path | str, number: NumberOfViews, *, doubtful: float = 1.0, split: Split = "test", data_dir: Path | str | None = None
) -> Interval:
    """Accuracy with its interval when the network's logits for several views of each picture are averaged (see `batches.views`).

    `doubtful`: only for this share (0..1) of the pictures, those whose most probable class is least probable; the others keep their plain
    answer. Nothing is saved but the look at the test split: a figure with several views is never the run's own.
    """
    if not 0 < doubtful <= 1:
        raise BadValue(
            setting="doubtful", value=doubtful, expected=say(en="a share above 0, at most 1", de="ein Anteil über 0, höchstens 1")
        )
    folder = RunFolder.open(Path(run))
    model = trained.load(folder)
    source = model.recipe.data.source
    if images.is_name(source) and not images.may_be_mirrored(source):
        expected = say(
            en=f"1, because a mirror image changes what a picture of {source} shows",
            de=f"1, denn ein Spiegelbild ändert, was ein Bild von {source} zeigt",
        )
        raise BadValue(setting="views", value=number, expected=expected)
    data = pictures_of(folder, data_dir=data_dir)
    part = getattr(data, split)
    if part is None:
        raise NothingToMeasure(where=split)
    plain = predictions_of(folder, model, split, data, data_dir).logits
    if split != "validation":
        folder.record("look", 0, split=split, views=number, doubtful=doubtful)
    precision = folder.read_provenance()["settled"]["precision"]
    network = Views(folded(model.network, model.preprocessing.image), number)
    rows = np.sort(np.argsort(softmax(plain, axis=1).max(axis=1), kind="stable")[: math.ceil(doubtful * len(part))])
    logits = plain.copy()
    logits[rows] = logits_of(network, EvaluationBatches(part.take(rows), model.preprocessing), precision=precision)
    return evaluate_predictions(part.labels, logits, model.classes).accuracy


def pictures_if_there(
    run: RunFolder, data_dir: Path | str | None = None, tell: Callable[[str], None] | None = None
) -> DataSet | None:
    """As `pictures_of`, or None if the pictures are gone or changed, which `tell` is told: a report can do without."""
    try:
        return pictures_of(run, data_dir=data_dir)
    except WieselError as error:
        if tell is not None:
            tell(
                say(
                    en=f"The pictures cannot be shown; the figures are from the predictions that the run keeps. ({error})",
                    de=f"Die Bilder lassen sich nicht zeigen; die Zahlen stammen aus den Vorhersagen, die der Lauf aufbewahrt. ({error})",
                )
            )
        return None


def report(
    run: Path | str,
    *,
    output: Path | None = None,
    lang: str = "both",
    data_dir: Path | str | None = None,
    tell: Callable[[str], None] | None = None,
) -> Path:
    """Write the report of a finished and evaluated run; its path. `tell`: as in `evaluate`."""
    from wiesel import reports

    folder = RunFolder.open(Path(run))
    if not folder.evaluation.exists():
        evaluate(run, data_dir=data_dir, lang=lang)
    return reports.write(folder, data=pictures_if_there(folder, data_dir, tell), output=output, lang=lang)
