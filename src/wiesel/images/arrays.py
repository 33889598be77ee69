"""Pictures that come as arrays: IDX (MNIST and its kin), the CIFAR binary version, the digits table, arrays in memory.

The Python version of CIFAR is a pickle, which can run code when it is read; the binary version has the same pictures.
"""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import tarfile
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from wiesel.errors import BadArrayFile, BadArrays
from wiesel.images.dataset import DataSet, Images, Reason, from_splits, images_of

_IDX_UNSIGNED_BYTE = 0x08
_IDX_LARGEST = 8 * 2**30
"""Bytes that a header may promise; the whole of extended MNIST has 0.6 GB."""

_DAMAGED = (EOFError, OSError, lzma.LZMAError, zlib.error, tarfile.TarError)

CIFAR_SIDE = 32
CIFAR_PIXELS = 3 * CIFAR_SIDE * CIFAR_SIDE


def unpacked(data: bytes) -> gzip.GzipFile | lzma.LZMAFile | bz2.BZ2File | io.BytesIO:
    """A stream of the content, uncompressed, whatever the file name says: gzip, xz, bzip2 or plain."""
    if data[:2] == b"\x1f\x8b":
        return gzip.GzipFile(fileobj=io.BytesIO(data))
    if data[:6] == b"\xfd7zXZ\0":
        return lzma.LZMAFile(io.BytesIO(data))
    if data[:3] == b"BZh":
        return bz2.BZ2File(io.BytesIO(data))
    return io.BytesIO(data)


def read_idx(path: Path, data: bytes | None = None) -> NDArray[np.uint8]:
    """An IDX file of unsigned bytes, plain or compressed, as an array of the shape that its header names.

    Format: two zero bytes, the type (8), the number of dimensions, their sizes as big-endian 32-bit integers, the values in C order
    (Y. LeCun, C. Cortes, C. Burges: The MNIST database).

    Args:
        data: the file's bytes, if they were read already.

    Raises:
        BadArrayFile: wrong magic, truncated, longer than announced, or damaged compression.
    """
    try:
        stream = unpacked(path.read_bytes() if data is None else data)
        start = stream.read(4)
        if len(start) < 4 or start[:2] != b"\0\0" or start[2] != _IDX_UNSIGNED_BYTE or start[3] == 0:
            raise _bad(path, f"it does not begin like an IDX file of bytes ({start!r})", f"kein Anfang einer IDX-Datei ({start!r})")
        sizes = stream.read(4 * start[3])
        if len(sizes) < 4 * start[3]:
            raise _bad(path, "it ends inside its header", "sie endet im Kopf")
        shape = tuple(int(size) for size in np.frombuffer(sizes, ">u4"))
        promised = 1
        for size in shape:
            promised *= size
        if promised > _IDX_LARGEST:
            raise _bad(path, f"its header promises {promised} bytes", f"der Kopf verspricht {promised} Bytes")
        values = stream.read(promised + 1)
        if len(values) != promised:
            found = f"{len(values)}" if len(values) < promised else f">{promised}"
            raise _bad(path, f"{found} values instead of {promised}", f"{found} Werte statt {promised}")
    except _DAMAGED as error:
        raise _bad(path, f"its compression is damaged ({error})", f"die Kompression ist beschädigt ({error})") from error
    return np.frombuffer(values, np.uint8).reshape(shape)


def write_idx(array: NDArray[np.uint8]) -> bytes:
    """The inverse of `read_idx`, uncompressed."""
    return bytes([0, 0, _IDX_UNSIGNED_BYTE, array.ndim]) + np.array(array.shape, ">u4").tobytes() + array.tobytes()


Split = tuple[NDArray[np.uint8], NDArray[np.int64]]
"""Pictures (N, H, W, C) and their labels (N,)."""


def idx_pair(images: NDArray[np.uint8], labels: NDArray[np.uint8], classes: int, path: Path) -> Split:
    """Pictures (N, H, W) and labels (N,) of one split as (N, H, W, 1) and int64, or the reason why they are no pair."""
    if images.ndim != 3 or labels.ndim != 1 or len(images) != len(labels):
        raise _bad(
            path,
            f"pictures of shape {images.shape} and labels of shape {labels.shape} are no pair",
            f"Bilder der Form {images.shape} und Etiketten der Form {labels.shape} sind kein Paar",
        )
    if len(labels) and labels.max() >= classes:
        raise _bad(path, f"label {labels.max()} with {classes} classes", f"Etikett {labels.max()} bei {classes} Klassen")
    return images[:, :, :, None], labels.astype(np.int64)


Cifar = tuple[tuple[str, ...], dict[str, Split]]
"""Class names, and per split pictures (N, 32, 32, 3) with labels."""

_CIFAR_10 = {"train": [f"data_batch_{i}.bin" for i in range(1, 6)], "test": ["test_batch.bin"]}
_CIFAR_100 = {"train": ["train.bin"], "test": ["test.bin"]}


def read_cifar10(path: Path, *, records: int = 10_000) -> Cifar:
    """CIFAR-10, binary version: the .tar.gz as downloaded, or the folder that came out of it.

    Each record is one label byte, then 32 x 32 red, green and blue values, row by row (cs.toronto.edu/~kriz/cifar.html).

    Args:
        records: pictures per file.

    Raises:
        BadArrayFile: a file is missing, truncated or too long, or a label has no class.
    """
    parts = _cifar_files(path, ["batches.meta.txt", *_CIFAR_10["train"], *_CIFAR_10["test"]], records * (1 + CIFAR_PIXELS))
    return _cifar(path, parts, "batches.meta.txt", _CIFAR_10, {"train": records, "test": records}, labels=1)


def read_cifar100(path: Path, *, records: tuple[int, int] = (50_000, 10_000)) -> Cifar:
    """CIFAR-100, binary version, with its 100 fine classes. Each record has two label bytes: coarse, fine. See `read_cifar10`."""
    parts = _cifar_files(path, ["fine_label_names.txt", "train.bin", "test.bin"], max(records) * (2 + CIFAR_PIXELS))
    return _cifar(path, parts, "fine_label_names.txt", _CIFAR_100, {"train": records[0], "test": records[1]}, labels=2)


def _cifar(
    path: Path, parts: dict[str, bytes], names: str, splits: dict[str, list[str]], records: dict[str, int], *, labels: int
) -> Cifar:
    classes = tuple(line.strip() for line in parts[names].decode("utf-8", "replace").splitlines() if line.strip())
    made = {}
    for split, files in splits.items():
        pixels = np.empty((records[split] * len(files), CIFAR_SIDE, CIFAR_SIDE, 3), np.uint8)
        found = np.empty(len(pixels), np.int64)
        for i, file in enumerate(files):
            have, expected = len(parts[file]), records[split] * (labels + CIFAR_PIXELS)
            if have != expected:
                found_en = f"{have}" if have < expected else f"more than {expected}"
                found_de = f"{have}" if have < expected else f"mehr als {expected}"
                raise _bad(
                    path, f"{file} has {found_en} bytes instead of {expected}", f"{file} hat {found_de} statt {expected} Bytes"
                )
            table = np.frombuffer(parts.pop(file), np.uint8).reshape(records[split], labels + CIFAR_PIXELS)
            rows = slice(i * records[split], (i + 1) * records[split])
            found[rows] = table[:, labels - 1]
            pixels[rows] = table[:, labels:].reshape(-1, 3, CIFAR_SIDE, CIFAR_SIDE).transpose(0, 2, 3, 1)
        if (highest := int(found.max())) >= len(classes):
            raise _bad(path, f"label {highest} with {len(classes)} classes", f"Etikett {highest} bei {len(classes)} Klassen")
        made[split] = (pixels, found)
    return classes, made


def _cifar_files(path: Path, wanted: Sequence[str], largest: int) -> dict[str, bytes]:
    """The wanted files of a folder or of a .tar.gz, at most one byte more than `largest` of each, so that too long shows."""
    parts: dict[str, bytes] = {}
    try:
        if path.is_dir():
            for name in wanted:
                if (path / name).is_file():
                    with (path / name).open("rb") as file:
                        parts[name] = file.read(largest + 1)
        else:
            with tarfile.open(path, "r:*") as archive:
                for member in archive:  # never unpacked: a member's path is looked at, not used
                    name = member.name.rpartition("/")[2]
                    if name in wanted and name not in parts and member.isfile() and (content := archive.extractfile(member)):
                        parts[name] = content.read(largest + 1)
    except _DAMAGED as error:
        raise _bad(path, f"the archive is damaged ({error})", f"das Archiv ist beschädigt ({error})") from error
    for name in wanted:
        if name not in parts:
            raise _bad(path, f"{name} is missing (the binary version is needed)", f"{name} fehlt (gebraucht wird die Binärversion)")
    return parts


def read_digits(path: Path) -> Split:
    """The 8x8 digits table (.csv.gz: 64 values 0..16 and the label per line) as (N, 8, 8, 1), scaled to 0..255, and labels."""
    try:
        text = unpacked(path.read_bytes()).read(16 * 2**20)
        table = np.array([[float(value) for value in line.split(b",")] for line in text.splitlines()])
    except (*_DAMAGED, ValueError) as error:
        raise _bad(path, f"no table of numbers ({error})", f"keine Zahlentabelle ({error})") from error
    if table.ndim != 2 or table.shape[1] != 65 or not np.isfinite(table).all() or table.min() < 0 or table[:, :64].max() > 16:
        raise _bad(path, "not 64 values in 0..16 and a label per line", "nicht 64 Werte in 0..16 und ein Etikett je Zeile")
    return np.rint(table[:, :64] * (255 / 16)).astype(np.uint8).reshape(-1, 8, 8, 1), table[:, 64].astype(np.int64)


def from_arrays(X: ArrayLike, y: ArrayLike, *, split: str = "train", layout: Literal["auto", "NHWC", "NCHW"] = "auto") -> Images:
    """One split from arrays in memory; picture 17 is named "train/17". `data_set_of` makes a data set of it.

    Args:
        X: (N, H, W) grey, (N, H, W, C) or (N, C, H, W), C is 1 or 3. Integers 0..255, or floats 0..1, which are scaled by 255 and
            rounded.
        y: (N,) labels, whole numbers from 0.
        layout: where the channels stand, for four dimensions. "auto": last if the last dimension is 1 or 3, else second. Only
            pictures that are 1 or 3 pixels wide can be meant otherwise; say so with "NCHW".

    Raises:
        BadArrays: says which of these does not hold.
    """
    pixels = _bytes(_channels_last(np.asarray(X), layout))
    labels = np.asarray(y)
    if labels.shape != (len(pixels),):
        en = f"{len(pixels)} pictures, but labels of shape {labels.shape}"
        raise _mismatch(en, f"{len(pixels)} Bilder, aber Etiketten der Form {labels.shape}")
    if labels.dtype.kind not in "iu" or labels.min() < 0:
        raise _mismatch("labels must be whole numbers from 0", "Etiketten müssen ganze Zahlen ab 0 sein")
    return images_of(pixels, labels, split)


def data_set_of(images: Images, *, classes: Sequence[str], name: str = "arrays") -> DataSet:
    """A data set whose training split this is.

    Raises:
        BadArrays: a label has no class.
    """
    if (highest := int(images.labels.max())) >= len(classes):
        raise _mismatch(f"label {highest} with {len(classes)} classes", f"Etikett {highest} bei {len(classes)} Klassen")
    return from_splits(name, classes, {"train": images}, source="memory")


def _channels_last(array: NDArray[Any], layout: str) -> NDArray[Any]:
    if array.ndim == 3:
        return array[:, :, :, None]
    if array.ndim == 4 and layout != "NCHW" and array.shape[3] in (1, 3):
        return array
    if array.ndim == 4 and layout != "NHWC" and array.shape[1] in (1, 3):
        return array.transpose(0, 2, 3, 1)
    raise _mismatch(
        f"shape {array.shape} is not (N, H, W), (N, H, W, C) or (N, C, H, W) with 1 or 3 channels",
        f"die Form {array.shape} ist nicht (N, H, W), (N, H, W, C) oder (N, C, H, W) mit 1 oder 3 Kanälen",
    )


def _bytes(array: NDArray[Any]) -> NDArray[np.uint8]:
    if array.size == 0:
        raise _mismatch("there are no pictures", "es sind keine Bilder da")
    if array.dtype == np.uint8:
        return np.ascontiguousarray(array)
    low, high = array.min(), array.max()
    if array.dtype.kind in "iu" and low >= 0 and high <= 255:
        return np.ascontiguousarray(array.astype(np.uint8))
    if array.dtype.kind == "f" and low >= 0 and high <= 1:  # false for NaN
        return np.ascontiguousarray(np.rint(array * 255).astype(np.uint8))
    raise _mismatch(
        f"values {low} to {high} of type {array.dtype}; integers must lie in 0..255, floats in 0..1",
        f"Werte {low} bis {high} vom Typ {array.dtype}; ganze Zahlen müssen in 0..255 liegen, Gleitkommazahlen in 0..1",
    )


def _mismatch(en: str, de: str) -> BadArrays:
    return BadArrays(reason=Reason(en, de))


def _bad(path: Path, en: str, de: str) -> BadArrayFile:
    return BadArrayFile(path=path, reason=Reason(en, de))
