"""The table of the four ways to compute one convolution: same arguments, same result up to rounding."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal, Protocol

from torch import Tensor

from wiesel.errors import BadValue
from wiesel.language import say
from wiesel.scratch import fft, im2col, loops, winograd
from wiesel.scratch.geometry import Pair

Algorithm = Literal["loops", "im2col", "fft", "winograd"]


class Convolve(Protocol):
    """(B, Cin, H, W), (Cout, Cin / groups, kh, kw), (Cout,) -> (B, Cout, H_out, W_out)."""

    def __call__(
        self,
        pictures: Tensor,
        weight: Tensor,
        bias: Tensor | None = None,
        stride: int | Pair = 1,
        padding: int | Pair = 0,
        dilation: int | Pair = 1,
        groups: int = 1,
    ) -> Tensor: ...


ALGORITHMS: Mapping[str, Convolve] = MappingProxyType(
    {
        "loops": loops.convolve,
        "im2col": im2col.convolve,
        "fft": fft.convolve,
        "winograd": winograd.convolve,
    }
)


def by_name(name: str) -> Convolve:
    """The row called `name`.

    Raises:
        BadValue: there is none.
    """
    if name not in ALGORITHMS:
        names = ", ".join(map(repr, ALGORITHMS))
        raise BadValue(setting="algorithm", value=name, expected=say(en=f"one of {names}", de=f"eines von {names}"))
    return ALGORITHMS[name]
