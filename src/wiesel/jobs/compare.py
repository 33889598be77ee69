"""Is B better than A? A plan -> trained cells -> a verdict, look by look."""

from __future__ import annotations

import dataclasses
import itertools
import os
import shlex
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

from wiesel import images
from wiesel.comparison import campaign as campaigns
from wiesel.comparison import clock, ray_address, ray_tasks
from wiesel.comparison.cells import Cell, cells, file_name, outcomes, result, state
from wiesel.comparison.clock import Calibration
from wiesel.comparison.judgement import judge
from wiesel.comparison.ledger import Ledger
from wiesel.comparison.looks import schedule
from wiesel.comparison.plan import Plan, PlannedArm, fingerprint, read, recipe_of
from wiesel.comparison.rules import Rules
from wiesel.comparison.shape import misshapen
from wiesel.comparison.shipped import named, names
from wiesel.comparison.small_data import FEW
from wiesel.comparison.workers import Processes, Workers
from wiesel.errors import BadValue, CellsFailed, FolderTaken, NoComparison, NoPlan, OtherPlan, WieselError, nearest
from wiesel.images import DataSet
from wiesel.jobs.pictures import load
from wiesel.jobs.program import program
from wiesel.jobs.verdict import DOCUMENT, Context, contents, page, tested
from wiesel.language import language, say
from wiesel.recipe import Augmentation, DataChoice, Training
from wiesel.runs.commit import make_folder, write_file
from wiesel.runs.documents import damaged, parse_mapping, read_bytes, to_json
from wiesel.runs.lock import locked

BASE = Path("compare")
NEEDED = ("sentence", "small_print", "verdict", "arms")
"""Without these a comparison cannot be shown."""

OWN = {"plan.toml", "plan.sha256", "calibration.json", "cells", ".lock", ".owner.json"}
"""What may lie in a comparison's folder before its ledger."""


@dataclass(frozen=True)
class Burden:
    """What an arm costs and has for itself: what the arms do not share."""

    name: str
    parameters: int
    macs: int
    """Multiply-adds for one picture."""
    seconds: float | None
    """Mean training time of the runs there are; None before the first."""
    settings: dict[str, Any]
    """What it does differently, besides its network."""
    epochs: int | None = None
    """None: the clock will tell."""


@dataclass(frozen=True)
class Comparison:
    """What `comparison.json` says."""

    folder: Path
    document: dict[str, Any]

    @property
    def verdict(self) -> str:
        """better, worse, same, undecided or test_set_too_small; of the leading challenger."""
        return str(self.document["verdict"])

    def sentence(self) -> str:
        return str(self.document["sentence"][language()])

    def small_print(self) -> str:
        return str(self.document["small_print"][language()])

    def to_json(self) -> dict[str, Any]:
        return {**self.document, "folder": str(self.folder)}

    @property
    def page(self) -> Path:
        """The verdict as a page."""
        return self.folder / "comparison.html"

    def to_markdown(self) -> str:
        """The verdict, its numbers and how they were made, for a collection of experiments."""
        from wiesel.reports.comparison_markdown import markdown

        return markdown(self.document, language())

    def _repr_html_(self) -> str:
        return f"<p><strong>{escape(self.sentence())}</strong></p><p><small>{escape(self.small_print())}</small></p>"


def compare(
    arms: Sequence[str] = (),
    data: str | Path | None = None,
    *,
    epochs: int | None = None,
    margin: float | None = None,
    plan: Plan | Path | str | None = None,
    full: bool = False,
    output: Path | str | None = None,
    jobs: int = 0,
    time_limit: float = 900.0,
    ray: str | None = None,
    data_dir: Path | str | None = None,
    fairness: Callable[[tuple[Burden, ...], Plan], None] | None = None,
    tell: Callable[[str], None] | None = None,
    lang: str = "both",
) -> Comparison:
    """Train the arms until the question is settled or the plan ends, and say what came out.

    The same call again goes on where this one was interrupted; runs that exist, here or in another comparison beside it, are not
    made again.

    Args:
        arms: two or more networks with their changes (`resnet18:residual=off`); the first is the baseline.
        plan: instead of `arms`, `data`, `epochs` and `margin`: a plan, its TOML file, or the name of one that comes with wiesel.
        full: the plan's large form, as its table `[full]` says.
        output: the comparison's folder; default `compare/<data>-<arms>`. Without arms and plan, the plan in it is carried on with.
        jobs: trainings at the same time, one thread each; 0: as many as there are processors, here or in the cluster, divided by
            the processes of a training.
        time_limit: seconds after which a training without any sign of life is ended and tried again; 0: never.
        ray: train on the Ray cluster at HOST:PORT ("auto": on the one that runs here; "local": on one that is started for this
            comparison); its nodes share this file system.
        lang: "de", "en" or "both", of the page.
        fairness: is called before the first run with what the arms do not share.
        tell: is called with a sentence on each event.

    Raises:
        UsageError, MissingError, PicturesError: the plan cannot be carried out.
        RayMissing, RayUnreachable, RayNotFresh: not on this cluster.
        CellsFailed: runs died again and again; names them. What could be judged without them is in `comparison.json`.
        CampaignStopped: Ctrl-C or SIGTERM; the same call goes on.
        RunBusy: another process carries out this plan.
    """
    for setting, value in (("jobs", jobs), ("time_limit", time_limit)):
        if value < 0:
            raise BadValue(setting=setting, value=value, expected="0 …")
    if lang not in ("de", "en", "both"):
        raise BadValue(setting="lang", value=lang, expected="de | en | both")
    if ray is not None:
        ray_address.reachable(ray)  # before pictures are read and networks are built
    decided, whole = _plan(arms, data, epochs=epochs, margin=margin, plan=plan, output=output, data_dir=data_dir, full=full)
    _refuse_impossible(decided, whole)
    planned = cells(
        decided, data=whole.fingerprint, program=program()
    )  # arms that are the same are refused before a folder is made
    processes = max(cell.recipe.training.processes for cell in planned)
    burdens = _burdens(decided, whole)
    called = None
    if isinstance(plan, str) or full:
        called = Path(str(plan)).stem + ("-full" if full else "")
    ledger = Ledger(_folder(decided, Path(output) if output is not None else None, called))
    tell = tell or (lambda _: None)
    on = nullcontext[Workers](Processes()) if ray is None else ray_tasks.cluster(ray, program, tell)
    with on as workers, _held(ledger.folder):
        ledger.begin(decided, data=whole.fingerprint, command=_command(arms, data, epochs, margin, plan, full))
        sitting = {
            "jobs": jobs or max(1, workers.room // processes),
            "weights": [max(1, burden.macs) for burden in burdens],
            "command": f"wiesel compare --output {shlex.quote(os.path.relpath(ledger.folder))}"
            + (f" --ray {shlex.quote(ray)}" if ray is not None else ""),
            "data_dir": data_dir,
            "workers": workers,
            "tell": tell,
            "time_limit": time_limit,
        }
        calibration = _calibration(decided, whole, ledger, sitting, fairness, burdens)
        chosen = calibration.epochs if calibration is not None else None
        wanted = cells(decided, data=whole.fingerprint, program=program(), epochs=chosen)
        by_arm = {cell.arm: cell.recipe.training.epochs for cell in wanted}
        burdens = tuple(dataclasses.replace(one, epochs=by_arm[number]) for number, one in enumerate(burdens))
        if fairness is not None:
            fairness(_timed(burdens, wanted, {cell: ledger.folder_of(cell) for cell in wanted}), decided)
        campaign = campaigns.Campaign(ledger, wanted, **sitting)  # type: ignore[arg-type]
        return _looks(decided, whole, ledger, campaign, burdens, calibration, lang)


@contextmanager
def _held(folder: Path) -> Iterator[None]:
    """Made, if it is not there, and locked."""
    if not folder.is_dir():
        make_folder(folder)
    with locked(folder):
        yield


def _calibration(
    plan: Plan,
    whole: DataSet,
    ledger: Ledger,
    sitting: dict[str, Any],
    fairness: Callable[[tuple[Burden, ...], Plan], None] | None,
    burdens: tuple[Burden, ...],
) -> Calibration | None:
    """How many epochs each arm has in equal time: as it was written down, or measured now. None where the budget is another."""
    if plan.budget != "seconds":
        return None
    timed = clock.timing_cells(plan, data=whole.fingerprint, program=program())
    known = clock.read(ledger.folder, plan, timed)
    if known is not None:
        return known
    if fairness is not None:
        fairness(burdens, plan)
    sitting["tell"](say(en="Timing one epoch of each arm.", de="Von jedem Arm wird eine Epoche gemessen."))
    campaign = campaigns.Campaign(ledger, timed, **sitting)
    campaign.train(timed)
    if campaign.failed:
        raise _failure(campaign, ledger)
    found = clock.calibrated(plan, timed, [result(campaign.places[cell]).seconds for cell in timed])
    clock.write(ledger.folder, found)
    ledger.note("calibrated", seconds=found.seconds, epochs=list(found.epochs))
    return found


def show(folder: Path | str) -> Comparison:
    """A comparison that was made, from its folder.

    Raises:
        NoComparison: there is none (yet).
        Damaged: it is not what it should be.
    """
    path = Path(folder)
    if not (path / DOCUMENT).is_file():
        beside = [found.parent.name for found in path.parent.glob(f"*/{DOCUMENT}")] if path.parent.is_dir() else []
        raise NoComparison(path=str(path), nearest=nearest(path.name, beside))
    document = parse_mapping(read_bytes(path / DOCUMENT), path / DOCUMENT)
    if lacking := [key for key in NEEDED if key not in document]:
        raise damaged(path, {DOCUMENT: say(en="lacks ", de="es fehlt ") + ", ".join(lacking)})
    if wrong := misshapen(document):
        raise damaged(path, {DOCUMENT: say(en="not a comparison: ", de="kein Vergleich: ") + wrong})
    return Comparison(path, document)


def show_page(folder: Path | str, *, data_dir: Path | str | None = None, lang: str = "both") -> Path:
    """Write the page of a comparison that was made, anew; with its pictures, if they are still what they were. Its path.

    Raises:
        NoComparison, Damaged: as `show`.
    """
    found = show(folder)
    plan, pictures = found.folder / "plan.toml", None
    if plan.is_file():
        try:
            decided = read(plan)
            whole = load(decided.data, data_dir)
            if whole.fingerprint == found.document.get("data", {}).get("fingerprint"):
                pictures = tested(decided, whole)
        except WieselError:  # the pictures are gone: the page can do without
            pictures = None
    return page(found.folder, found.document, pictures, lang)


def _plan(
    arms: Sequence[str],
    data: str | Path | None,
    *,
    epochs: int | None,
    margin: float | None,
    plan: Plan | Path | str | None,
    output: Path | str | None,
    data_dir: Path | str | None,
    full: bool = False,
) -> tuple[Plan, DataSet]:
    """The plan that was asked for, and its pictures, not divided yet."""
    if not arms:
        for setting, value in (("data", data), ("epochs", epochs), ("margin", margin)):
            if value is not None:
                alone = say(en="part of the plan's file, or given with arms", de="Teil der Plandatei, oder zusammen mit Armen")
                raise BadValue(setting=setting, value=str(value), expected=alone)
        if plan is None and output is not None and (Path(output) / "plan.toml").is_file():
            plan = Path(output) / "plan.toml"
        if plan is None:
            two = say(en="two networks or more, or a plan", de="zwei Netze oder mehr, oder ein Plan")
            raise BadValue(setting="arms", value=list(arms), expected=two)
        decided = plan if isinstance(plan, Plan) else _read(plan, full)
        return decided, load(decided.data, data_dir)
    if full:
        raise BadValue(setting="full", value=full, expected=say(en="with a plan", de="mit einem Plan"))
    if margin is not None and not margin > 0:
        unset = say(
            en="above 0, such as 0.003 for 0.3 points; without it, 5 % of the baseline's errors. With a margin of 0 nothing could ever "
            "be practically the same",
            de="über 0, etwa 0.003 für 0,3 Punkte; ohne Angabe 5 % der Fehler des ersten Arms. Mit der Grenze 0 könnte nie etwas "
            "praktisch gleich sein",
        )
        raise BadValue(setting="margin", value=margin, expected=unset)
    if plan is not None:
        raise BadValue(setting="plan", value=str(plan), expected=say(en="without arms", de="ohne Arme"))
    choice = DataChoice()
    if data is not None:
        source = str(Path(data).resolve()) if Path(data).exists() else str(data)
        choice = dataclasses.replace(choice, source=source)
    whole = load(choice, data_dir)
    few = whole.test is None and len(whole.train) < FEW
    decided = Plan(
        arms=tuple(PlannedArm(model=model) for model in arms),
        data=choice,
        augmentation=dataclasses.replace(Augmentation(), flip=images.may_be_mirrored(choice.source)),
        training=Training() if epochs is None else Training(epochs=epochs),
        divisions="redrawn" if few else "fixed",
        rules=Rules() if margin is None else Rules(margin=margin),
    )
    return decided, whole


def _read(plan: Path | str, full: bool) -> Plan:
    """A plan's file, or one that comes with wiesel."""
    path = Path(plan)
    if path.is_file():
        return read(path, full=full)
    if str(plan) in names():
        return named(str(plan), full=full)
    if path.suffix == ".toml" or len(path.parts) > 1:
        beside = [one.name for one in path.parent.glob("*.toml")] if path.parent.is_dir() else []
        raise NoPlan(name=str(plan), nearest=nearest(path.name, beside), known=", ".join(names()))
    raise NoPlan(name=str(plan), nearest=nearest(str(plan), list(names())), known=", ".join(names()))


def _command(
    arms: Sequence[str],
    data: str | Path | None,
    epochs: int | None,
    margin: float | None,
    plan: Plan | Path | str | None,
    full: bool,
) -> str:
    """How a person asks for this comparison; empty where it was asked for with a plan that lies in memory or in the folder."""
    if arms:
        given = {"--data": data, "--epochs": epochs, "--margin": margin}
        words = [*arms, *(word for flag, value in given.items() if value is not None for word in (flag, str(value)))]
    elif plan is None or isinstance(plan, Plan):
        return ""
    else:
        words = ["--plan", str(plan), *(["--full"] if full else [])]
    return shlex.join(["wiesel", "compare", *words])


def _refuse_impossible(plan: Plan, whole: DataSet) -> None:
    if plan.divisions == "redrawn" and whole.test is not None:
        own = say(en="'fixed': these pictures bring their own test set", de="'fixed': diese Bilder bringen ihren Testsatz mit")
        raise BadValue(setting="divisions", value=plan.divisions, expected=own)


def _folder(plan: Plan, output: Path | None, called: str | None = None) -> Path:
    """The folder asked for, or the first of its name that is free or has this very plan. `called`: the plan's own name, if it has one."""
    if output is not None:
        if output.exists() and not output.is_dir():
            raise FolderTaken(path=str(output), holds=say(en=" and is not a folder", de=" und ist kein Ordner"), resume="")
        if output.is_dir() and {path.name for path in output.iterdir()} - OWN and not Ledger(output).rows("plan"):
            raise FolderTaken(path=str(output), holds=say(en=" and is not empty", de=" und ist nicht leer"), resume="")
        there = Ledger(output.resolve())
        if there.rows("start", "reused") and there.plan.is_file() and fingerprint(read(there.plan)) != fingerprint(plan):
            raise OtherPlan(folder=str(output))
        return there.folder
    data = Path(plan.data.source)
    name = f"{file_name(data.stem if data.exists() else data.name)}-{'-vs-'.join(file_name(arm.title) for arm in plan.arms)}"
    if called is not None:
        name = file_name(called)
    name = name.encode()[:120].decode(errors="ignore")
    for number in itertools.count(1):
        path = (BASE / (name if number == 1 else f"{name}-{number}")).resolve()
        plans = Ledger(path).rows("plan") if path.exists() else []
        if not path.exists() or (plans and plans[-1]["sha256"] == fingerprint(plan)):
            return path
    raise AssertionError("unreachable")


def _burdens(plan: Plan, whole: DataSet) -> tuple[Burden, ...]:
    """Parameters and multiply-adds of each arm, counted without memory; a network that cannot be built is refused here."""
    import torch

    from wiesel import zoo
    from wiesel.analysis.cost import cost
    from wiesel.jobs.change import change

    channels, height, width = whole.image_shape
    found = []
    for arm in plan.arms:
        recipe = recipe_of(plan, arm, 0)
        size = recipe.data.size
        image = (recipe.data.channels or channels, size or height, size or width)
        zoo.find(recipe.architecture)
        plain = dataclasses.replace(recipe, network=dataclasses.replace(recipe.network, changes=()))
        with torch.device("meta"):
            network = zoo.of_recipe(plain, classes=len(whole.classes), image=image)
            network, _ = change(network, recipe.network.changes, image=image)
            table = cost(network, image)
        found.append(Burden(arm.title, table.parameters, table.macs, None, dict(arm.settings)))
    return tuple(found)


def _timed(burdens: tuple[Burden, ...], wanted: Sequence[Cell], places: dict[Cell, Path]) -> tuple[Burden, ...]:
    """With the mean seconds of the runs that lie in `places`; runs that diverged say nothing about time."""
    timed: dict[int, list[float]] = {}
    for cell in wanted:
        if cell in places and state(places[cell]) == "finished":
            timed.setdefault(cell.arm, []).append(result(places[cell]).seconds)
    return tuple(
        dataclasses.replace(burden, seconds=sum(timed[number]) / len(timed[number])) if number in timed else burden
        for number, burden in enumerate(burdens)
    )


def _looks(
    plan: Plan,
    whole: DataSet,
    ledger: Ledger,
    campaign: campaigns.Campaign,
    burdens: tuple[Burden, ...],
    calibration: Calibration | None,
    lang: str,
) -> Comparison:
    """Train up to a look, judge, and stop or go on to the next."""
    found: Comparison | None = None
    for look in schedule(plan.rules):
        wanted = [cell for cell in campaign.cells if cell.run < look.runs]
        campaign.train(wanted)
        if campaign.failed:
            break
        why = _exploratory(plan, ledger, wanted)
        results = [(cell, result(campaign.places[cell])) for cell in wanted]
        seen = outcomes(plan, results, pictures=len(whole.train))
        judgement = judge(seen, plan.rules, exploratory=why is not None, against=plan.against())
        ledger.looked(plan, look.number, [[cell.key for cell in wanted if cell.arm == arm] for arm in range(len(plan.arms))])
        own = fingerprint(plan)
        if not any((row["number"], row["plan"]) == (look.number, own) for row in ledger.rows("look")):
            ledger.note("look", number=look.number, runs=look.runs, verdict=judgement.leading.word, plan=own)
        timed = _timed(burdens, campaign.cells, {cell: campaign.places[cell] for cell in wanted})
        context = Context(
            plan, whole, ledger, results, campaign.places, [dataclasses.asdict(one) for one in timed], calibration, why
        )
        write_file(ledger.folder / DOCUMENT, to_json(contents(judgement, context)))
        found = show(ledger.folder)
        page(ledger.folder, found.document, tested(plan, whole), lang)
        if why is not None:
            reason = why[language()]
            campaign.tell(say(en=f"Exploratory: {reason}.", de=f"Nur erkundend: {reason}."))
        if look.last or all(one.word != "undecided" for one in judgement.findings):
            break
        campaign.tell(found.sentence())
    if campaign.failed:
        raise _failure(campaign, ledger)
    assert found is not None
    return found


def _failure(campaign: campaigns.Campaign, ledger: Ledger) -> CellsFailed:
    first = campaign.failed[0]
    log = ledger.folder_of(first).with_name(f"{ledger.folder_of(first).name}.log")
    died = [row["said"] for row in ledger.rows("died") if row["cell"] == first.name]
    return CellsFailed(
        cells=", ".join(cell.name for cell in campaign.failed),
        count=len(campaign.failed),
        log=str(log),
        said=died[-1] if died else campaigns.last_line(log),
        command=campaign.command,
    )


def _exploratory(plan: Plan, ledger: Ledger, wanted: Sequence[Cell]) -> dict[str, str] | None:
    """Why the verdict cannot count as planned, in both languages; None: it can."""
    if ledger.changed:
        return {"en": "the plan was changed after its first run", "de": "der Plan wurde nach seinem ersten Lauf geändert"}
    if ledger.seen_before(plan, wanted):
        return {
            "en": "another plan has judged these runs already",
            "de": "ein anderer Plan hat diese Läufe schon beurteilt",
        }
    return None
