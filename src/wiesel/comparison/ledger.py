"""What happened in a comparison, in the order in which it happened, and what plans have in common.

    compare/index.jsonl             which cells exist, of all plans here; which plan has looked at which cells
    compare/<name>/plan.toml        the decisions, all written out
    compare/<name>/plan.sha256      their fingerprint, written before the first run
    compare/<name>/ledger.jsonl     plans, starts, ends, deaths, looks: lines are added and never changed
    compare/<name>/cells/           the run folders

A verdict is exploratory if the plan is not the one that stood there before the first run, or if another plan has already looked at
two of these arms in these very runs: who knows the result can choose the question.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from wiesel.comparison.cells import Cell, state
from wiesel.comparison.plan import Plan, fingerprint, to_toml
from wiesel.errors import Damaged, OtherPicturesThanPlanned
from wiesel.runs import commit, events
from wiesel.runs.documents import read_bytes
from wiesel.runs.folder import RunFolder

ROWS: dict[str, dict[str, Any]] = {
    "plan": {"sha256": str, "data": str},
    "process": {"folder": str, "pid": int},
    "died": {"cell": str, "said": str},
    "done": {"key": str, "folder": str},
    "reused": {"cell": str, "key": str, "path": str},
    "look": {"number": int, "plan": str, "time": str},
}
"""What is read of a row of the ledger, by its kind."""
INDEX: dict[str, dict[str, Any]] = {
    "cell": {"key": str, "path": str},
    "look": {"plan": str, "number": int, "arms": list[list[str]]},
}
"""The same for the index."""


@dataclass(frozen=True)
class Ledger:
    folder: Path

    # --- places ----------------------------------------------------------------------------------------------------------

    @property
    def plan(self) -> Path:
        return self.folder / "plan.toml"

    @property
    def rows_file(self) -> Path:
        return self.folder / "ledger.jsonl"

    @property
    def cells(self) -> Path:
        return self.folder / "cells"

    @property
    def index(self) -> Path:
        return self.folder.parent / "index.jsonl"

    def folder_of(self, cell: Cell) -> Path:
        """Where a cell of this plan is trained. After a change of the plan an older run may have its name already."""
        plain = self.cells / cell.name
        if (plain / "recipe.toml").is_file() and RunFolder(plain).read_recipe() != cell.recipe:
            return self.cells / f"{cell.name}-{cell.key[:8]}"
        return plain

    # --- writing and reading ---------------------------------------------------------------------------------------------

    def note(self, kind: str, **facts: Any) -> None:
        commit.append_line(self.rows_file, {"kind": kind, "time": events.now(), **facts})

    def rows(self, *kinds: str) -> list[events.Row]:
        return [row for row in _whole(self.rows_file, ROWS) if row["kind"] in kinds or not kinds]

    def begin(self, plan: Plan, *, data: str, command: str = "") -> None:
        """Write the plan down, if it is not the one that stands there. `data`: fingerprint of the pictures; `command`: how it was asked.

        Raises:
            OtherPicturesThanPlanned: runs were made on other pictures.
        """
        own, before = fingerprint(plan), self.rows("plan")
        begun = bool(self.rows("start", "reused"))
        if begun and before and before[-1]["data"] != data:
            raise OtherPicturesThanPlanned(folder=str(self.folder), then=before[-1]["data"], now=data)
        if not self.cells.is_dir():
            commit.make_folder(self.cells)
        if before and before[-1]["sha256"] == own and before[-1]["data"] == data and self.plan.is_file():
            return
        commit.write_file(self.plan, to_toml(plan).encode())
        if not begun:
            commit.write_file(self.folder / "plan.sha256", f"{own}\n".encode())
        self.note("plan", sha256=own, data=data, command=command)

    @property
    def command(self) -> str:
        """With which the plan that stands there was asked for; empty if that is not known."""
        return next((str(row["command"]) for row in self.rows("plan")[::-1] if row.get("command")), "")

    @property
    def planned(self) -> str:
        """Fingerprint that was written down before the first run, or last if there was none yet; empty without any."""
        found = ""
        for row in self.rows("plan", "start", "reused"):
            if row["kind"] != "plan":
                break
            found = str(row["sha256"])
        return found

    @property
    def changed(self) -> bool:
        """The plan was changed after the first run, or the file with its fingerprint says otherwise."""
        try:
            written = read_bytes(self.folder / "plan.sha256").decode(errors="replace").strip()
        except Damaged:  # it no longer bears witness
            return True
        planned = self.planned
        return written != planned or any(row["sha256"] != planned for row in self.rows("plan")[-1:]) or self._was_changed()

    def _was_changed(self) -> bool:
        rows = self.rows("plan", "start", "reused")
        first = next((number for number, row in enumerate(rows) if row["kind"] != "plan"), len(rows))
        return any(row["kind"] == "plan" for row in rows[first:])

    # --- between plans ---------------------------------------------------------------------------------------------------

    def known(self) -> dict[str, Path]:
        """Finished cells of all plans here, by key; those that are gone or changed are left out."""
        found = {}
        for row in _whole(self.index, INDEX):
            if row["kind"] == "cell":
                found[str(row["key"])] = self.index.parent / str(row["path"])
        return {key: path for key, path in found.items() if state(path) in ("finished", "diverged")}

    def publish(self, cell: Cell, path: Path) -> None:
        commit.append_line(self.index, {"kind": "cell", "key": cell.key, "path": path.relative_to(self.index.parent).as_posix()})

    def looked(self, plan: Plan, number: int, arms: Sequence[Sequence[str]]) -> None:
        """Write down a look (once), with the keys of each arm's cells."""
        own = fingerprint(plan)
        for row in _whole(self.index, INDEX):
            if row["kind"] == "look" and (row["plan"], row["number"]) == (own, number):
                return
        commit.append_line(self.index, {"kind": "look", "plan": own, "number": number, "arms": [list(keys) for keys in arms]})

    def seen_before(self, plan: Plan, cells: Sequence[Cell]) -> bool:
        """Another plan has looked at two or more of these arms in runs that count here too."""
        own = fingerprint(plan)
        for row in _whole(self.index, INDEX):
            if row["kind"] == "look" and row["plan"] != own:
                keys = {key for arm in row["arms"] for key in arm}
                if len({cell.arm for cell in cells if cell.key in keys}) >= 2:
                    return True
        return False

    def comparisons(self) -> int:
        """Plans here that have looked at their runs."""
        return len({row["plan"] for row in _whole(self.index, INDEX) if row["kind"] == "look"})


def _whole(path: Path, facts: dict[str, dict[str, Any]]) -> list[events.Row]:
    """The rows of a file that say what their kind should; damaged ones are passed over, as torn ones are."""
    found = []
    for row in events.rows(path):
        with suppress(msgspec.ValidationError):
            for name, kind in facts.get(row["kind"], {}).items():
                msgspec.convert(row.get(name), kind)
            found.append(row)
    return found
