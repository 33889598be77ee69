"""Where the windows of a convolution or a pooling lie, and how many there are.

Along one axis, with a picture of n pixels, a margin of p zeros on both sides, a kernel of k weights that are d pixels apart, and a
step of s pixels from window to window:

    extent   e = d (k - 1) + 1                     pixels from the first weight to the last
    windows  m = floor((n + 2 p - e) / s) + 1      the last pixels that fill no whole step are left out

and window i covers the pixels  i s - p,  i s - p + d,  ...,  i s - p + d (k - 1).
"""

from __future__ import annotations

from dataclasses import dataclass

from wiesel.errors import BadValue
from wiesel.language import say

Pair = tuple[int, int]
"""(along the height, along the width)"""


@dataclass(frozen=True)
class Geometry:
    """All in pixels, (along the height, along the width). Made by `geometry`, which checks."""

    kernel: Pair
    stride: Pair
    padding: Pair
    dilation: Pair

    @property
    def extent(self) -> Pair:
        """Pixels that one window spans, holes included."""
        return (self.dilation[0] * (self.kernel[0] - 1) + 1, self.dilation[1] * (self.kernel[1] - 1) + 1)

    def padded(self, size: Pair) -> Pair:
        """Height and width with the margin."""
        return (size[0] + 2 * self.padding[0], size[1] + 2 * self.padding[1])

    def output(self, size: Pair) -> Pair:
        """Windows along the height and the width of a picture of `size` (H, W).

        Raises:
            BadValue: not one whole window fits.
        """
        margined, extent = self.padded(size), self.extent
        if size[0] < 1 or size[1] < 1 or margined[0] < extent[0] or margined[1] < extent[1]:
            raise BadValue(
                setting="size",
                value=f"{size[0]} x {size[1]}",
                expected=say(
                    en=f"with its margin at least {extent[0]} x {extent[1]} pixels, which one window spans (margin {self.padding})",
                    de=f"mit dem Rand mindestens {extent[0]} x {extent[1]} Pixel, die ein Fenster überspannt (Rand {self.padding})",
                ),
            )
        return (
            (margined[0] - extent[0]) // self.stride[0] + 1,
            (margined[1] - extent[1]) // self.stride[1] + 1,
        )


def geometry(kernel_size: int | Pair, stride: int | Pair = 1, padding: int | Pair = 0, dilation: int | Pair = 1) -> Geometry:
    """One number counts for both axes.

    Raises:
        BadValue: something other than one or two whole numbers; a kernel, stride or dilation below 1; a padding below 0.
    """
    return Geometry(
        kernel=pair("kernel_size", kernel_size, smallest=1),
        stride=pair("stride", stride, smallest=1),
        padding=pair("padding", padding, smallest=0),
        dilation=pair("dilation", dilation, smallest=1),
    )


def output_size(
    size: int | Pair,
    kernel_size: int | Pair,
    stride: int | Pair = 1,
    padding: int | Pair = 0,
    dilation: int | Pair = 1,
) -> Pair:
    """Height and width that a convolution or a pooling makes of a picture of `size`.

    >>> output_size(6, kernel_size=3, padding=1), output_size(6, kernel_size=2, stride=2)
    ((6, 6), (3, 3))
    >>> output_size((28, 31), kernel_size=(5, 3), stride=2, padding=(2, 0), dilation=(1, 2))
    (14, 14)

    Raises:
        BadValue: a value out of its range, or not one whole window fits.
    """
    return geometry(kernel_size, stride, padding, dilation).output(pair("size", size, smallest=1))


def pair(setting: str, value: int | Pair, smallest: int) -> Pair:
    """`value` for both axes. `setting` is its name in the error."""
    both = value if isinstance(value, (tuple, list)) else (value, value)
    if len(both) != 2 or any(isinstance(one, bool) or not isinstance(one, int) or one < smallest for one in both):
        raise BadValue(
            setting=setting,
            value=value,
            expected=say(
                en=f"one whole number from {smallest} on, or two of them (height, width)",
                de=f"eine ganze Zahl ab {smallest} oder zwei davon (Höhe, Breite)",
            ),
        )
    return (both[0], both[1])
