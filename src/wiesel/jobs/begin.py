"""What training begins with: the pictures at the right size, and the weights from elsewhere if there are any."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any, NamedTuple

import torch

from wiesel import images, zoo
from wiesel.batches import Preprocessing, measure
from wiesel.blocks.stem import is_small
from wiesel.errors import BadValue, StartChanged
from wiesel.images import DataSet
from wiesel.jobs.settings import with_settings
from wiesel.language import say
from wiesel.recipe import Recipe, Transfer
from wiesel.runs import trained
from wiesel.runs.folder import RunFolder
from wiesel.training.start import Given, Start, find_start, fitted, is_run, preprocessing_of

SMALL_TO = 128
"""Pixels to which pictures of at most 96 are enlarged for weights that were made with larger ones."""

SLOWER = 1 / 8
"""Rate of fine-tuning, as a share of the rate for weights from chance."""

FINE_TUNING = {"epochs": 3, "layer_decay": 0.8}
"""If nobody says otherwise."""

MEANS_FINE_TUNING = (
    "epochs",
    "freeze",
    "unfreeze",
    "layer_decay",
    "keep_head",
    "head_start",
    "norm_statistics",
    "resolutions",
    "ema",
    "patience",
    "optimiser",
    "rate",
    "rest_rate",
    "momentum",
    "decay",
    "schedule",
    "warmup",
    "label_smoothing",
    "shift",
)
"""Settings that only make sense if the network learns: who names one wants it to."""


class Beginning(NamedTuple):
    preprocessing: Preprocessing
    start: Start | None
    """None: weights from chance."""


def implied(settings: dict[str, Any]) -> dict[str, Any]:
    """What follows from the settings that somebody gave along with weights from elsewhere, where they do not say it themselves."""
    pretrained = settings.get("pretrained")
    if not pretrained:
        return {}
    pretrained = str(pretrained)
    more: dict[str, Any] = {}
    if settings.get("mode") is None and any(settings.get(name) is not None for name in MEANS_FINE_TUNING):
        more["mode"] = "finetune"
    if settings.get("architecture") is None and is_run(pretrained):
        found = _network_of(pretrained)
        if settings.get("stem") is not None:
            del found["stem"]
        more |= {**found, "changes": (*found["changes"], *(settings.get("changes") or ()))}
    return more


def refuse_idle(settings: dict[str, Any], *, pretrained: bool) -> None:
    """Settings that would do nothing: those for weights from elsewhere where there are none, those of learning for a probe.

    Raises:
        BadValue: names the first.
    """
    idle: dict[str, str] = {}
    if not pretrained:
        only = say(
            en="only with --pretrained, which says what training begins with", de="nur mit --pretrained, womit das Training beginnt"
        )
        idle = dict.fromkeys((field.name for field in dataclasses.fields(Transfer) if field.name != "pretrained"), only)
    elif settings.get("mode") == "probe":
        only = say(
            en="only with --mode finetune, because a probe learns nothing but its head",
            de="nur mit --mode finetune, denn eine Probe lernt nur ihren Kopf",
        )
        idle = dict.fromkeys((name for name in MEANS_FINE_TUNING if name != "keep_head"), only)
    for name, expected in idle.items():
        if settings.get(name) is not None:
            raise BadValue(setting=name, value=settings[name], expected=expected)


def _network_of(pretrained: str) -> dict[str, Any]:
    """The network of an earlier run, as it was built there."""
    model = trained.load(Path(pretrained).expanduser())
    options = model.recipe.network
    row = zoo.find(model.recipe.architecture)
    stem = options.stem
    if stem == "auto" and "stem" in row.knobs:
        stem = "small" if is_small("auto", model.preprocessing.image[1:]) else "imagenet"
    return {"architecture": model.recipe.architecture, "stem": stem, "changes": options.changes}


def decided(recipe: Recipe, given: Given, settings: dict[str, Any]) -> Recipe:
    """The recipe with what suits these weights, wherever `settings` says nothing: mode, size, rate, epochs.

    A probe is the default: it takes seconds, has nothing to tune, and says what fine-tuning has to beat.
    """
    asked = {name for name, value in settings.items() if value is not None}
    more: dict[str, Any] = {}
    if recipe.transfer.mode == "probe":
        more["epochs"] = 1
    else:
        more |= {name: value for name, value in FINE_TUNING.items() if name not in asked}
    if "enlarge" not in asked:
        more |= _sizes(recipe, given, settings.get("size"))
    return with_settings(recipe, more)


def slower(recipe: Recipe, settings: dict[str, Any]) -> Recipe:
    """Fine-tuning: a smaller rate than for weights from chance, if nobody gave one. To be called when the batch is decided."""
    if recipe.transfer.mode != "finetune" or settings.get("rate") is not None:
        return recipe
    rest = recipe.training.rest_rate if settings.get("rest_rate") is not None else recipe.training.rest_rate * SLOWER
    return with_settings(recipe, {"rate": recipe.training.peak_rate * SLOWER, "rest_rate": rest})


def _sizes(recipe: Recipe, given: Given, size: int | None) -> dict[str, int]:
    """Small pictures stay small on disk and are enlarged batch by batch; others are decoded at the size that the network sees."""
    own = images.small_side(recipe.data.source)
    side = size or (min(given.side, SMALL_TO) if own and given.side > own else given.side)
    if own and side > own:
        return {"size": own, "enlarge": side}
    return {"size": side}


def beginning(recipe: Recipe, data: DataSet, given: Given | None) -> Beginning:
    """How pictures are prepared, and the weights in the shapes of this network.

    Raises:
        OtherArchitecture, OtherHead: the weights do not fit; says which network they are for.
        PictureTooSmall: for this network.
    """
    measured = dataclasses.replace(measure(data.train.pixels, fit=recipe.data.fit), enlarge=recipe.data.enlarge)
    if given is None:
        return Beginning(measured, None)
    preprocessing = preprocessing_of(given, measured)
    with torch.device("meta"):
        network = zoo.of_recipe(recipe, classes=len(data.classes), image=preprocessing.image)
    return Beginning(preprocessing, fitted(given, recipe, network, classes=data.classes))


def given_of(recipe: Recipe) -> Given | None:
    transfer = recipe.transfer
    return find_start(transfer.pretrained, recipe.architecture) if transfer.pretrained else None


def given_again(recipe: Recipe, run: RunFolder) -> Given | None:
    """The weights that a run began with, for one that has to begin anew.

    Raises:
        StartChanged: they are others now.
    """
    given = given_of(recipe)
    if given is not None and run.provenance.exists():
        then = (run.read_provenance().get("start") or {}).get("sha256")
        if then and then != given.sha256:
            raise StartChanged(title=given.title, run=run.path, then=then, now=given.sha256)
    return given


def sentence(recipe: Recipe, beginning: Beginning) -> str:
    """What happens to the weights, in one line."""
    start, preprocessing = beginning.start, beginning.preprocessing
    assert start is not None
    transfer, side = recipe.transfer, preprocessing.image[1]
    if transfer.mode == "probe":
        how = say(
            en=f"Probe: {start.given.title} stays as it is, and a linear head is fitted to its features; --mode finetune lets it learn on.",
            de=f"Probe: {start.given.title} bleibt, wie es ist, und ein linearer Kopf wird an seine Merkmale angepasst; mit --mode finetune lernt es weiter.",
        )
    else:
        head = _head_sentence(recipe, start)
        how = say(
            en=f"Fine-tuning: {start.given.title} learns on; {head}.",
            de=f"Feinabstimmung: {start.given.title} lernt weiter; {head}.",
        )
    if preprocessing.enlarge:
        small = preprocessing.height
        size = say(
            en=f"Pictures of {small} pixels are enlarged to {side}; --size changes that.",
            de=f"Bilder von {small} Pixeln werden auf {side} vergrössert; --size ändert das.",
        )
    else:
        size = say(en=f"Pictures have {side} pixels a side.", de=f"Bilder haben {side} Pixel Seitenlänge.")
    folded = (
        say(en=" The first filters were folded to fit.", de=" Die ersten Filter wurden passend gefaltet.") if start.folded else ""
    )
    return f"{how} {size}{folded}"


def _head_sentence(recipe: Recipe, start: Start) -> str:
    if start.keeps_head:
        return say(en="its head is kept", de="sein Kopf bleibt")
    if recipe.transfer.head_start == "probe":
        return say(
            en="its head, for other classes, is replaced by that of a probe",
            de="sein Kopf, der andere Klassen kennt, wird durch den einer Probe ersetzt",
        )
    return say(
        en="its head, for other classes, is replaced by a random one",
        de="sein Kopf, der andere Klassen kennt, wird durch einen zufälligen ersetzt",
    )
