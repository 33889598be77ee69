"""Charts measured: heights, places and counts of what is drawn, not how it looks."""

from __future__ import annotations

import math
import xml.etree.ElementTree as ET
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.reports.page_tree import by_class, text
from wiesel import zoo
from wiesel.analysis import cost, stages
from wiesel.evaluation import Interval
from wiesel.evaluation.calibration import calibration
from wiesel.reports.curves import curves
from wiesel.reports.facts import Facts, NetworkFacts, Picture, Softmax
from wiesel.reports.inline import share_bar, whisker
from wiesel.reports.reliability import reliability
from wiesel.reports.softmax import bars_shown, softmax_bars, softmax_floor
from wiesel.reports.strip import TALLEST, strip, width_of
from wiesel.reports.svg import element, ticks
from wiesel.reports.words import Words

EN, DE = Words("en"), Words("de")


def one(probabilities: list[float], truth: int = 0) -> Softmax:
    p = np.array(probabilities)
    return Softmax(Picture(0, "test/0", truth, int(p.argmax()), float(p.max()), None), p)


def facts_of(name: str, image: tuple[int, int, int]) -> NetworkFacts:
    network = zoo.build(name, channels=image[0], size=image[1])
    table = cost(network, image)
    return NetworkFacts(name, image, table.parameters, table.macs, stages(network, image, table), (), None)


@given(st.floats(-1e3, 1e3), st.floats(1e-4, 1e6))
def test_ticks_are_round_few_and_enclose_the_values(low: float, span: float) -> None:
    marks = ticks(low, low + span)
    assert 2 <= len(marks) <= 12
    step = marks[1] - marks[0]
    assert marks[0] <= low + 1e-6 * step
    assert marks[-1] >= low + span - 1e-6 * step
    assert f"{step:.0e}"[0] in "125"


def test_softmax_bars_are_as_high_as_the_logarithm_of_their_probability() -> None:
    probabilities = [0.9, 0.09, 0.009, 0.000999, 1e-6]
    drawn = ET.fromstring(softmax_bars(one(probabilities), "abcde", -4, EN))
    bars = by_class(drawn, "bar")
    heights = [float(bar.get("height", "")) for bar in bars]
    full = 130.0
    assert len(bars) == 4  # the fifth lies below the floor
    assert heights == pytest.approx([full * (math.log10(p) + 4) / 4 for p in probabilities[:4]], abs=0.02)
    assert "<" in [text(mark) for mark in drawn.iter("text")] or any("<" in text(mark) for mark in drawn.iter("text"))
    labels = [text(mark) for mark in by_class(drawn, "name")]
    assert labels == list("abcde")


def test_the_true_class_and_a_wrong_answer_are_marked_by_more_than_colour() -> None:
    drawn = ET.fromstring(softmax_bars(one([0.2, 0.7, 0.1], truth=0), ["Hemd", "Mantel", "Kleid"], -2, DE))
    assert [bar.get("class") for bar in by_class(drawn, "bar")] == ["bar truth", "bar wrong", "bar other"]
    assert [text(value) for value in by_class(drawn, "value")] == [DE.number(0.7, "~%")]


def test_the_floor_lies_below_the_smallest_probability_within_limits() -> None:
    assert softmax_floor([one([0.98, 0.02])]) == -2
    assert softmax_floor([one([0.99997, 0.00003]), one([0.5, 0.5])]) == -6
    assert softmax_floor([one([1.0, 1e-30])]) == -8
    assert softmax_floor([one([1.0, 0.0])]) == -8


def test_of_many_classes_the_likeliest_and_the_true_one_are_drawn() -> None:
    p = np.arange(100.0) + 1
    shown = bars_shown(one((p / p.sum()).tolist(), truth=3))
    assert len(shown) == 20
    assert shown[0] == 3
    assert shown[1:] == list(range(81, 100))


def test_the_strip_of_resnet18_has_eight_skips_three_of_them_projections() -> None:
    found = facts_of("resnet18", (1, 28, 28))
    drawn = ET.fromstring(strip(found, EN))
    assert len(by_class(drawn, "identity")) == 5
    assert len(by_class(drawn, "projection")) == 3
    blocks = by_class(drawn, "block")
    heights = [float(block.get("height", "")) for block in blocks]
    assert heights[:-1] == pytest.approx([TALLEST * side / 28 for side in (28, 28, 28, 14, 14, 7, 7, 4, 4)], abs=0.01)
    widths = [float(block.get("width", "")) for block in blocks]
    assert widths == pytest.approx([width_of((c,)) for c in (64, 64, 64, 128, 128, 256, 256, 512, 512, 10)], abs=0.01)
    assert widths[4] - widths[2] == pytest.approx(widths[6] - widths[4], abs=0.02)
    words = [text(t) for t in drawn.iter("text")]
    assert [words.count(label) for label in ("identity", "1×1")] == [5, 3]
    shares = [float(w.strip("<% \N{NARROW NO-BREAK SPACE}")) for w in words if w.endswith("%")]
    assert sum(shares) == pytest.approx(200, abs=8)  # two rows of bars, each rounded


def test_long_networks_share_boxes_and_say_how_many() -> None:
    drawn = ET.fromstring(strip(facts_of("resnet56", (3, 32, 32)), EN))
    words = [text(t) for t in drawn.iter("text")]
    assert len(by_class(drawn, "block")) == 1 + 1 + 2 + 2 + 1
    assert [words.count(f"×{n}") for n in (9, 8)] == [1, 2]


def test_curves_hold_every_epoch_and_mark_the_best(facts: Facts) -> None:
    loss, accuracy, rate = (ET.fromstring(chart) for chart in curves(facts.history, EN))
    epochs = facts.history.epochs
    marks = by_class(accuracy, "mark")
    said = [text(mark) for mark in marks]
    for row in epochs:
        assert any(s.endswith(EN.number(row.validation_accuracy, "%2")) and f"epoch {row.epoch}" in s for s in said)
    best = by_class(loss, "best")[0]
    at = [float(m.get("cx", "nan")) for m in by_class(loss, "mark") if m.get("cx") and f"epoch {facts.history.best}:" in text(m)]
    assert [float(best.get("x1", ""))] == pytest.approx(at)
    assert len(by_class(rate, "line")) == 1


@pytest.mark.parametrize("epochs", [1, 2, 300])
def test_curves_can_be_drawn_for_any_number_of_epochs(facts: Facts, epochs: int) -> None:
    row = facts.history.epochs[0]
    history = replace(
        facts.history, epochs=tuple(replace(row, epoch=e) for e in range(1, epochs + 1)), best=1, rows=facts.history.rows[:3]
    )
    for chart in curves(history, DE):
        numbers = [float(v) for e in ET.fromstring(chart).iter() for k, v in e.items() if k in ("x", "y", "cx", "cy")]
        assert all(math.isfinite(n) for n in numbers)
        assert min(numbers) > -1


def test_the_reliability_diagram_has_a_point_per_bin_at_its_confidence_and_accuracy() -> None:
    rng = np.random.default_rng(0)
    sure = rng.uniform(0.3, 1, 400)
    found = calibration(sure, rng.random(400) < sure, resamples=0)
    drawn = ET.fromstring(reliability(found, EN))
    points = by_class(drawn, "mark")
    places = [((float(p.get("cx", "")) - 50) / 300, (326 - float(p.get("cy", ""))) / 300) for p in points]
    assert places == [pytest.approx((b.confidence, b.accuracy.value), abs=1e-4) for b in found.bins]
    bars = [float(b.get("height", "")) for b in by_class(drawn, "bar")]
    most = max(b.count for b in found.bins)
    assert bars == pytest.approx([max(1, 56 * b.count / most) for b in found.bins], abs=0.01)


def test_small_bars() -> None:
    drawn = ET.fromstring(share_bar(0.75, "75 right"))
    assert [float(b.get("width", "")) for b in by_class(drawn, "bar")] == [300, 100]
    point = ET.fromstring(whisker(Interval(0.5, 0.25, 1.0), "0.25–1.00"))
    line = by_class(point, "whisker")[0]
    assert [float(line.get(k, "")) for k in ("x1", "x2")] == [32, 116]


def test_text_and_attributes_are_escaped() -> None:
    made = element("text", '<b>&"', class_='"><script>', data_x=1.50)
    assert made == '<text class="&#34;&gt;&lt;script&gt;" data-x="1.5">&lt;b&gt;&amp;&#34;</text>'
