"""What lies in the cache is found again, is never believed when it is damaged, and is forgotten when nobody uses it."""

from __future__ import annotations

import os
import time

import numpy as np
import pytest
from PIL import Image

from wiesel import images
from wiesel.images.cache import UNUSED
from wiesel.images.kept import keep, kept

LONG_AGO = time.time() - (UNUSED + 1) * 24 * 3600


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("WIESEL_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def test_an_array_comes_back_only_with_the_shape_and_type_asked_for():
    array = np.arange(6, dtype=np.float32).reshape(2, 3)
    keep("features", "some/0", array)
    np.testing.assert_array_equal(kept("features", "some/0", (2, -1), np.float32), array)
    assert kept("features", "some/0", (2, 4), np.float32) is None
    assert kept("features", "some/0", (6,), np.float32) is None
    assert kept("features", "some/0", (2, 3), np.float16) is None
    assert kept("features", "other", (2, 3), np.float32) is None


def test_a_damaged_file_and_numbers_that_are_none_count_as_absent(cache):
    keep("twins", "a", np.array([1.0, np.nan], np.float32))
    assert kept("twins", "a", (2,), np.float32) is None
    (cache / "twins" / "b.npy").write_bytes(b"\x93NUMPY\x01\x00")
    assert kept("twins", "b", (2,), np.float32) is None


def test_a_cache_that_cannot_be_written_is_passed_over(cache):
    cache.write_text("a file where the folder should be")
    keep("twins", "a", np.zeros(2, np.uint8))
    assert kept("twins", "a", (2,), np.uint8) is None


def test_what_was_not_used_for_long_goes_when_something_new_comes(cache):
    for name in ("old", "read", "whole/0", "whole/1"):
        keep("features", name, np.zeros(2, np.uint8))
    for path in (*cache.rglob("*.npy"), cache / "features" / "whole"):
        os.utime(path, (LONG_AGO, LONG_AGO))
    assert kept("features", "read", (2,), np.uint8) is not None
    assert kept("features", "whole/1", (2,), np.uint8) is not None  # one part in use keeps the others
    keep("features", "new", np.zeros(2, np.uint8))
    assert sorted(path.name for path in (cache / "features").iterdir()) == ["new.npy", "read.npy", "whole"]
    assert len(list((cache / "features" / "whole").iterdir())) == 2
    (cache / "features" / "whole" / "1.npy").touch()
    os.utime(cache / "features" / "whole" / "1.npy", (LONG_AGO, LONG_AGO))
    keep("features", "newer", np.zeros(2, np.uint8))
    assert not (cache / "features" / "whole").exists()


def test_pictures_of_a_folder_nobody_opens_any_more_are_forgotten(tmp_path, cache):
    for folder in ("one", "two", "three"):
        for label in ("a", "b"):
            (tmp_path / folder / label).mkdir(parents=True)
            Image.new("L", (8, 8), len(folder)).save(tmp_path / folder / label / "0.png")

    def entries():
        return [path for path in (cache / "pictures").iterdir() if path.is_dir()]

    def age():
        for entry in entries():
            for path in (*entry.iterdir(), entry):
                os.utime(path, (LONG_AGO, LONG_AGO))

    images.load(tmp_path / "one")
    images.load(tmp_path / "two")
    age()
    images.load(tmp_path / "two")  # opened: in use
    images.load(tmp_path / "three")
    assert len(entries()) == 2
    age()
    assert len(images.load(tmp_path / "two").train) == 2
    assert len(entries()) == 2  # nothing was written, nothing goes
