"""The section on how sure the network may be: in both languages, with every outcome, and drawn to scale."""

from __future__ import annotations

import re
from dataclasses import replace
from xml.etree import ElementTree as ET

import numpy as np
import pytest

from wiesel.evaluation.predictions import Predictions
from wiesel.reports import findings
from wiesel.reports.facts import Facts
from wiesel.reports.page import html
from wiesel.reports.sureness import accuracy_against_coverage, set_sizes
from wiesel.reports.words import Words
from wiesel.uncertainty.assessment import Assessment, assess

EN, DE = Words("en"), Words("de")


def predictions(count: int, seed: int, boldness: float = 2.0) -> Predictions:
    rng = np.random.default_rng(seed)
    logits = rng.normal(0, 2, (count, 5))
    chances = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    labels = (rng.random(count)[:, None] > np.cumsum(chances, axis=1)).sum(axis=1).clip(max=4)
    return Predictions.of(boldness * logits, labels, [str(row) for row in range(count)])


@pytest.fixture(scope="module")
def found() -> Assessment:
    return assess(predictions(300, 0), predictions(200, 1), resamples=20)


def section(page: str, language: str) -> str:
    match = re.search(rf'<section id="{language}-uncertainty".*?</section>', page, re.S)
    assert match is not None
    return match[0]


def test_the_page_shows_the_numbers_in_both_languages(facts: Facts, found: Assessment) -> None:
    page = html(replace(facts, uncertainty=found))
    english, german = section(page, "en"), section(page, "de")
    assert f"{found.temperature.value:.3f}" in english
    assert f"{found.temperature.value:.3f}".replace(".", ",") in german
    assert "LAC by class" in english
    assert "LAC je Klasse" in german
    assert english.count("<svg") == german.count("<svg") == 2
    assert not re.search(r">[^<]*\d\.\d[^<]*<", german)
    assert not re.search(r">[^<]*\d,\d[^<]*<", english)


def test_a_run_that_was_not_asked_says_what_to_run(facts: Facts) -> None:
    assert f"`wiesel evaluate` with the folder {facts.run} adds" in section(html(facts), "en")
    assert "<svg" not in section(html(facts), "de")


def test_what_is_said_turns_with_the_numbers(facts: Facts, found: Assessment) -> None:
    def said(one: Assessment) -> str:
        return " ".join(findings.uncertainty(replace(facts, uncertainty=one), EN))

    assert "200 validation pictures" in said(found)
    assert "too bold" in said(found)
    assert "too cautious" in said(assess(predictions(300, 0, 0.5), predictions(200, 1, 0.5), resamples=0))
    assert "cannot be told from 1" in said(replace(found, temperature=replace(found.temperature, outcome="not needed")))
    assert "left at 1" in said(replace(found, temperature=replace(found.temperature, outcome="undetermined")))
    assert "150 test pictures, drawn at random" in said(assess(predictions(300, 0), None, resamples=0))


def test_too_few_calibration_pictures_leave_a_note_and_no_drawing(facts: Facts) -> None:
    few = assess(predictions(4, 0), None, resamples=0)
    page = html(replace(facts, uncertainty=few))
    assert section(page, "en").count("<svg") == 1
    assert "No sets LAC: they need 9 calibration pictures, there are 2." in section(page, "en")
    assert "jeder Klasse" in section(page, "de")


def test_bars_and_points_are_drawn_to_scale(found: Assessment) -> None:
    bars = [
        float(bar.get("height", 0)) for bar in ET.fromstring(set_sizes(found, EN)).iter("rect") if bar.find("title") is not None
    ]
    counts = [one.found.counts for one in found.sets if not one.threshold.by_class and one.threshold.method != "raps"]
    shares = [count[size] / 300 for size in range(6) for count in counts]
    full = 260.0 - 34.0 - 42.0
    assert bars == pytest.approx([full * share for share in shares], abs=1.01)
    circles = list(ET.fromstring(accuracy_against_coverage(found, DE)).iter("circle"))
    assert len(circles) == len(found.selective.points)
    heights = [float(circle.get("cy", 0)) for circle in circles]
    accuracies = [point.accuracy.value for point in found.selective.points]
    assert np.argsort(heights, kind="stable").tolist() == np.argsort(-np.array(accuracies), kind="stable").tolist()
