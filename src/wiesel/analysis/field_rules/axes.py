"""One direction of a map, rows or columns, and which pixels of the picture each of its positions sees.

Two answers are carried along. Theory, on a plane without borders: position i sees the pixels start + stride * i and the size - 1
after it. Practice, in this picture: the first and the last pixel that position i really sees; what lies in a padding is no pixel.
Where positions follow no such progression (interpolation, windows of attention), theory is the narrowest one around them all.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

NOTHING = np.iinfo(np.int64).max
"""First pixel of a position that sees padding only; its last is -1."""


class Kind(IntEnum):
    EXACT = 0
    BOUND = 1
    """Sees no more than this."""
    WHOLE = 2
    """All positions were mixed."""


@dataclass(frozen=True)
class Axis:
    extent: int
    """Pixels of the picture in this direction."""
    first: NDArray[np.int64]
    last: NDArray[np.int64]
    size: float
    stride: float
    start: float
    kind: Kind

    def __len__(self) -> int:
        return len(self.first)

    @property
    def is_blind_somewhere(self) -> bool:
        """Whether some position sees padding only."""
        return bool((self.last < 0).any())

    def at_most(self) -> Axis:
        """The same as a bound."""
        return replace(self, kind=max(self.kind, Kind.BOUND))

    def lows(self, positions: NDArray[np.int64]) -> NDArray[np.float64]:
        return np.asarray(self.start + self.stride * positions, np.float64)

    def gather(self, taps: NDArray[np.int64], stride: float, exists: NDArray[np.bool_] | None = None) -> Axis:
        """The axis whose position i sees whatever the positions `taps[i]` of this one see.

        `taps` is (positions, taps each); those below 0 or beyond the end lie in a padding, those that do not `exists` are no taps
        at all. `stride` is the one that theory expects between neighbours; the progression is exact if they all follow it.
        """
        exists = np.ones(taps.shape, bool) if exists is None else exists
        inside = exists & (taps >= 0) & (taps < len(self))
        safe = np.clip(taps, 0, len(self) - 1)
        first = np.where(inside, self.first[safe], NOTHING).min(axis=1, initial=NOTHING)
        last = np.where(inside, self.last[safe], -1).max(axis=1, initial=-1)
        if self.kind is Kind.WHOLE:
            return replace(self, first=first, last=last)
        lows = np.where(exists, self.lows(taps), np.inf).min(axis=1, initial=np.inf)
        highs = np.where(exists, self.lows(taps) + self.size - 1, -np.inf).max(axis=1, initial=-np.inf)
        return _around(self.extent, first, last, lows, highs, stride, self.kind)

    def union(self, other: Axis) -> Axis:
        """Position i sees what i sees here and what i sees there. Both have as many positions."""
        first, last = np.minimum(self.first, other.first), np.maximum(self.last, other.last)
        if Kind.WHOLE in (self.kind, other.kind):
            return replace(whole(self.extent), first=first, last=last)
        kind = max(self.kind, other.kind)
        positions = np.arange(len(self))
        lows = np.minimum(self.lows(positions), other.lows(positions))
        highs = np.maximum(self.lows(positions) + self.size, other.lows(positions) + other.size) - 1
        return _around(self.extent, first, last, lows, highs, self.stride, kind)


def picture(extent: int) -> Axis:
    """The picture itself: every pixel sees itself."""
    pixels = np.arange(extent)
    return Axis(extent, pixels, pixels, 1, 1, 0, Kind.EXACT)


def whole(extent: int, positions: int = 1, kind: Kind = Kind.WHOLE) -> Axis:
    """Positions that see everything, or (BOUND) of which nothing is known but that a picture has no more."""
    zeros = np.zeros(positions, np.int64)
    return Axis(extent, zeros, zeros + extent - 1, extent, 0, 0, kind)


def joined(axes: list[Axis]) -> Axis:
    """One axis after the other (`torch.cat`)."""
    first, last = np.concatenate([axis.first for axis in axes]), np.concatenate([axis.last for axis in axes])
    if any(axis.kind is Kind.WHOLE for axis in axes):
        return replace(whole(axes[0].extent, kind=Kind.BOUND), first=first, last=last)
    lows = np.concatenate([axis.lows(np.arange(len(axis))) for axis in axes])
    sizes = np.concatenate([np.full(len(axis), axis.size) for axis in axes])
    return _around(axes[0].extent, first, last, lows, lows + sizes - 1, axes[0].stride, Kind.BOUND)


def window(count: int, kernel: int, stride: int, before: int, dilation: int = 1) -> NDArray[np.int64]:
    """Taps of a convolution or a pool with `count` outputs and a padding of `before`."""
    return np.arange(count)[:, None] * stride - before + np.arange(kernel)[None, :] * dilation


def transposed(count: int, kernel: int, stride: int, before: int, dilation: int = 1) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Taps of a transposed convolution, and which of them exist: input i goes to the outputs i * stride - before + k * dilation."""
    numerator = np.arange(count)[:, None] + before - np.arange(kernel)[None, :] * dilation
    return numerator // stride, numerator % stride == 0


def adaptive(count: int, length: int) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Taps of adaptive pooling from `length` to `count` positions."""
    outputs = np.arange(count)
    begins, ends = outputs * length // count, -(-(outputs + 1) * length // count)
    taps = begins[:, None] + np.arange(int((ends - begins).max(initial=1)))[None, :]
    return taps, taps < ends[:, None]


def interpolated(count: int, length: int, mode: str, ratio: float, align_corners: bool, antialias: bool) -> NDArray[np.int64]:
    """Taps of `F.interpolate`; `ratio` is input per output. None too few: a few may have weight 0."""
    outputs = np.arange(count)
    if align_corners:
        centres = outputs * ((length - 1) / max(count - 1, 1))
    elif mode == "nearest":
        centres = outputs * ratio
    else:
        centres = (outputs + 0.5) * ratio - (0.0 if mode == "nearest-exact" else 0.5)
    # PyTorch computes them in single precision; where rounding might matter, both neighbours are taken.
    slack = 0.0 if (ratio * 1024).is_integer() and not align_corners else 1e-4 * max(1.0, ratio)
    low, high = np.floor(centres - slack), np.floor(centres + slack)
    reach = {"nearest": (0, 0), "nearest-exact": (0, 0), "bilinear": (0, 1), "linear": (0, 1), "bicubic": (-1, 2)}[mode]
    if antialias and ratio > 1:
        wide = int(np.ceil(ratio * (2 if mode == "bicubic" else 1))) + 1
        reach = (-wide, wide)
    span = np.arange(reach[0], reach[1] + 1)
    taps = np.concatenate([low[:, None] + span, high[:, None] + span], axis=1).astype(np.int64)
    return np.clip(taps, 0, length - 1)


def _around(
    extent: int,
    first: NDArray[np.int64],
    last: NDArray[np.int64],
    lows: NDArray[np.float64],
    highs: NDArray[np.float64],
    stride: float,
    kind: Kind,
) -> Axis:
    """The narrowest progression of this stride around all positions that see anything."""
    positions = np.arange(len(lows))
    some = np.isfinite(lows)
    if not some.any():
        return Axis(extent, first, last, 0, stride, 0, Kind.BOUND)
    begins, ends = (lows - stride * positions)[some], (highs - stride * positions)[some]
    start, end = float(begins.min()), float(ends.max())
    regular = some.all() and np.ptp(begins) < 1e-6 and np.ptp(ends) < 1e-6
    return Axis(extent, first, last, end - start + 1, stride, start, kind if regular else Kind.BOUND)
