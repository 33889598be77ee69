"""Which picture is for learning, which for choosing, which for the last look: decided once, written down, repeated exactly."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wiesel.errors import BadValue, OtherData, TooFewPictures
from wiesel.images.dataset import DataSet, digests
from wiesel.language import say

Record = dict[str, Any]
"""JSON-able. `fingerprint`: of the data before the division. `made`: per split, positions in the source's training split."""


def divide(data: DataSet, *, validation: float | None, test: float | None, seed: int) -> tuple[DataSet, Record]:
    """All three splits: those that the source brings stay as they are, the others are drawn from its training split.

    Drawn per class in proportion (largest remainders), so that no class is more than one picture off its share, and every class
    with three pictures has at least one in each part (which may make a part larger than asked). Pictures with an exact twin (equal
    pixels) are drawn only if a class has no others; twins never part. The same data, shares and seed give the same division.

    Args:
        validation: share (below 1) or number (from 1) of the source's training pictures; unused if the source has this split. `None`:
            no validation split is made.
        test: the same for the test split.

    Raises:
        BadValue: not above 0, or shares that leave nothing for training.
        TooFewPictures: a part would stay empty.
    """
    wanted = {"test": test, "validation": validation}
    asked = {part: share for part, share in wanted.items() if share is not None and part not in data.splits}
    record: Record = {"fingerprint": data.fingerprint, "seed": seed, "validation": validation, "test": test, "made": {}}
    contents = digests(data.train.pixels) if asked or len(data.splits) > 1 else []
    if asked:
        totals = _totals(len(data.train), asked)
        chosen = _draw(data.train.labels, contents, len(data.classes), totals, np.random.default_rng(seed))
        record["made"] = {part: rows.tolist() for part, rows in chosen.items()}
    return _apart(data, record, contents), record


def apply(data: DataSet, record: Record) -> DataSet:
    """The division of a record again.

    Raises:
        OtherData: the record was made from other pictures, names, labels or splits.
    """
    if record["fingerprint"] != data.fingerprint:
        raise OtherData(expected=record["fingerprint"], found=data.fingerprint)
    return _apart(data, record, digests(data.train.pixels) if len(data.splits) > 1 else [])


def _apart(data: DataSet, record: Record, contents: Sequence[bytes]) -> DataSet:
    noted = replace(data, warnings=data.warnings + _copies(data, contents))
    made = {part: np.array(rows, np.int64) for part, rows in record["made"].items()}
    if not made:
        return noted
    left = np.setdiff1d(np.arange(len(data.train)), np.concatenate(list(made.values())))
    whole = data.fingerprint + json.dumps(record["made"], sort_keys=True)
    drawn = {part: data.train.take(rows) for part, rows in made.items()}
    return replace(
        noted,
        train=data.train.take(left),
        validation=drawn.get("validation", data.validation),
        test=drawn.get("test", data.test),
        fingerprint=hashlib.sha256(whole.encode()).hexdigest(),
    )


def _totals(available: int, asked: dict[str, float]) -> dict[str, int]:
    for part, share in asked.items():
        if not share > 0:
            raise BadValue(setting=part, value=share, expected="a share between 0 and 1, or a number of pictures")
    if sum(share for share in asked.values() if share < 1) >= 1:
        raise BadValue(
            setting=" + ".join(asked), value=sum(asked.values()), expected="together below 1, or nothing is left to learn"
        )
    totals = {part: max(1, round(share * available)) if share < 1 else round(share) for part, share in asked.items()}
    if (needed := sum(totals.values()) + 1) > available:
        raise TooFewPictures(have=available, parts=", ".join(["train", *asked]), needed=needed)
    return totals


def _draw(
    labels: NDArray[np.int64], contents: Sequence[bytes], classes: int, totals: dict[str, int], rng: np.random.Generator
) -> dict[str, NDArray[np.int64]]:
    twins: dict[bytes, list[int]] = defaultdict(list)
    for row, content in enumerate(contents):
        twins[content].append(row)
    stock: list[list[list[int]]] = [[] for _ in range(classes)]  # per class: groups of equal pictures that may be drawn
    for rows in twins.values():
        if len(set(labels[rows].tolist())) == 1:  # the same picture under two labels is no yardstick: it stays in training
            stock[labels[rows[0]]].append(rows)
    conflicting = np.bincount(labels, minlength=classes) > [sum(map(len, groups)) for groups in stock]
    for groups in stock:
        order = rng.permutation(len(groups))
        groups[:] = sorted((groups[i] for i in order), key=len)  # stable: shuffled among equals, single pictures first

    quotas = np.bincount(labels, minlength=classes) / len(labels)
    chosen: dict[str, NDArray[np.int64]] = {}
    for later, (part, total) in enumerate(totals.items(), 1 - len(totals)):
        # Training keeps one group of each class, and each later part gets one if there are enough.
        spare = np.array([len(groups) for groups in stock]) - ~conflicting
        enough = spare > -later
        upper = np.maximum(np.where(enough, spare + later, spare), 0)
        counts = _apportion(quotas * total, np.minimum(enough, upper), upper, total)
        rows = []
        for groups, count in zip(stock, counts.tolist(), strict=True):
            taken = 0
            while taken < count:
                taken += len(groups[0])
                rows += groups.pop(0)
        if not rows:
            raise TooFewPictures(have=len(labels), parts=", ".join(["train", *totals]), needed=(len(totals) + 1) * classes)
        chosen[part] = np.sort(np.array(rows, np.int64))
    return chosen


def _apportion(quotas: NDArray[np.float64], lower: NDArray[np.int64], upper: NDArray[np.int64], total: int) -> NDArray[np.int64]:
    """Whole numbers within the bounds, less than 1 off their quotas where the bounds allow, which sum to `total` if that can be.

    Hamilton's method: round down, then give one each to the largest remainders (at equal remainders, to the earlier class).
    """
    counts = np.clip(np.floor(quotas + 1e-9).astype(np.int64), lower, upper)
    remainders = quotas - counts
    for c in np.argsort(-remainders, kind="stable"):
        if counts.sum() >= total:
            break
        if remainders[c] > 1e-9 and counts[c] < upper[c]:
            counts[c] += 1
    return counts


def _copies(data: DataSet, train: Sequence[bytes]) -> tuple[str, ...]:
    """Exact copies across splits that the source itself brings; those are counted, not moved."""
    notes = []
    seen = set(train)
    for split, images in data.splits.items():
        if split == "train":
            continue
        contents = digests(images.pixels)
        if copies := sum(content in seen for content in contents):
            notes.append(
                say(
                    en=f"{copies} of the {len(images)} {split} pictures are exact copies of pictures in an earlier split",
                    de=f"{copies} der {len(images)} Bilder in {split} sind exakte Kopien von Bildern einer früheren Aufteilung",
                )
            )
        seen.update(contents)
    return tuple(notes)
