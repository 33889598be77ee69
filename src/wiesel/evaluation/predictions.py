"""What a network said about every picture of a split, kept so that all numbers can be computed again without it.

On disk: `predictions/<split>.npz`, a plain NumPy archive of three arrays; no pickle, and the same predictions give the same bytes.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from wiesel.errors import DamagedPredictions, NoPredictions, UnfitArray
from wiesel.evaluation.checking import checked_labels, checked_logits, kind_of


@dataclass(frozen=True, eq=False)
class Predictions:
    """N pictures, K classes; entry i of all three arrays belongs to the same picture.

    Raises (when made): UnfitArray, NothingToMeasure, LogitNotFinite, LabelOutside.
    """

    logits: NDArray[np.float32]
    """(N, K), finite."""
    labels: NDArray[np.int64]
    """(N,), 0..K-1."""
    names: NDArray[np.str_]
    """(N,), the stable id of each picture: what two runs are paired by."""

    def __post_init__(self) -> None:
        _check({"logits": self.logits, "labels": self.labels, "names": self.names}, "predictions")

    def __len__(self) -> int:
        return len(self.labels)

    @classmethod
    def of(cls, logits: ArrayLike, labels: ArrayLike, names: ArrayLike) -> Predictions:
        """From anything that NumPy reads as numbers and strings; logits are brought to float32."""
        whole = np.asarray(labels)
        if whole.dtype.kind in "iu":  # anything else is left as it is, to be refused and not rounded
            whole = whole.astype(np.int64)
        with np.errstate(over="ignore"):  # beyond float32 becomes infinite and is refused by its index
            narrow = np.asarray(logits).astype(np.float32)
        return cls(narrow, whole, np.asarray(names))

    def to_bytes(self) -> bytes:
        """The file's content; the same predictions give the same bytes."""
        buffer = io.BytesIO()
        np.savez(buffer, logits=self.logits, labels=self.labels, names=self.names)
        return buffer.getvalue()

    def save(self, path: Path) -> None:
        """Write `path`: whoever looks sees the old file or the whole new one. The folder has to exist."""
        from wiesel.runs.commit import write_file

        write_file(path, self.to_bytes())

    @classmethod
    def from_file(cls, path: Path) -> Predictions:
        """Read what `to_bytes` made; arrays beyond the three are ignored.

        Raises:
            NoPredictions: no such file. DamagedPredictions: it is cut, altered or something else.
            UnfitArray, NothingToMeasure, LogitNotFinite, LabelOutside: it can be read, but the numbers cannot be right.
        """
        try:
            with path.open("rb") as file:  # opened here: given a path, np.load leaves a damaged file open
                archive = np.load(file, allow_pickle=False)
                if not isinstance(archive, np.lib.npyio.NpzFile):
                    raise ValueError("a single array, not an .npz archive")
                with archive:
                    arrays = {name: archive[name] for name in ("logits", "labels", "names")}
        except FileNotFoundError as error:
            raise NoPredictions(path=str(path)) from error
        except Exception as error:  # numpy, zipfile and zlib each have their own ways to say that bytes are wrong
            raise DamagedPredictions(path=str(path), cause=f"{type(error).__name__}: {error}") from error
        _check(arrays, str(path))
        return cls(**arrays)


def _check(arrays: dict[str, NDArray[Any]], where: str) -> None:
    for name, kind, ndim in (
        ("logits", np.dtype(np.float32), 2),
        ("labels", np.dtype(np.int64), 1),
        ("names", np.dtype(np.str_), 1),
    ):
        array = arrays[name]
        # Strings have a width in their type (<U12), so only their kind and byte order are compared.
        right_type = array.dtype.kind == "U" and array.dtype.isnative if kind.kind == "U" else array.dtype == kind
        if not right_type or array.ndim != ndim:
            shape = "(N, K)" if ndim == 2 else "(N,)"
            raise UnfitArray(where=where, array=name, found=kind_of(array), expected=f"{kind.name} {shape}")
    logits = checked_logits(arrays["logits"], where=where)
    checked_labels(arrays["labels"], classes=logits.shape[1], pictures=len(logits), where=where)
    if len(arrays["names"]) != len(logits):
        raise UnfitArray(where=where, array="names", found=kind_of(arrays["names"]), expected=f"str ({len(logits)},)")
