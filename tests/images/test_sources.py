from __future__ import annotations

import dataclasses
import gzip
import hashlib
import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from wiesel.errors import BadArrayFile, DigitsMissing, NotFetched, UnknownData
from wiesel.images import arrays, fetch, load, named, sources
from wiesel.images.fetching import DownloadFailed
from wiesel.images.sources import SOURCES, File, load_named

every = pytest.mark.parametrize("row", SOURCES, ids=lambda row: row.name)


@pytest.fixture(autouse=True)
def _no_system_folder(tmp_path, monkeypatch):
    monkeypatch.setattr(sources, "SYSTEM_FOLDER", tmp_path / "system")


@pytest.fixture
def tiny(monkeypatch) -> dict[str, np.ndarray]:
    """Two 28x28 sets under the names mnist and fashion-mnist, 20 + 10 pictures each; returns the content of the first by file."""
    rows, contents = [], {}
    for seed, name in enumerate(("mnist", "fashion-mnist")):
        rng = np.random.default_rng(seed)
        row = sources.look_up(name)
        parts = [
            rng.integers(0, 256, (20, 28, 28), np.uint8),
            (np.arange(20) % 10).astype(np.uint8)[:: 1 if seed else -1],
            rng.integers(0, 256, (10, 28, 28), np.uint8),
            (np.arange(10) % 10).astype(np.uint8),
        ]
        files = []
        for file, part in zip(row.files, parts, strict=True):
            bare = arrays.write_idx(np.ascontiguousarray(part))
            data = gzip.compress(bare, mtime=0)
            files.append(File(file.name, len(data), hashlib.sha256(data).hexdigest(), hashlib.sha256(bare).hexdigest()))
            contents[f"{name}/{file.name}"] = data
        rows.append(dataclasses.replace(row, files=tuple(files)))
    monkeypatch.setattr(sources, "SOURCES", tuple(rows))
    return contents


def put(contents: dict[str, bytes], name: str, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for path, data in contents.items():
        if path.startswith(f"{name}/"):
            (folder / path.removeprefix(f"{name}/")).write_bytes(data)


# --- the table ---------------------------------------------------------------------------------------------------------------


@every
def test_a_row_is_complete(row):
    assert len(set(row.classes)) == len(row.classes) in (10, 100)
    assert row.title
    assert row.licence
    assert row.citation
    assert row.note.en
    assert row.note.de
    assert row.note.en != row.note.de
    assert all(mirror.startswith("https://") and mirror.endswith("/") for mirror in row.mirrors)
    for file in row.files:
        assert len(file.sha256) == 64
        assert file.size > 1000
        assert (len(file.content) == 64) == (row.format == "idx")
    assert json.dumps(sources.Listed(row, None, 0).to_json())


def test_an_unknown_name_is_refused_with_the_nearest():
    with pytest.raises(UnknownData, match=r"Nearest: cifar10"):
        fetch("cifar-10")


# --- where it is found -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("place", ["data_dir", "WIESEL_DATA", "cache", "system"])
@pytest.mark.parametrize("below", ["mnist", "MNIST/raw", "."])
def test_the_files_are_found_in_every_place(place, below, tiny, tmp_path, monkeypatch):
    base = {"cache": tmp_path / "cache" / "data", "system": tmp_path / "system"}.get(place, tmp_path / "mine")
    if place == "WIESEL_DATA":
        monkeypatch.setenv("WIESEL_DATA", str(base))
    put(tiny, "mnist", base / below)
    data = load_named("mnist", data_dir=base if place == "data_dir" else None)
    assert (len(data.train), data.source) == (20, str(base / below))
    assert data.train.labels.tolist()[:3] == [9, 8, 7]
    assert [row.found for row in named(data_dir=base if place == "data_dir" else None)] == [str(base / below), None]


def test_plain_and_otherwise_packed_copies_are_recognised_by_their_content(tiny, tmp_path):
    put(tiny, "mnist", tmp_path / "mnist")
    expected = load_named("mnist", data_dir=str(tmp_path))
    for path in list((tmp_path / "mnist").iterdir()):
        bare = gzip.decompress(path.read_bytes())
        path.unlink()
        path.with_suffix("").write_bytes(bare)
    assert load_named("mnist", data_dir=tmp_path).fingerprint == expected.fingerprint
    for path in list((tmp_path / "mnist").iterdir()):
        path.with_name(path.name + ".gz").write_bytes(gzip.compress(path.read_bytes(), 1, mtime=77))
        path.unlink()
    assert load_named("mnist", data_dir=tmp_path).fingerprint == expected.fingerprint


def test_another_set_with_the_same_file_names_is_not_taken_for_it(tiny, tmp_path):
    put(tiny, "fashion-mnist", tmp_path)
    assert load_named("fashion-mnist", data_dir=tmp_path).train.labels.tolist()[:3] == [0, 1, 2]
    with pytest.raises(NotFetched):
        load_named("mnist", data_dir=tmp_path)


def test_a_damaged_copy_is_named_unless_a_good_one_lies_elsewhere(tiny, tmp_path, monkeypatch):
    put(tiny, "mnist", tmp_path / "mnist")
    path = tmp_path / "mnist" / "train-images-idx3-ubyte.gz"
    bare = bytearray(gzip.decompress(path.read_bytes()))
    bare[100] ^= 1
    path.write_bytes(gzip.compress(bytes(bare)))
    with pytest.raises(
        BadArrayFile, match=r"train-images-idx3-ubyte\.gz is damaged or of another kind: its sha256 is not that of mnist"
    ):
        load_named("mnist", data_dir=tmp_path)
    monkeypatch.setenv("WIESEL_DATA", str(tmp_path / "good"))
    put(tiny, "mnist", tmp_path / "good" / "mnist")
    assert load_named("mnist", data_dir=tmp_path).source == str(tmp_path / "good" / "mnist")


def test_cifar_is_found_packed_and_unpacked(tmp_path, monkeypatch):
    taken = []
    monkeypatch.setattr(
        sources.arrays, "read_cifar10", lambda path: taken.append(path) or (("a",), {"train": _pair(), "test": _pair()})
    )
    monkeypatch.setattr(sources, "matches", lambda path, **_: path.read_bytes() == b"right")
    folder = tmp_path / "cifar-10-batches-bin"
    folder.mkdir()
    (folder / "data_batch_1.bin").write_bytes(b"x")
    load_named("cifar10", data_dir=tmp_path)
    (tmp_path / "cifar-10-binary.tar.gz").write_bytes(b"right")
    load_named("cifar10", data_dir=tmp_path)
    (tmp_path / "cifar10").mkdir()
    (tmp_path / "cifar10" / "cifar-10-binary.tar.gz").write_bytes(b"wrong")
    load_named("cifar10", data_dir=tmp_path)
    assert taken == [folder, folder, folder]


def _pair() -> tuple[np.ndarray, np.ndarray]:
    return np.zeros((1, 32, 32, 3), np.uint8), np.zeros(1, np.int64)


@pytest.mark.skipif(importlib.util.find_spec("sklearn") is None, reason="scikit-learn is not installed")
def test_the_digits_are_those_of_scikit_learn():
    data = load("digits")
    from sklearn.datasets import load_digits

    expected = load_digits()
    np.testing.assert_array_equal(data.train.labels, expected.target)
    np.testing.assert_array_equal(data.train.pixels[..., 0], np.rint(expected.images * 255 / 16).astype(np.uint8))


def test_without_scikit_learn_the_digits_say_what_to_install(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    for attempt in (load, fetch):
        with pytest.raises(DigitsMissing, match="pip install scikit-learn"):
            attempt("digits")


# --- fetching ----------------------------------------------------------------------------------------------------------------


@pytest.fixture
def net(tiny, monkeypatch) -> dict[str, list[str]]:
    """A network in which only the second mirror of mnist answers."""
    monkeypatch.delenv("WIESEL_OFFLINE")
    log: dict[str, list[str]] = {"asked": []}

    def download(urls, target, *, size, sha256, progress=None):
        log["asked"] += urls
        data = tiny.get(f"mnist/{target.name}")
        if target.parent.name != "mnist" or data is None:
            raise DownloadFailed("one: HTTP 404; two: timed out")
        assert (len(data), hashlib.sha256(data).hexdigest()) == (size, sha256)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
        return target

    monkeypatch.setattr(sources, "download", download)
    return log


def test_what_is_nowhere_is_fetched_once_into_the_cache(net, tmp_path):
    data = load("mnist")
    assert data.source == str(tmp_path / "cache" / "data" / "mnist")
    assert len(net["asked"]) == 4 * 2
    assert load("mnist").fingerprint == data.fingerprint
    assert fetch("mnist") == tmp_path / "cache" / "data" / "mnist"
    assert len(net["asked"]) == 4 * 2
    assert fetch("mnist", data_dir=tmp_path / "mine") == tmp_path / "mine" / "mnist"


def test_offline_one_sentence_says_where_the_files_may_be_put(net, tmp_path, monkeypatch):
    with pytest.raises(NotFetched) as caught:
        load("fashion-mnist")
    assert str(caught.value) == (
        "The data set fashion-mnist is not on this machine and could not be fetched (one: HTTP 404; two: timed out). "
        "Put train-images-idx3-ubyte.gz, train-labels-idx1-ubyte.gz, t10k-images-idx3-ubyte.gz, t10k-labels-idx1-ubyte.gz "
        f"into {tmp_path / 'cache' / 'data' / 'fashion-mnist'} and try again."
    )
    assert caught.value.exit_code == 4
    monkeypatch.setenv("WIESEL_OFFLINE", "1")
    monkeypatch.setattr(sources, "download", lambda *_, **__: pytest.fail("touched the network"))
    with pytest.raises(NotFetched, match="WIESEL_OFFLINE is set"):
        load("fashion-mnist")


# --- sizes and channels ------------------------------------------------------------------------------------------------------


def test_a_named_set_can_be_brought_to_another_size_and_to_colour():
    plain = load("fashion-mnist-sample")
    small = load("fashion-mnist-sample", size=14, channels=3)
    assert small.image_shape == (3, 14, 14)
    assert small.fingerprint == plain.fingerprint
    np.testing.assert_allclose(small.train.pixels[:50].mean(axis=(1, 2, 3)), plain.train.pixels[:50].mean(axis=(1, 2, 3)), atol=3)


def test_a_name_wins_over_a_folder_of_that_name_which_is_meant_by_its_path(folder, monkeypatch, tmp_path, tiny):
    root = folder("cat/1.png", "dog/1.png")
    root.rename(tmp_path / "mnist")
    monkeypatch.chdir(tmp_path)
    put(tiny, "mnist", tmp_path / "cache" / "data" / "mnist")
    assert load("mnist").train.pixels.shape[0] == 20
    assert load("./mnist").train.pixels.shape[0] == 2


def test_importing_and_listing_loads_nothing_heavy():
    code = "import sys, wiesel.images as i; i.named(); print({'torch', 'sklearn', 'scipy', 'matplotlib'} & set(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert done.stdout.strip() == "set()"


def test_clothes_and_photographs_may_be_mirrored_digits_and_folders_may_not():
    allowed = {row.name for row in SOURCES if sources.may_be_mirrored(row.name)}
    assert allowed == {"fashion-mnist", "fashion-mnist-sample", "cifar10", "cifar100"}
    assert not sources.may_be_mirrored("some/folder")


def test_pictures_cut_to_their_frame_are_not_moved():
    assert {row.name: sources.shift_of(row.name) for row in SOURCES} == {
        "fashion-mnist-sample": 1,
        "fashion-mnist": 0,
        "mnist": 1,
        "cifar10": 2,
        "cifar100": 2,
        "digits": 1,
    }
    assert sources.shift_of("some/folder") == 1
