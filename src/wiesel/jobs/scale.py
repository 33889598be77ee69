"""How should a network grow? Search the proportions of a doubling, settle the best by a verdict, and grow on from there."""

from __future__ import annotations

import dataclasses
import os
import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import gcd
from pathlib import Path
from typing import Any

from wiesel import images
from wiesel.comparison import campaign as campaigns
from wiesel.comparison.cells import Cell, cells, file_name, key_of, result
from wiesel.comparison.ledger import Ledger
from wiesel.comparison.plan import Plan, PlannedArm, Question
from wiesel.comparison.rules import Rules
from wiesel.comparison.scaling import RULES, Base, Design, doublings, factors_of, grown, kept
from wiesel.errors import BadValue, CellsFailed, FolderTaken
from wiesel.evaluation.predictions import Predictions
from wiesel.jobs.program import program
from wiesel.jobs.settings import with_settings
from wiesel.language import language, say
from wiesel.recipe import Augmentation, DataChoice, Recipe, Training
from wiesel.runs import events
from wiesel.runs.commit import make_folder, write_file
from wiesel.runs.documents import to_json
from wiesel.runs.lock import locked
from wiesel.training.threads import usable_cores
from wiesel.zoo.naming import divided, joined

DOCUMENT = "scaling.json"
PARTS = {"search", "finalists", "growth", "index.jsonl", DOCUMENT, "scaling.html"}
"""What the folder of a search holds."""
FINALISTS = 3
RUNS = 3
"""Of each finalist, for the verdict."""
SEEDS = {"search": 0, "finalists": 1000, "growth": 2000}
"""First seed of each part: no run that chose is shown as a result."""


@dataclass(frozen=True)
class Scaling:
    """What `scaling.json` says."""

    folder: Path
    document: dict[str, Any]

    def sentence(self) -> str:
        return str(self.document["sentence"][language()])

    @property
    def page(self) -> Path:
        return self.folder / "scaling.html"


def scale(
    model: str = "resnet20:width=0.5",
    data: str | Path = "fashion-mnist-sample",
    *,
    size: int = 14,
    rungs: Sequence[int] = (1, 3),
    phi: int = 3,
    runs: int = 2,
    output: Path | str = "scaling",
    jobs: int = 0,
    data_dir: Path | str | None = None,
    tell: Callable[[str], None] | None = None,
) -> Scaling:
    """Search how depth, width and picture size should grow together, and compare that with growing in one of them only.

    The same call again goes on where this one was interrupted.

    Args:
        model: a network with equally many blocks in each stage, such as `resnet20`.
        size: side of the base's pictures in pixels.
        rungs: epochs of each rung of the search; the last is also what finalists and grown networks are trained for.
        phi: how often the multiply-adds are doubled.
        runs: of each grown network.
        output: the folder for all of it.

    Raises:
        BadValue: a setting that cannot be; a network whose stages are not alike; nothing with twice the multiply-adds.
        CellsFailed, CampaignStopped: as `wiesel.jobs.compare.compare`.
    """
    for setting, value, fine in (
        ("rungs", list(rungs), len(rungs) > 0 and all(one >= 1 for one in rungs)),
        ("phi", phi, 1 <= phi <= 6),
        ("runs", runs, runs >= 1),
        ("size", size, size >= 8),
        ("jobs", jobs, jobs >= 0),
    ):
        if not fine:
            raise BadValue(setting=setting, value=value, expected=say(en="1 or more (size: 8)", de="1 oder mehr (size: 8)"))
    source = str(Path(data).resolve()) if Path(data).exists() else str(data)
    choice = DataChoice(source=source, size=size)
    whole = images.load(choice.source, data_dir=data_dir, size=size)
    recipe = with_settings(
        Recipe(augmentation=Augmentation(flip=images.may_be_mirrored(choice.source)), data=choice),
        {"architecture": model, "batch": 64, "precision": "fp32", "threads": 1},
    )
    counter = _Counter(model, len(whole.classes), whole.image_shape[0])
    base = _base(counter, size)
    folder = Path(output).resolve()
    if folder.exists() and not folder.is_dir():
        raise FolderTaken(path=str(output), holds=say(en=" and is not a folder", de=" und ist kein Ordner"), resume="")
    if folder.is_dir() and any(path.name not in PARTS and not path.name.startswith(".") for path in folder.iterdir()):
        raise FolderTaken(path=str(output), holds=say(en=" and holds other things", de=" und enthält anderes"), resume="")
    if not folder.is_dir():
        make_folder(folder)
    say_ = tell or (lambda _: None)
    command = _command(model, data, size=size, rungs=rungs, phi=phi, runs=runs, folder=folder)
    with locked(folder):
        work = _Work(folder, model, recipe, whole.fingerprint, jobs or usable_cores(), data_dir, counter.macs, command, say_)
        candidates = [design for design, _ in doublings(base, counter.macs)]
        if len(candidates) < 2:
            several = say(
                en="a network that can be doubled in several ways", de="ein Netz, das sich auf mehrere Arten verdoppeln lässt"
            )
            raise BadValue(setting="model", value=model, expected=several)
        ladder, best = _search(work, base, candidates, rungs)
        finalists = best[:FINALISTS]
        verdict, winner = _finals(work, base, finalists, rungs[-1])
        growth = _grow(work, base, base.factors(winner), rungs[-1], phi, runs)
        document = {
            "model": model,
            "size": size,
            "data": choice.source,
            "blocks": base.blocks,
            "epochs": list(rungs),
            "search": ladder,
            "finalists": {"sentence": verdict["sentence"], "verdict": verdict["verdict"], "page": "finalists/comparison.html"},
            "factors": dict(zip(("alpha", "beta", "gamma"), base.factors(winner), strict=True)),
            "growth": growth,
            "runs": runs,
            "programs": [program()],
            "command": command,
            "sentence": {one: _sentence(model, base.factors(winner), growth, one) for one in ("en", "de")},
        }
        write_file(folder / DOCUMENT, to_json(document))
        from wiesel.reports import scaling as reports

        reports.write(folder, document)
    return Scaling(folder, document)


class _Counter:
    """Multiply-adds of a design, counted without memory, each once."""

    def __init__(self, model: str, classes: int, channels: int) -> None:
        self.model, self.classes, self.channels = model, classes, channels
        self.known: dict[Design, int] = {}

    def network(self, design: Design) -> Any:
        import torch

        from wiesel import zoo
        from wiesel.jobs.change import change

        name, changes = divided(self.model)
        image = (self.channels, design.size, design.size)
        with torch.device("meta"):
            plain = zoo.build(name, classes=self.classes, channels=self.channels, size=design.size)
            return change(plain, (*changes, *design.changes()), image=image)[0]

    def macs(self, design: Design) -> int:
        from wiesel.analysis.cost import cost

        if design not in self.known:
            self.known[design] = cost(self.network(design), (self.channels, design.size, design.size)).macs
        return self.known[design]


def _base(counter: _Counter, size: int) -> Base:
    from fractions import Fraction

    from torch import nn

    network = counter.network(Design(0, Fraction(1), size))
    features = getattr(network, "features", nn.Identity())  # networks of other libraries have none, or other ones
    stages = [part for name, part in features.named_children() if name.startswith("stage")]
    blocks = {len(part) for part in stages if isinstance(part, nn.Sequential)}
    if len(blocks) != 1:
        alike = say(
            en="a network with equally many blocks in each stage, such as resnet20 or plain20",
            de="ein Netz mit gleich vielen Blöcken je Stufe, etwa resnet20 oder plain20",
        )
        raise BadValue(setting="model", value=counter.model, expected=alike)
    widths = [layer.out_channels for layer in network.modules() if isinstance(layer, nn.Conv2d)]
    return Base(blocks=blocks.pop(), size=size, grain=gcd(*widths))


@dataclass(frozen=True)
class _Work:
    """What all parts of the search share."""

    folder: Path
    model: str
    recipe: Recipe
    data: str
    jobs: int
    data_dir: Path | str | None
    macs: Callable[[Design], int]
    command: str
    """Goes on with this search where it was interrupted."""
    tell: Callable[[str], None]

    def arm(self, design: Design) -> str:
        name, changes = divided(self.model)
        return joined(name, (*changes, *design.changes()))

    def train(self, part: str, designs: Sequence[tuple[Design, int, int]]) -> list[Path]:
        """The run folders of (design, epochs, seed), trained where they are missing."""
        ledger = Ledger(self.folder / part)
        if not ledger.cells.is_dir():
            if not ledger.folder.is_dir():
                make_folder(ledger.folder)
            make_folder(ledger.cells)
        chosen = []
        for number_, (design, epochs, seed) in enumerate(designs):
            settings = {"architecture": self.arm(design), "size": design.size, "epochs": epochs, "seed": seed}
            plain = dataclasses.replace(self.recipe, network=dataclasses.replace(self.recipe.network, changes=()))
            recipe = with_settings(plain, settings)
            key = key_of(recipe, data=self.data, program=program())
            name = f"{file_name(self.arm(design))}-{design.size}px-{epochs}-seed{seed}"
            chosen.append(Cell(number_, 0, name, recipe, key, program()))
        campaign = campaigns.Campaign(
            ledger,
            tuple(chosen),
            jobs=self.jobs,
            weights=[self.macs(design) * epochs for design, epochs, _ in designs],
            command=self.command,
            data_dir=self.data_dir,
            tell=self.tell,
        )
        campaign.train(chosen)
        if campaign.failed:
            log = ledger.folder_of(campaign.failed[0]).with_name(f"{ledger.folder_of(campaign.failed[0]).name}.log")
            raise CellsFailed(
                cells=", ".join(cell.name for cell in campaign.failed),
                count=len(campaign.failed),
                log=str(log),
                said=campaigns.last_line(log),
                command=campaign.command,
            )
        return [campaign.places[cell] for cell in chosen]


def _search(work: _Work, base: Base, candidates: list[Design], rungs: Sequence[int]) -> tuple[list[dict[str, Any]], list[Design]]:
    """Rung by rung, judged on the validation pictures. Gives the ladder, and the designs that are left, best first."""
    ladder = []
    for epochs in rungs:
        work.tell(
            say(
                en=f"{len(candidates)} designs with twice the multiply-adds, {epochs} epoch{'s' * (epochs != 1)} each",
                de=f"{len(candidates)} Entwürfe mit doppelt so vielen Multiplikationen, je {epochs} Epoche{'n' * (epochs != 1)}",
            )
        )
        places = work.train("search", [(design, epochs, SEEDS["search"]) for design in candidates])
        scores, pictures = zip(*(_validation(place) for place in places), strict=True)
        order = kept(scores, max(1, *pictures))
        ladder.append(
            {
                "epochs": epochs,
                "designs": [
                    {**_described(work, base, design), "validation": score, "kept": place in order}
                    for place, (design, score) in enumerate(zip(candidates, scores, strict=True))
                ],
            }
        )
        candidates = [candidates[place] for place in order]
    return ladder, candidates


def _validation(place: Path) -> tuple[float, int]:
    """Best validation accuracy of a run (0 if it diverged), and the number of validation pictures (0 if
    it diverged)."""
    from wiesel.runs.folder import RunFolder

    run = RunFolder(place)
    rows = [row for row in events.effective(run.history()) if row["kind"] == "epoch"]
    seen = run.predictions("validation")
    count = len(Predictions.from_file(seen).labels) if seen.is_file() else 0
    return max((float(row["validation_accuracy"]) for row in rows), default=0.0), count


def _finals(work: _Work, base: Base, finalists: Sequence[Design], epochs: int) -> tuple[dict[str, Any], Design]:
    """The best of the search against each other, with fresh seeds: the verdict on the test pictures, which is for the reader, and the
    design with the best mean on the validation pictures, which is the one to grow."""
    from wiesel.jobs.compare import compare

    plan = Plan(
        arms=tuple(
            PlannedArm(model=work.arm(design), settings={"size": design.size}, name=_title(base, design)) for design in finalists
        ),
        data=work.recipe.data,
        augmentation=work.recipe.augmentation,
        training=Training(epochs=epochs, batch=64, precision="fp32", threads=1),
        rules=Rules(looks=(RUNS,), alphas=(0.05,), cap=RUNS),
        first_seed=SEEDS["finalists"],
        question=Question(
            en="Which proportions of depth, width and picture size are best for a doubling?",
            de="Welche Verhältnisse von Tiefe, Breite und Bildgrösse sind für eine Verdopplung die besten?",
        ),
    )
    made = compare(plan=plan, output=work.folder / "finalists", jobs=work.jobs, data_dir=work.data_dir, tell=work.tell)
    ledger = Ledger(made.folder)
    elsewhere = {row["cell"]: made.folder / row["path"] for row in ledger.rows("reused")}
    scores = [0.0] * len(finalists)
    for cell in cells(plan, data=work.data, program=program()):
        scores[cell.arm] += _validation(elsewhere.get(cell.name, ledger.folder_of(cell)))[0]
    return made.document, finalists[scores.index(max(scores))]


def _grow(work: _Work, base: Base, found: tuple[float, float, float], epochs: int, phi: int, runs: int) -> list[dict[str, Any]]:
    """Each rule's networks, and what they reach on the test pictures."""
    steps = [(rule, step, grown(base, factors_of(rule, found), step)) for rule in RULES for step in range(phi + 1)]
    designs = list(dict.fromkeys(design for _, _, design in steps))
    wanted = [(design, epochs, SEEDS["growth"] + run) for design in designs for run in range(runs)]
    reached: dict[Design, list[float]] = {}
    for (design, _, _), place in zip(wanted, work.train("growth", wanted), strict=True):
        tested = result(place).predictions
        right = 0.0 if tested is None else float((tested.logits.argmax(axis=1) == tested.labels).mean())
        reached.setdefault(design, []).append(right)
    return [
        {"rule": rule, "phi": step, **_described(work, base, design), "accuracies": reached[design]} for rule, step, design in steps
    ]


def _described(work: _Work, base: Base, design: Design) -> dict[str, Any]:
    factors = dict(zip(("alpha", "beta", "gamma"), base.factors(design), strict=True))
    return {"model": work.arm(design), "size": design.size, "macs": work.macs(design), **factors}


def _title(base: Base, design: Design) -> str:
    """For people and for folders: `depth 1.33 width 1.25 size 1.14`."""
    alpha, beta, gamma = base.factors(design)
    return f"depth {alpha:.2f} width {beta:.2f} size {gamma:.2f}"


def _command(model: str, data: str | Path, *, size: int, rungs: Sequence[int], phi: int, runs: int, folder: Path) -> str:
    words = ["wiesel", "scale", model, "--data", str(data), "--size", str(size)]
    words += [word for epochs in rungs for word in ("--rungs", str(epochs))]
    return shlex.join([*words, "--phi", str(phi), "--runs", str(runs), "--output", os.path.relpath(folder)])


def _sentence(model: str, factors: tuple[float, float, float], growth: Sequence[dict[str, Any]], reader: str) -> str:
    """What was found, without claiming more than means over a few runs."""
    last = max(one["phi"] for one in growth)
    means = {one["rule"]: sum(one["accuracies"]) / len(one["accuracies"]) for one in growth if one["phi"] == last}
    names = {
        "en": {"compound": "all three", "depth": "depth only", "width": "width only", "resolution": "picture size only"},
        "de": {"compound": "alle drei", "depth": "nur Tiefe", "width": "nur Breite", "resolution": "nur Bildgrösse"},
    }[reader]
    written = {rule: f"{100 * mean:.2f} %" for rule, mean in means.items()}
    shown = [f"{value:.2f}" for value in factors]
    if reader == "de":
        shown, written = [one.replace(".", ",") for one in shown], {key: one.replace(".", ",") for key, one in written.items()}
    listed = "; ".join(f"{names[rule]} {written[rule]}" for rule in RULES)
    if reader == "de":
        return (
            f"Beste Verdopplung von {model} auf den Validierungsbildern: Tiefe × {shown[0]}, Breite × {shown[1]}, Bildgrösse × {shown[2]}. "
            f"Nach {last} Verdopplungen (Mittel weniger Läufe, kein Urteil): {listed}."
        )
    return (
        f"Best doubling of {model} on the validation pictures: depth × {shown[0]}, width × {shown[1]}, picture size × {shown[2]}. "
        f"After {last} doublings (means of few runs, no verdict): {listed}."
    )
