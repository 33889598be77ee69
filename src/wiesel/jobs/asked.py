"""What somebody asked of `train`, looked at before anything is read: which recipe to begin with, and what does not go together."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

from wiesel import images, zoo
from wiesel import recipe as recipes
from wiesel.errors import BadValue, NotAFile
from wiesel.jobs.presets import PRESETS, Preset
from wiesel.language import say
from wiesel.recipe import Recipe
from wiesel.zoo.naming import divided


def base_of(recipe: Recipe | Path | str | None, preset: Preset | None) -> Recipe:
    """What the settings change: the recipe given, as it is or as a file, or a preset.

    Raises:
        BadValue: no such preset, or both.
        NotAFile, UnknownSetting: the file is none, or has a key that no recipe has.
    """
    if recipe is None:
        if preset is not None and preset not in PRESETS:
            raise BadValue(setting="preset", value=preset, expected=" | ".join(PRESETS))
        return PRESETS[preset or "standard"]
    if preset is not None:
        raise BadValue(setting="preset", value=preset, expected="no preset where a recipe file is given")
    if isinstance(recipe, Recipe):
        return recipe
    try:
        return recipes.read(Path(recipe))
    except NotAFile as error:
        raise NotAFile(path=error.path, reason=error.reason, hint=_meant(str(recipe))) from None


def _meant(word: str) -> str:
    """Of what was given instead of a recipe file: how to say it, as a sentence for the end of an error; or nothing."""
    place = shlex.quote(word)
    if (Path(word) / "recipe.toml").is_file():
        return say(
            en=f" It is a run: `wiesel train --resume {place}` goes on with it, `wiesel train {place}/recipe.toml` begins it anew.",
            de=f" Es ist ein Lauf: `wiesel train --resume {place}` setzt ihn fort, `wiesel train {place}/recipe.toml` beginnt ihn neu.",
        )
    flag = ""
    if Path(word).is_dir() or images.is_name(word):
        flag = "--data"
    elif divided(word)[0] in {row.name for row in zoo.models()}:
        flag = "--model"
    return (
        say(en=f" Did you mean `wiesel train {flag} {place}`?", de=f" Meintest du `wiesel train {flag} {place}`?") if flag else ""
    )


def refuse_beside(run: Path | str, others: dict[str, Any]) -> None:
    """A run is gone on with as it was begun.

    Raises:
        BadValue: names the first setting that was given beside it.
    """
    for name, value in others.items():
        if value is not None:
            anew = f"`wiesel train {shlex.quote(f'{run}/recipe.toml')} …`"
            expected = say(
                en=f"nothing beside --resume, because a run goes on as it was begun; {anew} begins it anew with other settings",
                de=f"nichts neben --resume, denn ein Lauf geht weiter, wie er begann; {anew} beginnt ihn mit anderen Einstellungen neu",
            )
            raise BadValue(setting=name, value=value if isinstance(value, (int, float, str)) else str(value), expected=expected)
