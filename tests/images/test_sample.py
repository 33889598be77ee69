from __future__ import annotations

import importlib.resources
import importlib.util
import lzma
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from wiesel.images import load, sources
from wiesel.images.dataset import digests

SCRIPT = Path(__file__).resolve().parents[2] / "scripts" / "make_sample.py"
ORIGINAL = sources.SYSTEM_FOLDER / "fashion-mnist" / "train-images-idx3-ubyte.gz"


@pytest.fixture(scope="module")
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("make_sample", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_sample_is_balanced_and_of_the_promised_size():
    data = load("fashion-mnist-sample")
    assert data.image_shape == (1, 28, 28)
    assert data.source == "embedded sample"
    assert set(data.counts["train"].values()) == {1000}
    assert set(data.counts["test"].values()) == {200}
    assert data.classes[9] == "Ankle boot"


def test_no_picture_of_the_sample_occurs_twice():
    data = load("fashion-mnist-sample")
    assert data.test is not None
    contents = digests(data.train.pixels) + digests(data.test.pixels)
    assert len(set(contents)) == 12_000


def test_the_classes_are_mixed_so_that_the_first_pictures_show_many():
    data = load("fashion-mnist-sample")
    assert len(set(data.train.labels[:50].tolist())) == 10


def test_the_sample_is_small_and_has_its_licence_beside_it():
    folder = importlib.resources.files("wiesel.images") / "sample"
    files = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert sum(map(len, files.values())) < 6e6
    notice = files["LICENSE.fashion-mnist"].decode()
    assert "Copyright 2017 Zalando SE" in notice
    assert "WITHOUT WARRANTY OF ANY KIND" in notice


def test_the_fingerprint_is_the_published_one():
    """A golden: it changes only if the sample, the naming or the definition of the fingerprint does, and then every run's."""
    assert load("fashion-mnist-sample").fingerprint == GOLDEN


GOLDEN = "4c4778f60f0207d9766a4552ffb2888078bbb37a8d423d5925a115ee8655bcb4"


@pytest.mark.skipif(not ORIGINAL.is_file(), reason="Debian's dataset-fashion-mnist is not installed")
def test_the_script_makes_the_sample_again_byte_for_byte(script):
    made = script.make()
    assert script.differences(made) == []
    folder = importlib.resources.files("wiesel.images") / "sample"
    for name, data in made.items():
        assert (folder / name).read_bytes() == data, f"{name}: same content, packed by another version of liblzma"


@pytest.mark.skipif(not ORIGINAL.is_file(), reason="Debian's dataset-fashion-mnist is not installed")
def test_the_check_notices_a_changed_missing_and_additional_file(script, tmp_path, monkeypatch):
    good = {"a.xz": lzma.compress(b"1"), "b": b"2"}
    monkeypatch.setattr(script, "FOLDER", tmp_path)
    (tmp_path / "a.xz").write_bytes(lzma.compress(b"1", preset=1))
    (tmp_path / "b").write_bytes(b"2")
    assert script.differences(good) == []
    (tmp_path / "a.xz").write_bytes(lzma.compress(b"3"))
    (tmp_path / "b").unlink()
    (tmp_path / "c").write_bytes(b"")
    assert script.differences(good) == ["a.xz differs", "b is missing", "c does not belong there"]


@pytest.mark.skipif(not ORIGINAL.is_file(), reason="Debian's dataset-fashion-mnist is not installed")
def test_the_original_has_no_equal_pictures_and_its_published_brightness():
    data = load("fashion-mnist")
    assert data.test is not None
    assert len(set(digests(data.train.pixels)) | set(digests(data.test.pixels))) == 70_000
    assert np.mean(data.train.pixels) / 255 == pytest.approx(0.2860, abs=1e-4)
