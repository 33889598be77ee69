"""Pictures to tensors, a batch at a time: index, crop, flip, normalise, cast. No workers, nothing per picture in Python.

The pictures lie in memory (or in a memory-mapped cache) as one uint8 array; a batch is a handful of whole-batch tensor operations.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from wiesel.batches.augmentation import Augmenter
from wiesel.batches.order import batches_of, shuffled, steps_per_epoch
from wiesel.batches.preprocessing import Preprocessing
from wiesel.images.dataset import Images
from wiesel.recipe import Augmentation


@dataclass(frozen=True)
class Batch:
    pictures: Tensor
    """float32 (B, C, H, W), channels-last"""
    labels: Tensor
    """int64 (B,)"""
    ids: Tensor
    """int64 (B,): rows of the split"""
    of: Tensor | None = None
    """int64: the labels of the whole batch, if this is a process's share of it"""
    copies: int = 1
    """How many processes have exactly these pictures."""

    def __len__(self) -> int:
        return len(self.labels)


def _tensor(images: Images) -> Tensor:
    """The pictures as a tensor over the same memory. A read-only memory map is only ever read from, so torch's warning is moot."""
    import warnings

    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="The given NumPy array is not writable")
        return torch.from_numpy(images.pixels)


class TrainingBatches:
    """The batches of one epoch of training, from batch number `start` on; pure in (seed, epoch).

    `resolution` (pixels of the shorter side, or 0): pictures are shrunk with antialiasing after augmentation (progressive resizing).
    `share`: (which, of how many): only this process's part of each batch; what the parts make together is the batch as it is.
    """

    def __init__(
        self,
        images: Images,
        preprocessing: Preprocessing,
        *,
        batch: int,
        seed: int,
        augmentation: Augmentation,
        share: tuple[int, int] = (0, 1),
    ) -> None:
        self.pixels = _tensor(images)
        self.labels = torch.from_numpy(images.labels)
        self.preprocessing = preprocessing
        self.batch = batch
        self.seed = seed
        self.augmentation = augmentation
        self.share = share
        self.steps = steps_per_epoch(len(images), batch)

    def sized(self, batch: int) -> TrainingBatches:
        """The same pictures in batches of another size, not shared."""
        other = copy.copy(self)
        other.batch, other.steps, other.share = batch, steps_per_epoch(len(self.labels), batch), (0, 1)
        return other

    def epoch(self, epoch: int, *, start: int = 0, resolution: int = 0) -> Iterator[Batch]:
        count = len(self.labels)
        augment = Augmenter(self.augmentation, count=count, seed=self.seed, epoch=epoch)
        for part in batches_of(shuffled(count, seed=self.seed, epoch=epoch), self.batch)[start:]:
            whole = torch.from_numpy(part)
            which, processes = self.share
            shares = shares_of(whole, processes)
            ids = shares[which % len(shares)]
            pictures = shrink(self.preprocessing.normalise(augment(self.pixels, ids)), resolution)
            if processes == 1:
                yield Batch(pictures, self.labels[ids], ids)
            else:
                yield Batch(pictures, self.labels[ids], ids, self.labels[whole], processes // len(shares))


def shares_of(batch: Tensor, processes: int) -> tuple[Tensor, ...]:
    """Consecutive shares that differ by at most one picture; or, where somebody would have fewer than two, which batch norm cannot
    work with, one share that is for everybody."""
    return batch.tensor_split(processes) if len(batch) >= 2 * processes else (batch,)


class EvaluationBatches:
    """Every picture once, in order, unchanged but for the fixed preprocessing.

    `batch` 0: 500, or fewer of pictures above 96 x 96, whose maps would fill the memory.
    """

    resolution = 0
    """Pixels of the shorter side; 0: full size."""

    def __init__(self, images: Images, preprocessing: Preprocessing, *, batch: int = 0) -> None:
        self.pixels = _tensor(images)
        self.labels = torch.from_numpy(images.labels)
        self.preprocessing = preprocessing
        _, height, width = preprocessing.image
        self.batch = batch or max(8, min(500, 500 * 96 * 96 // (height * width)))

    def __len__(self) -> int:
        return -(-len(self.labels) // self.batch)

    def shrunk(self, resolution: int) -> EvaluationBatches:
        """The same pictures with so many pixels on the shorter side; 0: full size."""
        smaller = copy.copy(self)
        smaller.resolution = resolution
        return smaller

    def halved(self) -> EvaluationBatches:
        """The same pictures in batches of half the size."""
        smaller = copy.copy(self)
        smaller.batch = self.batch // 2
        return smaller

    def __iter__(self) -> Iterator[Batch]:
        for start in range(0, len(self.labels), self.batch):
            ids = torch.arange(start, min(start + self.batch, len(self.labels)))
            pixels = self.pixels[start : start + self.batch]
            yield Batch(shrink(self.preprocessing.normalise(pixels), self.resolution), self.labels[ids], ids)


def shrink(pictures: Tensor, resolution: int) -> Tensor:
    """(B, C, H, W) with shorter side `resolution`; unchanged if that is 0 or not smaller than the pictures are."""
    height, width = pictures.shape[-2:]
    if not 0 < resolution < min(height, width):
        return pictures
    scale = resolution / min(height, width)
    size = (round(height * scale), round(width * scale))
    small = F.interpolate(pictures, size=size, mode="bilinear", antialias=True, align_corners=False)
    return small.contiguous(memory_format=torch.channels_last)
