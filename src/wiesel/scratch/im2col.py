"""Convolution as one matrix product: lay all windows side by side, and every output number is a row times a column.

                 Cin kh kw                    B H_out W_out                     B H_out W_out
               +-----------+               +-----------------+               +-----------------+
    Cout       |  weight   |  @  Cin kh kw |     windows     |  =  Cout      |     output      |
               +-----------+               +-----------------+               +-----------------+

Groups are that many independent products. The price is memory: every pixel is copied once per weight that meets it, so the windows
of a 3x3 convolution hold nine times the picture. (Chellapilla, Puri, Simard 2006, "High performance convolutional neural networks
for document processing".)

Backward. Of Y = W X with matrices, dL/dW = G X^T and dL/dX = W^T G, where G = dL/dY. The columns of dL/dX are windows again, and each
pixel gets the sum over its copies (`windows.gathered`).
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from wiesel.scratch.checking import check_convolution
from wiesel.scratch.geometry import Geometry, Pair, geometry
from wiesel.scratch.windows import gathered, windows


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
        # The pictures are kept, not their windows: laying those out again takes less than keeping kh kw times the memory.
        ctx.save_for_backward(pictures, weight)
        ctx.place, ctx.groups = place, groups
        rows, columns = place.output((pictures.shape[2], pictures.shape[3]))
        output = _rows(weight, groups) @ _columns(pictures, place, groups)  # (groups, Cout / groups, B H_out W_out)
        output = output.view(len(weight), len(pictures), rows, columns).transpose(0, 1)
        if bias is not None:
            output = output + bias[:, None, None]
        return output.contiguous()

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, slope: Tensor) -> tuple[Tensor | None, ...]:
        pictures, weight = ctx.saved_tensors
        place, groups = ctx.place, ctx.groups
        by_pictures, by_weight, by_bias = ctx.needs_input_grad[:3]
        batch, channels, height, width = pictures.shape
        rows, columns = slope.shape[2:]
        slopes = slope.transpose(0, 1).reshape(groups, len(weight) // groups, batch * rows * columns)

        to_pictures = to_weight = None
        if by_weight:
            to_weight = (slopes @ _columns(pictures, place, groups).transpose(1, 2)).view(weight.shape)
        if by_pictures:
            pieces = _rows(weight, groups).transpose(1, 2) @ slopes  # (groups, Cin / groups kh kw, B H_out W_out)
            pieces = pieces.view(channels, *place.kernel, batch, rows, columns).permute(3, 0, 4, 5, 1, 2)
            to_pictures = gathered(pieces, (height, width), place)
        return to_pictures, to_weight, slope.sum((0, 2, 3)) if by_bias else None, None, None


def _rows(weight: Tensor, groups: int) -> Tensor:
    """(Cout, Cin / groups, kh, kw) -> (groups, Cout / groups, Cin / groups kh kw)."""
    return weight.reshape(groups, len(weight) // groups, -1)


def _columns(pictures: Tensor, place: Geometry, groups: int) -> Tensor:
    """(B, Cin, H, W) -> (groups, Cin / groups kh kw, B H_out W_out): here the pixels are copied."""
    view = windows(pictures, place)
    batch, channels, rows, columns = view.shape[:4]
    depth = channels // groups * place.kernel[0] * place.kernel[1]
    return view.permute(1, 4, 5, 0, 2, 3).reshape(groups, depth, batch * rows * columns)
