"""Pictures in memory (or memory-mapped), their labels and where they came from: what every source of this room hands over."""

from __future__ import annotations

import hashlib
import html
import os
import re
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from wiesel.language import filled, grouped, say

SPLITS = ("train", "validation", "test")

EMBEDDED = "embedded sample"
"""The source of the pictures that come with the package, for programs; `place_in_words` says it to people."""

_GATHER_IN_MEMORY = 32 * 1024 * 1024
"""Bytes up to which a choice of memory-mapped pictures is copied into memory; a larger one goes to an unnamed file, so that memory does not
grow with the data."""


class Reason(NamedTuple):
    """Why a file is not used, in both languages; `str()` speaks the reader's."""

    en: str
    de: str

    def __str__(self) -> str:
        return say(en=self.en, de=self.de)


@dataclass(frozen=True)
class LeftOut:
    """A file of the source that is not used. `path` is relative to the source."""

    path: str
    reason: str


@dataclass(frozen=True, eq=False)
class Images:
    """One split. Rows of `pixels`, `labels` and `names` belong together."""

    pixels: NDArray[np.uint8]
    """(N, H, W, C), C is 1 (grey) or 3 (red, green, blue). May be a read-only memory map."""
    labels: NDArray[np.int64]
    """(N,), indices into the data set's `classes`."""
    names: NDArray[np.str_]
    """(N,), each different, and the same at every start: "train/17", "test/cat/0001.jpg"."""

    def __post_init__(self) -> None:
        assert self.pixels.dtype == np.uint8
        assert self.pixels.ndim == 4, self.pixels.shape
        assert self.pixels.shape[3] in (1, 3), self.pixels.shape
        assert self.labels.shape == self.names.shape == (len(self.pixels),)

    def __len__(self) -> int:
        return len(self.pixels)

    def __getitem__(self, index: int) -> tuple[NDArray[np.uint8], int]:
        """One picture as (C, H, W), a view, and its label."""
        return self.pixels[index].transpose(2, 0, 1), int(self.labels[index])

    def __iter__(self) -> Iterator[tuple[NDArray[np.uint8], int]]:
        return (self[i] for i in range(len(self)))

    def take(self, indices: NDArray[np.integer[Any]] | Sequence[int]) -> Images:
        """The pictures at these positions, in this order."""
        rows = np.asarray(indices, dtype=np.int64)
        return Images(_gather(self.pixels, rows), self.labels[rows], self.names[rows])


def _gather(pixels: NDArray[np.uint8], rows: NDArray[np.int64]) -> NDArray[np.uint8]:
    if len(rows) and np.array_equal(rows, np.arange(rows[0], rows[0] + len(rows))):
        return pixels[int(rows[0]) : int(rows[0]) + len(rows)]  # a view: memory maps stay mapped
    size = len(rows) * int(np.prod(pixels.shape[1:], dtype=np.int64))
    if not isinstance(pixels, np.memmap) or size <= _GATHER_IN_MEMORY:
        return np.ascontiguousarray(pixels[rows])
    beside = Path(pixels.filename).parent if pixels.filename else None  # on a disc with room; /tmp may be memory itself
    folder = beside if beside is not None and os.access(beside, os.W_OK) else None
    with tempfile.TemporaryFile(prefix="wiesel-", dir=folder) as file:  # without a name: gone when the last map of it is
        gathered: NDArray[np.uint8] = np.memmap(file, dtype=np.uint8, mode="w+", shape=(len(rows), *pixels.shape[1:]))
        for start in range(0, len(rows), 4096):
            gathered[start : start + 4096] = pixels[rows[start : start + 4096]]
    return gathered


@dataclass(frozen=True, eq=False)
class DataSet:
    """Pictures with one class map for all splits. `validation` and `test` are `None` where the source has no such split."""

    name: str
    classes: tuple[str, ...]
    train: Images
    validation: Images | None
    test: Images | None
    source: str
    """Where the bytes came from: a path, or `EMBEDDED`."""
    fingerprint: str
    """sha256 over every picture's content, name, label and split: the same value means the same data."""
    left_out: tuple[LeftOut, ...] = ()
    """Every file of the source that is not used."""
    warnings: tuple[str, ...] = ()
    """Short facts worth telling, in the reader's language."""

    @property
    def splits(self) -> dict[str, Images]:
        """The splits that exist, in the order train, validation, test."""
        every = {"train": self.train, "validation": self.validation, "test": self.test}
        return {split: images for split, images in every.items() if images is not None}

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """(C, H, W) of every picture."""
        _, height, width, channels = self.train.pixels.shape
        return channels, height, width

    @property
    def counts(self) -> dict[str, dict[str, int]]:
        """Pictures per split and class: `counts["test"]["cat"]`."""
        return {
            split: dict(zip(self.classes, np.bincount(images.labels, minlength=len(self.classes)).tolist(), strict=True))
            for split, images in self.splits.items()
        }

    def __repr__(self) -> str:
        channels, height, width = self.image_shape
        sizes = ", ".join(f"{split} {len(images):,}" for split, images in self.splits.items())
        return f"DataSet({self.name!r}: {len(self.classes)} classes, {channels}x{height}x{width}; {sizes})"

    def _repr_html_(self) -> str:
        """A small table for notebooks, in the reader's language."""
        channels, height, width = self.image_shape
        colour = say(en="grey", de="grau") if channels == 1 else say(en="colour", de="farbig")
        about = f"{width} × {height} {say(en='pixels', de='Pixel')}, {colour} · {html.escape(place_in_words(self.source))}"
        titles = {
            "train": say(en="training", de="Training"),
            "validation": say(en="validation", de="Validierung"),
            "test": say(en="test", de="Test"),
        }
        counts = self.counts
        head = "".join(f"<th>{titles[split]}</th>" for split in counts)
        rows = "".join(
            f"<tr><td>{html.escape(name)}</td>" + "".join(f"<td>{grouped(of[name])}</td>" for of in counts.values()) + "</tr>"
            for name in self.classes[:20]
        )
        if len(self.classes) > 20:
            rows += f"<tr><td>… {len(self.classes) - 20} {say(en='more', de='weitere')}</td>" + "<td></td>" * len(counts) + "</tr>"
        total = "".join(f"<th>{grouped(sum(of.values()))}</th>" for of in counts.values())
        notes = "".join(f"<li>{html.escape(note)}</li>" for note in self.warnings)
        if self.left_out:
            words = say(en="{n:,} {n:file|files} left out", de="{n:,} {n:Datei|Dateien} ausgelassen")
            notes += f"<li>{filled(words, {'n': len(self.left_out)})}</li>"
        return (
            f"<table><caption><b>{html.escape(self.name)}</b>, {about}</caption>"
            f"<thead><tr><th>{say(en='class', de='Klasse')}</th>{head}</tr></thead>"
            f"<tbody>{rows}</tbody><tfoot><tr><th>{say(en='together', de='zusammen')}</th>{total}</tr></tfoot></table>"
            + (f"<ul>{notes}</ul>" if notes else "")
        )


def place_in_words(source: str) -> str:
    """A data set's source in the reader's language: paths stay as they are."""
    return say(en=source, de="mitgelieferter Auszug") if source == EMBEDDED else source


def natural(text: str) -> tuple[str, str]:
    """Sort key under which "2" comes before "10"; different texts never tie."""

    def in_order(digits: re.Match[str]) -> str:
        bare = digits[0].lstrip("0")
        return f"\0{chr(len(bare))}{bare}"  # digits come before any letter, and a shorter number before a longer one

    return re.sub(r"[0-9]+", in_order, text), text


def digests(pixels: NDArray[np.uint8]) -> list[bytes]:
    """A 16-byte content hash per picture of (N, H, W, C): equal shape and pixels, equal hash."""
    shape = repr(pixels.shape[1:]).encode().ljust(16)[:16]
    return [hashlib.blake2b(np.ascontiguousarray(picture).data, digest_size=16, person=shape).digest() for picture in pixels]


def fingerprint(classes: Sequence[str], splits: Mapping[str, tuple[Sequence[bytes], NDArray[np.int64], NDArray[np.str_]]]) -> str:
    """sha256 hex over the class names and, per split, each picture's content digest, label and name, in order."""
    total = hashlib.sha256()
    for name in classes:
        total.update(_framed(name.encode()))
    for split, (contents, labels, names) in splits.items():
        total.update(_framed(split.encode()))
        for content, label, name in zip(contents, labels.tolist(), names.tolist(), strict=True):
            total.update(_framed(content) + label.to_bytes(8, "big") + _framed(name.encode()))
    return total.hexdigest()


def _framed(part: bytes) -> bytes:
    return len(part).to_bytes(8, "big") + part


def images_of(pixels: NDArray[np.uint8], labels: NDArray[Any], split: str) -> Images:
    """Pictures (N, H, W, C) without names of their own: picture 17 of split "train" is named "train/17"."""
    names = np.array([f"{split}/{i}" for i in range(len(labels))], dtype=np.str_)
    return Images(pixels, labels.astype(np.int64), names)


def from_splits(name: str, classes: Sequence[str], splits: Mapping[str, Images], *, source: str) -> DataSet:
    """A data set from pictures in memory, its fingerprint taken over their pixels."""
    contents = {split: (digests(images.pixels), images.labels, images.names) for split, images in splits.items()}
    return DataSet(
        name=name,
        classes=tuple(classes),
        train=splits["train"],
        validation=splits.get("validation"),
        test=splits.get("test"),
        source=source,
        fingerprint=fingerprint(classes, contents),
    )
