"""Network and optimiser at a step, committed: a run that was stopped anywhere goes on from the newest one that is intact.

    checkpoints/step-00000123/   model.safetensors  optimizer.safetensors  state.json  MANIFEST.json

The newest folder whose manifest holds is the truth; there is no pointer to it that could be wrong.
"""

from __future__ import annotations

import hashlib
import json
import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from safetensors import SafetensorError
from torch import Tensor

from wiesel.errors import CannotSave, Damaged, NoIntactCheckpoint, NonFiniteTensors
from wiesel.language import say
from wiesel.runs import commit
from wiesel.runs.documents import damaged, parse_mapping
from wiesel.runs.flattening import flatten, unflatten
from wiesel.runs.folder import RunFolder
from wiesel.runs.manifest import Manifest, hash_of, read_verified, verify

__all__ = ["Checkpoint", "at", "flatten", "newest", "packed", "resume", "save", "save_weights", "tensors", "unflatten"]

MODEL, OPTIMIZER, STATE = "model.safetensors", "optimizer.safetensors", "state.json"
FILES = (MODEL, OPTIMIZER, STATE)

KEPT = 2
"""So many of the newest intact ones stay, besides the best."""


@dataclass(frozen=True)
class Checkpoint:
    """A checkpoint whose manifest held when it was found. `skipped`: newer ones that were damaged; the caller says so aloud."""

    folder: Path
    step: int
    skipped: tuple[Damaged, ...] = ()

    def model(self) -> dict[str, Tensor]:
        """Parameters and buffers by name, on the CPU.

        Raises:
            Damaged: the file changed since it was found, or holds no tensors.
        """
        return self._tensors(MODEL)

    def optimizer(self) -> dict[str, Tensor]:
        """What `flatten` made of the optimiser's state. Raises as `model`."""
        return self._tensors(OPTIMIZER)

    def state(self) -> dict[str, Any]:
        """The rest, as it was given to `save`. Raises as `model`."""
        return parse_mapping(read_verified(self.folder, [STATE])[STATE], self.folder / STATE)

    def _tensors(self, name: str) -> dict[str, Tensor]:
        return tensors(read_verified(self.folder, [name])[name], self.folder / name)


def save(
    run: RunFolder,
    step: int,
    *,
    model: Mapping[str, Tensor],
    optimizer: Mapping[str, Tensor],
    state: Mapping[str, Any],
    best: int | None = None,
) -> Path:
    """Commit a checkpoint, say so in events.jsonl, and only then drop the old ones. The caller holds the run's lock.

    `optimizer`: from `flatten`. `state`: JSON values under string keys. `best`: step of the best checkpoint so far, which is
    kept; by default what `state["best_step"]` says. The two newest intact ones are kept as well.

    Where the same step was saved before (by a run that was interrupted and came by again), an intact folder with the same
    tensors stays as it is; anything else stays too, and the new one gets the name `step-00000123-2`. Nothing is overwritten.

    Returns the folder.

    Raises:
        NonFiniteTensors: NaN or infinity in a tensor or in `state`; nothing was written.
        CannotSave: the machine refused; the previous checkpoint is intact.
    """
    refuse_non_finite(run, step, {**_prefixed(MODEL, model), **_prefixed(OPTIMIZER, optimizer)})
    contents = {MODEL: packed(model), OPTIMIZER: packed(optimizer), STATE: _state_bytes(run, step, state)}
    try:
        folder, written, kept = _commit(run, step, contents)
        run.record("commit", step, folder=folder.name, sha256=hash_of(written), **({"kept": True} if kept else {}))
    except CannotSave as error:
        error.facts["rest"] = commit.goes_on(run.path)
        raise
    _drop_old(run, folder, best if best is not None else state.get("best_step"))
    return folder


def newest(run: RunFolder) -> Checkpoint | None:
    """The newest intact checkpoint, or None where there never was one. Changes nothing.

    Raises:
        NoIntactCheckpoint: there are some, and all are damaged.
    """
    skipped: list[Damaged] = []
    for step, _, folder in _found(run):
        try:
            _intact(folder)
            return Checkpoint(folder, step, tuple(skipped))
        except Damaged as error:
            skipped.append(error)
    if skipped:
        names = ", ".join(Path(error.folder).name for error in skipped)
        raise NoIntactCheckpoint(run=str(run.path), count=len(skipped), names=names, damaged=tuple(skipped))
    return None


def at(run: RunFolder, step: int) -> Checkpoint:
    """The intact checkpoint of this step.

    Raises:
        NoIntactCheckpoint: there is none, or it is damaged.
    """
    skipped: list[Damaged] = []
    for found, _, folder in _found(run):
        if found == step:
            try:
                _intact(folder)
                return Checkpoint(folder, step, tuple(skipped))
            except Damaged as error:
                skipped.append(error)
    raise NoIntactCheckpoint(run=str(run.path), count=len(skipped), names=f"step-{step:08d}", damaged=tuple(skipped))


def resume(run: RunFolder) -> Checkpoint | None:
    """The checkpoint from which a run goes on, and a "resume" row that says so (step 0 if there is none). Needs the run's lock.

    A checkpoint that was finished just before a crash, too late for its row in the history, gets the row now.

    Raises:
        NoIntactCheckpoint: as `newest`; nothing was written.
        CannotSave: the machine refused.
    """
    found = newest(run)
    if found is None:
        run.record("resume", 0)
        return None
    if not any(row["kind"] == "commit" and row.get("folder") == found.folder.name for row in run.history()):
        run.record("commit", found.step, folder=found.folder.name, sha256=hash_of(verify(found.folder)))
    skipped = [Path(error.folder).name for error in found.skipped]
    run.record("resume", found.step, folder=found.folder.name, **({"damaged": skipped} if skipped else {}))
    return found


def save_weights(run: RunFolder, step: int, model: Mapping[str, Tensor]) -> None:
    """Write weights.safetensors, the network to use. A seal (MANIFEST.json) on older weights is taken off first.

    Raises:
        NonFiniteTensors, CannotSave: as `save`; older weights are still there.
    """
    refuse_non_finite(run, step, model)
    data = packed(model)
    commit.remove_file(run.manifest)
    commit.write_file(run.weights, data)


def packed(named: Mapping[str, Tensor]) -> bytes:
    """Tensors as safetensors: contiguous, on the CPU, each with a memory of its own (tied weights are written twice)."""
    data: bytes = safetensors.torch.save(
        {name: tensor.detach().cpu().clone(memory_format=torch.contiguous_format) for name, tensor in named.items()}
    )
    return data


def tensors(data: bytes, path: Path) -> dict[str, Tensor]:
    """The tensors in safetensors bytes; `path` is for the error.

    Raises:
        Damaged: not safetensors.
    """
    try:
        found: dict[str, Tensor] = safetensors.torch.load(data)
    except (SafetensorError, ValueError, KeyError, RuntimeError, OverflowError) as error:
        raise damaged(path.parent, {path.name: say(en="not safetensors", de="kein safetensors")}) from error
    return found


def refuse_non_finite(run: RunFolder, step: int, named: Mapping[str, Tensor]) -> None:
    """Raises:
    NonFiniteTensors: names the tensors that hold NaN or infinity.
    """
    bad = [name for name, tensor in named.items() if not _finite(tensor)]
    if bad:
        rest = say(en=" and {} more", de=" und {} weitere").format(len(bad) - 3) if len(bad) > 3 else ""
        raise NonFiniteTensors(step=step, names=", ".join(bad[:3]) + rest, run=shlex.quote(str(run.path)))


def _finite(tensor: Tensor) -> bool:
    if not (tensor.is_floating_point() or tensor.is_complex()):
        return True
    if tensor.element_size() == 1:  # the 8-bit floats know no isfinite
        tensor = tensor.float()
    return bool(torch.isfinite(tensor).all())


def _state_bytes(run: RunFolder, step: int, state: Mapping[str, Any]) -> bytes:
    try:
        return json.dumps(dict(state), allow_nan=False, indent=1).encode()
    except ValueError as error:
        raise NonFiniteTensors(step=step, names=STATE, run=shlex.quote(str(run.path))) from error


def _commit(run: RunFolder, step: int, contents: Mapping[str, bytes]) -> tuple[Path, Manifest, bool]:
    """The folder, its manifest, and whether it was there before."""
    with commit.saving(run.checkpoints, 0):
        if not run.checkpoints.is_dir():
            commit.make_folder(run.checkpoints)
    takes = {take: folder for found, take, folder in _found(run) if found == step}
    if takes and (same := _same_tensors(takes[max(takes)], contents)):
        return takes[max(takes)], same, True
    take = max(takes, default=0) + 1
    target = run.checkpoints / (f"step-{step:08d}" if take == 1 else f"step-{step:08d}-{take}")

    def write(folder: Path) -> None:
        for name, data in contents.items():
            commit.put(folder / name, data)

    written = commit.commit_folder(target, write, needed=sum(map(len, contents.values())))
    return target, written, False


def _same_tensors(folder: Path, contents: Mapping[str, bytes]) -> Manifest | None:
    """The manifest of an intact checkpoint with the same network and optimiser."""
    try:
        entries = _intact(folder)
    except Damaged:
        return None
    same = all(entries[name]["sha256"] == hashlib.sha256(contents[name]).hexdigest() for name in (MODEL, OPTIMIZER))
    return entries if same else None


def _intact(folder: Path) -> Manifest:
    if folder.is_symlink() or not folder.is_dir():
        raise damaged(folder, {folder.name: say(en="not a folder", de="kein Ordner")})
    return verify(folder, required=FILES)


def _found(run: RunFolder) -> list[tuple[int, int, Path]]:
    """(step, take, folder) of all checkpoints, intact or not, newest first."""
    if run.checkpoints.is_symlink():
        raise damaged(run.path, {run.checkpoints.name: say(en="not a folder", de="kein Ordner")})
    if not run.checkpoints.is_dir():
        return []
    found = []
    for folder in run.checkpoints.iterdir():
        if name := re.fullmatch(r"step-([0-9]{8,18})(?:-([0-9]{1,9}))?", folder.name):
            found.append((int(name[1]), int(name[2] or 1), folder))
    return sorted(found, reverse=True)


def _drop_old(run: RunFolder, newest_folder: Path, best: int | None) -> None:
    """Keep the checkpoint just made, the newest intact one before it, and the best; and what is newer than this step, which
    belongs to a past that the run has gone back behind."""
    commit.sweep(run.checkpoints)
    all_found = _found(run)
    here = next(position for position, (_, _, folder) in enumerate(all_found) if folder == newest_folder)
    intact = 1
    for step, _, folder in all_found[here + 1 :]:
        if intact < KEPT:  # a damaged one does not count, and stays as long as it may be wanted
            try:
                _intact(folder)
                intact += 1
            except Damaged:
                pass
        elif step != best:
            commit.discard(folder)


def _prefixed(prefix: str, named: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {f"{prefix.removesuffix('.safetensors')}.{name}": tensor for name, tensor in named.items()}
