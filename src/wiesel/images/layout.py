"""From file paths to splits and classes.

DIR/cat/1.jpg                  one folder per class, at any depth below it
DIR/train/cat/1.jpg            the same per split: train, val, test (also training, valid, validation, testing)
DIR/pets/train/cat/1.jpg       one folder around it all, as .zip files have, is taken off
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from wiesel.errors import EmptyClass, EmptyFolder, NoClassFolders, NoTrainingSplit, OneClass, SplitTwice, UnknownClass
from wiesel.images.dataset import SPLITS, Reason, natural
from wiesel.images.listing import printable

_ALIASES = {
    "train": "train",
    "training": "train",
    "val": "validation",
    "valid": "validation",
    "validation": "validation",
    "test": "test",
    "testing": "test",
}

NO_CLASS = Reason("in no class folder", "in keinem Klassenordner")
NO_SPLIT = Reason("outside the folders of train, validation and test", "ausserhalb der Ordner von train, validation und test")


class Place(msgspec.Struct, frozen=True, gc=False):
    """Where one picture belongs. `name` is its path without a folder around it all."""

    path: str
    name: str
    split: str
    label: int


@dataclass(frozen=True)
class Layout:
    classes: tuple[str, ...]
    places: tuple[Place, ...]
    """By split, class and natural order of the names."""
    left_out: tuple[tuple[str, Reason], ...]
    around: str
    """The folder around it all, with a "/" at its end, or empty."""


def arrange(source: Path, paths: Sequence[str], folders: Iterable[str], *, files: int) -> Layout:
    """Splits and classes of these pictures.

    Args:
        paths: every picture's path below `source`.
        folders: every folder's, also the empty ones.
        files: how many other files there are, for the error.

    Raises:
        EmptyFolder, NoClassFolders, OneClass, EmptyClass, NoTrainingSplit, SplitTwice, UnknownClass.
    """
    if not paths:
        raise EmptyFolder(path=source, files=files)
    around = _around([path.split("/") for path in paths])
    parts = {path: tuple(path.split("/")[around:]) for path in paths}
    splits = _splits(source, set(parts.values()))
    depth = 2 if splits else 1

    left_out: list[tuple[str, Reason]] = []
    found: list[tuple[str, str, str]] = []
    for path, names in parts.items():
        if splits and names[0] not in splits:
            left_out.append((path, NO_SPLIT))
        elif len(names) <= depth:
            left_out.append((path, NO_CLASS))
        else:
            found.append((path, splits.get(names[0], "train") if splits else "train", _class(names[depth - 1])))
    if not any(split == "train" for _, split, _ in found):
        raise NoClassFolders(path=source, count=len(paths))

    classes = _classes(source, found)
    outer = paths[0].split("/")[:around]
    inner = [parts[around:] for parts in (folder.split("/") for folder in folders) if parts[:around] == outer]
    _refuse_empty(source, classes, inner, splits)
    number = {name: i for i, name in enumerate(classes)}
    name_of = _distinct({path: printable("/".join(parts[path])) for path, _, _ in found})
    places = [Place(path, name_of[path], split, number[name]) for path, split, name in found]
    places.sort(key=lambda place: (SPLITS.index(place.split), place.label, natural(place.name)))
    return Layout(classes, tuple(places), tuple(left_out), printable("".join(f"{folder}/" for folder in outer)))


def _around(paths: Sequence[Sequence[str]]) -> int:
    """How many single folders lie, one in the other, around class folders or the folders of splits."""
    depth = 0
    while all(len(path) > depth + 1 for path in paths):
        level = {path[depth] for path in paths}
        if len(level) > 1 or level.pop().lower() in _ALIASES:
            return depth
        depth += 1
    return 0


def _splits(source: Path, paths: set[tuple[str, ...]]) -> dict[str, str]:
    """Top folder -> split; empty if the top folders are classes.

    A folder `train` may hold vehicles. It and its like are splits if there are no other folders, or if `train` has folders with
    pictures in it and a partner (val or test); other folders are then left out.
    """
    tops = {path[0] for path in paths if len(path) > 1}
    splits = {name: _ALIASES[name.lower()] for name in sorted(tops) if name.lower() in _ALIASES}
    deep = any(len(path) > 2 and splits.get(path[0]) == "train" for path in paths)
    if not splits or (len(splits) < len(tops) and not (deep and len(set(splits.values())) > 1)):
        return {}
    if "train" not in splits.values():
        raise NoTrainingSplit(path=source, found=", ".join(splits))
    for split in SPLITS:
        same = [name for name, of in splits.items() if of == split]
        if len(same) > 1:
            raise SplitTwice(path=source, first=same[0], second=same[1])
    return splits


def _class(folder: str) -> str:
    return unicodedata.normalize("NFC", printable(folder))  # macOS writes ä as two characters, others as one


def _classes(source: Path, found: Sequence[tuple[str, str, str]]) -> tuple[str, ...]:
    classes = tuple(sorted({name for _, split, name in found if split == "train"}, key=natural))
    for split in SPLITS[1:]:
        for name in sorted({name for _, of, name in found if of == split}, key=natural):
            if name not in classes:
                known = ", ".join(classes[:10]) + (", …" if len(classes) > 10 else "")
                raise UnknownClass(path=source, split=split, name=name, known=known)
    if len(classes) == 1:
        raise OneClass(path=source, name=classes[0])
    return classes


def _refuse_empty(source: Path, classes: Sequence[str], folders: Iterable[Sequence[str]], splits: dict[str, str]) -> None:
    for folder in folders:
        in_training = not splits or (len(folder) == 2 and splits.get(folder[0]) == "train")
        if in_training and len(folder) == (2 if splits else 1) and _class(folder[-1]) not in classes:
            raise EmptyClass(path=source, name=_class(folder[-1]))


def _distinct(names: dict[str, str]) -> dict[str, str]:
    """Two paths may only look alike once their bytes are made printable; the later one then gets a number."""
    used: set[str] = set()
    for path in sorted(names):
        plain, count = names[path], 1
        while names[path] in used:
            count += 1
            names[path] = f"{plain}~{count}"
        used.add(names[path])
    return names
