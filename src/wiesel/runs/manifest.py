"""Size and sha256 of files, written down, and compared later: a flipped bit, a missing file or a half copy is found and named."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from pathlib import Path
from typing import TypedDict

import msgspec

from wiesel.errors import Damaged
from wiesel.language import say
from wiesel.runs.documents import damaged, opened, read_bytes

MANIFEST = "MANIFEST.json"
LARGEST_MANIFEST = 2**20


class Entry(TypedDict):
    """What a manifest says of a file: bytes, and sha256 in hexadecimal."""

    size: int
    sha256: str


Manifest = dict[str, Entry]


def verify(folder: Path, manifest: str = MANIFEST, required: Iterable[str] = ()) -> Manifest:
    """Compare every file that the manifest lists, and every `required` one, with its size and sha256.

    Returns the manifest.

    Raises:
        Damaged: names each file that is missing, altered, not listed or not a plain file of this folder.
    """
    entries, problems = _listed(folder, manifest, required)
    for name, entry in entries.items():
        try:
            if size_and_hash(folder / name, entry["size"]) != entry:
                problems[name] = _altered()
        except Damaged as error:
            problems |= error.problems
    if problems:
        raise damaged(folder, problems)
    return entries


def read_verified(folder: Path, names: Iterable[str], manifest: str = MANIFEST) -> dict[str, bytes]:
    """The named files, each read once and compared with the manifest: what is returned is what was checked.

    Raises:
        Damaged: as `verify`.
    """
    names = tuple(names)
    entries, problems = _listed(folder, manifest, names)
    found = {}
    for name in names:
        if name not in entries:
            continue
        try:
            found[name] = read_bytes(folder / name, limit=max(entries[name]["size"], 0))
            if {"size": len(found[name]), "sha256": hashlib.sha256(found[name]).hexdigest()} != entries[name]:
                problems[name] = _altered()
        except Damaged as error:
            problems |= error.problems
    if problems:
        raise damaged(folder, problems)
    return found


def size_and_hash(path: Path, expected: int | None = None) -> Entry:
    """What a manifest says of the file. A file of another size than `expected` is not read, and its hash is left empty.

    Raises:
        Damaged: no such plain file.
    """
    with opened(path) as file:
        size = os.fstat(file.fileno()).st_size
        if expected is not None and size != expected:
            return {"size": size, "sha256": ""}
        return {"size": size, "sha256": hashlib.file_digest(file, "sha256").hexdigest()}


def encoded(manifest: Manifest) -> bytes:
    """The bytes of a manifest: sorted, one fact per line."""
    return msgspec.json.format(msgspec.json.encode(manifest, order="sorted"), indent=1) + b"\n"


def hash_of(manifest: Manifest) -> str:
    """sha256 of the manifest's bytes: one value for a whole folder."""
    return hashlib.sha256(encoded(manifest)).hexdigest()


def _listed(folder: Path, manifest: str, required: Iterable[str]) -> tuple[Manifest, dict[str, str]]:
    """The manifest's entries, and for each required file that it leaves out a problem."""
    data = read_bytes(folder / manifest, limit=LARGEST_MANIFEST)
    try:
        entries = msgspec.json.decode(data, type=Manifest, strict=True)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
        raise damaged(folder, {manifest: say(en="not a manifest", de="kein Manifest")}) from error
    if any(not _plain_name(name) for name in entries):  # "../x" would lead out of the folder
        raise damaged(folder, {manifest: say(en="names a file outside the folder", de="nennt eine Datei ausserhalb des Ordners")})
    return entries, {name: say(en="not in the manifest", de="nicht im Manifest") for name in required if name not in entries}


def _plain_name(name: str) -> bool:
    return name not in ("", ".", "..") and not any(character in name for character in "/\\\0:")


def _altered() -> str:
    return say(en="altered", de="verändert")
