"""The definition itself, one output number at a time. Slow, and the file to read first.

    Y[n, o, h, w] = b[o] + sum over c, i, j of  X[n, c, h s + i d, w s + j d] W[o, c, i, j]

with X the pictures and their margin of zeros, s the stride and d the dilation. With groups, output channel o sees only the input
channels of its group.

Backward. Each product X[...] W[...] above is linear in both factors, so when the loss changes by G = dL/dY per unit of Y,

    dL/db[o]          collects  G[n, o, h, w]
    dL/dW[o, c, i, j] collects  G[n, o, h, w] X[n, c, h s + i d, w s + j d]
    dL/dX[the same]   collects  G[n, o, h, w] W[o, c, i, j]

over the same loops. A pixel that many windows see collects from all of them.
"""

from __future__ import annotations

from itertools import product
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from wiesel.scratch.checking import check_convolution, check_pictures, check_pooling_margin
from wiesel.scratch.geometry import Geometry, Pair, geometry
from wiesel.scratch.windows import margined


def convolve(
    pictures: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: int | Pair = 1,
    padding: int | Pair = 0,
    dilation: int | Pair = 1,
    groups: int = 1,
) -> Tensor:
    """(B, Cin, H, W) with weight (Cout, Cin / groups, kh, kw) and bias (Cout,) -> (B, Cout, H_out, W_out).

    Tens of microseconds for every output number, a thousand times more than torch: for a few small pictures.

    Raises:
        BadValue: something does not fit.
    """
    check_convolution(pictures, weight, bias, groups)
    place = geometry((weight.shape[2], weight.shape[3]), stride, padding, dilation)
    result: Tensor = _Convolution.apply(pictures, weight, bias, place, groups)
    return result


class _Convolution(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, pictures: Tensor, weight: Tensor, bias: Tensor | None, place: Geometry, groups: int) -> Tensor:
        ctx.save_for_backward(pictures, weight)
        ctx.place, ctx.groups = place, groups
        rows, columns = place.output((pictures.shape[2], pictures.shape[3]))
        whole = margined(pictures, place.padding)
        output = pictures.new_zeros((len(pictures), len(weight), rows, columns))
        for n in range(len(pictures)):
            for o in range(len(weight)):
                for h in range(rows):
                    for w in range(columns):
                        window = whole[n, *_seen(o, h, w, weight, place, groups)]
                        output[n, o, h, w] = (window * weight[o]).sum()
                        if bias is not None:
                            output[n, o, h, w] += bias[o]
        return output

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, slope: Tensor) -> tuple[Tensor | None, ...]:
        pictures, weight = ctx.saved_tensors
        place, groups = ctx.place, ctx.groups
        whole = margined(pictures, place.padding)
        to_whole, to_weight, to_bias = torch.zeros_like(whole), torch.zeros_like(weight), weight.new_zeros(len(weight))
        for n in range(slope.shape[0]):
            for o in range(slope.shape[1]):
                for h in range(slope.shape[2]):
                    for w in range(slope.shape[3]):
                        seen = (n, *_seen(o, h, w, weight, place, groups))
                        to_bias[o] += slope[n, o, h, w]
                        to_weight[o] += slope[n, o, h, w] * whole[seen]
                        to_whole[seen] += slope[n, o, h, w] * weight[o]
        top, left = place.padding
        to_pictures = to_whole[:, :, top : top + pictures.shape[2], left : left + pictures.shape[3]]
        return to_pictures, to_weight, to_bias if ctx.needs_input_grad[2] else None, None, None


def _seen(o: int, h: int, w: int, weight: Tensor, place: Geometry, groups: int) -> tuple[slice, slice, slice]:
    """Channels, rows and columns of the picture with its margin that Y[:, o, h, w] is made of."""
    channels = weight.shape[1]
    first = o // (len(weight) // groups) * channels
    y, x = h * place.stride[0], w * place.stride[1]
    return (
        slice(first, first + channels),
        slice(y, y + place.extent[0], place.dilation[0]),
        slice(x, x + place.extent[1], place.dilation[1]),
    )


def max_pool(
    pictures: Tensor,
    kernel_size: int | Pair,
    stride: int | Pair | None = None,
    padding: int | Pair = 0,
    dilation: int | Pair = 1,
) -> Tensor:
    """The largest pixel of every window: (B, C, H, W) -> (B, C, H_out, W_out). `stride` None: windows side by side.

    The margin is never the largest. Of equal pixels the first, row by row, counts: it alone gets the slope.

    Raises:
        BadValue: something does not fit.
    """
    check_pictures(pictures)
    place = geometry(kernel_size, kernel_size if stride is None else stride, padding, dilation)
    check_pooling_margin(place, (pictures.shape[2], pictures.shape[3]))
    result: Tensor = _MaxPool.apply(pictures, place)
    return result


class _MaxPool(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, pictures: Tensor, place: Geometry) -> Tensor:
        batch, channels, height, width = pictures.shape
        rows, columns = place.output((height, width))
        output, ctx.winners, ctx.shape = pictures.new_zeros((batch, channels, rows, columns)), {}, pictures.shape
        for n, c, h, w in product(range(batch), range(channels), range(rows), range(columns)):
            best = None
            for i, j in product(range(place.kernel[0]), range(place.kernel[1])):
                y = h * place.stride[0] - place.padding[0] + i * place.dilation[0]
                x = w * place.stride[1] - place.padding[1] + j * place.dilation[1]
                if not (0 <= y < height and 0 <= x < width):
                    continue
                value = pictures[n, c, y, x]
                if best is None or value > best or value.isnan():  # `>`, not `>=`: the first of equal ones stays
                    best = value
                    output[n, c, h, w] = value
                    ctx.winners[n, c, h, w] = (n, c, y, x)
        return output

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, slope: Tensor) -> tuple[Tensor | None, ...]:
        to_pictures = slope.new_zeros(ctx.shape)
        for window, winner in ctx.winners.items():
            to_pictures[winner] += slope[window]
        return to_pictures, None
