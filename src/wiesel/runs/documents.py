"""The documents of a run (JSON, TOML), read from a folder that somebody else may have made.

A foreign run folder may hold links that lead out of it, pipes that never answer, or files of any size and depth. Here a file is
opened without following a link, must be a regular file, and is read up to a limit; JSON too deep or not JSON at all is `Damaged`.
"""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from io import BufferedReader
from pathlib import Path
from typing import Any

from wiesel.errors import Damaged
from wiesel.language import grouped, say
from wiesel.recipe import Recipe, from_toml

LARGEST_DOCUMENT = 256 * 2**20
"""Bytes. The split record of ten million pictures fits."""


def damaged(folder: Path, problems: Mapping[str, str]) -> Damaged:
    """The error for `problems`: file name -> what is wrong with it."""
    files = ", ".join(f"{name!r} ({problem})" for name, problem in problems.items())
    return Damaged(folder=str(folder), names=tuple(problems), files=files, problems=dict(problems))


@contextmanager
def opened(path: Path) -> Iterator[BufferedReader]:
    """A regular file, open for reading; a link in its place is not followed.

    Raises:
        Damaged: there is no such file, or it is something else, or it cannot be read.
    """
    # O_NONBLOCK: opening a pipe must not wait for somebody to write into it.
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    try:
        descriptor = os.open(path, flags)
        with os.fdopen(descriptor, "rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise damaged(path.parent, {path.name: say(en="not a regular file", de="keine gewöhnliche Datei")})
            yield file
    except FileNotFoundError as error:
        raise damaged(path.parent, {path.name: say(en="missing", de="fehlt")}) from error
    except OSError as error:
        raise damaged(path.parent, {path.name: error.strerror or "?"}) from error


def read_bytes(path: Path, limit: int = LARGEST_DOCUMENT) -> bytes:
    """The whole file, which may have at most `limit` bytes.

    Raises:
        Damaged: see `opened`; or the file is larger.
    """
    with opened(path) as file:
        size = os.fstat(file.fileno()).st_size
        data = file.read(size + 1) if size <= limit else None  # not limit + 1: so much would be set aside before anything is read
        if data is not None and len(data) > size:  # it grew meanwhile, or its system does not know its size
            data += file.read(limit + 1 - len(data))
    if data is None or len(data) > limit:
        raise damaged(path.parent, {path.name: say(en="larger than {} bytes", de="grösser als {} Bytes").format(grouped(limit))})
    return data


def from_json(data: bytes, path: Path) -> Any:
    """Parse; `path` is for the error only.

    Raises:
        Damaged: not JSON, too deep, or NaN where JSON has none.
    """
    try:
        return json.loads(data.decode(), parse_constant=_refuse_constant)  # bytes would be taken for UTF-16 or -32 too
    except (ValueError, RecursionError) as error:
        raise damaged(path.parent, {path.name: say(en="not valid JSON", de="kein gültiges JSON")}) from error


def read_json(path: Path) -> Any:
    """A JSON document.

    Raises:
        Damaged: see `read_bytes`, `from_json`.
    """
    return from_json(read_bytes(path), path)


def to_json(value: Any) -> bytes:
    """One fact per line, readable in an editor. Numbers survive exactly; tuples become lists; keys become strings.

    Raises:
        ValueError: NaN or infinity, which JSON cannot say.
    """
    try:
        text = json.dumps(value, indent=1, ensure_ascii=False, allow_nan=False, default=_plain)
        return (text + "\n").encode()
    except UnicodeEncodeError:  # file names that are not UTF-8 carry lone surrogates
        return (json.dumps(value, indent=1, allow_nan=False, default=_plain) + "\n").encode()


def parse_recipe(data: bytes, path: Path) -> Recipe:
    """The recipe of a run; `path` is for errors.

    Raises:
        Damaged: not text, or too deep.
        UnknownSetting, BadValue: as `recipe.from_toml`.
    """
    try:
        return from_toml(data.decode(), where=path.name)
    except (UnicodeDecodeError, RecursionError) as error:
        raise damaged(path.parent, {path.name: say(en="not valid TOML", de="kein gültiges TOML")}) from error


def parse_classes(data: bytes, path: Path) -> tuple[str, ...]:
    """Class names, in the order of the network's outputs.

    Raises:
        Damaged: not a list of different names.
    """
    names = from_json(data, path)
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names) or not 0 < len(set(names)) == len(names):
        raise damaged(path.parent, {path.name: say(en="not a list of different names", de="keine Liste verschiedener Namen")})
    return tuple(names)


def parse_mapping(data: bytes, path: Path) -> dict[str, Any]:
    """A JSON object.

    Raises:
        Damaged: anything else.
    """
    document = from_json(data, path)
    if not isinstance(document, dict):
        raise damaged(path.parent, {path.name: say(en="not a JSON object", de="kein JSON-Objekt")})
    return document


def _plain(value: Any) -> Any:
    """NumPy's numbers and arrays as Python's."""
    if hasattr(value, "tolist"):
        return value.tolist()
    raise TypeError(f"{type(value).__name__} has no place in a JSON document")


def _refuse_constant(name: str) -> Any:
    raise ValueError(name)
