"""The parts of the scaling search that need networks; the trainings are those of a campaign, see tests/comparison/test_campaign.py."""

from __future__ import annotations

import shlex
import sys
import tempfile
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.comparison.forking import preloaded
from tests.comparison.test_campaign import pictures
from tests.reports.page_tree import by_class, parsed, shape, text
from wiesel.cli import application
from wiesel.comparison.cells import file_name
from wiesel.comparison.ledger import Ledger
from wiesel.comparison.scaling import RULES, Base, Design, doublings
from wiesel.errors import BadValue, FolderTaken
from wiesel.jobs.program import program
from wiesel.jobs.scale import _base, _command, _Counter, _sentence, _validation, scale
from wiesel.reports.scaling import html


def test_the_base_is_read_off_the_network() -> None:
    assert _base(_Counter("resnet20:width=0.5", 10, 1), 14) == Base(blocks=3, size=14, grain=8)


def test_a_network_whose_stages_differ_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("WIESEL_LANG", "en")
    with pytest.raises(BadValue, match="equally many blocks"):
        _base(_Counter("efficientnet_b0", 10, 1), 32)
    with pytest.raises(BadValue, match="phi"):
        scale(phi=0, output=tmp_path / "nothing")
    assert not (tmp_path / "nothing").exists()


def test_a_network_of_another_library_and_a_place_that_is_taken_are_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("WIESEL_LANG", "en")
    with pytest.raises(BadValue, match="equally many blocks"):
        _base(_Counter("torchvision:resnet18", 10, 3), 32)
    (tmp_path / "file").write_text("")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "thesis.tex").write_text("")
    for place, said in (("file", "is not a folder"), ("folder", "holds other things")):
        with pytest.raises(FolderTaken, match=said):
            scale(output=tmp_path / place)
    assert [path.name for path in (tmp_path / "folder").iterdir()] == ["thesis.tex"]


def test_doublings_are_measured_on_real_networks() -> None:
    counter = _Counter("resnet20:width=0.5", 10, 1)
    base = _base(counter, 14)
    once = counter.macs(Design(0, Fraction(1), 14))
    found = doublings(base, counter.macs)
    assert len(found) >= 5
    assert all(abs(macs / once - 2) <= 0.1 for _, macs in found)
    assert all(counter.macs(design) == macs for design, macs in found)


def test_the_command_that_goes_on_says_all_that_was_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    told = _command("resnet32", "my pictures", size=16, rungs=(1, 2, 5), phi=2, runs=3, folder=tmp_path / "a b")
    _, bound, _ = application().parse_args(shlex.split(told)[1:], print_error=False, exit_on_error=False)
    assert bound.arguments == {
        "model": "resnet32",
        "data": "my pictures",
        "size": 16,
        "rungs": (1, 2, 5),
        "phi": 2,
        "runs": 3,
        "output": Path("a b"),
    }


def growth() -> list[dict[str, Any]]:
    rng = np.random.default_rng(0)
    return [
        {
            "rule": rule,
            "phi": phi,
            "model": "resnet20",
            "size": 14,
            "macs": 2_000_000 * 2**phi,
            "alpha": 1.0,
            "beta": 1.0,
            "gamma": 1.0,
            "accuracies": (0.8 + 0.02 * phi + 0.01 * rng.random(2)).tolist(),
        }
        for rule in RULES
        for phi in range(4)
    ]


def test_the_page_shows_each_rule_as_a_line_and_every_run_as_a_dot() -> None:
    rows = growth()
    design = {key: rows[0][key] for key in ("model", "size", "macs", "alpha", "beta", "gamma")}
    document = {
        "model": '"><b>',
        "growth": rows,
        "finalists": {"sentence": {"en": "One is better.", "de": "Eines ist besser."}, "page": "finalists/comparison.html"},
        "search": [{"epochs": 1, "designs": [{**design, "validation": 0.8, "kept": True}]}],
        "sentence": {one: _sentence("resnet20", (1.33, 1.25, 1.0), rows, one) for one in ("en", "de")},
    }
    tree = parsed(html(document))
    english, german = by_class(tree, "in-en")[0], by_class(tree, "in-de")[0]
    assert shape(english)[1:] == shape(german)[1:]
    assert len([line for line in by_class(english, "line") if line.tag == "polyline"]) == 4
    assert len(by_class(english, "dot")) == 2 * len(rows)
    assert "depth × 1.33, width × 1.25" in text(english)
    assert "Tiefe × 1,33" in text(german)


@pytest.mark.slow  # two dozen trainings
def test_a_whole_search_ends_with_a_page_and_the_same_call_again_trains_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    source = pictures(tmp_path / "stripes")
    with tempfile.TemporaryDirectory() as place, preloaded(Path(place), program()) as client:
        monkeypatch.setattr(sys, "executable", str(client))
        first = scale("resnet20:width=0.5", source, size=12, rungs=(1,), phi=1, runs=1, output="out")
        before = sorted(path for path in tmp_path.rglob("recipe.toml"))
        again = scale("resnet20:width=0.5", source, size=12, rungs=(1,), phi=1, runs=1, output="out")
    assert first.page.is_file()
    assert (tmp_path / "out" / "finalists" / "comparison.html").is_file()
    finalists = Ledger(tmp_path / "out" / "finalists")
    scores: dict[str, list[float]] = {}
    for run in finalists.cells.glob("*/recipe.toml"):
        scores.setdefault(run.parent.name.rpartition("-seed")[0], []).append(_validation(run.parent)[0])
    factors = first.document["factors"]
    assert max(scores, key=lambda name: sum(scores[name])) == file_name(
        f"depth {factors['alpha']:.2f} width {factors['beta']:.2f} size {factors['gamma']:.2f}"
    )
    assert again.document == first.document
    assert sorted(path for path in tmp_path.rglob("recipe.toml")) == before
    assert {one["rule"] for one in first.document["growth"]} == set(RULES)
