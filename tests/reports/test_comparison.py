"""The page of a comparison shows its document, in two languages of one structure, whatever arms and pictures are called."""

from __future__ import annotations

import dataclasses
import re
from typing import Any
from xml.etree.ElementTree import Element

import numpy as np
import pytest

from tests.reports.page_tree import by_class, by_id, number, parsed, rows, shape, text
from wiesel.comparison import Outcomes, Rules, arm, document, judge, sentence, small_print
from wiesel.comparison.answers import pictures_told_apart
from wiesel.evaluation.predictions import Predictions
from wiesel.images import Images
from wiesel.reports.comparison import html
from wiesel.reports.comparison_markdown import markdown

LANGUAGES = ("en", "de")
HOSTILE = '"><img src=x onerror=alert(1)>'
N = 300


def example(
    names: tuple[str, str, str] = ("plain20", "resnet20", "resnet56"), classes: tuple[str, ...] = ("cat", "dog")
) -> dict[str, Any]:
    """A verdict over outcomes that nobody trained; the last arm is measured against the second."""
    chance = np.random.default_rng(1)
    labels = (np.arange(N) % 2).astype(np.int64)
    answers, runs = [], []
    for ease in (0.6, 0.9, 0.9):
        correct = chance.random((3, N)) < ease
        correct[:, :5] = ease > 0.8  # five pictures tell the first arm from the others for certain
        given = np.where(correct, labels, 1 - labels)
        names_of = np.array([f"test/{i}" for i in range(N)])
        answers.append([Predictions(np.eye(2, dtype=np.float32)[one], labels, names_of) for one in given])
        runs.append(correct)
    arms = tuple(arm(name, one, [50, 60, 70]) for name, one in zip(names, runs, strict=True))
    found = judge(Outcomes(arms, labels=labels, classes=classes), Rules(), against=(0, 1))
    contents = document(found, plan="f" * 64)
    for index, baseline in ((1, 0), (2, 1)):
        told = pictures_told_apart(arms[baseline], arms[index], (answers[baseline], answers[index]))
        contents["arms"][index]["told_apart"] = {key: [dataclasses.asdict(one) for one in value] for key, value in told.items()}
        contents["arms"][index]["sentence"] = {
            speaker: sentence(found, found.findings[index - 1], reader=speaker)  # type: ignore[arg-type]
            for speaker in LANGUAGES
        }
    for one in contents["arms"]:
        one["training_errors"] = [0.1, 0.12, 0.15]
    said = {speaker: small_print(found, comparisons=1, tta=False, reader=speaker) for speaker in LANGUAGES}  # type: ignore[arg-type]
    return {
        **contents,
        "small_print": said,
        "question": {"en": "Is deeper better?", "de": "Ist tiefer besser?"},
        "training": [{"sentence": {"en": "Training error is higher.", "de": "Trainingsfehler höher."}}],
        "classes": list(classes),
        "data": {"source": "stripes", "divisions": "fixed", "test_pictures": N},
        "budget": {"kind": "seconds", "seconds": 60.0},
        "fairness": [
            {"name": name, "parameters": 1000 * (i + 1), "macs": 10**6, "seconds": 60.0, "settings": {}, "epochs": 3}
            for i, name in enumerate(names)
        ],
        "command": "wiesel compare --plan residual-depth",
        "made": "2026-11-22T07:00:00.000+00:00",
        "programs": ["one", "two"],
    }


@pytest.fixture(scope="module")
def pictures() -> Images:
    pixels = np.random.default_rng(0).integers(0, 255, (N, 8, 8, 1), dtype=np.uint8)
    return Images(pixels, (np.arange(N) % 2).astype(np.int64), np.array([f"test/{i}" for i in range(N)]))


@pytest.fixture(scope="module")
def contents() -> dict[str, Any]:
    return example()


@pytest.fixture(scope="module")
def tree(contents: dict[str, Any], pictures: Images) -> Element:
    return parsed(html(contents, folder="first", plan="[training]\nepochs = 3", pictures=pictures))


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_sentence_stands_first_then_what_is_not_shared_then_the_numbers(
    tree: Element, contents: dict[str, Any], language: str
) -> None:
    sections = [one.get("id") for one in by_class(tree, f"in-{language}")[0].iter("section")]
    order = ["verdict", "fairness", "numbers", "charts", "training", "pictures", "classes", "origin"]
    assert sections == [f"{language}-{name}" for name in order]
    assert text(by_class(tree, "said-first")[LANGUAGES.index(language)]) == contents["sentence"][language]
    assert text(by_class(by_id(tree, f"{language}-verdict"), "question")[0]) == contents["question"][language]


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_numbers_are_those_of_the_document(tree: Element, contents: dict[str, Any], language: str) -> None:
    shown = list(rows(by_class(by_id(tree, f"{language}-numbers"), "results")[0]))
    assert len(shown) == 3
    for row, one in zip(shown, contents["arms"], strict=True):
        assert row[0].endswith(one["name"])
        assert number(row[1]) == pytest.approx(one["accuracy"], abs=5.1e-5)
        if "difference" in one:
            assert number(row[3].lstrip("+")) == pytest.approx(100 * one["difference"], abs=5.1e-3)
            low, high = (number(part.lstrip("+")) for part in re.split(r" (?:to|bis) ", row[4]))
            assert (low, high) == pytest.approx([100 * value for value in one["interval"]], abs=5.1e-3)
    assert [row[2] for row in shown] == ["", "A", "B"]


def test_every_run_is_a_dot_at_its_accuracy(tree: Element, contents: dict[str, Any]) -> None:
    chart = next(c for c in by_class(by_id(tree, "en-charts"), "chart") if "each run" in text(c[0]))
    dots = [float(dot.get("cx", "")) for dot in by_class(chart, "dot")]
    values = [value for one in contents["arms"] for value in one["accuracies"]]
    assert np.corrcoef(dots, values)[0, 1] == pytest.approx(1, abs=1e-6)
    band = by_class(by_id(tree, "en-charts"), "band")
    assert len(band) == 1
    assert float(band[0].get("width", "")) > 0


def test_the_pictures_that_tell_arms_apart_are_shown_with_what_was_said(tree: Element, contents: dict[str, Any]) -> None:
    section = by_id(tree, "en-pictures")
    heading = text(next(section.iter("h3")))
    count = len(contents["arms"][1]["exploration"]["pictures"]["better"])
    assert heading == f"Right only with resnet20, wrong with plain20: {count} pictures of {N}"
    card = by_class(section, "card")[0]
    assert len(list(card.iter("use"))) == 1
    assert "3/3 against 0/3" in text(card)
    assert "Test picture 1, “cat”: right in 3 of 3 runs with resnet20, in 0 with plain20, which says “dog”." in text(card)


def test_warnings_say_that_programs_differ(tree: Element) -> None:
    assert "2 different states of the program" in text(by_class(by_id(tree, "en-verdict"), "warnings")[0])


def test_both_languages_have_the_same_structure_and_german_its_comma(tree: Element) -> None:
    english, german = (by_class(tree, f"in-{language}")[0] for language in LANGUAGES)
    assert shape(english)[1:] == shape(german)[1:]
    for name in ("verdict", "fairness", "numbers", "charts"):
        assert not re.search(r"\d\.\d", text(by_id(tree, f"de-{name}")))


def test_nothing_is_run_or_loaded_and_hostile_names_stay_text(pictures: Images) -> None:
    page = html(example((HOSTILE, HOSTILE + "b", "c"), (HOSTILE, "dog")), folder=HOSTILE, plan=HOSTILE, pictures=pictures)
    tree = parsed(page)
    assert not [e.tag for e in tree.iter() if e.tag in {"script", "link", "iframe", "object", "img", "form"}]
    for element in tree.iter():
        assert not [name for name in element.attrib if name.startswith("on") or name == "style"]
        for name, value in element.items():
            if name in {"href", "src"}:
                assert value.startswith(("#", "data:image/png;base64,"))


def test_without_pictures_the_page_says_so_and_keeps_the_rest(contents: dict[str, Any]) -> None:
    page = html(contents, lang="en")
    assert "were not available when this page was written" in page
    assert not by_class(parsed(page), "in-de")


def test_the_simplest_arm_that_is_good_enough_is_named() -> None:
    contents = example()
    contents["fairness"][0]["macs"] = 5_000_000
    assert "resnet20 has the fewest multiply-adds" in html(contents, lang="en")
    assert "fewest multiply-adds" not in html(example(), lang="en")


def test_as_markdown_it_has_the_sentence_the_numbers_and_the_command(contents: dict[str, Any]) -> None:
    lines = markdown(contents, "en").splitlines()
    assert lines[0] == "# 3 arms compared"  # the last one is not measured against the first
    assert any(line == "* Command: `wiesel compare --plan residual-depth`" for line in lines)
    assert sum(line.startswith("| C resnet56 ") for line in lines) == 3  # numbers, training error, what is not shared
    assert not any("<" in line.replace("\\<", "") for line in lines)
