"""All windows of a picture without copying a pixel, and the way back.

Cutting a picture into windows is linear: each pixel goes to every window that covers it. The adjoint of that map, which every
backward pass needs, therefore adds up, for each pixel, what the windows that cover it brought back.

                 windows   (often called im2col)
    (B, C, H, W)  ----->   (B, C, H_out, W_out, kh, kw)
                  <-----
                 gathered  (often called col2im)
"""

from __future__ import annotations

from torch import Tensor

from wiesel.scratch.geometry import Geometry, Pair


def margined(pictures: Tensor, padding: Pair, value: float = 0.0) -> Tensor:
    """With a margin of `value` around: (B, C, H, W) -> (B, C, H + 2 padding[0], W + 2 padding[1]). The same tensor if there is none."""
    top, left = padding
    if top == left == 0:
        return pictures
    batch, channels, height, width = pictures.shape
    larger = pictures.new_full((batch, channels, height + 2 * top, width + 2 * left), value)
    larger[:, :, top : top + height, left : left + width] = pictures
    return larger


def windows(pictures: Tensor, place: Geometry, margin: float = 0.0) -> Tensor:
    """Every window as a view: (B, C, H, W) -> (B, C, H_out, W_out, kh, kw).

    Only steps in memory are computed: one window further is `stride` rows further, one weight further is `dilation` rows
    further. Windows overlap, so pixels are shared: read it, never write to it.
    """
    rows, columns = place.output((pictures.shape[2], pictures.shape[3]))
    whole = margined(pictures, place.padding, margin)
    batch, channels = whole.shape[:2]
    picture_step, channel_step, row_step, column_step = whole.stride()
    return whole.as_strided(
        (batch, channels, rows, columns, *place.kernel),
        (
            picture_step,
            channel_step,
            place.stride[0] * row_step,
            place.stride[1] * column_step,
            place.dilation[0] * row_step,
            place.dilation[1] * column_step,
        ),
    )


def gathered(pieces: Tensor, size: Pair, place: Geometry) -> Tensor:
    """The adjoint of `windows`: (B, C, H_out, W_out, kh, kw) -> (B, C, H, W), each pixel the sum of its copies.

    One weight of the kernel at a time, for all windows at once: within one weight no pixel occurs twice.
    """
    batch, channels, rows, columns = pieces.shape[:4]
    (top, left), (height, width) = place.padding, size
    whole = pieces.new_zeros((batch, channels, *place.padded(size)))
    for i in range(place.kernel[0]):
        for j in range(place.kernel[1]):
            y, x = i * place.dilation[0], j * place.dilation[1]
            whole[
                :,
                :,
                y : y + (rows - 1) * place.stride[0] + 1 : place.stride[0],
                x : x + (columns - 1) * place.stride[1] + 1 : place.stride[1],
            ] += pieces[..., i, j]
    return whole[:, :, top : top + height, left : left + width]
