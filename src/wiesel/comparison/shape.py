"""What `comparison.json` must say so that it can be shown: it may come from another version, another machine, or an editor."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, NotRequired, TypedDict

import msgspec

from wiesel.comparison.plan import MOST_ARMS

Several = Annotated[list[float], msgspec.Meta(min_length=1)]
Seconds = Annotated[list[Annotated[float, msgspec.Meta(gt=0)]], msgspec.Meta(min_length=1)]
Pair = tuple[float, float]
Number = Annotated[int, msgspec.Meta(ge=0)]


class Both(TypedDict):
    """A sentence in both languages."""

    en: str
    de: str


class Arm(TypedDict):
    name: str
    accuracy: float
    accuracies: Several
    seconds: Seconds
    seeds: list[int]
    training_errors: NotRequired[list[float]]


class OneClass(TypedDict):
    name: str
    images: int
    difference: float
    interval: Pair


class Pictures(TypedDict):
    better: list[int]
    worse: list[int]


class Exploration(TypedDict):
    classes: list[OneClass]
    pictures: Pictures


class Card(TypedDict):
    picture: Number
    label: Number
    said: Number
    right: tuple[int, int]


class ToldApart(TypedDict):
    better: list[Card]
    worse: list[Card]


class Challenger(Arm):
    verdict: Literal["better", "worse", "same", "undecided", "test_set_too_small"]
    difference: float
    interval: Pair
    beats: float
    against: NotRequired[str]
    sentence: NotRequired[Both]
    exploration: NotRequired[Exploration]
    told_apart: NotRequired[ToldApart]


class Burden(TypedDict):
    name: str
    parameters: int
    macs: int
    seconds: float | None
    settings: dict[str, Any]
    epochs: NotRequired[int | None]


class Training(TypedDict):
    sentence: Both


class Data(TypedDict):
    source: str
    divisions: str
    test_pictures: int


class Budget(TypedDict):
    kind: Literal["epochs", "seconds", "free"]
    seconds: NotRequired[float | None]


class Document(TypedDict):
    sentence: Both
    small_print: Both
    verdict: str
    challenger: str
    margin: float
    runs: int
    arms: Annotated[list[Arm], msgspec.Meta(min_length=2, max_length=MOST_ARMS)]
    question: NotRequired[Both]
    why_exploratory: NotRequired[Both | None]
    training: NotRequired[list[Training]]
    classes: NotRequired[list[str]]
    data: NotRequired[Data]
    budget: NotRequired[Budget]
    fairness: NotRequired[list[Burden]]
    programs: NotRequired[list[str]]


def misshapen(document: Mapping[str, Any]) -> str:
    """What keeps this document from being shown, in a few words; empty if nothing does."""
    try:
        msgspec.convert(document, Document)
    except msgspec.ValidationError as error:
        return str(error)
    for number, arm in enumerate(document["arms"][1:], start=1):
        try:
            msgspec.convert(arm, Challenger)
        except msgspec.ValidationError as error:
            return str(error).replace("`$", f"`$.arms[{number}]")
    return _contradiction(document)


def _contradiction(document: Mapping[str, Any]) -> str:
    """What does not go together, where each part is as it should be."""
    arms, challengers = document["arms"], document["arms"][1:]
    names = {arm["name"] for arm in arms}
    burdens = {one["name"] for one in document.get("fairness", ())}
    telling = [arm for arm in challengers if any(arm.get("told_apart", {}).values())]
    cards = [card for arm in telling for group in arm["told_apart"].values() for card in group]
    classes, budget = document.get("classes", ()), document.get("budget", {})
    rules = (
        (all(arm.get("against", arm["name"]) in names for arm in challengers), "`against` is none of the arms"),
        (not burdens or burdens == names, "`fairness` of other arms"),
        (all(len(arm["seeds"]) == len(arm["accuracies"]) == len(arm["seconds"]) for arm in arms), "not one figure for each seed"),
        (budget.get("kind") != "seconds" or budget.get("seconds") is not None, "equal seconds, but not how many"),
        (not telling or ("data" in document and all("exploration" in arm for arm in telling)), "pictures, but not how many"),
        (all(max(card["label"], card["said"]) < len(classes) for card in cards), "pictures without their classes"),
    )
    return next((wrong for fine, wrong in rules if not fine), "")
