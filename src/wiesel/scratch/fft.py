"""Convolution as a product of spectra.

The layer called convolution is a cross-correlation: Y[p] = sum over k of X[p + k] W[k]. Put X as a sum of waves into it and each wave
comes out as itself times the conjugate of W's spectrum, so

    Y^ = X^ conj(W^)        added up over the channels in

The discrete transform takes the picture as a ring, X[p + n] = X[p]. Here that does no harm: only the positions p = 0 ... n - e, where
the window of extent e lies inside the n pixels, are read, and these never reach around. Stride: compute all positions, keep every
s-th. Dilation: transform the kernel with its holes.

Cost per channel pair: one complex product per frequency, however large the kernel; the transforms are shared by all channels. It
pays for large kernels, and a stride throws away most of what was computed.

Backward. With G = dL/dY, zero where no output was kept,

    dL/dX[q] = sum over k of G[q - k] W[k]     a convolution proper:   G^ W^
    dL/dW[k] = sum over p of G[p] X[p + k]     a correlation again:    conj(G^) X^

(Mathieu, Henaff, LeCun 2014, "Fast training of convolutional networks through FFTs", arXiv:1312.5851.)
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from wiesel.scratch.checking import check_convolution
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

    The rounding error is relative to the largest output of a picture, not to each one (`error.py`).

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
        size = (pictures.shape[2], pictures.shape[3])
        ring, kept = place.padded(size), _kept(place, size)
        waves_x = torch.unflatten(_spectrum(margined(pictures, place.padding)), 1, (groups, -1))
        waves_w = torch.unflatten(_spectrum(_on_ring(weight, place, ring)), 0, (groups, -1))
        ctx.save_for_backward(waves_x, waves_w)
        ctx.place, ctx.size = place, size
        everywhere = _maps(torch.einsum("bgcyx,gocyx->bgoyx", waves_x, waves_w.conj()), ring).flatten(1, 2)
        output = everywhere[:, :, *kept]
        if bias is not None:
            output = output + bias[:, None, None]
        return output.contiguous()

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, slope: Tensor) -> tuple[Tensor | None, ...]:
        waves_x, waves_w = ctx.saved_tensors
        place, size, groups = ctx.place, ctx.size, waves_w.shape[0]
        by_pictures, by_weight, by_bias = ctx.needs_input_grad[:3]
        ring = place.padded(size)
        spread = slope.new_zeros((*slope.shape[:2], *ring))
        spread[:, :, *_kept(place, size)] = slope
        waves_g = torch.unflatten(_spectrum(spread), 1, (groups, -1))

        to_pictures = to_weight = None
        if by_pictures:
            whole = _maps(torch.einsum("bgoyx,gocyx->bgcyx", waves_g, waves_w), ring).flatten(1, 2)
            top, left = place.padding
            to_pictures = whole[:, :, top : top + size[0], left : left + size[1]]
        if by_weight:
            whole = _maps(torch.einsum("bgoyx,bgcyx->gocyx", waves_g.conj(), waves_x), ring).flatten(0, 1)
            to_weight = whole[:, :, : place.extent[0] : place.dilation[0], : place.extent[1] : place.dilation[1]]
        return to_pictures, to_weight, slope.sum((0, 2, 3)) if by_bias else None, None, None


def _spectrum(maps: Tensor) -> Tensor:
    """(..., H, W) -> (..., H, W // 2 + 1): the other half of a real picture's spectrum is the conjugate of this one."""
    if maps.numel() == 0:  # some libraries refuse to transform an empty batch
        return maps.new_zeros((*maps.shape[:-1], maps.shape[-1] // 2 + 1), dtype=maps.dtype.to_complex())
    spectrum: Tensor = torch.fft.rfft2(maps)
    return spectrum


def _maps(spectrum: Tensor, ring: Pair) -> Tensor:
    """Back: (..., H, W // 2 + 1) -> (..., H, W); the width must be told, as W and W + 1 have equally long spectra for even W."""
    if spectrum.numel() == 0:
        return spectrum.real.new_zeros((*spectrum.shape[:-2], *ring))
    maps: Tensor = torch.fft.irfft2(spectrum, s=ring)
    return maps


def _kept(place: Geometry, size: Pair) -> tuple[slice, slice]:
    """Positions in the ring at which an output is read."""
    rows, columns = place.output(size)
    return (
        slice(0, (rows - 1) * place.stride[0] + 1, place.stride[0]),
        slice(0, (columns - 1) * place.stride[1] + 1, place.stride[1]),
    )


def _on_ring(weight: Tensor, place: Geometry, ring: Pair) -> Tensor:
    """(Cout, C, kh, kw) -> (Cout, C, *ring): the kernel with its holes in the first corner, zeros elsewhere."""
    whole = weight.new_zeros((*weight.shape[:2], *ring))
    whole[:, :, : place.extent[0] : place.dilation[0], : place.extent[1] : place.dilation[1]] = weight
    return whole
