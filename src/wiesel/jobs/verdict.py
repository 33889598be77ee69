"""`comparison.json` and the page beside it: a judgement, and everything that its numbers come from."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from wiesel import images
from wiesel.comparison.answers import pictures_told_apart
from wiesel.comparison.cells import Cell, Result
from wiesel.comparison.clock import Calibration
from wiesel.comparison.document import document
from wiesel.comparison.judgement import Judgement
from wiesel.comparison.ledger import Ledger
from wiesel.comparison.outcomes import Outcomes
from wiesel.comparison.plan import Plan, fingerprint
from wiesel.comparison.sentences import sentence, small_print
from wiesel.comparison.training_error import training_difference
from wiesel.images import DataSet, Images
from wiesel.language import Language

DOCUMENT = "comparison.json"
LANGUAGES: tuple[Language, ...] = ("en", "de")


@dataclass(frozen=True)
class Context:
    """What a judgement was made from."""

    plan: Plan
    whole: DataSet
    """Not divided."""
    ledger: Ledger
    results: Sequence[tuple[Cell, Result]]
    places: Mapping[Cell, Path]
    burdens: Sequence[dict[str, Any]]
    calibration: Calibration | None
    why_exploratory: dict[str, str] | None


def contents(judgement: Judgement, context: Context) -> dict[str, Any]:
    """All of `comparison.json`. Accuracies and differences are shares (0..1), times seconds."""
    plan, ledger, results = context.plan, context.ledger, context.results
    found = document(judgement, plan=fingerprint(plan))
    findings = {finding.challenger: finding for finding in judgement.findings}
    for number, arm in enumerate(found["arms"]):
        mine = [one for cell, one in results if cell.arm == number]
        arm["training_errors"] = [one.training_error for one in mine if one.training_error is not None]
        if arm["name"] in findings:
            arm["sentence"] = {speaker: sentence(judgement, findings[arm["name"]], reader=speaker) for speaker in LANGUAGES}
            if isinstance(judgement.outcomes, Outcomes):
                arm["told_apart"] = _told_apart(judgement, context, plan.against()[number - 1], number)
    looks = [row for row in ledger.rows("look") if row["plan"] == fingerprint(plan)]
    comparisons = ledger.comparisons()
    keys = {row["folder"]: row["key"] for row in ledger.rows("done")}  # under which the runs were made
    return {
        **found,
        "small_print": {
            speaker: small_print(judgement, comparisons=comparisons, tta=False, reader=speaker) for speaker in LANGUAGES
        },
        "question": dataclasses.asdict(plan.question),
        "why_exploratory": context.why_exploratory,
        "training": _training(judgement, found["arms"]) if plan.training_error else [],
        "classes": list(context.whole.classes),
        "comparisons": comparisons,
        "data": {
            "source": plan.data.source,
            "fingerprint": context.whole.fingerprint,
            "divisions": plan.divisions,
            "test_pictures": next((len(one.predictions) for _, one in results if one.predictions is not None), 0),
        },
        "budget": {
            "kind": plan.budget,
            "epochs": plan.training.epochs,
            "seconds": context.calibration.seconds if context.calibration else None,
            "per_epoch": list(context.calibration.per_epoch) if context.calibration else None,
        },
        "fairness": list(context.burdens),
        "command": ledger.command,
        "made": looks[-1]["time"] if looks else "",
        "programs": _programs(context),
        "cells": [
            {
                "arm": plan.arms[cell.arm].title,
                "seed": cell.seed,
                "run": os.path.relpath(context.places[cell], ledger.folder),
                "key": keys.get(context.places[cell].name, cell.key) if context.places[cell].parent == ledger.cells else cell.key,
            }
            for cell, _ in results
        ],
    }


def page(folder: Path, found: Mapping[str, Any], pictures: Images | None, lang: str) -> Path:
    """Write comparison.html beside comparison.json; its path."""
    from wiesel.reports import comparison as reports

    plan = folder / "plan.toml"
    text = plan.read_text(encoding="utf-8") if plan.is_file() else ""
    return reports.write(folder, found, plan=text, pictures=pictures, lang=lang)


def tested(plan: Plan, whole: DataSet) -> Images | None:
    """The pictures on which all runs are tested; None where each run has its own."""
    if plan.divisions == "redrawn":
        return None
    choice = plan.data
    return images.divide(whole, validation=choice.validation, test=choice.test, seed=choice.split_seed)[0].test


def _told_apart(judgement: Judgement, context: Context, baseline: int, challenger: int) -> dict[str, Any]:
    arms = judgement.outcomes.arms
    answers = tuple([one.predictions for cell, one in context.results if cell.arm == number] for number in (baseline, challenger))
    found = pictures_told_apart(arms[baseline], arms[challenger], (answers[0], answers[1]))
    return {direction: [dataclasses.asdict(one) for one in pictures] for direction, pictures in found.items()}


def _training(judgement: Judgement, arms: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The question about the training error, one finding per challenger; those with fewer than two runs that ended are left out."""
    errors = {arm["name"]: arm["training_errors"] for arm in arms}
    findings = []
    for one in judgement.findings:
        alpha = judgement.look.alpha / len(judgement.findings)
        pair = ((one.baseline, errors[one.baseline]), (one.challenger, errors[one.challenger]))
        found = training_difference(*pair, alpha)
        if found is not None:
            findings.append(
                {
                    "challenger": found.challenger,
                    "against": found.baseline,
                    "errors": list(found.errors),
                    "difference": found.interval.value,
                    "interval": [found.interval.low, found.interval.high],
                    "verdict": found.word,
                    "sentence": {speaker: found.sentence(speaker) for speaker in LANGUAGES},
                }
            )
    return findings


def _programs(context: Context) -> list[str]:
    """Which states of the program made these runs. Those of other plans were made by the present one: else they would not be used."""
    made = {row["folder"]: str(row.get("program", "")) for row in context.ledger.rows("done")}
    places = [context.places[cell] for cell, _ in context.results]
    now = {cell.program for cell, _ in context.results}
    found = {made.get(place.name, "") if place.parent == context.ledger.cells else "" for place in places}
    return sorted({program for program in found if program} | (now if "" in found else set()))
