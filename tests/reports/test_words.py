"""Both languages say everything, with the same facts, and write numbers as their readers do."""

from __future__ import annotations

import re
import string
from pathlib import Path

import pytest

import wiesel.reports
from wiesel.reports.findings import FINDINGS
from wiesel.reports.words import NARROW, Words, printable, shown, texts

EN, DE = Words("en"), Words("de")
ROOM = Path(wiesel.reports.__file__).parent


def fields(template: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(template) if name}


@pytest.mark.parametrize("key", sorted(texts()))
def test_every_sentence_exists_in_both_languages_with_the_same_facts(key: str) -> None:
    assert set(texts()[key]) == {"en", "de"}
    assert all(texts()[key].values())
    assert fields(texts()[key]["en"]) == fields(texts()[key]["de"]) or key in {"warning.never", "warning.absent"}


def test_every_sentence_is_used_and_every_key_that_is_used_exists() -> None:
    sources = "\n".join(path.read_text(encoding="utf-8") for path in ROOM.rglob("*") if path.suffix in {".py", ".j2"})
    named = set(re.findall(r'words\(\s*f?"([a-z]+\.[a-z_0-9.]+)"', sources))
    beginnings = {"network.kind.", "network.skip.", "curves.", "calibration.", "filters.plane.", "summary.", "warning."}
    assert named <= set(texts()) | beginnings
    built = {f"{section}.{part}" for section in FINDINGS for part in ("title", "about")}
    built |= {f"summary.{split}" for split in ("train", "validation", "test")}
    built |= {key for key in texts() if re.match(r"(warning|network\.kind|network\.skip|filters\.plane)\.", key)}
    built |= {"curves.over", "curves.under", "curves.equal", "calibration.fits", "calibration.over", "calibration.under"}
    built |= {"page.picture_right", "page.picture_wrong"}
    built |= {f"uncertainty.{key}" for key in ("on_validation", "on_half", "cools", "heats", "idle", "open", "missing")}
    built |= {"uncertainty.missing_by_class"}
    assert set(texts()) == named & set(texts()) | built


@pytest.mark.parametrize(
    ("value", "spec", "english", "german"),
    [
        (12345, "int", f"12{NARROW}345", f"12{NARROW}345"),
        (-0.8349, ".2", "−0.83", "−0,83"),
        (0.9126, "%1", f"91.3{NARROW}%", f"91,3{NARROW}%"),
        (11_173_962, "si", f"11.2{NARROW}M", f"11,2{NARROW}M"),
        (999_960, "si", f"1.00{NARROW}M", f"1,00{NARROW}M"),
        (650, "si", "650", "650"),
        (0.000123456, "sig3", "0.000123", "0,000123"),
        (0.00001234, "sig3", f"1.23{NARROW}×{NARROW}10⁻⁵", f"1,23{NARROW}×{NARROW}10⁻⁵"),
        (0.9996, "sig3", "1.00", "1,00"),
        (0.0, "sig3", "0", "0"),
        (0.99996, "~%", f">{NARROW}99.9{NARROW}%", f">{NARROW}99,9{NARROW}%"),
        (1.0, "~%", f"100.0{NARROW}%", f"100,0{NARROW}%"),
        (0.00001, "~%", f"<{NARROW}0.1{NARROW}%", f"<{NARROW}0,1{NARROW}%"),
        (0.004, "<%", f"<{NARROW}1{NARROW}%", f"<{NARROW}1{NARROW}%"),
        (0.0, "<%", f"0{NARROW}%", f"0{NARROW}%"),
        (4.25, "time", f"4.2{NARROW}s", f"4,2{NARROW}s"),
        (59.7, "time", f"1{NARROW}min", f"1{NARROW}min"),
        (252, "time", f"4{NARROW}min 12{NARROW}s", f"4{NARROW}min 12{NARROW}s"),
        (7322, "time", f"2{NARROW}h 2{NARROW}min", f"2{NARROW}h 2{NARROW}min"),
        (1, "picture|pictures", "picture", "picture"),
        (0, "picture|pictures", "pictures", "pictures"),
    ],
)
def test_numbers_are_written_as_readers_expect(value: float, spec: str, english: str, german: str) -> None:
    assert EN.number(value, spec) == english
    assert DE.number(value, spec) == german


def test_axis_powers_and_lists() -> None:
    assert [DE.power(e) for e in (0, -1, -2, -3, -8)] == ["1", "0,1", "0,01", "10⁻³", "10⁻⁸"]
    assert EN.listed(["a", "b", "c"]) == "a, b and c"
    assert DE.listed(["a", "b"]) == "a und b"
    assert DE.listed(["a"]) == "a"
    assert (EN.quoted("Shirt"), DE.quoted("Shirt")) == ("“Shirt”", "«Shirt»")


def test_names_lose_what_no_page_may_hold_and_stay_short() -> None:
    assert printable("a\x00b\x1b\ud800\u202ec") == "a\ufffdb\ufffd\ufffd\ufffdc"
    assert printable("Ä\tß\n日本") == "Ä\tß\n日本"
    long = "x" * 60 + "y" * 60
    assert len(shown(long)) <= 40
    assert shown(long).startswith("x")
    assert shown(long).endswith("y")
    assert shown("T-shirt/top") == "T-shirt/top"


def test_braces_and_percent_signs_in_names_are_only_text() -> None:
    assert "{0} %d {x.__class__}" in EN("softmax.bar", name="{0} %d {x.__class__}", p="1")
