from __future__ import annotations

import gc
from pathlib import Path

import numpy as np
import pytest

from wiesel.images import dataset
from wiesel.images.dataset import DataSet, Images, LeftOut, Reason, digests, from_splits, images_of, natural


def small(seed: int = 0, count: int = 6, *, split: str = "train") -> Images:
    rng = np.random.default_rng(seed)
    return images_of(rng.integers(0, 256, (count, 4, 5, 3), np.uint8), np.arange(count) % 2, split)


def whole(**other: object) -> DataSet:
    parts = {"train": small(), "test": small(1, 3, split="test")}
    parts.update(other)  # type: ignore[arg-type]
    return from_splits("pets", ("cat", "dog"), parts, source="memory")


def test_a_picture_is_channels_first_and_its_label_a_plain_number():
    images = small()
    pixels, label = images[3]
    assert pixels.shape == (3, 4, 5)
    assert (pixels.dtype, type(label), label) == (np.uint8, int, 1)
    np.testing.assert_array_equal(pixels[2], images.pixels[3, :, :, 2])
    assert [label for _, label in images] == [0, 1, 0, 1, 0, 1]


def test_take_keeps_pixels_labels_and_names_together():
    images = small()
    taken = images.take([4, 1, 1])
    np.testing.assert_array_equal(taken.pixels, images.pixels[[4, 1, 1]])
    assert taken.labels.tolist() == [0, 1, 1]
    assert taken.names.tolist() == ["train/4", "train/1", "train/1"]
    assert len(images.take(np.array([], np.int64))) == 0


def test_a_choice_of_many_mapped_pictures_goes_to_a_file_not_to_memory(tmp_path: Path, monkeypatch):
    monkeypatch.setattr(dataset, "_GATHER_IN_MEMORY", 100)
    pixels = np.random.default_rng(0).integers(0, 256, (5000, 2, 2, 3), np.uint8)
    (tmp_path / "pixels").write_bytes(pixels.tobytes())
    images = images_of(np.memmap(tmp_path / "pixels", np.uint8, "r", shape=pixels.shape), np.zeros(5000), "train")
    rows = np.random.default_rng(1).permutation(5000)
    taken = images.take(rows)
    gc.collect()
    assert isinstance(taken.pixels, np.memmap)
    np.testing.assert_array_equal(taken.pixels, pixels[rows])


def test_a_run_of_neighbours_is_a_view():
    images = small()
    assert np.shares_memory(images.take([2, 3, 4]).pixels, images.pixels)


def test_shape_and_counts():
    data = whole()
    assert data.image_shape == (3, 4, 5)
    assert data.counts == {"train": {"cat": 3, "dog": 3}, "test": {"cat": 2, "dog": 1}}
    assert list(data.splits) == ["train", "test"]
    assert repr(data) == "DataSet('pets': 2 classes, 3x4x5; train 6, test 3)"


def test_the_fingerprint_changes_with_pixels_labels_names_classes_and_splits_and_with_nothing_else():
    base = whole()
    assert whole().fingerprint == base.fingerprint
    assert len(base.fingerprint) == 64
    images = small()
    pixels = images.pixels.copy()
    pixels[5, 0, 0, 0] ^= 1
    renamed = images.names.copy()
    renamed[0] = "train/x"
    others = [
        whole(train=Images(pixels, images.labels, images.names)),
        whole(train=Images(images.pixels, images.labels[::-1].copy(), images.names)),
        whole(train=Images(images.pixels, images.labels, renamed)),
        whole(validation=small(1, 3, split="test"), test=small(2, 2)),
        from_splits("pets", ("cat", "cow"), {"train": images, "test": small(1, 3, split="test")}, source="memory"),
    ]
    assert len({base.fingerprint, *(other.fingerprint for other in others)}) == 6


def test_pictures_of_other_shape_but_equal_bytes_have_other_digests():
    pixels = np.arange(48, dtype=np.uint8).reshape(1, 4, 4, 3)
    assert digests(pixels) == digests(pixels.copy())
    assert digests(pixels) != digests(pixels.reshape(1, 2, 8, 3))


def test_two_comes_before_ten():
    names = ["10", "2", "1", "cat10", "cat9", "Cat", "02", "a1b", "a"]
    assert sorted(names, key=natural) == ["1", "02", "2", "10", "Cat", "a", "a1b", "cat9", "cat10"]
    assert natural("9" * 10_000) > natural("8" * 10_000)


@pytest.mark.parametrize(
    ("lang", "expected"), [("en", ("training", "colour", "1 file left out")), ("de", ("Training", "farbig", "1 Datei ausgelassen"))]
)
def test_the_notebook_table_speaks_the_readers_language_and_escapes_names(lang, expected, monkeypatch):
    monkeypatch.setenv("WIESEL_LANG", lang)
    data = DataSet("<b>x", ("<img onerror=1>", "dog"), small(), None, None, "memory", "0", (LeftOut("a", "b"),), ("<i>note",))
    page = data._repr_html_()
    assert all(word in page for word in expected)
    assert "<img" not in page
    assert "<b>x" not in page
    assert "<i>" not in page


def test_a_reason_speaks_the_readers_language(monkeypatch):
    assert f"{Reason('no', 'nein')}" == "no"
    monkeypatch.setenv("WIESEL_LANG", "de")
    assert f"{Reason('no', 'nein')}" == "nein"
