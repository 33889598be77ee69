from __future__ import annotations

import numpy as np

from tests.images.test_near_duplicates import changed, scenes
from wiesel.images import Images, twins
from wiesel.images.dataset import from_splits, images_of
from wiesel.images.twins import EXACT, NEAR, NONE, twins_in_training


def made() -> tuple[dict[str, Images], list[int]]:
    every = scenes(60)
    test = np.concatenate([every[40:], every[3:4], changed(every[5], flip=True, quality=80)[None]])
    parts = {"train": images_of(every[:40], np.arange(40) % 2, "train"), "test": images_of(test, np.arange(22) % 2, "test")}
    return parts, [NONE] * 20 + [EXACT, NEAR]


def test_test_pictures_with_a_twin_in_training_are_marked_and_remembered(monkeypatch):
    parts, expected = made()
    data = from_splits("twins", ("a", "b"), parts, source="made")
    assert twins_in_training(data).tolist() == expected

    def never(*_args, **_more):
        raise AssertionError("searched again")

    monkeypatch.setattr(twins, "pairs_of", never)
    assert twins_in_training(data).tolist() == expected


def test_a_cache_that_cannot_be_written_or_is_damaged_is_no_error(tmp_path, monkeypatch):
    parts, expected = made()
    data = from_splits("twins", ("a", "b"), parts, source="made")
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("WIESEL_CACHE", str(tmp_path / "file"))
    assert twins_in_training(data).tolist() == expected
    monkeypatch.setenv("WIESEL_CACHE", str(tmp_path / "other"))
    twins_in_training(data)
    (kept,) = (tmp_path / "other" / "twins").iterdir()
    kept.write_bytes(b"nonsense")
    assert twins_in_training(data).tolist() == expected
