"""Whoever visits the files, the data set is the same: one thread or several, at the first look or again."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from wiesel.images import DataSet, crew, decoding, load
from wiesel.images import folder as images_folder


@pytest.fixture
def pictures(folder, picture) -> Path:
    """80 pictures of 8 x 8, one of them with a name that is no text, and two files that are none."""
    root = folder(*(f"{name}/{number}.png" for name in "ab" for number in range(40)), "b/ä ö.jpg")
    (root / "a" / "7.png").write_bytes(b"no picture")
    (root / "b" / "8.png").write_bytes(picture(8)[:-20])  # a header, and half of the pixels
    (root / "b" / os.fsdecode(b"\xe9.png")).write_bytes(picture(99))
    return root


@pytest.fixture
def crews(monkeypatch) -> list[crew.Crew]:
    """Every crew from now on."""
    found: list[crew.Crew] = []
    begin = crew.Crew.__init__

    def noted(self, *args):
        begin(self, *args)
        found.append(self)

    monkeypatch.setattr(crew.Crew, "__init__", noted)
    return found


def assert_same(one: DataSet, another: DataSet) -> None:
    assert (one.fingerprint, one.left_out) == (another.fingerprint, another.left_out)
    np.testing.assert_array_equal(one.train.names, another.train.names)
    np.testing.assert_array_equal(one.train.pixels, another.train.pixels)


def fresh(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    monkeypatch.setenv("WIESEL_CACHE", str(folder))


@pytest.mark.parametrize("settings", [{}, {"size": 7}, {"channels": 1}, {"size": 12, "fit": "pad"}])
def test_threads_make_the_same_data(settings, pictures, crews, monkeypatch, tmp_path):
    alone = load(pictures, **settings, unreadable=0.1)
    assert len(alone.left_out) == 2
    monkeypatch.setattr(crew, "processors", lambda: 3)
    monkeypatch.setattr(crew, "SMALL", 0)
    monkeypatch.setattr(crew, "PART", 2)
    fresh(monkeypatch, tmp_path / "threads")
    assert_same(load(pictures, **settings, unreadable=0.1), alone)
    assert [one.threads is not None for one in crews] == [False, True]


def test_only_what_may_be_shown_is_decoded_at_the_first_look(folder, picture, monkeypatch, tmp_path):
    """Of another size than asked for, or after two sizes were seen, pixels would be decoded for nothing."""
    root = folder(*(f"{name}/{number}.png" for name in "ab" for number in range(6)))
    decoded = []
    honest = decoding._decoded
    monkeypatch.setattr(decoding, "_decoded", lambda *args: decoded.append(args[3]) or honest(*args))
    monkeypatch.setattr(images_folder, "_LOOKS", 3)
    load(root, size=8)
    assert decoded == [None] * 12
    decoded.clear()
    load(root, size=9)
    assert decoded == [(9, 9)] * 12
    (root / "a" / "1.png").write_bytes(picture(1, size=(7, 8)))
    decoded.clear()
    load(root)
    assert decoded == [None] * 3 + [(96, 96)] * 12


def test_what_is_too_much_to_keep_is_decoded_again(pictures, monkeypatch, tmp_path):
    alone = load(pictures, unreadable=0.1)
    monkeypatch.setattr(images_folder, "_KEPT", 10 * 8 * 8 * 3)
    monkeypatch.setattr(images_folder, "_LOOKS", 5)
    reads = []
    monkeypatch.setattr(
        images_folder.Crew, "read", lambda self, read, entries: reads.append(len(entries)) or self._all(read, entries)
    )
    fresh(monkeypatch, tmp_path / "again")
    assert_same(load(pictures, unreadable=0.1), alone)
    assert sum(reads) == 81 - 15  # 81 files have a header; after the third look at five, more than ten pictures are kept


def test_pixels_that_are_not_as_the_header_says_are_left_out(folder, picture, monkeypatch):
    root = folder("a/1.png", "a/2.png", "b/1.png", "b/2.png")
    lying = picture(50)
    (root / "b" / "2.png").write_bytes(lying)
    honest = decoding._decoded
    monkeypatch.setattr(decoding, "_decoded", lambda image, data, *rest: honest(image, data, *rest)[:, : 7 if data == lying else 8])
    data = load(root, unreadable=0.5)
    assert [(item.path, item.reason) for item in data.left_out] == [("b/2.png", "its size is not the one in its header")]
    assert data.train.pixels.shape == (3, 8, 8, 3)
