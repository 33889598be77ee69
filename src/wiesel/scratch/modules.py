"""Layers that take the place of torch's: same arguments, same parameters, same result, and code that can be read to the ground.

>>> import torch
>>> layer = Conv2d(3, 8, kernel_size=3, padding=1, algorithm="winograd")
>>> layer(torch.zeros(2, 3, 6, 6)).shape
torch.Size([2, 8, 6, 6])
>>> other = torch.nn.Conv2d(3, 8, kernel_size=3, padding=1)
>>> other.load_state_dict(layer.state_dict())
<All keys matched successfully>

Left out of torch's arguments: `padding_mode` and paddings given as a word, `ceil_mode`, `return_indices`, `divisor_override`.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from wiesel.scratch import winograd
from wiesel.scratch.algorithms import Algorithm, by_name
from wiesel.scratch.checking import check_channels
from wiesel.scratch.geometry import Pair, geometry
from wiesel.scratch.pooling import avg_pool, max_pool


class Conv2d(nn.Module):
    """(B, in_channels, H, W) -> (B, out_channels, H_out, W_out), or both without B. Sizes: `geometry.output_size`.

    `algorithm` changes how the result is computed, not what it is; "winograd" is for 3x3 with stride and dilation 1, "loops" for
    tiny pictures. Weights start as torch's do; `generator` None draws them, as torch does, from torch's global generator.

    Raises:
        BadValue: a value out of its range, or a geometry that `algorithm` cannot compute.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int | Pair,
        stride: int | Pair = 1,
        padding: int | Pair = 0,
        dilation: int | Pair = 1,
        groups: int = 1,
        bias: bool = True,
        *,
        algorithm: Algorithm = "im2col",
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        check_channels(in_channels, out_channels, groups)
        place = geometry(kernel_size, stride, padding, dilation)
        self.in_channels, self.out_channels, self.groups = in_channels, out_channels, groups
        self.kernel_size, self.stride, self.padding, self.dilation = place.kernel, place.stride, place.padding, place.dilation
        self.algorithm = algorithm
        self._convolve = by_name(algorithm)
        if algorithm == "winograd":
            winograd.check_geometry(place)
        self.weight = nn.Parameter(torch.empty(out_channels, in_channels // groups, *place.kernel))
        self.bias: nn.Parameter | None
        self.register_parameter("bias", nn.Parameter(torch.empty(out_channels)) if bias else None)
        self.reset_parameters(generator)

    def reset_parameters(self, generator: torch.Generator | None = None) -> None:
        """Weights and bias uniform in +-1 / sqrt(n), with n the number of products that make one output.

        torch writes this as He's initialisation with a = sqrt(5), in whose bound 3 and 1 + a^2 = 6 cancel to 1.
        """
        bound = 1 / math.sqrt(self.weight[0].numel())
        with torch.no_grad():
            self.weight.uniform_(-bound, bound, generator=generator)
            if self.bias is not None:
                self.bias.uniform_(-bound, bound, generator=generator)

    def forward(self, pictures: Tensor) -> Tensor:
        batch = pictures[None] if pictures.ndim == 3 else pictures
        output = self._convolve(batch, self.weight, self.bias, self.stride, self.padding, self.dilation, self.groups)
        return output[0] if pictures.ndim == 3 else output

    def extra_repr(self) -> str:
        return (
            f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}, "
            f"dilation={self.dilation}, groups={self.groups}, bias={self.bias is not None}, algorithm={self.algorithm!r}"
        )


class MaxPool2d(nn.Module):
    """The largest pixel of every window: (B, C, H, W) -> (B, C, H_out, W_out), or both without B.

    `stride` None: windows side by side.
    """

    def __init__(
        self,
        kernel_size: int | Pair,
        stride: int | Pair | None = None,
        padding: int | Pair = 0,
        dilation: int | Pair = 1,
    ) -> None:
        super().__init__()
        place = geometry(kernel_size, kernel_size if stride is None else stride, padding, dilation)
        self.kernel_size, self.stride, self.padding, self.dilation = place.kernel, place.stride, place.padding, place.dilation

    def forward(self, pictures: Tensor) -> Tensor:
        batch = pictures[None] if pictures.ndim == 3 else pictures
        output = max_pool(batch, self.kernel_size, self.stride, self.padding, self.dilation)
        return output[0] if pictures.ndim == 3 else output

    def extra_repr(self) -> str:
        return f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}, dilation={self.dilation}"


class AvgPool2d(nn.Module):
    """The mean of every window: (B, C, H, W) -> (B, C, H_out, W_out), or both without B.

    `stride` None: windows side by side. `count_include_pad`: the zeros of the margin count as pixels.
    """

    def __init__(
        self,
        kernel_size: int | Pair,
        stride: int | Pair | None = None,
        padding: int | Pair = 0,
        count_include_pad: bool = True,
    ) -> None:
        super().__init__()
        place = geometry(kernel_size, kernel_size if stride is None else stride, padding)
        self.kernel_size, self.stride, self.padding = place.kernel, place.stride, place.padding
        self.count_include_pad = count_include_pad

    def forward(self, pictures: Tensor) -> Tensor:
        batch = pictures[None] if pictures.ndim == 3 else pictures
        output = avg_pool(batch, self.kernel_size, self.stride, self.padding, self.count_include_pad)
        return output[0] if pictures.ndim == 3 else output

    def extra_repr(self) -> str:
        return (
            f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}, "
            f"count_include_pad={self.count_include_pad}"
        )


SimpleConv2d = Conv2d
SimpleMaxPool2d = MaxPool2d
