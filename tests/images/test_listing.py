from __future__ import annotations

import os
import socket
import stat
import struct
import sys
import time
import zipfile
from pathlib import Path

import pytest

from wiesel.errors import BadArchive
from wiesel.images.listing import (
    GONE,
    HIDDEN,
    LINK_BROKEN,
    LINK_OUT,
    LINK_TWICE,
    NOT_A_FILE,
    SECOND,
    Listing,
    _count,
    list_folder,
    list_zip,
    printable,
    zip_identity,
)

posix = pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX files")


def write(root: Path, *names: str) -> None:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(name.encode())


def paths(listing: Listing) -> list[str]:
    return [entry.path for entry in listing.entries]


def test_every_plain_file_is_listed_with_its_size(tmp_path: Path):
    write(tmp_path, "cat/1.jpg", "cat/a/b/2.jpg", "x.txt")
    (tmp_path / "empty").mkdir()
    listing = list_folder(tmp_path)
    assert paths(listing) == ["cat/1.jpg", "cat/a/b/2.jpg", "x.txt"]
    assert [entry.size for entry in listing.entries] == [9, 13, 5]
    assert listing.folders == {"cat", "cat/a", "cat/a/b", "empty"}
    assert listing.read(listing.entries[1]) == b"cat/a/b/2.jpg"
    with listing.open(listing.entries[0]) as file:
        assert file.read() == b"cat/1.jpg"


def test_what_systems_leave_behind_is_left_out_and_named(tmp_path: Path):
    write(
        tmp_path, "cat/.DS_Store", "cat/Thumbs.db", "__MACOSX/cat/._1.jpg", ".ipynb_checkpoints/1.jpg", ".hidden.jpg", "cat/1.jpg"
    )
    listing = list_folder(tmp_path)
    assert paths(listing) == ["cat/1.jpg"]
    assert dict(listing.left_out) == dict.fromkeys(
        [".hidden.jpg", ".ipynb_checkpoints", "__MACOSX", "cat/.DS_Store", "cat/Thumbs.db"], HIDDEN
    )


@posix
def test_pipes_sockets_and_devices_are_never_opened(tmp_path: Path):
    write(tmp_path, "cat/1.jpg")
    os.mkfifo(tmp_path / "cat" / "pipe.jpg")
    with socket.socket(socket.AF_UNIX) as unix:
        here = Path.cwd()
        os.chdir(tmp_path)  # the name of a socket must be short
        try:
            unix.bind("socket.jpg")
        finally:
            os.chdir(here)
        listing = list_folder(tmp_path)
    assert paths(listing) == ["cat/1.jpg"]
    assert dict(listing.left_out) == {"cat/pipe.jpg": NOT_A_FILE, "socket.jpg": NOT_A_FILE}


@posix
def test_a_pipe_that_takes_the_place_of_a_file_blocks_nothing(tmp_path: Path):
    write(tmp_path, "1.jpg")
    listing = list_folder(tmp_path)
    (tmp_path / "1.jpg").unlink()
    os.mkfifo(tmp_path / "1.jpg")
    start = time.perf_counter()
    with pytest.raises(OSError, match="no plain file"):
        listing.read(listing.entries[0])
    assert time.perf_counter() - start < 20


@posix
def test_links_count_once_and_only_inside(tmp_path: Path):
    root = tmp_path / "root"
    write(root, "cat/1.jpg", ".store/2.jpg", ".pool/3.jpg", ".pool/4.jpg")
    write(tmp_path, "outside/5.jpg")
    (root / "cat" / "same.jpg").symlink_to("1.jpg")
    (root / "cat" / "2.jpg").symlink_to("../.store/2.jpg")
    (root / "cat" / "2again.jpg").symlink_to("../.store/2.jpg")
    (root / "dog").symlink_to(".pool")
    (root / "loop").symlink_to(".")
    (root / "cat" / "up").symlink_to("..")
    (root / "gone.jpg").symlink_to("nowhere")
    (root / "self.jpg").symlink_to("self.jpg")
    (root / "out.jpg").symlink_to(tmp_path / "outside" / "5.jpg")
    (root / "outdir").symlink_to(tmp_path / "outside")
    (root / "passwd").symlink_to("/etc/passwd")
    listing = list_folder(root)
    assert paths(listing) == ["cat/1.jpg", "cat/2.jpg", "dog/3.jpg", "dog/4.jpg"]
    assert listing.read(listing.entries[1]) == b".store/2.jpg"
    assert dict(listing.left_out) == {
        ".store": HIDDEN,
        ".pool": HIDDEN,
        "cat/same.jpg": LINK_TWICE,
        "cat/2again.jpg": LINK_TWICE,
        "loop": LINK_TWICE,
        "cat/up": LINK_TWICE,
        "gone.jpg": LINK_BROKEN,
        "self.jpg": LINK_BROKEN,
        "out.jpg": LINK_OUT,
        "outdir": LINK_OUT,
        "passwd": LINK_OUT,
    }


@posix
def test_a_root_that_is_a_link_is_followed(tmp_path: Path):
    write(tmp_path / "real", "cat/1.jpg")
    (tmp_path / "link").symlink_to("real")
    assert paths(list_folder(tmp_path / "link")) == ["cat/1.jpg"]


@posix
@pytest.mark.skipif(hasattr(os, "geteuid") and os.geteuid() == 0, reason="root may read everything")
def test_a_folder_without_permission_is_left_out(tmp_path: Path):
    write(tmp_path, "cat/1.jpg", "dog/1.jpg")
    (tmp_path / "dog").chmod(0)
    try:
        listing = list_folder(tmp_path)
    finally:
        (tmp_path / "dog").chmod(0o755)
    assert paths(listing) == ["cat/1.jpg"]
    assert [path for path, _ in listing.left_out] == ["dog"]


@posix  # Windows lists a file's size with its name
def test_a_file_that_vanishes_while_its_folder_is_listed_is_left_out(tmp_path: Path):
    write(tmp_path, "cat/1.jpg", "cat/2.jpg")
    listing = Listing(tmp_path)
    with os.scandir(tmp_path / "cat") as found:
        items = sorted(found, key=lambda item: item.name)
    (tmp_path / "cat" / "1.jpg").unlink()
    for item in items:
        _count(listing, f"cat/{item.name}", item)
    assert paths(listing) == ["cat/2.jpg"]
    assert listing.left_out == [("cat/1.jpg", GONE)]


@posix
def test_any_name_that_the_system_accepts_is_listed_and_printable(tmp_path: Path):
    names = [
        b"caf\xe9.jpg",
        b"new\nline.jpg",
        b"-rf.jpg",
        b"=cmd().jpg",
        b"<img onerror=1>.jpg",
        "\u00e4.jpg".encode(),
        b"x" * 255,
    ]
    for name in names:
        Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + name)).write_bytes(b"x")
    listing = list_folder(tmp_path)
    assert len(listing.entries) == len(names)
    for entry in listing.entries:
        assert printable(entry.path).encode("utf-8")
        assert listing.read(entry) == b"x"
    assert listing.identity()


def test_the_identity_changes_with_every_touch(tmp_path: Path):
    write(tmp_path, "cat/1.jpg", "dog/1.jpg")
    seen = {list_folder(tmp_path).identity()}
    assert list_folder(tmp_path).identity() in seen
    for change in (
        lambda: (tmp_path / "cat/1.jpg").write_bytes(b"other"),
        lambda: os.utime(tmp_path / "cat/1.jpg", ns=(1, 1)),
        lambda: (tmp_path / "cat/1.jpg").rename(tmp_path / "cat/2.jpg"),
        lambda: (tmp_path / "cow").mkdir(),
        lambda: (tmp_path / "dog/1.jpg").unlink(),
    ):
        change()
        assert list_folder(tmp_path).identity() not in seen
        seen.add(list_folder(tmp_path).identity())


# --- zip ---------------------------------------------------------------------------------------------------------------------


def zipped(path: Path, *names: str | zipfile.ZipInfo, compression: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name in names:
            archive.writestr(name, (name if isinstance(name, str) else name.filename).encode())
    return path


@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_zip_is_listed_and_read_in_place(compression, tmp_path: Path):
    with list_zip(
        zipped(tmp_path / "x.zip", "cat/1.jpg", "dog/", "cat/.DS_Store", "__MACOSX/1.jpg", compression=compression)
    ) as listing:
        assert paths(listing) == ["cat/1.jpg"]
        assert listing.folders == {"cat", "dog"}
        assert dict(listing.left_out) == {"cat/.DS_Store": HIDDEN, "__MACOSX/1.jpg": HIDDEN}
        assert listing.read(listing.entries[0]) == b"cat/1.jpg"
    assert list(tmp_path.iterdir()) == [tmp_path / "x.zip"]


@pytest.mark.parametrize("name", ["../x.jpg", "cat/../../x.jpg", "/etc/x.jpg", "C:/x.jpg", "..\\x.jpg", "cat/.."])
def test_a_zip_whose_names_lead_out_of_it_is_refused(name, tmp_path: Path):
    info = zipfile.ZipInfo("placeholder")
    info.filename = name
    with pytest.raises(BadArchive, match="leads out of it"):
        list_zip(zipped(tmp_path / "x.zip", "cat/1.jpg", info))


def test_a_zip_with_backslashes_has_folders_too(tmp_path: Path):
    names = ("cat\\1.jpg", "cat\\.hidden.jpg", "dog\\", "dog/1.jpg", "dog\\1.jpg")
    with list_zip(zipped(tmp_path / "x.zip", *names)) as listing:
        assert {entry.path: listing.read(entry) for entry in listing.entries} == {
            "cat/1.jpg": b"cat\\1.jpg",
            "dog/1.jpg": b"dog\\1.jpg",  # of one name, the last
        }
        assert listing.folders == {"cat", "dog"}
        assert dict(listing.left_out) == {"cat/.hidden.jpg": HIDDEN, "dog/1.jpg": SECOND}


def test_names_in_utf8_are_read_as_such_without_the_flag_too(tmp_path: Path):
    path = zipped(tmp_path / "a.zip", "KXXtzchen/1.jpg", "MXuse/1.jpg", "größe/1.jpg")  # the last with the flag
    path.write_bytes(path.read_bytes().replace(b"KXX", "Kä".encode()).replace(b"MXuse", b"M\x84use"))
    with list_zip(path) as listing:
        assert [entry.path for entry in listing.entries] == ["Kätzchen/1.jpg", "Mäuse/1.jpg", "größe/1.jpg"]
        for entry in listing.entries:
            assert len(listing.read(entry)) == entry.size > 0


def test_an_encrypted_zip_is_refused(tmp_path: Path):
    data = bytearray(zipped(tmp_path / "x.zip", "cat/1.jpg").read_bytes())
    central = data.index(b"PK\1\2")
    data[central + 8] |= 1
    (tmp_path / "x.zip").write_bytes(data)
    with pytest.raises(BadArchive, match=r"'cat/1\.jpg' is encrypted"):
        list_zip(tmp_path / "x.zip")


def test_a_zip_that_claims_absurd_sizes_is_refused(tmp_path: Path):
    data = bytearray(zipped(tmp_path / "x.zip", *(f"cat/{i}.jpg" for i in range(40))).read_bytes())
    at = -1
    while (at := data.find(b"PK\1\2", at + 1)) >= 0:
        data[at + 24 : at + 28] = struct.pack("<I", 2**32 - 2)
    (tmp_path / "x.zip").write_bytes(data)
    with pytest.raises(BadArchive, match="claims more than 64 GB"):
        list_zip(tmp_path / "x.zip")


@pytest.mark.parametrize("data", [b"", b"PK\3\4 and no more", b"GIF89a", b"PK\5\6" + b"\xff" * 18])
def test_what_is_no_zip_is_refused(data, tmp_path: Path):
    (tmp_path / "x.zip").write_bytes(data)
    with pytest.raises(BadArchive, match=r"no \.zip file or damaged"):
        list_zip(tmp_path / "x.zip")


def test_links_pipes_and_second_entries_in_a_zip_are_left_out(tmp_path: Path):
    link, pipe = zipfile.ZipInfo("cat/link.jpg"), zipfile.ZipInfo("cat/pipe.jpg")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    pipe.external_attr = (stat.S_IFIFO | 0o666) << 16
    with pytest.warns(UserWarning, match="Duplicate name"):
        zipped(tmp_path / "x.zip", "cat/1.jpg", link, pipe, "cat/1.jpg")
    with list_zip(tmp_path / "x.zip") as listing:
        assert paths(listing) == ["cat/1.jpg"]
        assert dict(listing.left_out) == {"cat/link.jpg": LINK_OUT, "cat/pipe.jpg": NOT_A_FILE, "cat/1.jpg": SECOND}


def test_the_identity_of_a_zip_changes_with_its_content(tmp_path: Path):
    one = zip_identity(zipped(tmp_path / "x.zip", "cat/1.jpg", "cat/2.jpg"))
    about = (tmp_path / "x.zip").stat()
    os.utime(tmp_path / "x.zip", ns=(about.st_atime_ns, about.st_mtime_ns))
    assert zip_identity(tmp_path / "x.zip") == one
    zipped(tmp_path / "x.zip", "cat/1.jpg", "cat/3.jpg")  # as many bytes
    os.utime(tmp_path / "x.zip", ns=(about.st_atime_ns, about.st_mtime_ns))
    assert zip_identity(tmp_path / "x.zip") != one
    many = [f"cat/{i}.jpg" for i in range(2000)]  # its directory is longer than the end of the file that is looked at anyway
    one = zip_identity(zipped(tmp_path / "x.zip", "cat/a.jpg", *many))
    zipped(tmp_path / "x.zip", "cat/b.jpg", *many)
    os.utime(tmp_path / "x.zip", ns=(about.st_atime_ns, about.st_mtime_ns))
    two = zip_identity(tmp_path / "x.zip")
    zipped(tmp_path / "x.zip", "cat/a.jpg", *many)
    os.utime(tmp_path / "x.zip", ns=(about.st_atime_ns, about.st_mtime_ns))
    assert zip_identity(tmp_path / "x.zip") not in (one, two)
    (tmp_path / "x.zip").write_bytes(b"no zip at all")
    assert zip_identity(tmp_path / "x.zip")
