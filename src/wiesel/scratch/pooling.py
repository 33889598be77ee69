"""The largest pixel and the mean of every window, for all windows at once.

Backward. A maximum hands its whole slope to the pixel that won, the first in the window if several are equal; a mean hands every
pixel the same share. Windows that overlap give to the same pixels (`windows.gathered`).
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from wiesel.scratch.checking import check_pictures, check_pooling_margin
from wiesel.scratch.geometry import Geometry, Pair, geometry
from wiesel.scratch.windows import gathered, windows


def max_pool(
    pictures: Tensor,
    kernel_size: int | Pair,
    stride: int | Pair | None = None,
    padding: int | Pair = 0,
    dilation: int | Pair = 1,
) -> Tensor:
    """The largest pixel of every window: (B, C, H, W) -> (B, C, H_out, W_out). `stride` None: windows side by side.

    The margin is never the largest. NaN wins over every number, so that it is not lost on the way.

    Raises:
        BadValue: something does not fit.
    """
    check_pictures(pictures)
    place = geometry(kernel_size, kernel_size if stride is None else stride, padding, dilation)
    check_pooling_margin(place, (pictures.shape[2], pictures.shape[3]))
    result: Tensor = _MaxPool.apply(pictures, place)
    return result


def avg_pool(
    pictures: Tensor,
    kernel_size: int | Pair,
    stride: int | Pair | None = None,
    padding: int | Pair = 0,
    count_include_pad: bool = True,
) -> Tensor:
    """The mean of every window: (B, C, H, W) -> (B, C, H_out, W_out). `stride` None: windows side by side.

    `count_include_pad`: the zeros of the margin count as pixels; without them, windows at the border divide by fewer.

    Raises:
        BadValue: something does not fit.
    """
    check_pictures(pictures)
    place = geometry(kernel_size, kernel_size if stride is None else stride, padding)
    check_pooling_margin(place, (pictures.shape[2], pictures.shape[3]))
    result: Tensor = _AvgPool.apply(pictures, place, count_include_pad)
    return result


class _MaxPool(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, pictures: Tensor, place: Geometry) -> Tensor:
        largest, winner = windows(pictures, place, margin=-math.inf).flatten(4, 5).max(dim=4)
        ctx.save_for_backward(winner)
        ctx.place, ctx.size = place, (pictures.shape[2], pictures.shape[3])
        return largest

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, slope: Tensor) -> tuple[Tensor | None, ...]:
        (winner,) = ctx.saved_tensors
        rows, columns = ctx.place.kernel
        shares = slope.new_zeros((*slope.shape, rows * columns)).scatter_(4, winner[..., None], slope[..., None])
        return gathered(torch.unflatten(shares, 4, (rows, columns)), ctx.size, ctx.place), None


class _AvgPool(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, pictures: Tensor, place: Geometry, count_include_pad: bool) -> Tensor:
        size = (pictures.shape[2], pictures.shape[3])
        ones = pictures.new_ones((1, 1, *size))
        pixels = windows(ones, place, margin=1.0 if count_include_pad else 0.0).sum((4, 5))  # (1, 1, H_out, W_out)
        ctx.save_for_backward(pixels)
        ctx.place, ctx.size = place, size
        return windows(pictures, place).sum((4, 5)) / pixels

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, slope: Tensor) -> tuple[Tensor | None, ...]:
        (pixels,) = ctx.saved_tensors
        shares = (slope / pixels)[..., None, None].expand(*slope.shape, *ctx.place.kernel)
        return gathered(shares, ctx.size, ctx.place), None, None
