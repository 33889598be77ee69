"""How far each algorithm is from the exact result, because no two of them round alike.

The inputs are float32 numbers and taken as exact; the exact result is the definition's in float64, whose own error is 2^29 times
smaller than float32's. Every algorithm then computes in float32.

Relative to the outputs, all three fast ones stay near the unit of rounding, 2^-24 = 6e-8: with 3x3 weights over 1 to 64 channels the
root mean square is 0.5e-7 to 3e-7, and which of them is best changes with the number of channels. They differ in where the error lies.
An output of `im2col` or `winograd` errs by a part of the pixels it is made of. The FFT mixes all positions, so that a bright pixel
leaves its rounding error on the other, dark side of the picture. For the same reason one pixel that is not a number spoils its
windows with `im2col`, its tiles with `winograd`, and every output with `fft`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from wiesel.scratch import im2col
from wiesel.scratch.algorithms import Algorithm, by_name
from wiesel.scratch.geometry import Pair


@dataclass(frozen=True)
class RoundingError:
    """Differences from the exact outputs, in units of the outputs; divided by `output` they are relative."""

    largest: float
    root_mean_square: float
    output: float
    """Root mean square of the exact outputs."""


def measure(
    pictures_shape: tuple[int, int, int, int],
    weight_shape: tuple[int, int, int, int],
    stride: int | Pair = 1,
    padding: int | Pair = 0,
    dilation: int | Pair = 1,
    groups: int = 1,
    *,
    algorithms: Sequence[Algorithm] = ("im2col", "fft", "winograd"),
    seed: int = 0,
) -> dict[str, RoundingError]:
    """Standard normal pictures (B, Cin, H, W) and weights (Cout, Cin / groups, kh, kw), float32, without bias.

    >>> measure((1, 3, 8, 8), (4, 3, 3, 3), padding=1)["fft"].largest < 1e-5
    True

    Raises:
        BadValue: something does not fit, among it a geometry that one of `algorithms` cannot compute.
    """
    generator = torch.Generator().manual_seed(seed)
    pictures = torch.randn(pictures_shape, generator=generator)
    weight = torch.randn(weight_shape, generator=generator)
    exact = im2col.convolve(pictures.double(), weight.double(), None, stride, padding, dilation, groups)
    errors: dict[str, RoundingError] = {}
    for name in algorithms:
        difference = by_name(name)(pictures, weight, None, stride, padding, dilation, groups).double() - exact
        errors[name] = RoundingError(
            largest=difference.abs().max().item(),
            root_mean_square=difference.square().mean().sqrt().item(),
            output=exact.square().mean().sqrt().item(),
        )
    return errors
