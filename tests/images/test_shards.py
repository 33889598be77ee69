"""Shards give the same data set as the folder they were made from."""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from wiesel import images
from wiesel.errors import BadArchive
from wiesel.images.listing import HIDDEN, LINK_BROKEN, NOT_A_FILE, SECOND
from wiesel.images.shards import NO_LABEL, SOFT_LINK, SPARSE, listed

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


def pictures(*folders: str) -> list[tuple[str, bytes]]:
    """Two different pictures in each folder."""
    return [(f"{name}/{i}.png", png(10 * number + i)) for number, name in enumerate(folders) for i in range(2)]


def link(name: str, target: str, kind: bytes = tarfile.LNKTYPE) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.type, member.linkname = kind, target
    return member


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


_opened: list[str] | None = None


def _hook(event: str, arguments: tuple) -> None:
    if _opened is not None and event == "open" and str(arguments[0]).endswith(".tar"):
        _opened.append(str(arguments[0]))


sys.addaudithook(_hook)  # hooks cannot be taken off again, so this one listens only while `_opened` is a list


def test_the_second_load_opens_no_shard(both: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.modules[__name__], "_opened", [])
    first = images.load(both[1])
    assert _opened
    assert {Path(path).name for path in _opened} == {path.name for path in both[1].iterdir()}
    _opened.clear()
    assert images.load(both[1]).fingerprint == first.fingerprint
    assert _opened == []


@pytest.mark.skipif(sys.platform == "win32", reason="Windows keeps no time of the last change that a program cannot set")
def test_a_shard_that_changed_is_read_again_also_with_the_size_and_time_of_before(both: tuple[Path, Path]) -> None:
    first = images.load(both[1])
    path = both[1] / "test-000000.tar"
    before, content = path.stat(), path.read_bytes()
    path.write_bytes(content.replace(b"cat", b"dog"))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert path.stat().st_size == before.st_size
    assert first.test is not None
    assert first.test.labels.tolist() == [0, 0, 1, 1]
    again = images.load(both[1]).test
    assert again is not None
    assert again.labels.tolist() == [1, 1, 1, 1]


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


def test_a_tar_beside_class_folders_is_a_file_like_any_other(tmp_path: Path) -> None:
    for name, content in pictures("bird", "cat", "dog"):
        (tmp_path / "pets" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "pets" / name).write_bytes(content)
    shard(tmp_path / "pets" / "backup.tar", *pictures("cat", "dog"))
    data = images.load(tmp_path / "pets")
    assert (data.classes, len(data.train)) == (("bird", "cat", "dog"), 6)
    assert [(item.path, item.reason) for item in data.left_out] == [("backup.tar", "no picture")]


def test_hidden_things_beside_shards_change_nothing(tmp_path: Path) -> None:
    shard(tmp_path / "pets" / "all.tar", *pictures("cat", "dog"))
    (tmp_path / "pets" / ".cache").mkdir()
    (tmp_path / "pets" / "._all.tar").write_bytes(b"what macOS writes beside a file")
    assert images.load(tmp_path / "pets").classes == ("cat", "dog")


def test_what_systems_leave_behind_is_no_class_in_a_shard_either(tmp_path: Path) -> None:
    left = ["./.ipynb_checkpoints/0.png", "./@eaDir/0.png", "./__MACOSX/cat/0.png", "./cat/._0.png", "./cat/Thumbs.db"]
    path = shard(
        tmp_path / "x.tar", *((f"./{name}", content) for name, content in pictures("cat", "dog")), *((n, png(9)) for n in left)
    )
    data = images.load(path)
    assert (data.classes, data.train.names.tolist()) == (("cat", "dog"), ["cat/0.png", "cat/1.png", "dog/0.png", "dog/1.png"])
    assert [(item.path, item.reason) for item in data.left_out] == [(f"x.tar/{name}", str(HIDDEN)) for name in left]


def test_a_file_with_holes_is_left_out_because_its_bytes_do_not_stand_in_one_piece(tmp_path: Path) -> None:
    file = io.BytesIO()
    Image.fromarray(np.full((64, 64), 0, np.uint8)).save(file, "BMP")
    whole = file.getvalue()
    path = shard(tmp_path / "x.tar", *pictures("cat", "dog"))
    with tarfile.open(path, "a", format=tarfile.PAX_FORMAT) as archive:
        member = tarfile.TarInfo("cat/holes.bmp")
        member.pax_headers = {"GNU.sparse.size": str(len(whole)), "GNU.sparse.map": f"0,2000,{len(whole)},0"}
        member.size = 2000
        archive.addfile(member, io.BytesIO(whole[:2000]))
    with tarfile.open(path) as archive:
        held = archive.extractfile("cat/holes.bmp")
        assert held is not None
        assert held.read() == whole  # so Python's own reader fills the hole with zeros
    with listed(path) as listing:
        assert [entry.path for entry in listing.entries] == [name for name, _ in pictures("cat", "dog")]
        assert listing.left_out == [("x.tar/cat/holes.bmp", SPARSE)]


def test_a_hard_link_is_the_file_that_it_names_and_other_links_are_listed(tmp_path: Path) -> None:
    path = shard(tmp_path / "x.tar", ("./cat/0.png", png(1)), ("./.store/1.png", png(2)), ("./dog/0.png", png(3)))
    with tarfile.open(path, "a") as archive:
        archive.addfile(link("./cat/same.png", "./cat/0.png"))
        archive.addfile(link("./dog/stored.png", ".store/1.png"))
        archive.addfile(link("./dog/again.png", "./dog/stored.png"))
        archive.addfile(link("./dog/gone.png", "./dog/nowhere.png"))
        archive.addfile(link("./dog/soft.png", "0.png", tarfile.SYMTYPE))
        archive.addfile(link("./dog/pipe.png", "", tarfile.FIFOTYPE))
    with listed(path) as listing:
        assert {entry.path: listing.read(entry) for entry in listing.entries} == {
            "cat/0.png": png(1),
            "cat/same.png": png(1),
            "dog/0.png": png(3),
            "dog/stored.png": png(2),
            "dog/again.png": png(2),
        }
        assert dict(listing.left_out) == {
            "x.tar/./.store/1.png": HIDDEN,
            "x.tar/./dog/gone.png": LINK_BROKEN,
            "x.tar/./dog/soft.png": SOFT_LINK,
            "x.tar/./dog/pipe.png": NOT_A_FILE,
        }


def test_of_two_entries_with_one_name_the_last_counts_as_for_tar_itself(tmp_path: Path) -> None:
    path = shard(tmp_path / "x.tar", *pictures("cat", "dog"))
    with tarfile.open(path, "a") as archive:
        member = tarfile.TarInfo("./cat/0.png")
        member.size = len(png(77))
        archive.addfile(member, io.BytesIO(png(77)))
    with listed(path) as listing:
        assert [(entry.path, listing.read(entry)) for entry in listing.entries] == [
            ("cat/0.png", png(77)),
            *pictures("cat", "dog")[1:],
        ]
        assert listing.left_out == [("x.tar/./cat/0.png", SECOND)]


def test_pictures_whose_names_differ_only_in_a_slash_are_all_there(tmp_path: Path) -> None:
    keys = ("a/x-0", "a-x/0", "a-x-0", "b/0")
    shard(
        tmp_path / "x" / "s.tar", *((f"{key}.png", png(i)) for i, key in enumerate(keys)), *((f"{key}.cls", b"cat") for key in keys)
    )
    shard(tmp_path / "x" / "s-b.tar", ("0.png", png(8)), ("0.cls", b"cat"), ("1.png", png(9)), ("1.cls", b"dog"))
    with listed(tmp_path / "x") as listing:
        assert {entry.path: listing.read(entry) for entry in listing.entries} == {
            "cat/s-a-x-0.png": png(0),
            "cat/s/a-x/0.png": png(1),
            "cat/s/a-x-0.png": png(2),
            "cat/s-b-0.png": png(8),
            "cat/s/b/0.png": png(3),
            "dog/s-b-1.png": png(9),
        }
        assert listing.left_out == []


def test_a_shard_that_was_cut_between_two_files_is_refused(tmp_path: Path) -> None:
    path = shard(tmp_path / "x.tar", *pictures("cat", "dog"))
    whole = path.read_bytes()
    with tarfile.open(path) as archive:
        starts = [member.offset for member in archive]
    for start in starts[1:]:
        path.write_bytes(whole[:start])
        with pytest.raises(BadArchive, match="cut short"):
            listed(path)
        path.write_bytes(whole[:start] + b"\xff" * tarfile.BLOCKSIZE + whole[start + tarfile.BLOCKSIZE :])
        with pytest.raises(BadArchive, match="damaged"):
            listed(path)


@pytest.mark.parametrize("format", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
@pytest.mark.parametrize("mode", ["w", "w|"])
def test_whole_shards_are_read_however_they_were_written(tmp_path: Path, format: int, mode: str) -> None:
    path = tmp_path / "x.tar"
    with path.open("wb") as file, tarfile.open(fileobj=file, mode=mode, format=format) as archive:
        for name, content in pictures("cat", "dog", "d" * 90 + "/" + "e" * 90):
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
        end = archive.offset
    whole = path.read_bytes()
    # with all its padding, with the two blocks of the standard, with one; and with another shard behind it, which no tar reads
    for data in (whole, whole[: end + 1024], whole[: end + 512], whole + whole):
        path.write_bytes(data)
        with listed(path) as listing:
            assert [len(listing.read(entry)) > 100 for entry in listing.entries] == [True] * 6


@pytest.mark.skipif(shutil.which("tar") is None, reason="needs the program tar")
def test_what_the_program_tar_packs_is_what_the_folder_holds(both: tuple[Path, Path], tmp_path: Path) -> None:
    (both[0] / "train" / "dog" / "link.png").hardlink_to(next((both[0] / "train" / "cat").iterdir()))
    with (tmp_path / "x.tar").open("wb") as file:
        subprocess.run(["tar", "-cf", "-", "-C", str(both[0]), "."], stdout=file, check=True)
    assert images.load(tmp_path / "x.tar").fingerprint == images.load(both[0]).fingerprint
