"""Random convolutions and poolings that fit their pictures, small enough for the loops."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from hypothesis import strategies as st
from torch import Tensor


@dataclass(frozen=True)
class Case:
    batch: int
    channels_in: int
    channels_out: int
    size: tuple[int, int]
    kernel: tuple[int, int]
    bias: bool
    stride: tuple[int, int]
    padding: tuple[int, int]
    dilation: tuple[int, int]
    groups: int
    seed: int

    @property
    def settings(self) -> tuple[tuple[int, int], tuple[int, int], tuple[int, int], int]:
        return self.stride, self.padding, self.dilation, self.groups

    def tensors(self, dtype: torch.dtype) -> tuple[Tensor, Tensor, Tensor | None]:
        """Pictures, weight and bias, all with gradients."""
        random = torch.Generator().manual_seed(self.seed)

        def draw(*shape: int) -> Tensor:
            return torch.randn(shape, generator=random, dtype=dtype).requires_grad_()

        weight = draw(self.channels_out, self.channels_in // self.groups, *self.kernel)
        return draw(self.batch, self.channels_in, *self.size), weight, draw(self.channels_out) if self.bias else None


def pairs(low: int, high: int) -> st.SearchStrategy[tuple[int, int]]:
    return st.tuples(st.integers(low, high), st.integers(low, high))


@st.composite
def convolutions(draw: st.DrawFn, *, only_3x3: bool = False) -> Case:
    kernel = (3, 3) if only_3x3 else draw(pairs(1, 4))
    dilation = (1, 1) if only_3x3 else draw(pairs(1, 3))
    stride = (1, 1) if only_3x3 else draw(pairs(1, 3))
    padding = draw(pairs(0, 3))
    smallest = [max(1, d * (k - 1) + 1 - 2 * p) for k, d, p in zip(kernel, dilation, padding, strict=True)]
    size = (smallest[0] + draw(st.integers(0, 4)), smallest[1] + draw(st.integers(0, 4)))
    groups = draw(st.integers(1, 3))
    return Case(
        batch=draw(st.integers(1, 2)),
        channels_in=groups * draw(st.integers(1, 2)),
        channels_out=groups * draw(st.integers(1, 2)),
        size=size,
        kernel=kernel,
        bias=draw(st.booleans()),
        stride=stride,
        padding=padding,
        dilation=dilation,
        groups=groups,
        seed=draw(st.integers(0, 1000)),
    )


@st.composite
def poolings(draw: st.DrawFn, *, dilated: bool = True) -> Case:
    kernel = draw(pairs(1, 4))
    padding = (draw(st.integers(0, kernel[0] // 2)), draw(st.integers(0, kernel[1] // 2)))
    dilation = draw(pairs(1, 2)) if dilated else (1, 1)
    extent = [d * (k - 1) + 1 for k, d in zip(kernel, dilation, strict=True)]
    return Case(
        batch=draw(st.integers(1, 2)),
        channels_in=draw(st.integers(1, 2)),
        channels_out=1,
        size=(extent[0] + draw(st.integers(0, 4)), extent[1] + draw(st.integers(0, 4))),
        kernel=kernel,
        bias=False,
        stride=draw(pairs(1, 4)),
        padding=padding,
        dilation=dilation,
        groups=1,
        seed=draw(st.integers(0, 1000)),
    )
