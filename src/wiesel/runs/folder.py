"""The run folder: where everything of a run lies, its documents, and its lock. It is enough by itself: copy it, and it works there.

recipe.toml  classes.json  preprocessing.json  splits.json    what training was given
events.jsonl  checkpoints/step-…/                             its history, and where it can go on
weights.safetensors                                           the network to use: best on validation
provenance.json  evaluation.json  predictions/<split>.npz  report.html
MANIFEST.json                                                 size and sha256 of the files without which the network is useless
"""

from __future__ import annotations

import html
import os
import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from wiesel.errors import CannotSave, FolderTaken, NotARun, NotTrained, nearest
from wiesel.language import say
from wiesel.recipe import Recipe, to_toml
from wiesel.runs import commit, events
from wiesel.runs.documents import parse_classes, parse_mapping, parse_recipe, read_bytes, to_json
from wiesel.runs.lock import locked
from wiesel.runs.manifest import MANIFEST, Manifest, read_verified, verify

State = Literal["new", "running/interrupted", "finished"]

SEALED = ("weights.safetensors", "classes.json", "preprocessing.json", "splits.json", "recipe.toml")
"""What the manifest of a run lists, and every load checks."""


@dataclass(frozen=True)
class RunFolder:
    path: Path

    # --- making and finding ----------------------------------------------------------------------------------------------

    @staticmethod
    def create(path: Path | str | None = None, *, base: Path | str = Path("runs"), name: str = "run") -> RunFolder:
        """A new run folder: `path`, which may be an empty folder, or else `base/name-1`, `base/name-2`, … whichever is free.

        Two processes never get the same one. Whether it can be written is tried at once, not when the first epoch is over.

        Raises:
            FolderTaken: `path` holds a run, or anything else.
            CannotSave: it cannot be made or written, with the reason.
        """
        try:
            run = RunFolder(_numbered(Path(base), _file_name(name)) if path is None else _empty(Path(path)))
            commit.write_file(run.path / ".writable", b"")
            commit.remove_file(run.path / ".writable")
            commit.make_folder(run.checkpoints)
        except ValueError as error:  # a NUL in the path
            raise CannotSave(path=str(path), reason=str(error), needed=0, free=0, rest="") from error
        return run

    @staticmethod
    def open(path: Path | str) -> RunFolder:
        """An existing run folder.

        Raises:
            NotARun: names the nearest runs.
        """
        path = Path(path)
        try:
            if not path.exists():
                what = say(en="it does not exist", de="er existiert nicht")
            elif not path.is_dir():
                what = say(en="it is not a folder", de="das ist kein Ordner")
            elif not (path / "recipe.toml").is_file():
                what = say(en="it has no recipe.toml", de="recipe.toml fehlt")
            else:
                return RunFolder(path)
        except (OSError, ValueError) as error:  # no permission, name too long, a NUL in it
            what = str(error)
        raise NotARun(path=str(path), reason=what, nearest=_near(path))

    # --- places ----------------------------------------------------------------------------------------------------------

    @property
    def recipe(self) -> Path:
        return self.path / "recipe.toml"

    @property
    def classes(self) -> Path:
        return self.path / "classes.json"

    @property
    def preprocessing(self) -> Path:
        return self.path / "preprocessing.json"

    @property
    def splits(self) -> Path:
        return self.path / "splits.json"

    @property
    def provenance(self) -> Path:
        return self.path / "provenance.json"

    @property
    def evaluation(self) -> Path:
        return self.path / "evaluation.json"

    @property
    def events(self) -> Path:
        return self.path / "events.jsonl"

    @property
    def checkpoints(self) -> Path:
        return self.path / "checkpoints"

    @property
    def weights(self) -> Path:
        return self.path / "weights.safetensors"

    @property
    def report(self) -> Path:
        return self.path / "report.html"

    @property
    def manifest(self) -> Path:
        return self.path / MANIFEST

    def predictions(self, split: str) -> Path:
        return self.path / "predictions" / f"{split}.npz"

    # --- documents -------------------------------------------------------------------------------------------------------
    # Writers raise CannotSave; readers raise Damaged where the file is missing or is not what it should be.

    def write_recipe(self, decisions: Recipe) -> None:
        commit.write_file(self.recipe, to_toml(decisions).encode())

    def read_recipe(self) -> Recipe:
        return parse_recipe(read_bytes(self.recipe), self.recipe)

    def write_classes(self, names: Sequence[str]) -> None:
        """Class names in the order of the network's outputs."""
        commit.write_file(self.classes, to_json(list(names)))

    def read_classes(self) -> tuple[str, ...]:
        return parse_classes(read_bytes(self.classes), self.classes)

    def write_preprocessing(self, document: Mapping[str, Any]) -> None:
        commit.write_file(self.preprocessing, to_json(dict(document)))

    def read_preprocessing(self) -> dict[str, Any]:
        return _mapping(self.preprocessing)

    def write_splits(self, record: Mapping[str, Any]) -> None:
        commit.write_file(self.splits, to_json(dict(record)))

    def read_splits(self) -> dict[str, Any]:
        return _mapping(self.splits)

    def write_provenance(self, record: Mapping[str, Any]) -> None:
        commit.write_file(self.provenance, to_json(dict(record)))

    def read_provenance(self) -> dict[str, Any]:
        return _mapping(self.provenance)

    def write_evaluation(self, record: Mapping[str, Any]) -> None:
        commit.write_file(self.evaluation, to_json(dict(record)))

    def read_evaluation(self) -> dict[str, Any]:
        return _mapping(self.evaluation)

    # --- history and lock ------------------------------------------------------------------------------------------------

    def record(self, kind: str, step: int, **facts: Any) -> dict[str, Any]:
        """Append a row to events.jsonl."""
        return events.append(self.events, kind, step, **facts)

    def history(self) -> list[dict[str, Any]]:
        """All rows, interruptions included. `events.effective` keeps those that count."""
        return events.rows(self.events)

    @property
    def state(self) -> State:
        """Whether training began and ended. Running and interrupted look alike from outside: only the lock knows."""
        history = self.history()
        if not history:
            return "finished" if self.manifest.is_file() else "new"
        ended = any(row["kind"] == "end" for row in events.effective(history))
        return "finished" if ended else "running/interrupted"

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Be the only writer while the block runs. Does not wait.

        Raises:
            RunBusy: another process is; names it.
        """
        with locked(self.path):
            if not self.checkpoints.is_symlink() and self.checkpoints.is_dir():
                commit.sweep(self.checkpoints)  # only the holder of the lock writes there
            yield

    # --- the seal --------------------------------------------------------------------------------------------------------

    def seal(self) -> Manifest:
        """Write MANIFEST.json over the files of `SEALED`: from now on they stay as they are, and every load checks them.

        Raises:
            Damaged: one of them is missing.
        """
        return commit.write_manifest(self.path, SEALED)

    def check(self) -> None:
        """Compare the sealed files with the manifest.

        Raises:
            NotTrained: not sealed yet.
            Damaged: names every missing or altered file.
        """
        self._must_be_sealed()
        verify(self.path, required=SEALED)

    def read_sealed(self) -> dict[str, bytes]:
        """The bytes of every sealed file, exactly those that were compared with the manifest.

        Raises:
            NotTrained, Damaged: as `check`.
        """
        self._must_be_sealed()
        return read_verified(self.path, SEALED)

    def _must_be_sealed(self) -> None:
        if not os.path.lexists(self.manifest) and self.state != "finished":
            raise NotTrained(path=str(self.path), state=self.state, run=shlex.quote(str(self.path)))

    def _repr_html_(self) -> str:
        facts = {"run": str(self.path), "state": self.state}
        measured = [row for row in events.effective(self.history()) if row["kind"] == "epoch"]
        facts |= {str(key): str(value) for key, value in (measured[-1] if measured else {}).items() if key != "kind"}
        cells = "".join(f"<tr><th>{html.escape(key)}</th><td>{html.escape(value)}</td></tr>" for key, value in facts.items())
        return f"<table>{cells}</table>"


def _numbered(base: Path, name: str) -> Path:
    """A new folder `name-n` in `base`. The system makes it or refuses it in one step, so it belongs to one process."""
    with commit.saving(base, 0):
        taken = [int(found[1]) for path in base.glob("*") if (found := re.fullmatch(re.escape(name) + r"-(\d{1,9})", path.name))]
        number = max(taken, default=0) + 1
        while True:
            path = base / f"{name}-{number}"
            try:
                commit.make_folder(path)
            except FileExistsError:
                if not os.path.lexists(path):  # not this one: a file stands where `base` should be
                    raise
                number += 1
            else:
                return path


def _empty(path: Path) -> Path:
    """The given folder, made if it is missing."""
    with commit.saving(path, 0):
        try:
            commit.make_folder(path)
        except FileExistsError:
            if path.is_dir() and not any(path.iterdir()):
                return path
            if (path / "recipe.toml").exists():
                holds = say(en=" and holds a run", de=" und enthält einen Lauf")
                command = f"`wiesel train --resume {shlex.quote(str(path))}`"
                resume = say(en=f", or go on with it: {command}", de=f", oder ihn fortsetzen: {command}")
            else:
                holds, resume = say(en=" and is not empty", de=" und ist nicht leer"), ""
            if not path.is_dir():
                holds = say(en=" and is not a folder", de=" und ist kein Ordner")
            raise FolderTaken(path=str(path), holds=holds, resume=resume) from None
    return path


def _file_name(name: str) -> str:
    """What may stand in a folder's name on every system, from the name of a data set and a model."""
    plain = re.sub(r"[^\w.+-]+", "-", name).strip(".-")
    return plain.encode()[:120].decode(errors="ignore") or "run"


def _near(path: Path) -> str:
    """Runs inside `path`, or beside it with a similar name, for an error sentence."""
    try:
        newest_first = sorted(path.glob("*/recipe.toml"), key=lambda found: found.parent.stat().st_mtime, reverse=True)
        inside = [str(found.parent) for found in newest_first[:3]]
        beside = [found.parent.name for found in path.parent.glob("*/recipe.toml")]
    except (OSError, ValueError):
        return ""
    if inside:
        return say(en=" Runs in it: ", de=" Läufe darin: ") + ", ".join(inside) + "."
    return nearest(path.name, beside)


def _mapping(path: Path) -> dict[str, Any]:
    return parse_mapping(read_bytes(path), path)
