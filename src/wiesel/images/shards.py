"""Pictures in .tar shards, in WebDataset's layout or in class folders: listed once, then read in place like files of a folder.

train-000000.tar               a shard; its name's first word says the split, if it is train, val or test
    000017.jpg                 a picture
    000017.cls                 the class of the picture with the same key: a number or a name
cats.tar                       without .cls files: cat/001.jpg, train/cat/001.jpg, as in a folder or a .zip

A .tar has no directory, so the first look walks over its headers, without reading what lies between them. What counts is what unpacking
would leave: of several entries with one name the last, and a hard link as the file that it names.
"""

from __future__ import annotations

import hashlib
import io
import posixpath
import re
import tarfile
from collections import defaultdict
from copy import copy
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from wiesel.errors import BadArchive
from wiesel.images.dataset import Reason
from wiesel.images.listing import (
    ENTRY_LIMIT,
    HIDDEN,
    LINK_BROKEN,
    NOT_A_FILE,
    SECOND,
    TOTAL_LIMIT,
    Entry,
    Listing,
    is_hidden,
    list_folder,
    list_zip,
    printable,
    touched,
)

LABEL = ".cls"
LABEL_LIMIT = 256
"""Bytes of the longest class name."""

NO_LABEL = Reason("a picture without a .cls beside it", "ein Bild ohne .cls daneben")
SOFT_LINK = Reason("a symbolic link in a .tar", "ein symbolischer Verweis in einem .tar")
SPARSE = Reason("stored with holes (a sparse file)", "mit Lücken gespeichert (eine sparse-Datei)")

_SPLIT = re.compile(r"^(train|training|val|valid|validation|test|testing)(?![a-z])", re.IGNORECASE)


@dataclass
class ShardListing(Listing):
    """A listing whose files lie inside others: `where` is path -> (shard, first byte)."""

    where: dict[str, tuple[Path, int]] = field(default_factory=dict)

    def open(self, entry: Entry) -> BinaryIO:
        return io.BytesIO(self.read(entry))

    def read(self, entry: Entry) -> bytes:
        shard, start = self.where[entry.path]
        with shard.open("rb") as file:
            file.seek(start)
            return file.read(entry.size)


def listed(path: Path) -> Listing:
    """What a folder, a folder of shards, a .zip or a .tar holds.

    Raises:
        BadArchive: the file is damaged, compressed as a whole, absurdly large, or has names that lead out of it.
    """
    if shards := shards_of(path):
        return list_shards(path, shards)
    return list_folder(path) if path.is_dir() else list_zip(path)


def shards_of(path: Path) -> list[Path]:
    """The .tar files that a source consists of; none if it is no such source, as a folder with folders in it: a .tar beside them is a file."""
    if path.is_file():
        return [path] if path.suffix.lower() == ".tar" else []
    shards = sorted(found for found in path.glob("*.tar") if found.is_file() and not is_hidden(found.name))
    if shards and any(found.is_dir() and not is_hidden(found.name) for found in path.iterdir()):
        return []
    return shards


def list_shards(path: Path, shards: list[Path]) -> ShardListing:
    """Every file of all shards, as `class/…` or `split/class/…`."""
    listing = ShardListing(path.resolve())
    total = 0
    for shard in shards:
        about = shard.stat()
        members = _members(listing, shard)
        total += sum(member.size for member in members)
        if total > TOTAL_LIMIT or len(listing.entries) + len(members) > ENTRY_LIMIT:
            raise _bad(shard, "the shards claim too many files or bytes", "die Shards geben zu viele Dateien oder Bytes an")
        for name, member in _places(listing, shard, members):
            if name in listing.where:
                listing.left_out.append((name, SECOND))
                continue
            listing.where[name] = (shard, member.offset_data)
            listing.entries.append(Entry(name, member.size, touched(about) ^ member.offset_data))
            parts = name.split("/")[:-1]
            listing.folders.update("/".join(parts[: i + 1]) for i in range(len(parts)))
    listing.entries.sort(key=lambda entry: entry.path)
    listing.left_out.sort(key=lambda item: item[0])
    return listing


def shards_identity(path: Path, shards: list[Path]) -> str:
    """sha256 over every shard's path, size and time of change, without opening any."""
    total = hashlib.sha256(printable(str(path.resolve())).encode())
    for shard in shards:
        about = shard.stat()
        total.update(b"\0" + printable(shard.name).encode() + b"\0%d %d" % (about.st_size, touched(about)))
    return total.hexdigest()


def _members(listing: Listing, shard: Path) -> list[tarfile.TarInfo]:
    """The plain files of a shard that is not compressed."""
    last: dict[str, tarfile.TarInfo] = {}
    try:
        with tarfile.open(shard, "r:") as archive:
            for member in archive:
                name = member.name.replace("\\", "/")
                if name.startswith("/") or ".." in name.split("/"):
                    raise _bad(shard, f"its entry {name[:80]!r} leads out of it", f"ihr Eintrag {name[:80]!r} führt aus ihr hinaus")
                if member.isdir():
                    continue
                place = posixpath.normpath(member.name)
                if place in last:
                    listing.left_out.append((f"{shard.name}/{member.name}", SECOND))
                last[place] = _linked(member, last)
            if not _ends(shard, archive.offset):
                raise _bad(
                    shard, "it is damaged or cut short (no end mark)", "sie ist beschädigt oder abgeschnitten (das Ende fehlt)"
                )
    except (tarfile.TarError, OSError, EOFError) as error:
        raise _bad(
            shard, f"it is no plain .tar file or damaged ({error})", f"es ist keine einfache .tar-Datei oder beschädigt ({error})"
        ) from error
    found = []
    for place, member in last.items():
        if (reason := _unusable(place, member)) is None:
            found.append(member)
        else:
            listing.left_out.append((f"{shard.name}/{member.name}", reason))
    return found


def _linked(member: tarfile.TarInfo, before: dict[str, tarfile.TarInfo]) -> tarfile.TarInfo:
    """A hard link has no content of its own: what it names stands before it."""
    target = before.get(posixpath.normpath(member.linkname)) if member.islnk() else None
    if target is None:
        return member
    found = copy(target)
    found.name = member.name
    return found


def _ends(shard: Path, start: int) -> bool:
    """Whether zeros stand where the next entry would begin: POSIX asks for two blocks, but after one of them nothing is missing."""
    with shard.open("rb") as file:
        file.seek(start)
        return file.read(tarfile.BLOCKSIZE) == bytes(tarfile.BLOCKSIZE)


def _unusable(place: str, member: tarfile.TarInfo) -> Reason | None:
    if any(is_hidden(part) for part in place.split("/")):
        return HIDDEN
    if member.issym():
        return SOFT_LINK
    if member.islnk():
        return LINK_BROKEN
    if not member.isreg():
        return NOT_A_FILE
    return SPARSE if member.issparse() else None


def _places(listing: ShardListing, shard: Path, members: list[tarfile.TarInfo]) -> list[tuple[str, tarfile.TarInfo]]:
    """(path as if it lay in a folder, member) of each picture: "class/shard-name", or "class/shard/name" if that is taken, because a "/"
    in the name became a "-" that another has."""
    labels = {key_of(member.name): member for member in members if member.name.lower().endswith(LABEL)}
    if not labels:
        return [(member.name.removeprefix("./"), member) for member in members]
    split = _SPLIT.match(shard.name)
    before = f"{split[1].lower()}/" if split else ""
    by_key: dict[str, list[tarfile.TarInfo]] = defaultdict(list)
    for member in members:
        if not member.name.lower().endswith(LABEL):
            by_key[key_of(member.name)].append(member)
    found: dict[str, tarfile.TarInfo] = {}
    with shard.open("rb") as file:
        for key, pictures in by_key.items():
            if key not in labels:
                listing.left_out += [(f"{shard.name}/{member.name}", NO_LABEL) for member in pictures]
                continue
            file.seek(labels[key].offset_data)
            label = _label(shard, labels[key], file.read(min(labels[key].size, LABEL_LIMIT + 1)))
            for member in pictures:
                flat = f"{before}{label}/{shard.stem}-{member.name.replace('/', '-')}"
                taken = flat in found or flat in listing.where
                found[f"{before}{label}/{shard.stem}/{member.name}" if taken else flat] = member
    return list(found.items())


def key_of(name: str) -> str:
    """WebDataset's key: the path up to the first dot of its last part."""
    folder, _, last = name.rpartition("/")
    return f"{folder}/{last.split('.', 1)[0]}"


def _label(shard: Path, member: tarfile.TarInfo, content: bytes) -> str:
    try:
        label = content.decode("utf-8").strip()
    except UnicodeDecodeError:
        label = ""
    if not label or len(content) > LABEL_LIMIT or "/" in label or label in (".", "..") or not label.isprintable():
        raise _bad(shard, f"{member.name!r} holds no class", f"{member.name!r} enthält keine Klasse")
    return label


def _bad(path: Path, en: str, de: str) -> BadArchive:
    return BadArchive(path=path, reason=Reason(en, de))
