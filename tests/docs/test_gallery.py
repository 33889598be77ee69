"""The gallery: a picture and an entry for every figure, in both languages, each with its finding; nothing is drawn here."""

from __future__ import annotations

import ast
import re
import sys
from pathlib import Path

import pytest
from PIL import Image

from wiesel import teaching

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "scripts"))
import gallery  # noqa: E402

LANGUAGES = ("en", "de")
LARGEST, LARGEST_TOGETHER = 100_000, 2_000_000


@pytest.fixture(params=LANGUAGES)
def language(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def text(language: str) -> str:
    return gallery.PAGES[language].read_text(encoding="utf-8")


def pictures(language: str) -> dict[str, str]:
    """Address -> alternative text, of every picture of the page."""
    return {address: alt for alt, address in re.findall(r"^!\[((?:\\.|[^\]\\])*)\]\(([^)]+)\)$", text(language), re.MULTILINE)}


def sections(language: str) -> dict[str, str]:
    """Function -> what stands beneath its heading."""
    parts = re.split(r"^## .*$", text(language), flags=re.MULTILINE)[1:]
    return dict(zip((entry.name for entry in gallery.ENTRIES), parts, strict=False))


def test_every_public_name_of_the_room_is_in_the_gallery() -> None:
    drawn = [entry.name for entry in gallery.ENTRIES]
    assert len(drawn) == len(set(drawn))
    assert set(drawn) | set(gallery.NOT_DRAWN) == set(teaching.__all__)
    assert not set(drawn) & set(gallery.NOT_DRAWN)


def test_every_figure_has_its_entry_with_the_line_that_makes_it_and_its_picture(language: str) -> None:
    found = sections(language)
    shown = pictures(language)
    for entry in gallery.ENTRIES:
        assert f"```python\n{entry.code}\n```" in found[entry.name]
        assert f"teaching.{entry.name}(" in entry.code.splitlines()[-1]
        ast.parse(entry.code)
        if entry.kind != "text":
            address = gallery.picture_of(entry, language)
            assert address.resolve() in {(gallery.PAGES[language].parent / one).resolve() for one in shown}
            assert f"{entry.name}." in found[entry.name]
    assert len(shown) == sum(entry.kind != "text" for entry in gallery.ENTRIES)


def test_every_picture_is_there_and_small(language: str) -> None:
    sizes = {address: (gallery.PAGES[language].parent / address).stat().st_size for address in pictures(language)}
    assert {address: size for address, size in sizes.items() if not 1_000 < size <= LARGEST} == {}


def test_all_files_together_are_small_and_none_is_left_over() -> None:
    files = {path.resolve() for path in gallery.PICTURES["en"].rglob("*") if path.suffix in (".png", ".gif", ".svg", ".html")}
    assert sum(path.stat().st_size for path in files) <= LARGEST_TOGETHER
    wanted = {gallery.picture_of(entry, one).resolve() for entry in gallery.ENTRIES if entry.kind != "text" for one in LANGUAGES}
    wanted |= {path.with_suffix(".html") for path in wanted if path.suffix == ".gif"}
    assert files == wanted


def test_every_alternative_text_is_a_sentence_with_a_number_and_stands_beneath_as_well(language: str) -> None:
    page = text(language)
    for address, alt in pictures(language).items():
        assert len(alt.split()) >= 12, address
        assert re.search(r"[.!?]$", alt), address
        assert re.search(r"\d", alt), address
        assert page.count(alt) == 2, address


def test_a_picture_carries_the_text_that_the_page_says(language: str) -> None:
    for address, alt in pictures(language).items():
        if address.endswith(".png"):
            with Image.open(gallery.PAGES[language].parent / address) as opened:
                assert gallery.escaped(opened.info["Description"]) == alt
                assert not {"date", "time", "creation time", "software"} & {str(name).lower() for name in opened.info}


def test_the_languages_are_not_mixed_up() -> None:
    english, german = (" ".join(pictures(language).values()) for language in LANGUAGES)
    assert english.count(" the ") > 20 > english.count(" der ")
    assert german.count(" der ") > 10 > german.count(" the ")


def test_markup_in_a_finding_is_shown_and_not_obeyed() -> None:
    assert gallery.escaped("a*b_c [d]\n<e>") == "a\\*b\\_c \\[d\\] \\<e>"
