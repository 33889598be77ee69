from __future__ import annotations

import bz2
import gzip
import io
import lzma
import tarfile
from pathlib import Path

import numpy as np
import pytest

from wiesel.errors import BadArrayFile, BadArrays
from wiesel.images import data_set_of, from_arrays
from wiesel.images.arrays import idx_pair, read_cifar10, read_cifar100, read_digits, read_idx, write_idx

RNG = np.random.default_rng(0)

# --- IDX ---------------------------------------------------------------------------------------------------------------------


def test_an_idx_file_written_by_hand_is_read(tmp_path: Path):
    (tmp_path / "x").write_bytes(bytes([0, 0, 8, 2, 0, 0, 0, 2, 0, 0, 0, 3, 1, 2, 3, 4, 5, 6]))
    np.testing.assert_array_equal(read_idx(tmp_path / "x"), [[1, 2, 3], [4, 5, 6]])


@pytest.mark.parametrize("pack", [bytes, gzip.compress, lzma.compress, bz2.compress], ids=["plain", "gz", "xz", "bz2"])
def test_idx_is_read_in_every_packing_whatever_its_name(pack, tmp_path: Path):
    array = RNG.integers(0, 256, (3, 5, 4), np.uint8)
    (tmp_path / "anything").write_bytes(pack(write_idx(array)))
    np.testing.assert_array_equal(read_idx(tmp_path / "anything"), array)


@pytest.mark.parametrize("pack", [bytes, gzip.compress, lzma.compress], ids=["plain", "gz", "xz"])
def test_a_truncated_idx_file_is_refused_wherever_it_ends(pack, tmp_path: Path):
    data = pack(write_idx(RNG.integers(0, 256, (3, 5, 4), np.uint8)))
    ends = range(len(data) - (8 if pack is gzip.compress else 0))  # after the values, gzip has 8 bytes of checksum
    for end in ends:
        with pytest.raises(BadArrayFile):
            read_idx(tmp_path / "x", data[:end])


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"<html>404</html>", "does not begin like an IDX file"),
        (bytes([0, 0, 13, 1, 0, 0, 0, 1, 0, 0, 0, 0]), "does not begin like an IDX file"),
        (bytes([0, 0, 8, 1, 0, 0, 0, 2, 7, 7, 7]), ">2 values instead of 2"),
        (bytes([0, 0, 8, 3]) + b"\xff" * 12, "promises"),
        (bytes([0, 0, 8, 2, 0, 0]), "ends inside its header"),
        (b"\x1f\x8b\x08\0 not gzip at all", "compression is damaged"),
    ],
)
def test_a_wrong_idx_file_is_refused_with_its_reason(data, said, tmp_path: Path):
    with pytest.raises(BadArrayFile, match=said):
        read_idx(tmp_path / "x", data)


def test_pictures_and_labels_that_do_not_belong_together_are_refused(tmp_path: Path):
    pictures, labels = np.zeros((3, 4, 4), np.uint8), np.array([0, 1, 2], np.uint8)
    assert idx_pair(pictures, labels, 3, tmp_path)[0].shape == (3, 4, 4, 1)
    with pytest.raises(BadArrayFile, match="no pair"):
        idx_pair(pictures, labels[:2], 3, tmp_path)
    with pytest.raises(BadArrayFile, match="label 2 with 2 classes"):
        idx_pair(pictures, labels, 2, tmp_path)


# --- CIFAR -------------------------------------------------------------------------------------------------------------------


def cifar_records(count: int, labels: int, seed: int) -> tuple[bytes, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    pixels = rng.integers(0, 256, (count, 32, 32, 3), np.uint8)
    found = rng.integers(0, 2, (count, labels), np.uint8)
    return b"".join(f.tobytes() + p.transpose(2, 0, 1).tobytes() for f, p in zip(found, pixels, strict=True)), pixels, found[:, -1]


@pytest.fixture
def cifar10(tmp_path: Path) -> tuple[Path, np.ndarray, np.ndarray]:
    """A folder with 4 records per file, and what is in its training files."""
    folder = tmp_path / "cifar-10-batches-bin"
    folder.mkdir()
    made = [cifar_records(4, 1, seed) for seed in range(6)]
    for i, (data, _, _) in enumerate(made[:5], 1):
        (folder / f"data_batch_{i}.bin").write_bytes(data)
    (folder / "test_batch.bin").write_bytes(made[5][0])
    (folder / "batches.meta.txt").write_text("cat\ndog\n\n")
    return folder, np.concatenate([pixels for _, pixels, _ in made[:5]]), np.concatenate([labels for _, _, labels in made[:5]])


def packed(folder: Path) -> Path:
    target = folder.with_suffix(".tar.gz")
    with tarfile.open(target, "w:gz") as archive:
        archive.add(folder, folder.name)
    return target


@pytest.mark.parametrize("pack", [Path, packed], ids=["folder", "tar.gz"])
def test_cifar10_is_read_from_the_folder_and_from_the_archive(pack, cifar10):
    folder, pixels, labels = cifar10
    classes, splits = read_cifar10(pack(folder), records=4)
    assert classes == ("cat", "dog")
    np.testing.assert_array_equal(splits["train"][0], pixels)
    np.testing.assert_array_equal(splits["train"][1], labels)
    assert splits["test"][0].shape == (4, 32, 32, 3)


def test_cifar100_has_its_fine_labels(tmp_path: Path):
    train, test = cifar_records(5, 2, 0), cifar_records(3, 2, 1)
    (tmp_path / "train.bin").write_bytes(train[0])
    (tmp_path / "test.bin").write_bytes(test[0])
    (tmp_path / "fine_label_names.txt").write_text("apple\nbear\n")
    classes, splits = read_cifar100(tmp_path, records=(5, 3))
    assert classes == ("apple", "bear")
    np.testing.assert_array_equal(splits["train"][0], train[1])
    np.testing.assert_array_equal(splits["train"][1], train[2])
    np.testing.assert_array_equal(splits["test"][0], test[1])


@pytest.mark.parametrize("pack", [Path, packed], ids=["folder", "tar.gz"])
@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda data: data[:-1], r"data_batch_3\.bin has 12291 bytes instead of 12292"),
        (lambda data: data + b"x" * 99, r"data_batch_3\.bin has more than 12292 bytes"),
        (lambda data: b"\x63" + data[1:], "label 99 with 2 classes"),
        (lambda data: None, r"data_batch_3\.bin is missing"),
    ],
)
def test_a_damaged_cifar_file_is_named(pack, change, said, cifar10):
    path = cifar10[0] / "data_batch_3.bin"
    data = change(path.read_bytes())
    path.unlink()
    if data is not None:
        path.write_bytes(data)
    with pytest.raises(BadArrayFile, match=said):
        read_cifar10(pack(cifar10[0]), records=4)


def test_a_truncated_cifar_archive_is_refused(cifar10):
    archive = packed(cifar10[0])
    data = archive.read_bytes()
    for end in (0, 5, 100, len(data) // 2, len(data) - 2000):
        archive.write_bytes(data[:end])
        with pytest.raises(BadArrayFile):
            read_cifar10(archive, records=4)


def test_links_and_devices_in_a_cifar_archive_are_not_followed(cifar10, tmp_path: Path):
    (tmp_path / "secret").write_text("outside")
    target = tmp_path / "x.tar.gz"
    with tarfile.open(target, "w:gz") as archive:
        for name in ("batches.meta.txt", "test_batch.bin"):
            link = tarfile.TarInfo(f"../../{name}")
            link.type, link.linkname = tarfile.SYMTYPE, str(tmp_path / "secret")
            archive.addfile(link)
    with pytest.raises(BadArrayFile, match=r"batches\.meta\.txt is missing"):
        read_cifar10(target, records=4)


# --- digits ------------------------------------------------------------------------------------------------------------------


def test_the_digits_table_is_scaled_to_bytes(tmp_path: Path):
    row = [0] * 64 + [7]
    row[0], row[63] = 16, 8
    (tmp_path / "d.csv.gz").write_bytes(gzip.compress((",".join(map(str, row)) + "\n").encode() * 2))
    pixels, labels = read_digits(tmp_path / "d.csv.gz")
    assert pixels.shape == (2, 8, 8, 1)
    assert (pixels[0, 0, 0, 0], pixels[0, 7, 7, 0], pixels[0, 3, 3, 0]) == (255, 128, 0)
    assert labels.tolist() == [7, 7]
    for wrong in (b"1,2,3\n", b"hello\n", b"1,2\n1\n", ",".join(["99"] * 65).encode()):
        (tmp_path / "d.csv.gz").write_bytes(gzip.compress(wrong))
        with pytest.raises(BadArrayFile):
            read_digits(tmp_path / "d.csv.gz")


# --- arrays in memory --------------------------------------------------------------------------------------------------------


def test_every_layout_gives_the_same_pictures():
    colour = RNG.integers(0, 256, (4, 6, 7, 3), np.uint8)
    for given in (
        colour,
        colour.transpose(0, 3, 1, 2),
        colour.astype(np.int64),
        (colour / 255).astype(np.float32),
        colour.tolist(),
    ):
        np.testing.assert_array_equal(from_arrays(given, [0, 1, 2, 0]).pixels, colour)
    grey = colour[..., :1]
    for given in (grey, grey[..., 0], grey.transpose(0, 3, 1, 2)):
        np.testing.assert_array_equal(from_arrays(given, [0, 1, 2, 0]).pixels, grey)


def test_where_the_layout_could_be_either_the_channels_stand_last_unless_said_otherwise():
    either = RNG.integers(0, 256, (2, 3, 5, 3), np.uint8)
    np.testing.assert_array_equal(from_arrays(either, [0, 0]).pixels, either)
    np.testing.assert_array_equal(from_arrays(either, [0, 0], layout="NCHW").pixels, either.transpose(0, 2, 3, 1))


@pytest.mark.parametrize(
    ("X", "y", "said"),
    [
        (np.zeros((2, 4, 4, 4), np.uint8), [0, 1], "1 or 3 channels"),
        (np.zeros((2, 16), np.uint8), [0, 1], "is not"),
        (np.full((2, 4, 4), 1.5), [0, 1], "floats in 0..1"),
        (np.full((2, 4, 4), np.nan), [0, 1], "floats in 0..1"),
        (np.full((2, 4, 4), 256), [0, 1], "integers must lie in 0..255"),
        (np.zeros((2, 4, 4), np.uint8), [0, 1, 0], "2 pictures, but labels of shape"),
        (np.zeros((2, 4, 4), np.uint8), [0, -1], "whole numbers from 0"),
        (np.zeros((2, 4, 4), np.uint8), ["a", "b"], "whole numbers from 0"),
        (np.zeros((0, 4, 4), np.uint8), [], "no pictures"),
    ],
)
def test_arrays_that_are_no_labelled_pictures_are_refused(X, y, said):
    with pytest.raises(BadArrays, match=said):
        from_arrays(X, y)


def test_a_data_set_of_arrays_has_names_and_refuses_a_label_without_class():
    images = from_arrays(np.zeros((2, 4, 4), np.uint8), [0, 2])
    data = data_set_of(images, classes=("a", "b", "c"))
    assert (data.classes, data.source, data.test) == (("a", "b", "c"), "memory", None)
    assert data.train.names.tolist() == ["train/0", "train/1"]
    with pytest.raises(BadArrays, match="label 2 with 2 classes"):
        data_set_of(images, classes=("a", "b"))


def test_reading_from_a_stream_needs_no_temporary_file(tmp_path: Path):
    before = set(tmp_path.iterdir())
    read_idx(Path("x"), io.BytesIO(gzip.compress(write_idx(np.zeros((2, 2), np.uint8)))).getvalue())
    assert set(tmp_path.iterdir()) == before
