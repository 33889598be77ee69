"""Winograd's F(2x2, 3x3): four outputs of a 3x3 kernel from 16 multiplications, where the definition takes 36.

Along one axis. Two neighbouring outputs of a kernel of three,

    y0 = d0 g0 + d1 g1 + d2 g2
    y1 = d1 g0 + d2 g1 + d3 g2

are six products. Four suffice:

    m1 = (d0 - d2) g0                     y0 = m1 + m2 + m3
    m2 = (d1 + d2) (g0 + g1 + g2) / 2     y1 = m2 - m3 - m4
    m3 = (d2 - d1) (g0 - g1 + g2) / 2
    m4 = (d1 - d3) g2

To see it, multiply out: m2 + m3 = d1 g1 + d2 (g0 + g2), and with m1 that is y0; m2 - m3 = d1 (g0 + g2) + d2 g1, less m4 it is y1.
To find it: (g0 + g1 t + g2 t^2) times a polynomial with the coefficients u0, u1 is a polynomial of degree 3, fixed by its values at
t = 0, 1, -1 and its leading coefficient ("t = infinity"), four products; the correlation is the transpose of that scheme, with the
sum over the outputs in the place of u, so the points and the four products stay.

As matrices, y = A^T [(G g) * (B^T d)] with * element by element. In two dimensions the scheme is applied to rows and columns:

    Y = A^T [ (G g G^T) * (B^T d B) ] A       d a tile of 4x4 pixels, Y its 2x2 outputs

Tiles overlap by two pixels. Written in a row, row after row, P Z P^T is kron(P, P) times Z, so each transform is one matrix product
for all tiles. For each of the 16 products, summing over the channels in is one more, (Cout, Cin) by (Cin, tiles): the kernel's
transform is paid once per kernel, the tile's once per tile and channel in, the output's once per tile and channel out.

Backward. The scheme is linear in d and in g, so every step is followed by its transpose, in reverse order. With S = dL/dY of a tile,

    M = A S A^T,    dL/d(G g G^T) collects M * (B^T d B),    dL/dg = G^T (that) G,    dL/dd = B [M * (G g G^T)] B^T

and tiles give back to the pixels they share (`windows.gathered`).

(Lavin and Gray 2015, "Fast algorithms for convolutional neural networks", arXiv:1509.09308, section 4.1; the one-dimensional scheme is
from Winograd 1980, "Arithmetic complexity of computations".)
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from wiesel.errors import BadValue
from wiesel.language import say
from wiesel.scratch.checking import check_convolution
from wiesel.scratch.geometry import Geometry, Pair, geometry
from wiesel.scratch.windows import gathered, margined, windows

DATA = ((1, 0, -1, 0), (0, 1, 1, 0), (0, -1, 1, 0), (0, 1, 0, -1))
"""B^T: four pixels -> what each of the four products takes of them."""
KERNEL = ((1, 0, 0), (0.5, 0.5, 0.5), (0.5, -0.5, 0.5), (0, 0, 1))
"""G: three weights -> what each of the four products takes of them."""
OUTPUT = ((1, 1, 1, 0), (0, 1, -1, -1))
"""A^T: four products -> two outputs."""

TILES = Geometry(kernel=(4, 4), stride=(2, 2), padding=(0, 0), dilation=(1, 1))


def convolve(
    pictures: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: int | Pair = 1,
    padding: int | Pair = 0,
    dilation: int | Pair = 1,
    groups: int = 1,
) -> Tensor:
    """(B, Cin, H, W) with weight (Cout, Cin / groups, 3, 3) and bias (Cout,) -> (B, Cout, H_out, W_out).

    Raises:
        BadValue: something does not fit; among it every kernel but 3x3, every stride and every dilation but 1.
    """
    check_convolution(pictures, weight, bias, groups)
    place = geometry((weight.shape[2], weight.shape[3]), stride, padding, dilation)
    check_geometry(place)
    result: Tensor = _Convolution.apply(pictures, weight, bias, place, groups)
    return result


def check_geometry(place: Geometry) -> None:
    """Whether F(2x2, 3x3) can compute it."""
    if (place.kernel, place.stride, place.dilation) != ((3, 3), (1, 1), (1, 1)):
        raise BadValue(
            setting="kernel_size, stride, dilation",
            value=(place.kernel, place.stride, place.dilation),
            expected=say(
                en="algorithm 'winograd' is for 3 x 3 kernels with stride 1 and dilation 1; 'im2col' and 'fft' take every geometry",
                de="der Algorithmus 'winograd' ist für 3 x 3 Gewichte mit Schritt 1 und Abstand 1; 'im2col' und 'fft' nehmen jede Geometrie",
            ),
        )


class _Convolution(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, pictures: Tensor, weight: Tensor, bias: Tensor | None, place: Geometry, groups: int) -> Tensor:
        size = (pictures.shape[2], pictures.shape[3])
        rows, columns = place.output(size)
        data, kernel, output = (_both_ways(matrix, weight) for matrix in (DATA, KERNEL, OUTPUT))
        tiles = windows(_even(margined(pictures, place.padding)), TILES)
        batch, channels_in, tall, wide = tiles.shape[:4]
        channels_out, depth = weight.shape[:2]

        seen = data @ tiles.permute(4, 5, 1, 0, 2, 3).reshape(16, -1)
        seen = seen.view(16, groups, channels_in // groups, batch * tall * wide)
        filters = kernel @ weight.permute(2, 3, 0, 1).reshape(9, -1)
        filters = filters.view(16, groups, channels_out // groups, depth)
        pieces = output @ (filters @ seen).view(16, -1)
        pieces = pieces.view(2, 2, channels_out, batch, tall, wide).permute(3, 2, 4, 0, 5, 1)
        result = pieces.reshape(batch, channels_out, 2 * tall, 2 * wide)[:, :, :rows, :columns]

        ctx.save_for_backward(seen, filters)
        ctx.place, ctx.size = place, size
        if bias is not None:
            result = result + bias[:, None, None]
        return result.contiguous()

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, slope: Tensor) -> tuple[Tensor | None, ...]:
        seen, filters = ctx.saved_tensors
        by_pictures, by_weight, by_bias = ctx.needs_input_grad[:3]
        data, kernel, output = (_both_ways(matrix, slope) for matrix in (DATA, KERNEL, OUTPUT))
        pieces = _even(slope)
        batch, channels_out, tall, wide = pieces.shape[0], pieces.shape[1], pieces.shape[2] // 2, pieces.shape[3] // 2
        groups, depth = filters.shape[1], filters.shape[3]

        pieces = pieces.reshape(batch, channels_out, tall, 2, wide, 2).permute(3, 5, 1, 0, 2, 4).reshape(4, -1)
        products = (output.T @ pieces).view(16, groups, channels_out // groups, batch * tall * wide)
        to_pictures = to_weight = None
        if by_pictures:
            tiles = data.T @ (filters.transpose(2, 3) @ products).view(16, -1)
            tiles = tiles.view(4, 4, groups * depth, batch, tall, wide).permute(3, 2, 4, 5, 0, 1)
            (height, width), (top, left) = ctx.size, ctx.place.padding
            whole = gathered(tiles, (2 * tall + 2, 2 * wide + 2), TILES)
            to_pictures = whole[:, :, top : top + height, left : left + width]
        if by_weight:
            to_weight = kernel.T @ (products @ seen.transpose(2, 3)).view(16, -1)
            to_weight = to_weight.view(3, 3, channels_out, depth).permute(2, 3, 0, 1)
        return to_pictures, to_weight, slope.sum((0, 2, 3)) if by_bias else None, None, None


def _both_ways(matrix: tuple[tuple[float, ...], ...], like: Tensor) -> Tensor:
    """P -> the matrix that takes Z, written in a row, to P Z P^T."""
    one_way = like.new_tensor(matrix)
    return torch.kron(one_way, one_way)


def _even(maps: Tensor) -> Tensor:
    """A row and a column of zeros more where their count is odd, because outputs come in pairs."""
    batch, channels, height, width = maps.shape
    if height % 2 == width % 2 == 0:
        return maps
    even = maps.new_zeros((batch, channels, height + height % 2, width + width % 2))
    even[:, :, :height, :width] = maps
    return even
