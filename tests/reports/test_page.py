"""The page shows the facts, in two languages of one structure, whatever the names are called and however many classes there are."""

from __future__ import annotations

import re
import string
from dataclasses import replace
from pathlib import Path
from xml.etree.ElementTree import Element

import numpy as np
import pytest

from tests.reports.example_run import blobs, epoch_rows, logits_like, write_run
from tests.reports.page_tree import by_class, by_id, number, parsed, rows, shape, text
from wiesel import reports
from wiesel.errors import BadValue
from wiesel.images import DataSet
from wiesel.reports.collecting import collect
from wiesel.reports.facts import Facts
from wiesel.reports.findings import FINDINGS
from wiesel.reports.page import html
from wiesel.runs.folder import RunFolder

HOSTILE = '"><img src=x onerror=alert(1)>'
LANGUAGES = ("en", "de")


@pytest.fixture(scope="module")
def tree(facts: Facts) -> Element:
    return parsed(html(facts))


def edition(tree: Element, language: str) -> Element:
    return by_class(tree, f"in-{language}")[0]


# --- numbers -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_headline_is_the_accuracy_with_its_interval(tree: Element, facts: Facts, language: str) -> None:
    accuracy = facts.evaluation.accuracy
    summary = by_id(tree, f"{language}-summary")
    assert number(text(by_class(summary, "accuracy")[0])) == pytest.approx(accuracy.value, abs=5.1e-4)
    interval = text(by_class(summary, "interval")[0])
    low, high = (number(part) for part in re.findall(r"\d+[.,]\d.%", interval))
    assert (low, high) == pytest.approx((accuracy.low, accuracy.high), abs=5.1e-4)
    assert float(by_class(summary, "parameters")[0].get("data-value", "")) == facts.network.parameters
    assert float(by_class(summary, "macs")[0].get("data-value", "")) == facts.network.macs


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_confusion_matrix_is_that_of_the_evaluation(tree: Element, facts: Facts, language: str) -> None:
    table = by_class(by_id(tree, f"{language}-confusion"), "matrix")[0]
    found = list(rows(table))
    assert [row[0] for row in found] == list(facts.classes)
    counts = [[int(cell or 0) for cell in row[1:-1]] for row in found]
    assert counts == [list(row) for row in facts.evaluation.confusion]
    assert [int(row[-1]) for row in found] == [sum(row) for row in facts.evaluation.confusion]
    assert sum(map(sum, counts)) == facts.evaluation.n


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_classification_report_is_that_of_the_evaluation(tree: Element, facts: Facts, language: str) -> None:
    table = by_class(by_id(tree, f"{language}-classes"), "report")[0]
    for shown, row in zip(rows(table), facts.evaluation.per_class, strict=True):
        assert shown[0] == row.name
        low, high = shown[3].split("–")
        expected = (row.precision.value, row.recall.value, row.recall.low, row.recall.high, row.f1, row.support)
        assert [number(x) for x in (shown[1], shown[2], low, high, shown[5], shown[6])] == pytest.approx(expected, abs=5.1e-4)


@pytest.mark.parametrize("language", LANGUAGES)
def test_softmax_tables_and_epoch_tables_hold_the_numbers(tree: Element, facts: Facts, language: str) -> None:
    table = next(by_id(tree, f"{language}-softmax").iter("table"))
    for index, row in enumerate(rows(table)):
        shown = [float(eval_power(cell)) for cell in row[1:]]
        assert shown == pytest.approx([one.probabilities[index] for one in facts.softmax], rel=6e-3)
    table = next(by_id(tree, f"{language}-curves").iter("table"))
    for row, epoch in zip(rows(table), facts.history.epochs, strict=True):
        assert number(row[1]) == pytest.approx(epoch.train_loss, abs=5.1e-4)
        assert number(row[4]) == pytest.approx(epoch.validation_accuracy, abs=5.1e-5)


def eval_power(shown: str) -> float:
    """`1.23 × 10⁻⁵` or a plain number."""
    plain = shown.replace("\N{NARROW NO-BREAK SPACE}", "").translate(str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789"))
    mantissa, _, exponent = plain.partition("×10")
    return number(mantissa) * 10.0 ** int(exponent or 0)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_costs_of_the_layers_sum_to_the_totals(tree: Element, facts: Facts, language: str) -> None:
    table = by_class(by_id(tree, f"{language}-network"), "ledger")[0]
    sums = [sum(number(row[column] or "0") for row in rows(table)) for column in (3, 4)]
    foot = [text(cell) for cell in next(table.iter("tfoot")).iter("td")]
    assert sums == [number(cell) for cell in foot] == [facts.network.parameters, facts.network.macs]


def test_ranges_of_maps_are_stated_for_every_layer(tree: Element, facts: Facts) -> None:
    assert facts.walk is not None
    for language in LANGUAGES:
        stated = by_class(by_id(tree, f"{language}-maps"), "range")
        assert len(stated) == len(facts.walk.layers)
        for item, layer in zip(stated, facts.walk.layers, strict=True):
            assert (float(item.get("data-low", "")), float(item.get("data-high", ""))) == (layer.low, layer.high)
            low, high = (number(x) for x in re.findall(r"[−\d]\d*[.,]\d\d", text(item)))
            assert (low, high) == pytest.approx((layer.low, layer.high), abs=5.1e-3)


def test_wrong_pictures_are_marked_by_sign_and_words(tree: Element, facts: Facts) -> None:
    cards = by_class(by_id(tree, "de-pictures"), "card")
    assert len(cards) == 25
    for card, picture in zip(cards, facts.first, strict=True):
        assert ("✓" in text(card)) == picture.right
        assert ("✗" in text(card) and f"Wahr: {facts.classes[picture.truth]}" in text(card)) == (not picture.right)


# --- two languages -------------------------------------------------------------------------------------------------------


def test_both_languages_have_the_same_structure_and_all_sections(tree: Element) -> None:
    english, german = (edition(tree, language) for language in LANGUAGES)
    assert shape(english)[1:] == shape(german)[1:]
    for language in LANGUAGES:
        links = [a.get("href") for a in by_class(edition(tree, language), "contents")[0].iter("a")]
        assert links == [f"#{language}-{section}" for section in FINDINGS]
        assert all(by_id(tree, str(link)[1:]).tag == "section" for link in links)


def test_no_key_stays_untranslated_and_german_uses_the_decimal_comma(tree: Element) -> None:
    for language in LANGUAGES:
        written = text(by_class(edition(tree, language), "edition")[0])
        assert not re.search(r"\b(" + "|".join(FINDINGS) + r")\.[a-z_]+\b", written)

    def numbers_of(language: str) -> str:
        """All sections but the last, which quotes versions and the recipe."""
        return "\n".join(text(by_id(tree, f"{language}-{section}")) for section in list(FINDINGS)[:-1])

    assert re.findall(r"\d\.\d", numbers_of("de")) == []
    assert re.findall(r"\d,\d", numbers_of("en")) == []


def test_one_language_alone_has_no_switch_and_half_the_text(facts: Facts) -> None:
    for language, other in (("de", "en"), ("en", "de")):
        tree = parsed(html(facts, lang=language))
        assert tree.get("lang") == language
        assert not by_class(tree, "languages")
        assert by_class(tree, f"in-{language}")
        assert not by_class(tree, f"in-{other}")


# --- one file, no network, no script -------------------------------------------------------------------------------------


def test_nothing_is_loaded_run_or_styled_from_outside(facts: Facts) -> None:
    page = html(facts)
    tree = parsed(page)
    assert not [e.tag for e in tree.iter() if e.tag in {"script", "link", "iframe", "object", "embed", "base", "form", "img"}]
    for element in tree.iter():
        for name, value in element.items():
            assert not name.startswith("on")
            assert name != "style"  # the policy allows only the one style sheet
            if name in {"href", "src", "{http://www.w3.org/1999/xlink}href"}:
                assert value.startswith(("#", "data:image/png;base64,"))
    assert "http://" not in page
    assert "https://" not in page
    assert "@import" not in page
    policy = next(m.get("content", "") for m in tree.iter("meta") if m.get("http-equiv") == "Content-Security-Policy")
    assert policy.startswith("default-src 'none'")


def test_every_picture_is_there_once_and_every_reference_has_its_target(tree: Element) -> None:
    symbols = [s.get("id") for s in tree.iter("symbol")]
    used = {u.get("href", "")[1:] for u in tree.iter("use")}
    assert len(symbols) == len(set(symbols))
    assert used == set(symbols)
    ids = [e.get("id") for e in tree.iter() if e.get("id")]
    assert len(ids) == len(set(ids))
    assert all(text(svg[0]) for svg in tree.iter("svg") if svg.get("role") == "img" and svg[0].tag == "title")
    assert all(svg[0].tag == "title" for svg in tree.iter("svg") if svg.get("role") == "img")


def test_the_file_is_small_and_lies_where_it_was_asked_for(run: RunFolder, data: DataSet, tmp_path: Path) -> None:
    path = reports.write(run, data=data, output=tmp_path / "r.html", lang="de")
    assert path == tmp_path / "r.html"
    assert 50_000 < path.stat().st_size < 5 * 2**20
    assert reports.write(run.path, data=data) == run.report
    with pytest.raises(BadValue, match="lang"):
        reports.write(run, data=data, lang="fr")


def test_the_same_facts_give_the_same_bytes(facts: Facts, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WIESEL_LANG", "de")
    assert html(facts) == html(facts)
    assert parsed(html(facts)).get("lang") == "de"


# --- names and sizes -----------------------------------------------------------------------------------------------------


def test_hostile_and_long_names_are_only_text(folder: Path) -> None:
    names = (HOSTILE, "Ä" * 120, "</style><script>x</script>", "{{ facts }} {0} %s", "a\x00\u202eb", "日本 & <Ü>")
    data = blobs(names, side=8, name=HOSTILE)
    run = write_run(
        folder,
        data,
        architecture="resnet20",
        source="fashion-mnist-sample",
        left_out=[{"path": HOSTILE, "reason": "<b>no</b>"}, {"path": "\udce4.png", "reason": "half a character"}],
        warnings=[HOSTILE],
    )
    page = html(collect(run, data))
    tree = parsed(page)  # well-formed, and:
    assert {e.tag for e in tree.iter()} & {"img", "script", "b"} == set()
    assert not any(name.startswith("on") for e in tree.iter() for name, _ in e.items())
    assert HOSTILE in text(by_class(tree, "report")[0])
    assert "日本 & <Ü>" in text(by_class(tree, "matrix")[0])
    assert "{{ facts }} {0} %s" in text(by_class(tree, "report")[0])
    assert HOSTILE in text(by_class(tree, "warnings")[0])
    page.encode()
    longest = max(len(text(cell)) for table in by_class(tree, "report") for cell in table.iter("th"))
    assert longest <= 40


@pytest.mark.parametrize("count", [2, 100, 150])
def test_few_and_many_classes(folder: Path, count: int) -> None:
    names = [f"{'-'.join(string.ascii_lowercase[i % 26] * 3 for _ in range(2))} {i}" for i in range(count)]
    data = blobs(names, side=8, train=count, test=2 * count)
    assert data.test is not None
    run = write_run(folder, data, architecture="resnet20", logits=logits_like(data.test.labels, count, right=0.6))
    page = html(collect(run, data))
    assert len(page.encode()) < 3 * 2**20
    tree = parsed(page)
    for language in LANGUAGES:
        table = by_class(by_id(tree, f"{language}-confusion"), "matrix")[0]
        assert len(list(rows(table))) == (count if count <= 100 else 40)
        scroll = [d for d in by_class(by_id(tree, f"{language}-confusion"), "scroll") if table in list(d)]
        assert [d.get("tabindex") for d in scroll] == ["0"]  # can be scrolled by keyboard
        chart = by_class(by_id(tree, f"{language}-softmax"), "softmax")[0]
        assert len(by_class(chart, "name")) == min(count, 20)


def test_without_pictures_the_page_says_so_and_has_the_rest(run: RunFolder) -> None:
    facts = collect(run, None)
    tree = parsed(html(facts))
    assert not by_class(tree, "card")
    assert "nicht verfügbar" in text(by_id(tree, "de-pictures"))
    assert "not available" in text(by_id(tree, "en-maps"))
    assert len(list(rows(next(by_id(tree, "en-pictures").iter("table"))))) == 25
    assert "contains no picture" in text(by_id(tree, "en-origin"))
    assert len(by_class(by_id(tree, "en-softmax"), "softmax")) == 6


@pytest.mark.parametrize("epochs", [0, 1])
def test_runs_of_one_epoch_or_none_that_was_recorded(folder: Path, epochs: int) -> None:
    data = blobs(["a", "b"], test=1)
    run = write_run(folder, data, architecture="resnet20", events=epoch_rows(epochs, 5) if epochs else [])
    tree = parsed(html(collect(run, data)))
    assert len(by_class(by_id(tree, "en-curves"), "chart")) == (3 if epochs else 0)
    assert len(by_class(by_id(tree, "en-pictures"), "card")) == 1


def test_a_page_that_would_be_too_large_shows_smaller_pictures(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = blobs(["a", "b"], side=96, channels=3, test=30, train=4)
    run = write_run(folder, data, architecture="resnet20")
    full = reports.write(run, data=data).stat().st_size
    monkeypatch.setattr("wiesel.reports.writing.LARGEST", full - 1000)
    path = reports.write(run, data=data)
    assert path.stat().st_size < full - 1000
    assert "reduced to 64 pixels" in text(by_id(parsed(path.read_text(encoding="utf-8")), "en-pictures")).replace(
        "\N{NARROW NO-BREAK SPACE}", " "
    )


def test_dead_maps_are_flagged_and_the_hidden_ones_counted(facts: Facts) -> None:
    assert facts.walk is not None
    layer = facts.walk.layers[0]
    dead = replace(layer.maps[0], low=0.0, high=0.0, zeros=1.0, mean_absolute=0.0)
    changed = replace(facts, walk=replace(facts.walk, layers=(replace(layer, dead=3, maps=(dead, *layer.maps[1:])),)))
    maps = by_id(parsed(html(changed, lang="en")), "en-maps")
    flags = [text(flag) for flag in by_class(maps, "flag")]
    assert flags == ["3 dead (zero everywhere)", "dead"]
    assert f"12 shown, {layer.shape[0] - 12} hidden" in text(maps)


def test_probabilities_of_exactly_zero_have_no_bar_but_are_drawn(facts: Facts) -> None:
    certain = replace(facts.softmax[0], probabilities=np.array([1.0, 0.0, 0.0, 0.0, 0.0]))
    tree = parsed(html(replace(facts, softmax=(certain,)), lang="en"))
    chart = by_class(by_id(tree, "en-softmax"), "softmax")[0]
    assert len(by_class(chart, "bar")) == 1
    assert "10⁻⁸" in text(by_id(tree, "en-softmax"))
