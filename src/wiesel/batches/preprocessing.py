"""What happens to every picture, in training, evaluation and prediction alike: fixed once from the training split, travels with the model.

decoded picture  ->  right size and channels (images.decoding)  ->  / 255  ->  - mean  ->  / std  ->  enlarged, if asked  ->  network
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from wiesel.recipe import Fit


@dataclass(frozen=True, kw_only=True)
class Preprocessing:
    """Size, and mean and standard deviation per channel on the 0..1 scale: over the training pictures, or as weights from elsewhere
    were made with."""

    channels: int
    height: int
    width: int
    mean: tuple[float, ...]
    std: tuple[float, ...]
    fit: Fit = "crop"
    enlarge: int = 0
    """Side in pixels to which `normalise` enlarges decoded pictures (bicubic); 0: the network sees `height` x `width`."""

    @property
    def image(self) -> tuple[int, int, int]:
        """(C, H, W) of what the network sees."""
        return self.channels, self.enlarge or self.height, self.enlarge or self.width

    def normalise(self, pixels: Tensor) -> Tensor:
        """uint8 (B, H, W, C) -> float32 (B, C, H, W) in channels-last memory format, with this mean taken off and in units of this
        deviation; enlarged if that was asked for."""
        width = pixels.shape[2]  # a whole row at a time: torch is slow where what repeats has only three numbers
        scale = torch.tensor([1 / (255 * s) for s in self.std]).repeat(width)
        offset = torch.tensor([-m / s for m, s in zip(self.mean, self.std, strict=True)]).repeat(width)
        pictures = (pixels.flatten(2).float() * scale).add_(offset).view(pixels.shape).permute(0, 3, 1, 2)
        if not self.enlarge:
            return pictures
        side = (self.enlarge, self.enlarge)
        return F.interpolate(pictures, size=side, mode="bicubic", align_corners=False).contiguous(memory_format=torch.channels_last)

    def denormalise(self, batch: Tensor) -> Tensor:
        """The inverse but for enlarging: float32 (B, C, H, W) -> uint8 (B, H, W, C), rounded and clipped to 0..255."""
        std, mean = torch.tensor(self.std)[:, None, None], torch.tensor(self.mean)[:, None, None]
        return ((batch.float() * std + mean) * 255).round().clamp(0, 255).to(torch.uint8).permute(0, 2, 3, 1)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, facts: dict[str, Any]) -> Preprocessing:
        return cls(**{**facts, "mean": tuple(facts["mean"]), "std": tuple(facts["std"])})


def measure(pixels: NDArray[np.uint8], *, fit: Fit = "crop", chunk: int = 0) -> Preprocessing:
    """Mean and deviation of each channel over uint8 (N, H, W, C), exact (integer sums), in one pass of flat memory.

    A channel without any variation gets deviation 1, so that it becomes 0 and not NaN.
    """
    count, height, width, channels = pixels.shape
    chunk = chunk or max(1, 2**22 // (height * width))
    histogram = np.zeros((channels, 256), dtype=np.int64)
    for start in range(0, count, chunk):
        part = pixels[start : start + chunk]
        for channel in range(channels):
            histogram[channel] += torch.bincount(torch.from_numpy(part[..., channel].flatten()), minlength=256).numpy()
    values = np.arange(256, dtype=np.float64) / 255
    mean = histogram @ values / histogram.sum(axis=1)
    variance = histogram @ values**2 / histogram.sum(axis=1) - mean**2
    std = np.where(variance > 1e-12, np.sqrt(np.maximum(variance, 0)), 1.0)
    return Preprocessing(
        channels=channels,
        height=height,
        width=width,
        mean=tuple(float(m) for m in mean),
        std=tuple(float(s) for s in std),
        fit=fit,
    )
