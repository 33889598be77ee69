"""A folder, .zip or .tar shards of pictures -> a data set. Decoded once, all of it, then served from the cache."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple, TypeVar

import msgspec
import numpy as np
import PIL
from numpy.typing import NDArray

from wiesel.errors import EmptyClass, TooManyUnreadable, Undecodable
from wiesel.images import cache
from wiesel.images.dataset import SPLITS, DataSet, Images, LeftOut, Reason, fingerprint
from wiesel.images.decoding import SNIFF, Fit, Header, decode, header, kind, quiet
from wiesel.images.layout import Layout, Place, arrange
from wiesel.images.listing import FILE_LIMIT, TOO_LONG, Entry, Listing, printable, visible, zip_identity
from wiesel.images.shards import listed, shards_identity, shards_of

FORMAT = 1
"""Raised when what the cache holds changes its meaning."""

LARGEST_OWN_SIZE = 96
"""Pictures that all have one size are left at it up to this side; otherwise they are brought to this size."""

# fmt: off
SUFFIXES = frozenset((
    ".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff", ".ppm", ".pgm", ".pbm", ".pnm", ".avif",
    ".heic", ".heif", ".jp2", ".jxl", ".ico",
))
# fmt: on
"""Names that claim to be a picture. One that is none, or of a format that is not read, counts as unreadable."""

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

NO_PICTURE = Reason("no picture", "kein Bild")

_BLOCK = 64 * 2**20
"""Bytes of decoded pictures that are in memory at a time while the cache is written."""

_PART = 16
"""Pictures per task of a thread."""

_SMALL = 8 * 2**10
"""Files of fewer bytes, on average, are read by one thread."""

T = TypeVar("T")
R = TypeVar("R")


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
        with listing or listed(path) as found, quiet():
            return _decode_all(path, found, identity, folder, size=size, channels=channels, fit=fit)

    return cache.stored(key, build)


def sizes_of(path: Path, wanted: Container[str]) -> dict[str, tuple[int, int]]:
    """(width, height) of the pictures with these printable paths, from their headers, before they were brought to one size."""
    with listed(path) as listing, quiet():
        entries = [entry for entry in listing.entries if printable(entry.path) in wanted]
        heads = _parallel(lambda entry: _look(listing, entry).header, entries, small=_are_small(entries))
        return {printable(entry.path): (head.width, head.height) for entry, head in zip(entries, heads, strict=True) if head}


class _Head(NamedTuple):
    """What the first look at a file says: a header, or why there is none. `candidate`: its name or its content says picture."""

    header: Header | None
    reason: Reason
    candidate: bool


def _decode_all(path: Path, listing: Listing, identity: str, folder: Path, *, size: int, channels: int, fit: Fit) -> cache.About:
    small = _are_small(listing.entries)
    heads = dict(zip(listing.entries, _parallel(lambda entry: _look(listing, entry), listing.entries, small=small), strict=True))
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

    by_path = {entry.path: entry for entry in listing.entries}

    def work(place: Place) -> tuple[NDArray[np.uint8], bytes] | Reason:
        return _read(listing, by_path[place.path], place.name, shape, target, fit)

    kept: list[Place] = []
    contents: list[bytes] = []
    with (folder / "pixels.bin").open("wb") as file:
        block = max(_PART, _BLOCK // int(np.prod(shape)))
        for place, result in zip(good, _parallel(work, good, small=small, block=block), strict=True):
            if isinstance(result, Reason):
                bad[place.path] = result
            else:
                file.write(result[0].data)
                contents.append(result[1])
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


def _look(listing: Listing, entry: Entry) -> _Head:
    claims = _suffix(entry.path) in SUFFIXES
    if entry.size > FILE_LIMIT:
        return _Head(None, TOO_LONG if claims else NO_PICTURE, claims)
    try:
        with listing.open(entry) as file:
            start = file.read(SNIFF)
            if kind(start) is None and not claims:
                return _Head(None, NO_PICTURE, False)
            file.seek(0)
            return _Head(header(file), NO_PICTURE, True)
    except Undecodable as error:
        return _Head(None, error.reason, True)
    except Exception as error:  # the archive or the disc: whatever it is, it is this file's reason
        return _Head(None, _unreachable(error), claims)


def _read(
    listing: Listing, entry: Entry, name: str, shape: tuple[int, int, int], target: tuple[int, int] | None, fit: Fit
) -> tuple[NDArray[np.uint8], bytes] | Reason:
    try:
        data = listing.read(entry)
        picture = decode(data, channels=shape[2], size=target, fit=fit, name=name)
    except Undecodable as error:
        reason: Reason = error.reason
        return reason
    except MemoryError:
        raise
    except Exception as error:
        return _unreachable(error)
    if picture.shape != shape:
        return Reason("its size is not the one in its header", "die Grösse ist nicht die im Kopf")
    return np.ascontiguousarray(picture), hashlib.sha256(data).digest()


def _is_mislabelled(path: str, found: Header | None) -> bool:
    suffix = _suffix(path)
    return found is not None and suffix != "" and suffix not in _SUFFIXES_OF.get(found.format, ())


def _suffix(path: str) -> str:
    return os.path.splitext(path)[1].lower()  # noqa: PTH122 (60,000 of them, and Path is ten times slower)


def _unreachable(error: Exception) -> Reason:
    said = str(error) or type(error).__name__
    return Reason(f"cannot be read ({said})", f"nicht lesbar ({said})")


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


def _parallel(work: Callable[[T], R], items: Sequence[T], *, small: bool, block: int = 4096) -> Iterator[R]:
    """Results in order, at most `block` of them in memory.

    Threads, because Pillow decodes and scales outside Python's lock: photographs use all cores. A `small` picture is mostly Python's own
    work (0.2 ms), which threads cannot divide: they would only wait for each other. Processes would divide it, but need a guarded main
    module where they are spawned, which a person's script or notebook may not have.
    """
    if small:
        yield from map(work, items)
        return
    threads = min(8, len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1)
    with ThreadPoolExecutor(threads) as pool:
        for start in range(0, len(items), block):
            end = min(start + block, len(items))
            parts = [items[i : min(i + _PART, end)] for i in range(start, end, _PART)]
            for part in pool.map(lambda some: [work(item) for item in some], parts):
                yield from part


def _are_small(entries: Sequence[Entry]) -> bool:
    return sum(entry.size for entry in entries) < _SMALL * len(entries)
