"""Writing that survives a crash, a power cut and a full disc.

A folder or file appears under its name only when all of it is on the disc: it is written beside its target under a temporary
name, flushed (fsync), read back, and then renamed, which a file system does in one step. Whatever happens in between, a reader
finds the old or the new, never neither and never a mix. What is called saved stays saved: the rename itself is flushed before
these functions return. (fsync is as good as the disc: macOS leaves data in the drive's own cache, network shares vary.)
"""

# The system calls are the point here: each stands where it can be seen, counted, and made to fail. So no pathlib for them:
# ruff: noqa: PTH102, PTH104, PTH105, PTH106, PTH108

from __future__ import annotations

import errno
import os
import secrets
import shlex
import shutil
import stat
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import msgspec

from wiesel.errors import CannotSave, Damaged, FolderTaken
from wiesel.language import say
from wiesel.runs.manifest import MANIFEST, Manifest, encoded, size_and_hash, verify

__all__ = [
    "MANIFEST",
    "TEMPORARY",
    "append_line",
    "commit_folder",
    "discard",
    "free_bytes",
    "goes_on",
    "make_folder",
    "put",
    "remove_file",
    "saving",
    "sweep",
    "verify",
    "write_file",
    "write_manifest",
]

TEMPORARY = ".tmp-"
"""How names of unfinished files and folders begin; readers never look at them."""


def commit_folder(target: Path, write: Callable[[Path], None], *, needed: int = 0) -> Manifest:
    """Make the folder `target`, complete or not at all.

    `write` gets an empty folder beside `target` and puts plain files into it (with `put`, or any other way); no subfolders.
    MANIFEST.json, with size and sha256 of each, is added. `needed`: bytes to come, if known, so that a disc too full is
    refused before anything is written. Afterwards nothing in the folder is ever written again.

    Returns the manifest.

    Raises:
        FolderTaken: `target` exists; it is never overwritten.
        CannotSave: the machine refused. As after any other error in `write`, nothing has changed.
    """
    if os.path.lexists(target):
        raise FolderTaken(path=str(target), holds="", resume="")
    temporary = _temporary(target)
    renaming = False
    with saving(target, needed):
        if 0 < free_bytes(target.parent) < needed:  # some network file systems always say 0
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        try:
            os.mkdir(temporary)
            write(temporary)
            manifest = _flush_and_list(temporary)
            put(temporary / MANIFEST, encoded(manifest))
            _flush_file(temporary / MANIFEST)
            _flush_folder(temporary)
            _read_back(temporary, manifest)
            if os.path.lexists(target):  # os.rename would replace an empty folder
                raise FolderTaken(path=str(target), holds="", resume="")
            renaming = True
            os.rename(temporary, target)
            _flush_folder(target.parent)
        except BaseException:  # Ctrl-C included
            with suppress(OSError):
                if renaming and not os.path.lexists(temporary):  # renamed, but not known to be on the disc: take it back
                    os.rename(target, temporary)
                _remove(temporary)
            raise
    return manifest


def write_file(path: Path, data: bytes) -> None:
    """Put `data` at `path`, in place of what was there: a reader sees the old bytes or the new. A link is replaced, not followed.

    Raises:
        CannotSave: the machine refused; the old bytes are still there (or the new ones, if only the very last flush failed).
    """
    temporary = _temporary(path)
    with saving(path, len(data)):
        try:
            put(temporary, data)
            _flush_file(temporary)
            os.replace(temporary, path)
            _flush_folder(path.parent)
        except BaseException:
            with suppress(OSError):
                _remove(temporary)
            raise


def put(path: Path, data: bytes) -> None:
    """Write a new file, all bytes, not yet flushed: for use inside `commit_folder`.

    Raises:
        OSError: as the system says it; the file may be there in part.
    """
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o666)
    try:
        rest = memoryview(data)
        while rest:
            rest = rest[_written(os.write(descriptor, rest)) :]
    finally:
        os.close(descriptor)


def append_line(path: Path, row: Mapping[str, Any]) -> None:
    """Add a JSON object as one line, flushed. Non-finite numbers become null.

    A torn last line, left by a crash, is ended first and so stays alone. Rows of several processes do not mix: a row is one write.

    Raises:
        CannotSave: the machine refused; the last line may be torn, which readers pass over.
    """
    line = msgspec.json.encode(row, enc_hook=_number) + b"\n"
    with saving(path, len(line)):
        flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
        descriptor = os.open(path, flags, 0o666)
        try:
            size = os.fstat(descriptor).st_size
            torn = size > 0 and _byte_at(descriptor, size - 1) != b"\n"
            lone = b"\n" + line
            whole = os.write(descriptor, lone if torn else line) == len(lone if torn else line)
            if not whole and os.write(descriptor, lone) < len(lone):  # torn by ourselves: once more, on a line of its own
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        if size == 0:  # perhaps just made: its name must be on the disc too
            _flush_folder(path.parent)


def make_folder(path: Path) -> None:
    """Make a folder that must not exist yet, and its parents where they are missing; their names are on the disc afterwards.

    Raises:
        FileExistsError, OSError: as the system says it.
    """
    try:
        os.mkdir(path)
    except FileNotFoundError:
        missing = [parent for parent in path.parents if not os.path.lexists(parent)]
        for folder in reversed(missing):
            with suppress(FileExistsError):  # another process was faster
                os.mkdir(folder)
            _flush_folder(folder.parent)
        os.mkdir(path)
    _flush_folder(path.parent)


def write_manifest(folder: Path, names: Iterable[str], manifest: str = MANIFEST) -> Manifest:
    """Write down size and sha256 of the named files of `folder`, as they are now.

    Raises:
        Damaged: one of them is not there.
        CannotSave: the machine refused.
    """
    entries = {name: size_and_hash(folder / name) for name in names}
    write_file(folder / manifest, encoded(entries))
    return entries


def discard(folder: Path) -> None:
    """Remove a committed folder. It loses its name first, so that a crash in between does not leave half a folder under it."""
    temporary = _temporary(folder)
    with suppress(OSError):  # what cannot be removed may stay
        os.rename(folder, temporary)
        _flush_folder(folder.parent)
        _remove(temporary)


def remove_file(path: Path) -> None:
    """Remove a file if it is there; it does not come back after a power cut."""
    with saving(path, 0), suppress(FileNotFoundError):
        os.unlink(path)
        _flush_folder(path.parent)


def sweep(folder: Path, older_than: float = 0.0) -> None:
    """Remove what dead writers left in `folder`: unfinished files and folders, last touched `older_than` seconds ago or more."""
    for path in folder.iterdir():
        with suppress(OSError):
            if path.name.startswith(TEMPORARY) and time.time() - os.lstat(path).st_mtime >= older_than:
                _remove(path)


# --- one system call each ------------------------------------------------------------------------------------------------


def _flush_and_list(folder: Path) -> Manifest:
    names = sorted(entry.name for entry in os.scandir(folder))
    for name in names:
        if not stat.S_ISREG(os.lstat(folder / name).st_mode):
            raise ValueError(f"{name!r}: only plain files can be committed")
        _flush_file(folder / name)
    with _reading_back():
        return {name: size_and_hash(folder / name) for name in names}


@contextmanager
def _reading_back() -> Iterator[None]:
    """What cannot be read again just after writing is the disc's fault."""
    try:
        yield
    except Damaged as error:
        raise OSError(errno.EIO, say(en=f"reads back as {error.files}", de=f"liest sich als {error.files}")) from error


def _read_back(folder: Path, manifest: Manifest) -> None:
    with _reading_back():
        unchanged = verify(folder) == manifest
    if not unchanged:
        raise OSError(errno.EIO, say(en=f"{MANIFEST} reads back otherwise", de=f"{MANIFEST} liest sich anders"))


def _flush_file(path: Path) -> None:
    descriptor = os.open(path, os.O_RDWR | getattr(os, "O_NOFOLLOW", 0))
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _flush_folder(path: Path) -> None:
    """Put the names in a folder on the disc."""
    if os.name == "nt":  # Windows cannot open a folder for this; NTFS journals names by itself
        return
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _remove(path: Path) -> None:
    """Remove a file, a link or a whole folder, if it is there."""
    try:
        is_folder = stat.S_ISDIR(os.lstat(path).st_mode)
    except FileNotFoundError:
        return
    if not is_folder:
        os.unlink(path)
        return
    for entry in list(os.scandir(path)):
        _remove(Path(entry.path))
    os.rmdir(path)


def _temporary(target: Path) -> Path:
    return target.parent / f"{TEMPORARY}{os.getpid()}-{secrets.token_hex(4)}"


def _number(value: Any) -> Any:
    """NumPy's numbers as Python's, in a row of a log."""
    if hasattr(value, "tolist"):
        return value.tolist()
    raise TypeError(f"{type(value).__name__} has no place in a row")


def _byte_at(descriptor: int, position: int) -> bytes:
    os.lseek(descriptor, position, os.SEEK_SET)
    return os.read(descriptor, 1)


def _written(count: int) -> int:
    if count <= 0:  # otherwise the loop around os.write would never end
        raise OSError(errno.EIO, os.strerror(errno.EIO))
    return count


def free_bytes(path: Path) -> int:
    """What the disc of `path` (or of its nearest parent that exists) can still take; 0 where the system does not say."""
    while not os.path.lexists(path) and path != path.parent:
        path = path.parent
    try:
        return shutil.disk_usage(path).free
    except OSError:
        return 0


@contextmanager
def saving(path: Path, needed: int, run: Path | None = None) -> Iterator[None]:
    """Say what the system refuses as one sentence: `CannotSave`, with the bytes needed and free, and of a run how it goes on."""
    try:
        yield
    except OSError as error:
        run = run or _run_around(path)
        raise CannotSave(
            path=str(path),
            reason=error.strerror or str(error),
            needed=needed,
            free=free_bytes(path.parent),
            rest="" if run is None else goes_on(run),
        ) from error


def goes_on(run: Path) -> str:
    """The end of the sentence of `CannotSave` for something in a run."""
    command = f"wiesel train --resume {shlex.quote(str(run))}"
    return say(
        en=f", the previous checkpoint is intact; free space and `{command}`",
        de=f", der letzte Checkpoint ist intakt; Platz schaffen und `{command}`",
    )


def _run_around(path: Path) -> Path | None:
    for parent in path.parents:
        with suppress(OSError, ValueError):  # a path that is no path
            if (parent / "recipe.toml").is_file():
                return parent
    return None
