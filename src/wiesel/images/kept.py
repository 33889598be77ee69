"""Arrays in the user's cache that take longer to compute than to read: twins, features. A cache that cannot be used is no error."""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from wiesel.images.cache import cache_folder, forget_unused


def kept(kind: str, name: str, shape: tuple[int, ...], dtype: DTypeLike) -> NDArray[Any] | None:
    """The array `<cache>/<kind>/<name>.npy`; `None` if there is none, or a damaged one, or one of another shape (-1: any) or type."""
    path = _place(kind, name)
    try:
        found: NDArray[Any] = np.load(path, allow_pickle=False)
        os.utime(path)
    except (OSError, ValueError, EOFError):
        return None
    fits = found.ndim == len(shape) and all(want in (-1, have) for want, have in zip(shape, found.shape, strict=True))
    return found if fits and found.dtype == dtype and bool(np.isfinite(found).all()) else None


def keep(kind: str, name: str, array: NDArray[Any]) -> None:
    """Write it, all or nothing. What of this kind has not been used for long is removed."""
    path = _place(kind, name)
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor, beside = tempfile.mkstemp(prefix=".", dir=path.parent)
        try:
            with os.fdopen(descriptor, "wb") as file:
                np.save(file, array, allow_pickle=False)
            Path(beside).replace(path)
        finally:
            Path(beside).unlink(missing_ok=True)
        forget_unused(cache_folder() / kind)


def _place(kind: str, name: str) -> Path:
    return cache_folder() / kind / f"{name}.npy"
