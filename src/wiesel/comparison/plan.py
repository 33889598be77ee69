"""A comparison, decided before its first run: frozen dataclasses <-> TOML, and a fingerprint that shows whether it stayed so.

    [[arms]]
    model = "resnet18"

    [[arms]]
    model = "resnet18:pooling=stride"
    settings = { rate = 0.02 }

    [data]
    source = "fashion-mnist"

    [training]
    epochs = 4

    [rules]
    margin = 0.003

The first arm is the baseline. All that an arm does not say is the same for every arm, and which pictures train and test can never differ.
"""

from __future__ import annotations

import dataclasses
import hashlib
import math
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import msgspec

from wiesel.comparison.rules import ENGINE, Rules
from wiesel.errors import BadValue, UnknownSetting, nearest
from wiesel.language import say
from wiesel.recipe import Augmentation, DataChoice, NetworkOptions, Recipe, Training, refuse_unknown_keys, text_of
from wiesel.zoo.naming import divided

MOST_ARMS = 10
"""More than this is a search, whose winner is a candidate and no verdict."""

SHARED = ("source", "subset", "validation", "test", "split_seed", "unreadable")
"""Settings of the data that no arm may have for itself: they decide which pictures train and test."""


@dataclass(frozen=True, kw_only=True)
class PlannedArm:
    """One design."""

    model: str
    """A network's name with its changes, `resnet18:activation=gelu,norm=off`."""
    settings: dict[str, Any] = field(default_factory=dict)
    """What this arm does differently, by the names of a recipe's settings: `rate`, `flip`, `size`, …"""
    name: str = ""
    """What it is called in sentences; empty: the model and its settings."""
    against: str = ""
    """The arm that it is measured against, by what that is called; empty: the first."""

    def __post_init__(self) -> None:
        # Lists from a file and tuples from a program are the same decision.
        object.__setattr__(self, "settings", {key: _frozen(value) for key, value in self.settings.items()})

    @property
    def title(self) -> str:
        return self.name or " ".join([self.model, *(f"{key}={value}" for key, value in self.settings.items())])


@dataclass(frozen=True, kw_only=True)
class Question:
    """What a plan wants to know, in a sentence for readers. It decides nothing and is not part of the fingerprint."""

    en: str = ""
    de: str = ""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Everything that a verdict depends on, except chance.

    Raises:
        BadValue: names the setting, its value and what is possible.
        UnknownSetting: an arm has a setting that no recipe has; names the nearest.
    """

    arms: tuple[PlannedArm, ...]
    data: DataChoice = field(default_factory=DataChoice)
    augmentation: Augmentation = field(default_factory=Augmentation)
    network: NetworkOptions = field(default_factory=NetworkOptions)
    training: Training = field(default_factory=Training)
    metric: Literal["accuracy"] = "accuracy"
    """Share of the test pictures that is right, with the weights that a run keeps: those of its best epoch on validation."""
    training_error: bool = False
    """Also ask whether the arms differ in their training error: a question of its own, with its own share of error."""
    budget: Literal["epochs", "seconds", "free"] = "epochs"
    """What every arm has alike: epochs; or `seconds` of training per run; or free, where the arms' settings say."""
    seconds: float = 0.0
    """Per run, for the budget `seconds`; 0: as long as the first arm takes for its epochs. See `wiesel.comparison.clock`."""
    divisions: Literal["fixed", "redrawn"] = "fixed"
    """`redrawn`: run j divides the pictures anew, with `data.split_seed` + j; for small data, see `wiesel.comparison.small_data`."""
    first_seed: int = 0
    """Run j of every arm has the seed `first_seed` + j."""
    rules: Rules = field(default_factory=Rules)
    question: Question = field(default_factory=Question)

    def __post_init__(self) -> None:
        titles = [arm.title for arm in self.arms]
        several = say(en=f"2 to {MOST_ARMS} arms", de=f"2 bis {MOST_ARMS} Arme")
        search = say(
            en="; more is a search: compare its best candidates with fresh seeds",
            de="; mehr ist eine Suche: vergleiche deren beste Kandidaten mit frischen Startzahlen",
        )
        rules: list[tuple[str, Any, bool, str]] = [
            ("arms", len(titles), 2 <= len(titles) <= MOST_ARMS, several + search),
            ("arms", titles, len(set(titles)) == len(titles), say(en="a name of its own for each", de="je ein eigener Name")),
            (
                "network.changes",
                self.network.changes,
                not self.network.changes,
                say(en="changes belong to an arm's model", de="Änderungen gehören zum Modell eines Arms"),
            ),
            (
                "seconds",
                self.seconds,
                math.isfinite(self.seconds) and self.seconds >= 0 and (self.seconds == 0 or self.budget == "seconds"),
                say(en="0 or more for the budget 'seconds', else 0", de="0 oder mehr für das Budget 'seconds', sonst 0"),
            ),
            ("first_seed", self.first_seed, 0 <= self.first_seed < 2**62, "0 <= first_seed < 2**62"),
        ]
        for setting, value, fine, expected in rules:
            if not fine:
                raise BadValue(setting=setting, value=value, expected=expected)
        for arm in self.arms:
            if arm.against and (arm.against not in titles or arm.against == arm.title or arm is self.arms[0]):
                other = [title for title in titles if title != arm.title]
                expected = say(en="none for the first arm, else ", de="nichts beim ersten Arm, sonst ") + " | ".join(other)
                raise BadValue(setting=f"arms.{arm.title}.against", value=arm.against, expected=expected)
            recipe_of(self, arm, 0)

    def against(self) -> tuple[int, ...]:
        """For each arm but the first, the number of the arm that it is measured against."""
        titles = [arm.title for arm in self.arms]
        return tuple(titles.index(arm.against) if arm.against else 0 for arm in self.arms[1:])


def recipe_of(plan: Plan, arm: PlannedArm, run: int) -> Recipe:
    """What trains run `run` (0, 1, …) of this arm."""
    model, changes = divided(arm.model)
    sections: dict[str, dict[str, Any]] = {
        section: dataclasses.asdict(getattr(plan, section)) for section in ("data", "augmentation", "network", "training")
    }
    homes = {key: section for section, values in sections.items() for key in values}
    for key, value in arm.settings.items():
        setting = f"arms.{arm.title}.{key}"
        if key not in homes:
            raise UnknownSetting(name=key, where=f"arms.{arm.title}", nearest=nearest(key, list(homes)))
        if key in SHARED:
            raise BadValue(setting=setting, value=value, expected=say(en="the same for every arm", de="für alle Arme gleich"))
        if key == "changes":
            raise BadValue(setting=setting, value=value, expected=f'model = "{model}:…"')
        if key == "epochs" and plan.budget != "free":
            equal = say(en="the same for every arm, or budget = 'free'", de="für alle Arme gleich, oder budget = 'free'")
            raise BadValue(setting=setting, value=value, expected=equal)
        sections[homes[key]][key] = value
    sections["network"]["changes"] = changes
    if plan.divisions == "redrawn":
        sections["data"]["split_seed"] += run
    try:
        return msgspec.convert({**sections, "architecture": model, "seed": plan.first_seed + run}, Recipe, strict=True)
    except msgspec.ValidationError as error:
        raise BadValue(setting=f"arms.{arm.title}", value=arm.settings, expected=str(error)) from error


def fingerprint(plan: Plan) -> str:
    """sha256 over every decision and the version of the statistics, as hex. Written down before the first run; a plan whose
    fingerprint differs afterwards gives exploratory findings only. Order and layout of the file do not matter."""
    decisions = dataclasses.asdict(plan)
    del decisions["question"]
    tree = {"engine": ENGINE, "plan": decisions}
    return hashlib.sha256(msgspec.json.encode(tree, order="deterministic")).hexdigest()


def to_toml(plan: Plan) -> str:
    """The plan as TOML, every setting written out. `from_toml(to_toml(p)) == p`."""
    # Not the plan itself: of what was read from a file, msgspec would write only the settings that the file had.
    return msgspec.toml.encode(dataclasses.asdict(plan)).decode()


def from_toml(text: str, *, where: str = "plan.toml", full: bool = False) -> Plan:
    """Read a plan; what it leaves out keeps its default. `full`: with what its table `[full]` says instead.

    Raises:
        UnknownSetting: a key that no plan has; names the nearest.
        BadValue: a value of the wrong type or range; names its path.
    """
    try:
        tree = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise BadValue(setting=where, value="…", expected=f"valid TOML ({error})") from error
    large = tree.pop("full", None)
    if full:
        if not isinstance(large, dict):
            large_form = say(en="a plan with a table [full]", de="ein Plan mit einer Tabelle [full]")
            raise BadValue(setting="full", value=where, expected=large_form)
        tree = _merged(tree, large)
    elif isinstance(large, dict):  # a mistake in it is better found now than by whoever wants it
        refuse_unknown_keys(_merged(tree, large), Plan, f"{where} [full]")
    refuse_unknown_keys(tree, Plan, where)
    for number, arm in enumerate(arms if isinstance(arms := tree.get("arms"), list) else []):
        if isinstance(arm, dict):
            refuse_unknown_keys(arm, PlannedArm, f"{where} [[arms]] {number + 1}", free=("settings",))
    try:
        return msgspec.convert(tree, Plan, strict=True)
    except msgspec.ValidationError as error:
        if isinstance(error.__cause__, BadValue):
            raise error.__cause__ from None
        raise BadValue(setting=where, value="…", expected=str(error)) from error


def read(path: Path, *, full: bool = False) -> Plan:
    return from_toml(text_of(path), where=path.name, full=full)


def _merged(tree: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    """`tree` with the values of `other`, table by table; arms are given anew as a whole."""
    both = {key: _merged(tree[key], other[key]) for key in tree.keys() & other.keys() if isinstance(other[key], dict)}
    return {**tree, **other, **both}


def _frozen(value: Any) -> Any:
    return tuple(_frozen(one) for one in value) if isinstance(value, list | tuple) else value
