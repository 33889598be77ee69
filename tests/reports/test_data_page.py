"""The page of a data set: every finding with its pictures, in both languages, whatever the files are called."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.reports.page_tree import by_id, parsed, shape, text
from wiesel.errors import BadValue
from wiesel.jobs.data_check import check_data

HOSTILE = '"><img src=x onerror=alert(1)>'


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("data") / "pets"
    rng = np.random.default_rng(0)
    for split in ("train", "test"):
        for name in ("cat", "do&g"):
            (root / split / name).mkdir(parents=True)
            for number in range(4):
                Image.fromarray(rng.integers(0, 256, (12, 12, 3), np.uint8)).save(root / split / name / f"{number}.png")
    (root / "test/cat" / "leak.png").write_bytes((root / "train/cat/0.png").read_bytes())
    (root / "train/do&g" / f"{HOSTILE.replace('/', '')}.png").write_bytes((root / "train/cat/1.png").read_bytes())
    (root / "train/cat/bad.png").write_bytes(b"nothing")
    return root


def test_the_page_shows_the_findings_and_the_list_lies_beside_it(folder: Path, tmp_path: Path) -> None:
    found = check_data(folder, output=tmp_path / "page.html")
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert json.loads((tmp_path / "page.json").read_text()) == found
    assert "<script" not in page
    assert "http:" not in page
    assert "https:" not in page
    assert "<img" not in page
    tree = parsed(page)
    for language in ("en", "de"):
        leaks = by_id(tree, f"{language}-leaks")
        assert "train/cat/0.png" in text(leaks)
        assert "test/cat/leak.png" in text(leaks)
        assert len(list(leaks.iter("{http://www.w3.org/2000/svg}svg"))) + len(list(leaks.iter("svg"))) == 2
        assert "train/cat/bad.png" in text(by_id(tree, f"{language}-unreadable"))
        assert "do&g" in text(by_id(tree, f"{language}-summary"))
    assert shape(by_id(tree, "en-summary")) == shape(by_id(tree, "de-summary"))


def test_one_language_may_be_asked_for_and_no_other(folder: Path, tmp_path: Path) -> None:
    check_data(folder, output=tmp_path / "page.html", lang="de", quick=True)
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert "Dasselbe Bild in mehreren Teilen" in page
    assert "The same picture" not in page
    with pytest.raises(BadValue):
        check_data(folder, output=tmp_path / "page.html", lang="fr", quick=True)
    with pytest.raises(BadValue, match=r"FILE\.html"):
        check_data(folder, output=tmp_path / "page.pdf", quick=True)
