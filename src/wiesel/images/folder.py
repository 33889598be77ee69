"""A folder, .zip or .tar shards of pictures -> a data set. Decoded once, all of it, then served from the cache."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Container, Iterable, Iterator, Sequence
from pathlib import Path

import msgspec
import numpy as np
import PIL
from numpy.typing import NDArray

from wiesel.errors import EmptyClass, TooManyUnreadable
from wiesel.images import cache
from wiesel.images.crew import Crew
from wiesel.images.dataset import SPLITS, DataSet, Images, LeftOut, Reason, fingerprint
from wiesel.images.decoding import Fit, Header, quiet
from wiesel.images.layout import Layout, Place, arrange
from wiesel.images.listing import Entry, Listing, printable, visible, zip_identity
from wiesel.images.shards import listed, shards_identity, shards_of
from wiesel.images.visits import LARGEST_OWN_SIZE, Head, Look, Picture, Read, suffix

FORMAT = 2
"""Raised when what the cache holds changes its meaning."""

_SUFFIXES_OF = {
    "JPEG": (".jpg", ".jpeg", ".jpe", ".jfif"),
    "MPO": (".jpg", ".jpeg", ".jpe", ".jfif"),
    "PNG": (".png",),
    "WEBP": (".webp",),
    "AVIF": (".avif",),
    "BMP": (".bmp",),
    "GIF": (".gif",),
    "TIFF": (".tif", ".tiff"),
    "PPM": (".ppm", ".pgm", ".pbm", ".pnm"),
}

_BLOCK = 64 * 2**20
"""Bytes of decoded pictures that are in memory at a time while the cache is written."""

_KEPT = 256 * 2**20
"""Bytes of small pictures that are kept from the first look on; what is beyond is decoded again."""

_LOOKS = 4096
"""Files that are looked at before the bytes are counted again."""


def load_folder(path: Path, *, size: int, channels: int, fit: Fit, unreadable: float) -> DataSet:
    """See `loading.load`."""
    entry = decoded(path, size=size, channels=channels, fit=fit)
    about = entry.about
    if about.unreadable and len(about.unreadable) > unreadable * about.candidates:
        first = "; ".join(f"{visible(item.path)} ({Reason(item.en, item.de)})" for item in about.unreadable[:3])
        raise TooManyUnreadable(count=len(about.unreadable), total=about.candidates, path=path, allowed=unreadable, first=first)
    names = np.array(entry.names, dtype=np.str_)
    splits, start = {}, 0
    for split, count in zip(SPLITS, about.counts, strict=True):
        rows = slice(start, start + count)
        splits[split] = Images(entry.pixels[rows], entry.labels[rows], names[rows]) if count else None
        start += count
    train = splits["train"]
    assert train is not None
    return DataSet(
        name=printable(path.stem if path.is_file() else path.resolve().name),
        classes=tuple(about.classes),
        train=train,
        validation=splits["validation"],
        test=splits["test"],
        source=printable(str(path)),
        fingerprint=about.fingerprint,
        left_out=tuple(LeftOut(item.path, str(Reason(item.en, item.de))) for item in (*about.unreadable, *about.left_out)),
    )


def decoded(path: Path, *, size: int, channels: int, fit: Fit) -> cache.Stored:
    """The decoded pictures of a folder or .zip, from the cache if nothing has changed since.

    Raises:
        PicturesError: the layout is not usable, or the archive is not to be read.
    """
    listing = None
    if shards := shards_of(path):
        identity = shards_identity(path, shards)
    elif path.is_dir():
        listing = listed(path)
        identity = listing.identity()
    else:
        identity = zip_identity(path)
    settings = f"{FORMAT} {PIL.__version__} {identity} {size} {channels} {fit}"
    key = hashlib.sha256(settings.encode()).hexdigest()[:40]
    if (there := cache.opened(key)) is not None:
        return there

    def build(folder: Path) -> cache.About:
        with listing or listed(path) as found, quiet(), Crew(found, found.entries) as crew:
            return _decode_all(path, found, crew, identity, folder, size=size, channels=channels, fit=fit)

    return cache.stored(key, build)


def sizes_of(path: Path, wanted: Container[str]) -> dict[str, tuple[int, int]]:
    """(width, height) of the pictures with these printable paths, from their headers, before they were brought to one size."""
    with listed(path) as listing, quiet():
        entries = [entry for entry in listing.entries if printable(entry.path) in wanted]
        with Crew(listing, entries) as crew:
            heads = [head.header for head in crew.look(Look(), entries)]
        return {printable(entry.path): (head.width, head.height) for entry, head in zip(entries, heads, strict=True) if head}


def _decode_all(
    path: Path, listing: Listing, crew: Crew, identity: str, folder: Path, *, size: int, channels: int, fit: Fit
) -> cache.About:
    first = Look(pixels=size <= LARGEST_OWN_SIZE, channels=channels, size=size)
    heads = dict(zip(listing.entries, _heads(crew, first, listing.entries), strict=True))
    candidates = {entry.path: head for entry, head in heads.items() if head.candidate}
    layout = arrange(path, list(candidates), listing.folders, files=len(heads) - len(candidates))
    left_out = [*listing.left_out, *layout.left_out]
    left_out += [(entry.path, head.reason) for entry, head in heads.items() if not head.candidate]

    good = [place for place in layout.places if candidates[place.path].header is not None]
    bad = {place.path: candidates[place.path].reason for place in layout.places if candidates[place.path].header is None}
    _refuse_bare_class(path, layout, good)
    headers = [candidates[place.path].header for place in good]
    shape, target = _shape([head for head in headers if head is not None], size, channels)
    cache.refuse_if_full(folder, len(good) * int(np.prod(shape)))

    kept: list[Place] = []
    contents: list[bytes] = []
    entries = {entry.path: entry for entry in listing.entries}
    pictures = _pictures(
        crew, Read(shape, target is not None, fit), [(entries[place.path], candidates[place.path]) for place in good]
    )
    with (folder / "pixels.bin").open("wb", buffering=1 << 20) as file:
        for place, result in zip(good, pictures, strict=True):
            if isinstance(result, Reason):
                bad[place.path] = result
            else:
                file.write(result.pixels)
                contents.append(result.sha256)
                kept.append(place)
    _refuse_bare_class(path, layout, kept)

    labels = np.array([place.label for place in kept], np.int64)
    np.save(folder / "labels.npy", labels, allow_pickle=False)
    np.save(folder / "sha256.npy", np.frombuffer(b"".join(contents), np.uint8).reshape(-1, 32), allow_pickle=False)
    (folder / "names.json").write_bytes(msgspec.json.encode([place.name for place in kept]))
    return cache.About(
        source=printable(os.path.realpath(path)),
        identity=identity,
        classes=list(layout.classes),
        shape=shape,
        counts=[sum(place.split == split for place in kept) for split in SPLITS],
        candidates=len(layout.places),
        unreadable=[cache.Refusal(printable(file), *bad[file]) for file in sorted(bad)],
        left_out=[cache.Refusal(printable(file), *reason) for file, reason in sorted(left_out)],
        around=layout.around,
        mislabelled=[printable(place.path) for place in good if _is_mislabelled(place.path, candidates[place.path].header)],
        fingerprint=_fingerprint(layout, kept, contents, labels),
        sizes={},
    )


def _heads(crew: Crew, look: Look, entries: Sequence[Entry]) -> Iterator[Head]:
    kept = 0
    sizes: set[tuple[int, int]] = set()
    for start in range(0, len(entries), _LOOKS):
        for head in crew.look(look, entries[start : start + _LOOKS]):
            kept += len(head.picture.pixels) if head.picture is not None else 0
            if head.header is not None:
                sizes.add((head.header.height, head.header.width))
            yield head
        if kept > _KEPT or (
            not look.size and len(sizes) > 1
        ):  # pictures of several sizes are resized, so that none is shown as it is
            look = Look()


def _pictures(crew: Crew, read: Read, files: Sequence[tuple[Entry, Head]]) -> Iterator[Picture | Reason]:
    """In order: those that the first look has shown in this shape, and the others, which are read now."""
    block = max(1, _BLOCK // int(np.prod(read.shape)))
    for start in range(0, len(files), block):
        part = files[start : start + block]
        others = crew.read(read, [entry for entry, head in part if not head.shows(read.shape)])
        for _, head in part:
            yield head.picture if head.picture is not None and head.shows(read.shape) else next(others)


def _is_mislabelled(path: str, found: Header | None) -> bool:
    end = suffix(path)
    return found is not None and end != "" and end not in _SUFFIXES_OF.get(found.format, ())


def _shape(headers: Sequence[Header], size: int, channels: int) -> tuple[tuple[int, int, int], tuple[int, int] | None]:
    """(H, W, C) of the result, and (H, W) to which each picture is brought (`None`: it has that size)."""
    channels = channels or (1 if all(head.grey for head in headers) else 3)
    own = {(head.height, head.width) for head in headers}
    if size == 0 and len(own) == 1:
        height, width = own.pop()
        if max(height, width) <= LARGEST_OWN_SIZE:
            return (height, width, channels), None
    side = size or LARGEST_OWN_SIZE
    return (side, side, channels), (side, side)


def _refuse_bare_class(path: Path, layout: Layout, places: Iterable[Place]) -> None:
    left = {place.label for place in places if place.split == "train"}
    for label, name in enumerate(layout.classes):
        if label not in left:
            raise EmptyClass(path=path, name=name)


def _fingerprint(layout: Layout, places: Sequence[Place], contents: Sequence[bytes], labels: NDArray[np.int64]) -> str:
    splits = {}
    for split in SPLITS:
        rows = [row for row, place in enumerate(places) if place.split == split]
        if rows:
            names = np.array([places[row].name for row in rows], dtype=np.str_)
            splits[split] = ([contents[row] for row in rows], labels[rows], names)
    return fingerprint(layout.classes, splits)
