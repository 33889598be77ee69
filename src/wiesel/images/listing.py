"""Which files a folder or a .zip holds, and how to read one: nothing is unpacked, nothing that is no plain file is opened."""

from __future__ import annotations

import hashlib
import io
import os
import stat
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

import msgspec

from wiesel.errors import BadArchive
from wiesel.images.dataset import Reason

FILE_LIMIT = 256 * 2**20
"""Bytes of the largest picture file that is read."""

TOTAL_LIMIT = 64 * 2**30
"""Bytes that the entries of a .zip may claim together."""

ENTRY_LIMIT = 5_000_000

_WHOLE = 1 << 20
"""A .zip entry up to this size is read at once, because going back in it would mean to unpack it again."""

_AT_ONCE = 1 << 16
"""A file up to this size too: Pillow reads a header in twenty small steps, which take longer on a file than all of it at once."""

_SYSTEM = frozenset({"thumbs.db", "desktop.ini", "icon\r", "__macosx", "$recycle.bin", "system volume information", "@eadir"})

HIDDEN = Reason("hidden or made by an operating system", "versteckt oder vom Betriebssystem angelegt")
NOT_A_FILE = Reason("no plain file (pipe, socket or device)", "keine gewöhnliche Datei (Pipe, Socket oder Gerät)")
LINK_OUT = Reason("a link that leads out of the folder", "ein Verweis, der aus dem Ordner hinausführt")
LINK_TWICE = Reason("a link to something that is counted already", "ein Verweis auf etwas, das schon gezählt ist")
LINK_BROKEN = Reason("a link that leads nowhere", "ein Verweis ins Leere")
NO_ACCESS = Reason("no permission to read it", "keine Leseberechtigung")
GONE = Reason("vanished while the folder was listed", "verschwunden, während der Ordner gelistet wurde")
SECOND = Reason("a second entry of the same name", "ein zweiter Eintrag gleichen Namens")
TOO_LONG = Reason(f"larger than {FILE_LIMIT >> 20} MB", f"grösser als {FILE_LIMIT >> 20} MB")


class Entry(msgspec.Struct, frozen=True, gc=False):
    """A plain file: its path below the source ("/" between the parts), its size, and a stamp that changes with its content."""

    path: str
    size: int
    stamp: int


@dataclass
class Listing:
    """What a source holds. Close it (`with`) when all is read."""

    root: Path
    entries: list[Entry] = field(default_factory=list)
    folders: set[str] = field(default_factory=set)
    left_out: list[tuple[str, Reason]] = field(default_factory=list)
    archive: zipfile.ZipFile | None = None

    def __enter__(self) -> Listing:
        return self

    def __exit__(self, *_: object) -> None:
        if self.archive is not None:
            self.archive.close()

    def identity(self) -> str:
        """sha256 over every path, size and time of change: the same value means that nothing was touched."""
        total = hashlib.sha256(printable(str(self.root)).encode())
        for entry in self.entries:
            total.update(b"\0" + printable(entry.path).encode() + b"\0%d %d" % (entry.size, entry.stamp))
        for path in sorted(self.folders):
            total.update(b"\1" + printable(path).encode())
        for path, reason in self.left_out:
            total.update(b"\2" + printable(path).encode() + reason.en.encode())
        return total.hexdigest()

    def open(self, entry: Entry) -> BinaryIO:
        """For reading the header; to be closed."""
        if entry.size <= (_AT_ONCE if self.archive is None else _WHOLE):
            return io.BytesIO(self.read(entry))
        if self.archive is None:
            return _open_plain(self._place(entry))
        return self.archive.open(entry.path)  # type: ignore[return-value]

    def read(self, entry: Entry) -> bytes:
        """All bytes, at most one more than the size says."""
        if self.archive is None:
            return _read_plain(self._place(entry), entry.size + 1)
        with self.archive.open(entry.path) as member:
            return member.read(entry.size + 1)

    def _place(self, entry: Entry) -> str:
        return f"{self.root}{os.sep}{entry.path}"  # joining paths as `Path` takes as long as opening the file


def printable(path: str) -> str:
    """The path as text that can be written anywhere: bytes that are no UTF-8 become `\\xe9`."""
    try:
        return path.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    except UnicodeEncodeError:  # half a UTF-16 pair, as Windows allows
        return path.encode("utf-8", "backslashreplace").decode("utf-8")


def visible(path: str) -> str:
    """A printable path on one line, without signs that would control a terminal."""
    return "".join(sign if sign.isprintable() else sign.encode("unicode_escape").decode() for sign in path)


def _open_plain(path: str) -> BinaryIO:
    return os.fdopen(_descriptor(path), "rb")


def _read_plain(path: str, length: int) -> bytes:
    """Without Python's file object, which takes longer than reading a small file."""
    descriptor = _descriptor(path)
    try:
        data = os.read(descriptor, length)
        while len(data) < length and (more := os.read(descriptor, length - len(data))):
            data += more
        return data
    finally:
        os.close(descriptor)


def _descriptor(path: str) -> int:
    """A pipe that took a file's place since it was listed would block for ever; so open without waiting, and look again."""
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(NOT_A_FILE.en)
    return descriptor


def is_hidden(name: str) -> bool:
    return name.startswith(".") or name.lower() in _SYSTEM


def touched(about: os.stat_result) -> int:
    """Changes with the content, also where the time of the last change is set back or is that of another file which takes its place."""
    return about.st_mtime_ns + about.st_ctime_ns


# --- folder ------------------------------------------------------------------------------------------------------------------


def list_folder(path: Path) -> Listing:
    """Every file below `path`. A link counts if it leads to a place inside that is not counted otherwise, and then once."""
    root = Path(os.path.realpath(path))
    listing = Listing(root)
    links: list[str] = []
    seen: set[str] = {str(root)}
    _walk(listing, "", links, seen)
    while links:
        link = min(links)  # a link may lead to further links; the order must not depend on the file system
        links.remove(link)
        _follow(listing, link, links, seen)
    listing.entries.sort(key=lambda entry: entry.path)
    listing.left_out.sort(key=lambda item: item[0])
    return listing


def _walk(listing: Listing, start: str, links: list[str], seen: set[str]) -> None:
    waiting = [start]
    while waiting:
        folder = waiting.pop()
        below = f"{folder}/" if folder else ""
        try:
            found = sorted(os.scandir(listing.root / folder), key=lambda item: item.name)
        except OSError:
            listing.left_out.append((folder or ".", NO_ACCESS))
            continue
        for item in found:
            path = below + item.name
            is_folder = item.is_dir(follow_symlinks=False)
            if is_hidden(item.name):
                listing.left_out.append((path, HIDDEN))
            elif item.is_symlink():
                links.append(path)
            elif is_folder:
                if _first_time(item.path, start, seen):
                    listing.folders.add(path)
                    waiting.append(path)
            elif item.is_file(follow_symlinks=False):
                if _first_time(item.path, start, seen):
                    _count(listing, path, item)
                else:
                    listing.left_out.append((path, LINK_TWICE))
            else:
                listing.left_out.append((path, NOT_A_FILE))


def _count(listing: Listing, path: str, file: os.DirEntry[str] | Path) -> None:
    try:
        about = file.stat(follow_symlinks=False)
    except OSError as error:
        listing.left_out.append((path, GONE if isinstance(error, FileNotFoundError) else NO_ACCESS))
    else:
        listing.entries.append(Entry(path, about.st_size, touched(about)))


def _first_time(path: str, start: str, seen: set[str]) -> bool:
    real = os.path.realpath(path) if start else path  # on the way from the root no link was followed: already real
    if real in seen:
        return False
    seen.add(real)
    return True


def _follow(listing: Listing, link: str, links: list[str], seen: set[str]) -> None:
    real = os.path.realpath(listing.root / link)
    if not Path(real).is_relative_to(listing.root):
        reason = LINK_OUT
    elif not os.path.lexists(real) or Path(real).is_symlink():  # realpath leaves a loop of links unresolved
        reason = LINK_BROKEN
    elif real in seen:
        reason = LINK_TWICE
    elif Path(real).is_dir():
        seen.add(real)
        listing.folders.add(link)
        return _walk(listing, link, links, seen)
    elif Path(real).is_file():
        seen.add(real)
        return _count(listing, link, Path(real))
    else:
        reason = NOT_A_FILE
    listing.left_out.append((link, reason))
    return None


# --- zip ---------------------------------------------------------------------------------------------------------------------


def list_zip(path: Path) -> Listing:
    """Every file in the archive.

    Raises:
        BadArchive: no .zip, encrypted, absurdly large, or with names that lead out of it.
    """
    try:
        archive = zipfile.ZipFile(path)
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        reason = Reason(f"it is no .zip file or damaged ({error})", f"es ist keine .zip-Datei oder beschädigt ({error})")
        raise BadArchive(path=path, reason=reason) from error
    listing = Listing(Path(path), archive=archive)
    try:
        for info in archive.infolist():  # for reading, zipfile keeps the name as it was
            info.filename = _name(info).replace("\\", "/")  # old Windows programs write "cat\1.jpg"
            archive.NameToInfo[info.filename] = info
        _check_archive(path, archive.infolist())
        for info in _first_of_each_name(listing, archive.infolist()):
            _sort_in(listing, info)
    except BaseException:
        archive.close()
        raise
    listing.entries.sort(key=lambda entry: entry.path)
    listing.left_out.sort(key=lambda item: item[0])
    return listing


def _name(info: zipfile.ZipInfo) -> str:
    """Many programs write names in UTF-8 without the flag that says so, and zipfile takes them for those of DOS (code page 437). Names of
    DOS with letters beyond ASCII are hardly ever valid UTF-8, so what is valid is UTF-8."""
    if info.flag_bits & 0x800:
        return info.filename
    try:
        return info.filename.encode("cp437").decode("utf-8")
    except UnicodeError:
        return info.filename


def zip_identity(path: Path) -> str:
    """sha256 over path, size, time of change and the archive's directory (names, sizes, checksums), without reading its files."""
    about = path.stat()
    total = hashlib.sha256(printable(os.path.realpath(path)).encode() + b"\0%d %d" % (about.st_size, about.st_mtime_ns))
    with path.open("rb") as file:
        file.seek(max(0, about.st_size - 65_557))  # the end record: 22 bytes and a comment of at most 65,535
        tail = file.read()
        end = tail.rfind(b"PK\5\6")
        if end >= 0 and len(tail) >= end + 20:
            length, start = (int.from_bytes(tail[end + at : end + at + 4], "little") for at in (12, 16))
            file.seek(min(start, about.st_size))
            total.update(file.read(min(length, 2**30)))
    total.update(tail)
    return total.hexdigest()


def _check_archive(path: Path, infos: Iterable[zipfile.ZipInfo]) -> None:
    total = 0
    for count, info in enumerate(infos, 1):
        total += info.file_size
        name = info.filename
        if name.startswith("/") or name[1:2] == ":" or ".." in name.split("/"):
            raise _bad(path, f"its entry {name[:80]!r} leads out of it", f"ihr Eintrag {name[:80]!r} führt aus ihr hinaus")
        if info.flag_bits & 1:
            raise _bad(path, f"its entry {name[:80]!r} is encrypted", f"ihr Eintrag {name[:80]!r} ist verschlüsselt")
        if total > TOTAL_LIMIT:
            raise _bad(path, f"it claims more than {TOTAL_LIMIT >> 30} GB", f"sie gibt mehr als {TOTAL_LIMIT >> 30} GB an")
        if count > ENTRY_LIMIT:
            raise _bad(path, f"it has more than {ENTRY_LIMIT} entries", f"sie hat mehr als {ENTRY_LIMIT} Einträge")


def _first_of_each_name(listing: Listing, infos: Iterable[zipfile.ZipInfo]) -> Iterator[zipfile.ZipInfo]:
    assert listing.archive is not None
    chosen = listing.archive.NameToInfo  # what reading by name gives: the last of a name
    for info in infos:
        if chosen[info.filename] is info:
            yield info
        else:
            listing.left_out.append((info.filename, SECOND))


def _sort_in(listing: Listing, info: zipfile.ZipInfo) -> None:
    path = info.filename.rstrip("/")
    *folders, _ = path.split("/")
    kind = stat.S_IFMT(info.external_attr >> 16)
    if any(is_hidden(part) for part in path.split("/")):
        listing.left_out.append((path, HIDDEN))
    elif kind == stat.S_IFLNK:
        listing.left_out.append((path, LINK_OUT))
    elif kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        listing.left_out.append((path, NOT_A_FILE))
    else:
        parents = ["/".join(folders[: i + 1]) for i in range(len(folders))]
        listing.folders.update(parents)
        if info.is_dir():
            listing.folders.add(path)
        else:
            listing.entries.append(Entry(info.filename, info.file_size, info.CRC))


def _bad(path: Path, en: str, de: str) -> BadArchive:
    return BadArchive(path=path, reason=Reason(en, de))
