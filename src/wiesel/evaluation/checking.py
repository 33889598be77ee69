"""What can be measured: shapes, types, ranges and finite values of labels and logits."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from wiesel.errors import LabelOutside, LogitNotFinite, NothingToMeasure, UnfitArray


def checked_logits(logits: ArrayLike, *, classes: int | None = None, where: str = "predictions") -> NDArray[Any]:
    """`logits` as a real array (N, K) with N >= 1, K >= 2 (K = `classes` if given) and finite values only; not copied.

    Raises:
        UnfitArray, NothingToMeasure, LogitNotFinite (with the first bad picture and class).
    """
    array = np.asarray(logits)
    width = "K >= 2" if classes is None else str(classes)
    if array.ndim != 2 or array.dtype.kind not in "fiu" or array.shape[1] < 2 or classes not in (None, array.shape[1]):
        raise UnfitArray(where=where, array="logits", found=kind_of(array), expected=f"float (N, {width})")
    if not len(array):
        raise NothingToMeasure(where=where)
    finite = np.isfinite(array)
    if not finite.all():
        row, column = (int(i) for i in np.unravel_index(np.argmin(finite), array.shape))
        raise LogitNotFinite(where=where, row=row, column=column, value=float(array[row, column]), count=int((~finite).sum()))
    return array


def checked_labels(
    labels: ArrayLike, *, classes: int, pictures: int | None = None, where: str = "predictions"
) -> NDArray[np.int64]:
    """`labels` as int64 (N,) with N >= 1 (N = `pictures` if given) and values 0..`classes` - 1.

    Raises:
        UnfitArray, NothingToMeasure, LabelOutside (with the first bad picture).
    """
    array = np.asarray(labels)
    if array.ndim == 1 and not len(array) and not pictures:
        raise NothingToMeasure(where=where)
    if array.ndim != 1 or array.dtype.kind not in "iu" or pictures not in (None, len(array)):
        size = "N" if pictures is None else str(pictures)
        raise UnfitArray(where=where, array="labels", found=kind_of(array), expected=f"int ({size},)")
    outside = (array < 0) | (array >= classes)
    if outside.any():
        row = int(np.argmax(outside))
        raise LabelOutside(where=where, row=row, value=int(array[row]), classes=classes)
    return array.astype(np.int64, copy=False)


def kind_of(array: NDArray[Any]) -> str:
    """`float32 (10, 3)`: what an error sentence says of an array."""
    return f"{array.dtype} {array.shape}"
