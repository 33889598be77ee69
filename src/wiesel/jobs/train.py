"""The main job: pictures -> trained network, run folder, evaluation, report."""

from __future__ import annotations

import dataclasses
import shlex
import time
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from wiesel import images, zoo
from wiesel.analysis.cost import cost
from wiesel.batches import Preprocessing
from wiesel.errors import BadValue, WieselError
from wiesel.images.cache import cache_folder
from wiesel.jobs import begin
from wiesel.jobs.asked import base_of, refuse_beside
from wiesel.jobs.change import Account, change
from wiesel.jobs.evaluate import divided_again, evaluate_test
from wiesel.jobs.gradient_flow import noting
from wiesel.jobs.pictures import load
from wiesel.jobs.presets import FEW, Preset, for_few, for_many, suits_few, suits_many
from wiesel.jobs.settings import with_settings
from wiesel.jobs.together import together
from wiesel.language import duration, number, say
from wiesel.recipe import Recipe
from wiesel.runs import checkpoints, provenance, trained
from wiesel.runs.folder import RunFolder
from wiesel.training.freezing import Freezing
from wiesel.training.precision import choose, has_bf16
from wiesel.training.progress import Silent
from wiesel.zoo import surgery
from wiesel.zoo.naming import joined
from wiesel.zoo.network import Network

if TYPE_CHECKING:
    from wiesel.evaluation.result import Evaluation
    from wiesel.images import DataSet
    from wiesel.training.fit import BeforeStep, Machine, Outcome
    from wiesel.training.progress import Progress


class Stopped(WieselError):
    """A signal ended training early; everything so far is saved. `exit_code` is 130 or 143, as shells expect."""

    en = "Stopped at step {step}; everything so far is saved. Go on with: {command}"
    de = "Bei Schritt {step} angehalten; alles bis hierher ist gespeichert. Weiter mit: {command}"

    def __init__(self, **facts: Any) -> None:
        super().__init__(**{"command": f"wiesel train --resume {shlex.quote(str(facts['run']))}", **facts})
        self.exit_code = 128 + facts["signal"]  # type: ignore[misc]


@dataclass(frozen=True)
class Result:
    """What a finished training run has to show."""

    run: Path
    recipe: Recipe
    split: str
    evaluation: Evaluation
    seconds: dict[str, float]
    parameters: int
    macs: int
    report: Path

    def sentence(self) -> str:
        """One line: what was reached, how sure that is, how long it took, where the report lies."""
        accuracy = self.evaluation.accuracy
        return say(
            en="{model} on {data}: {accuracy} right on {n} {split} pictures (95 % interval {low} to {high}), trained in {time}. Report: {report}",
            de="{model} auf {data}: {accuracy} richtig auf {n} Bildern ({split}; 95-%-Intervall {low} bis {high}), trainiert in {time}. Bericht: {report}",
        ).format(
            model=joined(self.recipe.architecture, self.recipe.network.changes),
            data=self.recipe.data.source,
            accuracy=f"{number(100 * accuracy.value, 2)} %",
            n=self.evaluation.n,
            split=self.split,
            low=f"{number(100 * accuracy.low, 2)} %",
            high=f"{number(100 * accuracy.high, 2)} %",
            time=duration(self.seconds["train"]),
            report=self.report,
        )

    def _repr_html_(self) -> str:
        return f"<p>{escape(self.sentence())}</p>{self.evaluation._repr_html_()}"

    def to_json(self) -> dict[str, Any]:
        """The keys that other programs may rely on."""
        accuracy = self.evaluation.accuracy
        return {
            "run": str(self.run),
            "model": self.recipe.architecture,
            "changes": list(self.recipe.network.changes),
            "data": self.recipe.data.source,
            "split": self.split,
            "n": self.evaluation.n,
            "accuracy": accuracy.value,
            "interval": [accuracy.low, accuracy.high],
            "seconds": self.seconds,
            "parameters": self.parameters,
            "macs": self.macs,
            "seed": self.recipe.seed,
            "report": str(self.report),
        }


def train(
    model: str | None = None,
    data: str | Path | None = None,
    *,
    epochs: int | None = None,
    seed: int | None = None,
    output: Path | str | None = None,
    resume: Path | str | None = None,
    recipe: Recipe | Path | str | None = None,
    preset: Preset | None = None,
    data_dir: Path | str | None = None,
    progress: Progress | None = None,
    lang: str = "both",
    gradient_flow_every: int = 0,
    **settings: Any,
) -> Result:
    """Train a network, look at the test split once, write the report.

    Args:
        model: a name from `wiesel.models()`; default resnet18.
        data: a named data set, a folder or a .zip file; default the embedded sample of Fashion-MNIST.
        output: the run folder to make; default `runs/<data>-<model>-<n>`.
        resume: a run folder that was interrupted; everything else is then read from it.
        recipe: start from this recipe (object or TOML file) instead of the defaults.
        preset: start from this one of `wiesel.jobs.presets`; not together with `recipe`.
        gradient_flow_every: note norms of activations and gradients, layer by layer, every so many steps in `events.jsonl`; the
            weights come out the same. 0: never.
        settings: any setting of a recipe by its name (batch, rate, optimiser, size, flip, …).

    Raises:
        UsageError, MissingError, PicturesError, RunError, TrainingError: see `wiesel.errors`.
        Stopped: Ctrl-C or SIGTERM; the run can be resumed.
    """
    if resume is not None:
        refuse_beside(
            resume,
            {
                "model": model,
                "data": data,
                "epochs": epochs,
                "seed": seed,
                "output": output,
                "recipe": recipe,
                "preset": preset,
                **settings,
            },
        )
        return _resume(Path(resume), data_dir=data_dir, progress=progress, lang=lang, flow_every=gradient_flow_every)
    base = base_of(recipe, preset)
    asked = {
        "architecture": model,
        "source": str(data) if data is not None else None,
        "epochs": epochs,
        "seed": seed,
        **settings,
    }
    begin.refuse_idle(asked, pretrained=bool(settings.get("pretrained") or base.transfer.pretrained))
    if recipe is None:
        asked |= begin.implied(asked)
    chosen = with_settings(base, asked)
    if recipe is None and settings.get("flip") is None:
        chosen = with_settings(chosen, {"flip": images.may_be_mirrored(chosen.data.source)})
    zoo.find(chosen.architecture)  # an unknown name is refused before any picture is read
    for text in chosen.network.changes:
        surgery.parse(text)
    given = begin.given_of(chosen)
    if recipe is None and given is not None:
        chosen = begin.decided(chosen, given, asked)
    whole = load(chosen.data, data_dir)
    divided, record = images.divide(whole, validation=chosen.data.validation, test=chosen.data.test, seed=chosen.data.split_seed)
    pictures = len(divided.train)
    few = recipe is None and given is None and (preset == "few" or (preset is None and suits_few(chosen, asked, pictures)))
    if recipe is None and preset in (None, "standard") and not few and settings.get("batch") is None and pictures < FEW:
        chosen = with_settings(chosen, {"batch": 32})
    if recipe is None and given is not None:
        chosen = begin.slower(chosen, asked)
    begins = begin.beginning(chosen, divided, given)
    side = min(begins.preprocessing.image[1:])
    if few:
        chosen = for_few(chosen, asked, pictures=pictures, side=side)
    elif preset == "fast" and suits_many(chosen, pictures) and given is None:
        chosen = for_many(chosen, asked, shift=images.shift_of(chosen.data.source), side=side)
    for account in _refuse_misfit(chosen, divided, begins.preprocessing):
        (progress or Silent()).note(account.sentence())
    if given is not None:
        (progress or Silent()).note(begin.sentence(chosen, begins))
    run = RunFolder.create(Path(output) if output is not None else None, name=f"{divided.name}-{chosen.architecture}")
    with run.lock():
        machine = _machine(chosen, progress)
        _write_givens(run, chosen, divided, record, begins, machine)
        observer = noting(run, gradient_flow_every)
        return _train(
            run,
            chosen,
            divided,
            begins,
            machine,
            resume=None,
            progress=progress,
            lang=lang,
            before_step=observer,
            data_dir=data_dir,
        )


def train_only(data: DataSet, *, output: Path, progress: Progress | None = None, **settings: Any) -> RunFolder:
    """Train on `data.train`, choosing the epoch on a part of it; no test split, no report. For data that is in memory already."""
    chosen = with_settings(Recipe(), {"source": data.name, **settings})
    if chosen.training.processes > 1:
        expected = say(
            en="1, because other processes cannot see pictures in memory",
            de="1, weil andere Prozesse Bilder im Speicher nicht sehen",
        )
        raise BadValue(setting="processes", value=chosen.training.processes, expected=expected)
    zoo.find(chosen.architecture)
    divided, record = images.divide(data, validation=chosen.data.validation, test=None, seed=chosen.data.split_seed)
    begins = begin.beginning(chosen, divided, begin.given_of(chosen))
    _refuse_misfit(chosen, divided, begins.preprocessing)
    run = RunFolder.create(output)
    with run.lock():
        machine = _machine(chosen)
        _write_givens(run, chosen, divided, record, begins, machine)
        _complete(run, chosen, _learn(chosen, divided, begins, run, machine, progress=progress))
    return run


def _resume(path: Path, *, data_dir: Path | str | None, progress: Progress | None, lang: str, flow_every: int = 0) -> Result:
    from wiesel.training.fit import Machine

    run = RunFolder.open(path)
    with run.lock():
        chosen = run.read_recipe()
        whole = load(chosen.data, data_dir)
        if run.provenance.exists():
            divided = divided_again(run, whole)
            begins = begin.Beginning(Preprocessing.from_json(run.read_preprocessing()), None)
            machine = Machine(**run.read_provenance()["settled"])
        else:  # the last sitting ended before its first step: what it was given follows from the recipe
            divided, record = images.divide(
                whole, validation=chosen.data.validation, test=chosen.data.test, seed=chosen.data.split_seed
            )
            begins = begin.beginning(chosen, divided, begin.given_of(chosen))
            machine = _machine(chosen, progress)
            _write_givens(run, chosen, divided, record, begins, machine)
        newest = None if run.state == "finished" else checkpoints.resume(run)
        for damaged in newest.skipped if newest is not None else ():
            (progress or Silent()).note(str(damaged))
        if chosen.transfer.pretrained and begins.start is None and run.state != "finished":
            probing = chosen.transfer.mode == "probe"
            if newest is None or probing:  # otherwise the checkpoint has all that is needed
                begins = begin.beginning(chosen, divided, begin.given_again(chosen, run))
        observer = noting(run, flow_every)
        return _train(
            run,
            chosen,
            divided,
            begins,
            machine,
            resume=newest,
            progress=progress,
            lang=lang,
            before_step=observer,
            data_dir=data_dir,
        )


def _refuse_misfit(recipe: Recipe, data: DataSet, preprocessing: Preprocessing) -> tuple[Account, ...]:
    """Build the network without memory, so that an input that is too small, or a change that makes no sense, is refused before a
    folder is made. Gives the account of the changes.
    """
    _, height, width = preprocessing.image
    if 0 < recipe.data.enlarge <= max(preprocessing.height, preprocessing.width):
        own = f"{preprocessing.height} x {preprocessing.width}"
        raise BadValue(setting="enlarge", value=recipe.data.enlarge, expected=f"more than the pictures have ({own} pixels)")
    for _, pixels in recipe.training.resolutions:
        if pixels >= min(height, width):
            raise BadValue(setting="resolutions", value=pixels, expected=f"smaller than the pictures ({min(height, width)} pixels)")
    unchanged = dataclasses.replace(recipe, network=dataclasses.replace(recipe.network, changes=()))
    with torch.device("meta"):
        network = zoo.of_recipe(unchanged, classes=len(data.classes), image=preprocessing.image)
        for _, pixels in recipe.training.resolutions:
            if isinstance(network, Network):
                network.refuse_smaller(pixels, pixels)
        changed, accounts = change(network, recipe.network.changes, image=preprocessing.image)
    if recipe.transfer.pretrained and recipe.transfer.mode == "finetune":
        Freezing(changed, recipe.transfer)  # refuses a layer or a number of stages that there is not
    return accounts


def _machine(recipe: Recipe, progress: Progress | None = None) -> Machine:
    from wiesel.training.fit import Machine
    from wiesel.training.threads import usable_cores

    processes = recipe.training.processes
    threads = recipe.training.threads or max(1, usable_cores() // processes)
    torch.set_num_threads(threads)
    precision = recipe.training.precision
    if precision != "fp32" and not has_bf16():
        (progress or Silent()).note(_without_bf16(asked=precision == "bf16"))
    if precision == "auto":
        precision = choose(cache_folder() / "precision.json").precision
    return Machine(precision=precision, threads=threads, processes=processes)


def _without_bf16(*, asked: bool) -> str:
    if asked:
        return say(
            en="This processor has no bfloat16 instructions, so --precision bf16 will be slow; fp32 suits it.",
            de="Dieser Prozessor hat keine bfloat16-Befehle; --precision bf16 wird langsam sein, fp32 passt zu ihm.",
        )
    return say(
        en="This processor has no bfloat16 instructions: training is in float32.",
        de="Dieser Prozessor hat keine bfloat16-Befehle: trainiert wird in float32.",
    )


def _provenance(run: RunFolder, recipe: Recipe, data: DataSet, machine: Machine) -> dict[str, Any]:
    facts = provenance.provenance(
        seeds={"run": recipe.seed, "split": recipe.data.split_seed},
        threads=machine.threads,
        precision=machine.precision,
        fingerprint=data.fingerprint,
        command=["wiesel", "train", str(run.recipe)],
    )
    return {
        **facts,
        "settled": dataclasses.asdict(machine),
        "source": data.source,
        "left_out": [dataclasses.asdict(entry) for entry in data.left_out],
        "warnings": list(data.warnings),
    }


def _train(
    run: RunFolder,
    recipe: Recipe,
    data: DataSet,
    begins: begin.Beginning,
    machine: Machine,
    *,
    resume: checkpoints.Checkpoint | None,
    progress: Progress | None,
    lang: str,
    before_step: BeforeStep | None = None,
    data_dir: Path | str | None = None,
) -> Result:
    if run.state != "finished":
        outcome = _learn(
            recipe, data, begins, run, machine, resume=resume, progress=progress, before_step=before_step, data_dir=data_dir
        )
        _complete(run, recipe, outcome)
    return finished(run, data, lang=lang)


def _learn(
    recipe: Recipe,
    data: DataSet,
    begins: begin.Beginning,
    run: RunFolder,
    machine: Machine,
    *,
    resume: checkpoints.Checkpoint | None = None,
    progress: Progress | None = None,
    before_step: BeforeStep | None = None,
    data_dir: Path | str | None = None,
) -> Outcome:
    """A probe, or training from chance or from the start weights."""
    from wiesel.training.fit import fit
    from wiesel.training.probe import Probed, probe, probed_start

    preprocessing, start = begins
    alone = dataclasses.replace(machine, threads=machine.threads * machine.processes)
    if start is not None and recipe.transfer.mode == "probe":
        return probe(recipe, data, preprocessing, run, alone, start, progress=progress)
    tensors, seconds = (None, 0.0) if start is None else (start.tensors, 0.0)
    if start is not None and not start.keeps_head and recipe.transfer.head_start == "probe":
        found = probed_start(recipe, data, preprocessing, run, alone, start, progress=progress)
        if not isinstance(found, Probed):
            return found
        tensors, seconds = found.state, found.seconds
    with together(run, machine, step=0 if resume is None else resume.step, data_dir=data_dir) as team:
        outcome = fit(
            recipe,
            data,
            preprocessing,
            run,
            machine,
            resume=resume,
            progress=progress,
            before_step=before_step,
            start=tensors,
            seconds=seconds,
            team=team,
        )
    torch.set_num_threads(alone.threads)
    return outcome


def _write_givens(
    run: RunFolder, recipe: Recipe, data: DataSet, record: dict[str, Any], begins: begin.Beginning, machine: Machine
) -> None:
    """Everything that is decided before the first step. The recipe comes first: a run can be resumed from it alone."""
    run.write_recipe(recipe)
    run.write_splits(record)
    run.write_classes(data.classes)
    run.write_preprocessing(begins.preprocessing.to_json())
    start = {} if begins.start is None else {"start": begins.start.facts()}
    run.write_provenance({**_provenance(run, recipe, data, machine), **start})


def _complete(run: RunFolder, recipe: Recipe, outcome: Outcome) -> None:
    """Keep the weights of the best epoch and seal the run; or say that it was stopped."""
    if not outcome.finished:
        raise Stopped(step=outcome.position.step, run=run.path, signal=outcome.signal)
    assert outcome.position.best is not None
    _keep_best(run, outcome.position.best.step, averaged=recipe.training.ema > 0)
    run.seal()
    run.record("end", outcome.position.step, seconds=round(outcome.position.seconds, 3))


def _keep_best(run: RunFolder, step: int, *, averaged: bool) -> None:
    """Write `weights.safetensors` from the checkpoint of the best epoch."""
    model = checkpoints.at(run, step).model()
    if averaged:
        model = {name.removeprefix("average."): t for name, t in model.items() if name.startswith("average.")}
    checkpoints.save_weights(run, step, model)


def finished(run: RunFolder, data: DataSet, *, lang: str) -> Result:
    """Evaluate a sealed run on its test split (once) and write its report."""
    from wiesel import reports

    model = trained.load(run)
    start = time.perf_counter()
    evaluation = evaluate_test(run, model, data)
    evaluated = time.perf_counter()
    report = reports.write(run, data=data, lang=lang)
    written = time.perf_counter()
    parameters, macs = size_of(model)
    seconds = {
        "train": training_seconds(run),
        "evaluate": round(evaluated - start, 3),
        "report": round(written - evaluated, 3),
    }
    return Result(
        run=run.path,
        recipe=model.recipe,
        split="test",
        evaluation=evaluation,
        seconds=seconds,
        parameters=parameters,
        macs=macs,
        report=report,
    )


def size_of(model: trained.Trained) -> tuple[int, int]:
    """(parameters, multiply-adds for one picture)"""
    table = cost(model.network, model.preprocessing.image)
    return table.parameters, table.macs


def training_seconds(run: RunFolder) -> float:
    """Seconds of training over all sittings, as the run's history tells."""
    ends = [row["seconds"] for row in run.history() if row["kind"] == "end"]
    return float(ends[-1]) if ends else 0.0
