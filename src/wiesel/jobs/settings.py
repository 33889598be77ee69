"""Flat settings, as a person gives them (`epochs=5`, `size=64`), into a recipe, where each has its section."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any, Literal, get_args, get_origin, get_type_hints

import msgspec

from wiesel.errors import BadValue, UnknownSetting, nearest
from wiesel.recipe import Augmentation, DataChoice, NetworkOptions, Recipe, Training, Transfer
from wiesel.zoo.naming import divided

SECTIONS: dict[str, Any] = {
    "data": DataChoice,
    "network": NetworkOptions,
    "augmentation": Augmentation,
    "training": Training,
    "transfer": Transfer,
}


def known_settings() -> dict[str, str]:
    """Each setting's name and its section; the names are unique over all sections (a test holds that)."""
    return {field.name: section for section, kind in SECTIONS.items() for field in dataclasses.fields(kind)}


def with_settings(recipe: Recipe, settings: dict[str, Any]) -> Recipe:
    """The recipe with these settings changed; those that are None stay as they are.

    Changes that a model's name carries come before those of `changes`.

    Raises:
        UnknownSetting: no recipe has such a setting; names the nearest.
        BadValue: a value of another type or out of its range.
    """
    architecture = settings.get("architecture")
    name, own = divided(architecture) if isinstance(architecture, str) else ("", ())
    if own:
        settings = {**settings, "architecture": name, "changes": (*own, *(settings.get("changes") or ()))}
    sections = known_settings()
    tree = dataclasses.asdict(recipe)
    for name, value in settings.items():
        if value is None:
            continue
        if name not in sections and name not in ("seed", "architecture"):
            raise UnknownSetting(name=name, where="train(…)", nearest=nearest(name, [*sections, "seed", "model"]))
        part = tree[sections[name]] if name in sections else tree
        part[name] = str(value) if isinstance(value, Path) else value
    try:
        return msgspec.convert(tree, Recipe, strict=True)
    except msgspec.ValidationError as error:
        if isinstance(error.__cause__, BadValue):  # the right type, out of its range
            raise error.__cause__ from None
        raise _misfit(tree, str(error)) from error


def _misfit(tree: dict[str, Any], said: str) -> BadValue:
    """msgspec's `Expected `int`, got `str` - at `$.training.epochs`` as an error about the setting."""
    reason, _, place = said.partition(" - at `$.")
    section, _, name = place.rstrip("`").rpartition(".")
    name = name.partition("[")[0]
    kind = get_type_hints(SECTIONS.get(section, Recipe)).get(name)
    choices = " | ".join(map(str, get_args(kind))) if get_origin(kind) is Literal else reason
    return BadValue(setting=name, value=tree.get(section, tree).get(name), expected=choices)
