"""Whether pictures and weights fit together, before any arithmetic starts."""

from __future__ import annotations

import torch
from torch import Tensor

from wiesel.errors import BadValue
from wiesel.language import say
from wiesel.scratch.geometry import Geometry, Pair


def check_convolution(pictures: Tensor, weight: Tensor, bias: Tensor | None, groups: int) -> None:
    """Pictures (B, Cin, H, W), weight (Cout, Cin / groups, kh, kw), bias (Cout,) or None, all float32 or all float64.

    Raises:
        BadValue: which of them does not fit, and what would.
    """
    check_pictures(pictures)
    if weight.ndim != 4:
        raise BadValue(
            setting="weight",
            value=tuple(weight.shape),
            expected=say(
                en="shape (channels out, channels in / groups, height, width)",
                de="Form (Kanäle aus, Kanäle ein / groups, Höhe, Breite)",
            ),
        )
    channels_in, channels_out = pictures.shape[1], weight.shape[0]
    check_channels(channels_in, channels_out, groups)
    if weight.shape[1] * groups != channels_in:
        raise BadValue(
            setting="pictures",
            value=tuple(pictures.shape),
            expected=say(
                en=f"{weight.shape[1] * groups} channels, from the weight's {weight.shape[1]} and groups = {groups}",
                de=f"{weight.shape[1] * groups} Kanäle, nach den {weight.shape[1]} der Gewichte und groups = {groups}",
            ),
        )
    if bias is not None and tuple(bias.shape) != (channels_out,):
        raise BadValue(
            setting="bias",
            value=tuple(bias.shape),
            expected=say(en=f"{channels_out} numbers, one per channel out", de=f"{channels_out} Zahlen, eine je Ausgabekanal"),
        )
    for name, tensor in (("weight", weight), ("bias", bias)):
        if tensor is not None and (tensor.dtype, tensor.device) != (pictures.dtype, pictures.device):
            raise BadValue(
                setting=name,
                value=f"{tensor.dtype}, {tensor.device}",
                expected=say(
                    en=f"{pictures.dtype} on {pictures.device}, as the pictures are",
                    de=f"{pictures.dtype} auf {pictures.device} wie die Bilder",
                ),
            )


def check_channels(channels_in: int, channels_out: int, groups: int) -> None:
    """Every group gets the same number of channels, in and out."""
    for name, count in (("in_channels", channels_in), ("out_channels", channels_out)):
        if isinstance(count, bool) or not isinstance(count, int) or count < 1:
            raise BadValue(setting=name, value=count, expected=say(en="a whole number from 1 on", de="eine ganze Zahl ab 1"))
    if isinstance(groups, bool) or not isinstance(groups, int) or groups < 1 or channels_in % groups or channels_out % groups:
        raise BadValue(
            setting="groups",
            value=groups,
            expected=say(
                en=f"a whole number that divides the channels in ({channels_in}) and the channels out ({channels_out})",
                de=f"eine ganze Zahl, die die Eingabekanäle ({channels_in}) und die Ausgabekanäle ({channels_out}) teilt",
            ),
        )


def check_pictures(pictures: Tensor) -> None:
    """(B, C, H, W) of float32 or float64."""
    if pictures.ndim != 4:
        raise BadValue(
            setting="pictures",
            value=tuple(pictures.shape),
            expected=say(en="shape (batch, channels, height, width)", de="Form (Stapel, Kanäle, Höhe, Breite)"),
        )
    if pictures.dtype not in (torch.float32, torch.float64):
        raise BadValue(
            setting="pictures",
            value=str(pictures.dtype),
            expected=say(en="float32 or float64; `.float()` converts", de="float32 oder float64; `.float()` wandelt um"),
        )


def check_pooling_margin(place: Geometry, size: Pair) -> None:
    """Every window on a picture of `size` (H, W) must see a pixel: in the margin alone there is nothing to take a maximum of."""
    if any(2 * margin > extent for margin, extent in zip(place.padding, place.extent, strict=True)):
        raise BadValue(
            setting="padding",
            value=place.padding,
            expected=say(
                en=f"at most half of what a window spans, {place.extent}",
                de=f"höchstens die Hälfte dessen, was ein Fenster überspannt, {place.extent}",
            ),
        )
    for axis, count in enumerate(place.output(size)):
        for window in range(count):
            first = window * place.stride[axis] - place.padding[axis]
            seen = range(first, first + place.extent[axis], place.dilation[axis])
            if not any(0 <= pixel < size[axis] for pixel in seen):
                raise BadValue(
                    setting="dilation",
                    value=place.dilation,
                    expected=say(
                        en=f"smaller: the {size[0]} x {size[1]} pixels all fall between the pixels that a window looks at",
                        de=f"kleiner: die {size[0]} x {size[1]} Pixel fallen alle zwischen die Pixel, die ein Fenster ansieht",
                    ),
                )
