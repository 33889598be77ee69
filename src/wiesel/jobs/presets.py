"""Recipes to start from, by name.

standard    any network of the zoo, as `Recipe` has it
few         a ResNet on few pictures: as much as 27,000 of them teach it, the first third small (docs/speed.md has what that is worth)
fast        our own small network: the most accuracy per second; with many pictures more epochs, most of them small (the same)
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, Literal

from wiesel import zoo
from wiesel.jobs.settings import with_settings
from wiesel.recipe import Augmentation, Recipe, Training

Preset = Literal["standard", "few", "fast"]

FEW = 20_000
"""Fewer training pictures than that are few: a ResNet then gets preset `few`, any other network batches of 32 instead of 64, because few
epochs of few pictures are too few steps of 64; if nobody says otherwise."""

PASSES = 27_000
"""Pictures that preset `few` shows the network in all, the same one counted each time: three epochs of the embedded sample."""

MOST_EPOCHS = 60

LEAST_SIDE = 9
"""Pixels that our own networks need."""

EPOCHS_OF_MANY = 12
"""Of preset `fast` from `FEW` pictures on."""

SMALL = 0.64
"""Sides of the smaller pictures of the first epochs, as a part of the full side: 18 instead of 28 pixels, 0.41 of the work."""

PRESETS: dict[Preset, Recipe] = {
    "standard": Recipe(),
    "few": Recipe(
        augmentation=Augmentation(alternate=True),
        training=Training(batch=128, optimiser="muon", momentum=0.6, decay=0.0, schedule="linear", warmup=0.0, label_smoothing=0.2),
    ),
    "fast": Recipe(
        architecture="wiesel_m",
        augmentation=Augmentation(alternate=True, shift=1),
        training=Training(
            epochs=10,
            batch=256,
            optimiser="muon",
            momentum=0.6,
            decay=0.0,
            schedule="linear",
            warmup=0.0,
            label_smoothing=0.2,
        ),
    ),
}


def suits_few(recipe: Recipe, asked: Mapping[str, Any], pictures: int) -> bool:
    """Whether `few` is what to take where nobody named a preset: a ResNet with its norms, which Muon needs behind every filter bank, and
    nobody said how its weights are to be found."""
    told = any(asked.get(name) is not None for name in ("optimiser", "rate", "momentum", "decay", "schedule", "warmup", "batch"))
    normed = not any(change.startswith("norm=") for change in recipe.network.changes)
    return pictures < FEW and zoo.find(recipe.architecture).family == "ResNet" and normed and not told


def for_few(recipe: Recipe, asked: Mapping[str, Any], *, pictures: int, side: int) -> Recipe:
    """The recipe with the settings of `few` where `asked` has none: epochs by the number of training pictures, and the first third of
    them with small pictures; `side` is the full one in pixels."""
    preset = PRESETS["few"].training
    changed = [field.name for field in dataclasses.fields(Training) if getattr(preset, field.name) != field.default]
    settings: dict[str, Any] = {"alternate": True} | {name: getattr(preset, name) for name in changed}
    settings["epochs"] = min(MOST_EPOCHS, max(2, round(PASSES / pictures)))
    return _with(recipe, asked, settings | _small_at_first(1 / 3, side, least=8))


def suits_many(recipe: Recipe, pictures: int) -> bool:
    """Whether preset `fast` takes what suits many pictures: our own networks only, others may need more than small pictures have."""
    return pictures >= FEW and zoo.find(recipe.architecture).family == "Wiesel"


def for_many(recipe: Recipe, asked: Mapping[str, Any], *, shift: int, side: int) -> Recipe:
    """The recipe of preset `fast` with what suits many pictures where `asked` has nothing: more epochs, the first 0.6 of them with small
    pictures, and a lower rate, because there are many steps; moved by `shift` pixels."""
    settings: dict[str, Any] = {"epochs": EPOCHS_OF_MANY, "shift": shift}
    if asked.get("optimiser") in (None, "muon"):
        settings["rate"] = 0.1
    return _with(recipe, asked, settings | _small_at_first(0.6, side, least=LEAST_SIDE))


def _small_at_first(share: float, side: int, *, least: int) -> dict[str, Any]:
    small = round(SMALL * side)
    return {"resolutions": ((share, small),)} if small >= least else {}


def _with(recipe: Recipe, asked: Mapping[str, Any], settings: dict[str, Any]) -> Recipe:
    return with_settings(recipe, {name: value for name, value in settings.items() if asked.get(name) is None})
