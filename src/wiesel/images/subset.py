"""So many training pictures per class, for learning from few; the same ones at every start."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import numpy as np

from wiesel.errors import TooFewPictures
from wiesel.images.dataset import DataSet


def subset(data: DataSet, per_class: int, *, seed: int) -> DataSet:
    """`data` with `per_class` pictures of each class in its training split, drawn without replacement; 0: all. Its other splits stay.

    With a division afterwards, validation pictures come out of these: `per_class` is all that the training may know of a class. A
    class that has fewer keeps what it has. The fingerprint changes with `per_class` and `seed`.

    Raises:
        TooFewPictures: no class has more than one picture then.
    """
    if per_class == 0:
        return data
    order = np.random.default_rng(seed).permutation(len(data.train))
    labels = data.train.labels[order]
    rows = np.sort(np.concatenate([order[labels == number][:per_class] for number in range(len(data.classes))]))
    if len(rows) <= len(data.classes):
        raise TooFewPictures(have=len(rows), parts="train, validation", needed=2 * len(data.classes))
    drawn = hashlib.sha256(f"{data.fingerprint} {per_class} of each class, seed {seed}".encode()).hexdigest()
    return replace(data, train=data.train.take(rows), fingerprint=drawn)
