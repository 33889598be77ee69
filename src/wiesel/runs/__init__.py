"""A trained model and its history, on disk.

commit.py        writing that survives a crash, a power cut and a full disc
manifest.py      size and sha256 of what was written, and checking it
documents.py     JSON and TOML, read from a folder that somebody else may have made
events.py        the history of a run: append-only lines, and what they say after interruptions
folder.py        the run folder: its places, its documents, its lock
lock.py          one writer per run
checkpoints.py   network and optimiser at a step, committed; the newest intact one
flattening.py    an optimiser's state as named tensors and JSON
provenance.py    what a run was made with
trained.py       run folder -> network, ready to use

Nothing here is a pickle, and opening a run folder never runs code from it.
"""

from __future__ import annotations

from wiesel.runs.folder import RunFolder

__all__ = ["RunFolder"]
