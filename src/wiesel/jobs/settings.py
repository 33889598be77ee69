"""Flat settings, as a person gives them (`epochs=5`, `size=64`), into a recipe, where each has its section."""

from __future__ import annotations

import dataclasses
from typing import Any

from wiesel.errors import UnknownSetting, nearest
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
        BadValue: a value out of its range.
    """
    name, own = divided(settings.get("architecture") or "")
    if own:
        settings = {**settings, "architecture": name, "changes": (*own, *(settings.get("changes") or ()))}
    sections = known_settings()
    changed: dict[str, dict[str, Any]] = {}
    top: dict[str, Any] = {}
    for name, value in settings.items():
        if value is None:
            continue
        if name in ("seed", "architecture"):
            top[name] = value
        elif name in sections:
            changed.setdefault(sections[name], {})[name] = value
        else:
            raise UnknownSetting(name=name, where="train(…)", nearest=nearest(name, [*sections, "seed", "model"]))
    for section, values in changed.items():
        top[section] = dataclasses.replace(getattr(recipe, section), **values)
    return dataclasses.replace(recipe, **top)
