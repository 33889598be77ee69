"""Shards give the same data set as the folder they were made from."""

from __future__ import annotations

import io
import os
import tarfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from wiesel import images
from wiesel.errors import BadArchive
from wiesel.images.shards import NO_LABEL, listed

SPLITS = {"train": 6, "val": 2, "test": 2}


def png(number: int) -> bytes:
    pixels = np.random.default_rng(number).integers(0, 256, (12, 12, 3), dtype=np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


def shard(path: Path, *files: tuple[str, bytes]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w") as archive:
        for name, content in files:
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return path


@pytest.fixture
def both(tmp_path: Path) -> tuple[Path, Path]:
    """The same pictures as a folder and as five shards."""
    number, members = 0, {}
    for split, count in SPLITS.items():
        for kind in ("cat", "dog"):
            for _ in range(count):
                number += 1
                where = tmp_path / "folder" / split / kind
                where.mkdir(parents=True, exist_ok=True)
                (where / f"{number:06}.png").write_bytes(png(number))
                name = f"{split}-{number % 2 if split == 'train' else 0:06}.tar"
                members.setdefault(name, []).extend([(f"{number:06}.png", png(number)), (f"{number:06}.cls", kind.encode())])
    for name, files in members.items():
        shard(tmp_path / "shards" / name, *files)
    return tmp_path / "folder", tmp_path / "shards"


def test_shards_and_folder_hold_the_same_pictures(both: tuple[Path, Path]) -> None:
    folder, shards = (images.load(path) for path in both)
    assert shards.classes == folder.classes == ("cat", "dog")
    for mine, theirs in zip(
        (shards.train, shards.validation, shards.test), (folder.train, folder.validation, folder.test), strict=True
    ):
        assert mine is not None
        assert theirs is not None
        assert sorted(zip(map(bytes, mine.pixels), mine.labels.tolist(), strict=True)) == sorted(
            zip(map(bytes, theirs.pixels), theirs.labels.tolist(), strict=True)
        )


def test_the_second_load_opens_no_shard(both: tuple[Path, Path]) -> None:
    first = images.load(both[1])
    for path in both[1].iterdir():
        before = path.stat()
        path.write_bytes(bytes(before.st_size))
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    again = images.load(both[1])
    assert again.fingerprint == first.fingerprint


def test_a_single_tar_without_labels_is_read_like_a_folder(tmp_path: Path) -> None:
    path = shard(
        tmp_path / "pets.tar", *((f"{kind}/{i}.png", png(i + 10 * (kind == "dog"))) for kind in ("cat", "dog") for i in range(3))
    )
    data = images.load(path)
    assert (data.name, data.classes, len(data.train)) == ("pets", ("cat", "dog"), 6)


def test_a_picture_without_a_label_is_listed(tmp_path: Path) -> None:
    files = [(f"{i}.png", png(i)) for i in range(5)] + [(f"{i}.cls", str(i % 2).encode()) for i in range(4)]
    data = images.load(shard(tmp_path / "some.tar", *files))
    assert (data.classes, len(data.train)) == (("0", "1"), 4)
    assert [(item.path, item.reason) for item in data.left_out] == [("some.tar/4.png", str(NO_LABEL))]


@pytest.mark.parametrize(
    "files",
    [
        [("../out.png", png(1)), ("../out.cls", b"cat")],
        [("/abs.png", png(1))],
        [("a.png", png(1)), ("a.cls", b"up/../and/out")],
        [("a.png", png(1)), ("a.cls", b"")],
        [("a.png", png(1)), ("a.cls", b"x" * 300)],
        [("a.png", png(1)), ("a.cls", b"\xff\xfe")],
    ],
    ids=["climbs out", "absolute", "label with slash", "empty label", "long label", "no text"],
)
def test_a_shard_that_would_lead_astray_is_refused(tmp_path: Path, files: list[tuple[str, bytes]]) -> None:
    with pytest.raises(BadArchive):
        listed(shard(tmp_path / "bad.tar", *files))


def test_a_damaged_or_compressed_shard_is_refused(tmp_path: Path) -> None:
    whole = shard(tmp_path / "whole.tar", *((f"{i}.png", png(i)) for i in range(3)))
    cut = tmp_path / "cut.tar"
    cut.write_bytes(whole.read_bytes()[:700])
    squeezed = tmp_path / "squeezed.tar"
    with tarfile.open(squeezed, "w:gz") as archive:
        archive.add(whole)
    for path in (cut, squeezed):
        with pytest.raises(BadArchive):
            listed(path)
