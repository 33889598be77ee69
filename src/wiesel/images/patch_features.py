"""What a picture shows, as numbers, without any training: how strongly small random pieces of the data set occur in its quarters.

Source: Coates, Ng, Lee 2011, "An analysis of single-layer networks in unsupervised feature learning" (random patches as a
dictionary, whitened, thresholded on both sides, summed over quarters).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from wiesel.images.decoding import refit
from wiesel.images.thumbnails import Floats

PIECES = 64
_PATCH, _STRIDE = 6, 2
_LARGEST = 32
"""Side in pixels to which larger pictures are brought."""
_CHUNK = 256
_SAMPLE = 20_000
_THRESHOLD = 0.25


def patch_features(pixels: NDArray[np.uint8], *, seed: int = 0) -> Floats:
    """uint8 (N, H, W, C) -> float32 (N, 8 x 64), each column with mean 0 and deviation 1."""
    count, height, width, _ = pixels.shape
    side = min(_LARGEST, max(_PATCH + _STRIDE, min(height, width)))
    rng = np.random.default_rng(seed)
    whitening, pieces = _dictionary(_brought(pixels[np.sort(rng.choice(count, min(count, 2000), replace=False))], side), rng)
    filters = whitening @ pieces.T
    features = np.empty((count, 8 * PIECES), np.float32)
    for start in range(0, count, _CHUNK):
        patches = _patches(_brought(pixels[start : start + _CHUNK], side))
        number, rows, columns, size = patches.shape
        answers = (_plain(patches.reshape(-1, size)) @ filters).reshape(number, rows, columns, PIECES)
        both = np.concatenate([np.maximum(answers - _THRESHOLD, 0), np.maximum(-answers - _THRESHOLD, 0)], axis=3)
        top, left = rows // 2, columns // 2
        quarters = [
            both[:, a, b].sum(axis=(1, 2)) for a in (slice(top), slice(top, None)) for b in (slice(left), slice(left, None))
        ]
        features[start : start + number] = np.concatenate(quarters, axis=1)
    features -= features.mean(axis=0)
    features /= features.std(axis=0) + 1e-3
    return features


def _brought(pixels: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    if pixels.shape[1:3] == (side, side):
        return pixels
    return refit(np.ascontiguousarray(pixels), channels=pixels.shape[3], size=side, fit="squash")


def _patches(pixels: NDArray[np.uint8]) -> Floats:
    """(N, side, side, C) -> (N, rows, columns, 6 x 6 x C)."""
    views = np.lib.stride_tricks.sliding_window_view(pixels, (_PATCH, _PATCH), axis=(1, 2))[:, ::_STRIDE, ::_STRIDE]
    return views.reshape(*views.shape[:3], -1).astype(np.float32)


def _plain(patches: Floats) -> Floats:
    """Each with mean 0 and, unless it is flat, deviation 1."""
    centred = patches - patches.mean(axis=1, keepdims=True)
    plain: Floats = centred / np.sqrt(np.einsum("nd,nd->n", centred, centred)[:, None] / centred.shape[1] + 10)
    return plain


def _dictionary(pixels: NDArray[np.uint8], rng: np.random.Generator) -> tuple[Floats, Floats]:
    """The whitening matrix (D, D) of the patches, and 64 of them, whitened, of length 1."""
    every = _patches(pixels)
    flat = every.reshape(-1, every.shape[3])
    some = _plain(flat[rng.choice(len(flat), min(len(flat), _SAMPLE), replace=False)])
    values, vectors = np.linalg.eigh(np.cov(some, rowvar=False).astype(np.float64))
    whitening = ((vectors / np.sqrt(np.maximum(values, 0) + 0.1)) @ vectors.T).astype(np.float32)
    lively = np.flatnonzero(np.einsum("nd,nd->n", some, some) > some.shape[1] / 4)
    pool = lively if len(lively) >= PIECES else np.arange(len(some))
    pieces = some[rng.choice(pool, PIECES, replace=len(pool) < PIECES)] @ whitening
    return whitening, pieces / np.maximum(np.linalg.norm(pieces, axis=1, keepdims=True), 1e-6)
