"""Which stem a network begins with: its paper's, made for 224 px, or one that keeps the pixels of a small picture.

A stem for ImageNet shrinks pictures two or four times before the first block looks at them. The small stem has stride 1 and no
pool in its place, as is usual for CIFAR.
"""

from __future__ import annotations

from typing import Literal

Stem = Literal["auto", "small", "imagenet"]

SMALL_BELOW = 64


def is_small(stem: Stem, size: tuple[int, int]) -> bool:
    """Whether to take the small stem; "auto" takes it if a side of `size` (H, W) is below 64 px.

    >>> [is_small("auto", (64, 63)), is_small("auto", (64, 64)), is_small("imagenet", (28, 28))]
    [True, False, False]
    """
    return stem == "small" or (stem == "auto" and min(size) < SMALL_BELOW)
