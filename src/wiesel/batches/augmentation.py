"""What training does to pictures, a whole batch at a time, on bytes: mirror and shift in one gather.

The draws for an epoch are arrays indexed by sample id, so they do not depend on the batch that a sample falls into.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from wiesel.batches.order import Use, chance
from wiesel.recipe import Augmentation


class Augmenter:
    """The draws of one epoch for `count` samples."""

    def __init__(self, augmentation: Augmentation, *, count: int, seed: int, epoch: int) -> None:
        self.flip: Tensor | None = None
        self.shift: Tensor | None = None
        if augmentation.flip:
            drawn_in = 0 if augmentation.alternate else epoch
            mirrored = chance(seed, drawn_in, Use.FLIP).random(count, dtype=np.float32) < 0.5
            self.flip = torch.from_numpy(mirrored ^ (augmentation.alternate and epoch % 2 == 1))
        if reach := augmentation.shift:
            draws = chance(seed, epoch, Use.SHIFT).integers(-reach, reach + 1, size=(2, count))
            self.shift = torch.from_numpy(draws)

    def __call__(self, pixels: Tensor, ids: Tensor) -> Tensor:
        """uint8 (N, H, W, C) -> uint8 (B, H, W, C): the pictures `ids`, mirrored and moved; what moves in repeats the edge."""
        if self.shift is None:
            batch = pixels[ids]
            if self.flip is not None:  # whole pictures are copied faster than they are gathered point by point
                mirrored = self.flip[ids].nonzero().squeeze(1)
                batch.index_copy_(0, mirrored, batch[mirrored].flip(2))
            return batch
        _, height, width, _ = pixels.shape
        rows = torch.arange(height).expand(len(ids), height)
        columns = torch.arange(width).expand(len(ids), width)
        if self.flip is not None:
            columns = torch.where(self.flip[ids, None], width - 1 - columns, columns)
        rows = (rows + self.shift[0, ids, None]).clamp(0, height - 1)
        columns = (columns + self.shift[1, ids, None]).clamp(0, width - 1)
        return pixels[ids[:, None, None], rows[:, :, None], columns[:, None, :]]
