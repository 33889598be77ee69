"""One door for every source: a name, a folder, a .zip file, .tar shards."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import TypeGuard

from wiesel.errors import BadValue, FolderMissing, UnknownData, nearest
from wiesel.images.dataset import DataSet, Images
from wiesel.images.decoding import Fit, refit
from wiesel.images.folder import load_folder
from wiesel.images.sources import SOURCES, load_named


def load(
    source: str | Path,
    *,
    data_dir: Path | str | None = None,
    size: int = 0,
    channels: int = 0,
    fit: Fit = "crop",
    unreadable: float = 0.01,
) -> DataSet:
    """The pictures of a named data set, a folder or a .zip file, decoded, with the splits that the source itself has.

    Args:
        source: a name from `named()` (a folder of that name is meant by `./name`), or a path. A folder holds one folder per class,
            or train, val and test folders which do, or .tar shards.
        data_dir: where named data sets are looked for first, and put when fetched.
        size: side in pixels to which pictures are brought; 0: their own size if all agree and no side is above 96, else 96.
        channels: 1 grey, 3 colour; 0: grey if all pictures are, else colour.
        fit: how a picture that is not square becomes square: "crop", "pad" or "squash".
        unreadable: share of unreadable pictures from which on the whole is refused.

    Raises:
        UnknownData, FolderMissing, NotFetched: it is nowhere.
        PicturesError: it cannot be used as it is; each subclass says why.
        BadValue: a setting is outside its range.
    """
    for setting, value, fine, expected in (
        ("size", size, size == 0 or 4 <= size <= 1024, "4 to 1024 pixels, or 0 for automatic"),
        ("channels", channels, channels in (0, 1, 3), "1 (grey), 3 (colour) or 0 for automatic"),
        ("fit", fit, fit in ("crop", "pad", "squash"), "crop, pad or squash"),
        ("unreadable", unreadable, 0 <= unreadable <= 1, "a share between 0 and 1"),
    ):
        if not fine:
            raise BadValue(setting=setting, value=value, expected=expected)
    if is_name(source):
        return _refitted(load_named(source, data_dir=data_dir), size, channels, fit)
    path = Path(source).expanduser()
    if path.is_dir() or path.is_file():
        return load_folder(path, size=size, channels=channels, fit=fit, unreadable=unreadable)
    raise nowhere(source)


def nowhere(source: str | Path) -> FolderMissing | UnknownData:
    """The error about something that is neither there nor in the table: as a path or as a name, whichever it looks like."""
    path = Path(source).expanduser()
    if isinstance(source, Path) or path.suffix.lower() in (".zip", ".tar") or any(mark in source for mark in (os.sep, "/", "~")):
        return FolderMissing(path=path)
    return UnknownData(name=source, nearest=nearest(source, [row.name for row in SOURCES]))


def is_name(source: str | Path) -> TypeGuard[str]:
    """Whether this is the name of a data set in the table, and so not a path."""
    return isinstance(source, str) and any(row.name == source for row in SOURCES)


def _refitted(data: DataSet, size: int, channels: int, fit: Fit) -> DataSet:
    """Same pictures, same fingerprint, another size or number of channels."""

    def changed(images: Images | None) -> Images | None:
        if images is None:
            return None
        pixels = refit(images.pixels, channels=channels or images.pixels.shape[3], size=size or None, fit=fit)
        return images if pixels is images.pixels else replace(images, pixels=pixels)

    train = changed(data.train)
    assert train is not None
    return replace(data, train=train, validation=changed(data.validation), test=changed(data.test))
