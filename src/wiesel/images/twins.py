"""Which test pictures have a twin among the training pictures, exactly or nearly the same: what they score is memory, not skill."""

from __future__ import annotations

import hashlib

import numpy as np
from numpy.typing import NDArray

from wiesel.images.dataset import DataSet, digests
from wiesel.images.kept import keep, kept
from wiesel.images.near_duplicates import pairs_of
from wiesel.images.thumbnails import thumbnails

FORMAT = 1
"""Raised when another search finds other twins."""

NONE, EXACT, NEAR = 0, 1, 2


def twins_in_training(data: DataSet) -> NDArray[np.uint8]:
    """(pictures of the test split,): EXACT if a training picture has the same pixels, else NEAR if one is nearly the same (see
    `near_duplicates`), else NONE. Kept in the user's cache by the data's fingerprint.

    The data set must have a test split.
    """
    assert data.test is not None
    channels, height, width = data.image_shape
    key = hashlib.sha256(f"{FORMAT} {data.fingerprint} {channels} {height} {width}".encode()).hexdigest()[:40]
    if (there := kept("twins", key, (len(data.test),), np.uint8)) is not None:
        return there
    found = np.zeros(len(data.test), np.uint8)
    small = np.concatenate([thumbnails(data.train.pixels), thumbnails(data.test.pixels)])
    is_test = np.arange(len(small)) >= len(data.train)
    for pair in pairs_of(small, between=is_test).pairs:
        found[max(pair[:2]) - len(data.train)] = NEAR
    seen = set(digests(data.train.pixels))
    found[[content in seen for content in digests(data.test.pixels)]] = EXACT
    keep("twins", key, found)
    return found
