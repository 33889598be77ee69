"""`width=0.5`: every number of channels, times the factor; all weights are drawn anew.

Pictures keep their channels and logits their classes. Every number must come out whole, which is why only multiples of 1/g work,
g being the greatest common divisor: rounding here and not there would make maps that can be neither added nor stacked.
Depthwise convolutions stay depthwise, other groups keep their number.
"""

from __future__ import annotations

from fractions import Fraction
from math import gcd

import torch
from torch import nn

from wiesel.zoo.auxiliary import NetworkWithAuxiliaryHeads
from wiesel.zoo.network import Network
from wiesel.zoo.resnet_cifar import SubsampleAndPad
from wiesel.zoo.surgery.replacing import AFFINE_NORMS, draw, reshape_conv
from wiesel.zoo.surgery.work import Request, Work


def factor(text: str) -> Fraction | None:
    """Of "0.5", "2" or "3/4"; None for anything else.

    >>> factor("0.75"), factor("3/4") == factor("0.75"), factor("wide"), factor("-1")
    (Fraction(3, 4), True, None, None)
    """
    try:
        value = Fraction(text)
    except (ValueError, ZeroDivisionError):
        return None
    return value if 0 < value <= 64 else None


def check(request: Request) -> None:
    if factor(request.value) is None:
        raise request.refusal(
            en="a width is a factor above 0, such as 0.5 or 2", de="eine Breite ist ein Faktor über 0, etwa 0.5 oder 2"
        )


def apply(work: Work) -> None:
    work.refuse_a_part()
    times = factor(work.request.value)
    assert times is not None
    if times == 1:
        raise work.refusal(en="that is the width it has", de="diese Breite hat es schon")
    first, last = _ends(work)
    resizing = _Resizing(times)
    for name, layer in work.network.named_modules():
        if resizing.note(layer, keeps_input=name in first, keeps_output=name in last):
            work.layers.append(name)
    if resizing.unknown:
        raise work.refusal(
            en=f"a {resizing.unknown} has weights of its own that are not known here",
            de=f"ein {resizing.unknown} hat eigene Gewichte, die hier nicht bekannt sind",
        )
    divisor = gcd(*resizing.counts)
    if any((count * times).denominator != 1 for count in resizing.counts):
        raise work.refusal(
            en=f"not all numbers of channels would be whole; possible are multiples of 1/{divisor}",
            de=f"nicht alle Kanalzahlen wären ganz; möglich sind Vielfache von 1/{divisor}",
        )
    for name, layer in list(work.network.named_modules()):
        if name in work.layers:
            try:
                resizing.resize(layer, keeps_input=name in first, keeps_output=name in last)
            except ValueError as error:
                raise work.refusal(en=f"{name}: {error}", de=f"{name}: {error}") from error
    for name in work.layers:
        if isinstance(work.network.get_submodule(name), (nn.Conv2d, nn.Linear)):
            draw(work.network, name)


def _ends(work: Work) -> tuple[set[str], set[str]]:
    """Layers that see the picture, and layers that make logits."""
    convs = [call for call in work.seen.calls if isinstance(call.layer, nn.Conv2d)]
    output = work.seen.last_weighted()
    if not convs or output is None:
        raise work.refusal(en="there is no convolution", de="es gibt keine Faltung")
    picture = convs[0].input
    first = {call.name for call in convs if call.input is picture}
    last = {output.name}
    if isinstance(work.network, NetworkWithAuxiliaryHeads):
        for head in work.network.auxiliary:
            weighted = [n for n, layer in work.network.auxiliary[head].named_modules() if isinstance(layer, (nn.Conv2d, nn.Linear))]
            last.add(f"auxiliary.{head}.{weighted[-1]}")
    if not isinstance(work.network, Network):
        called = {call.name for call in work.seen.calls}
        idle = [n for n, layer in work.network.named_modules() if isinstance(layer, (nn.Conv2d, nn.Linear)) and n not in called]
        if idle:
            raise work.refusal(
                en=f"{idle[0]} takes no part in evaluation, so it is unknown what it is joined to",
                de=f"{idle[0]} ist an der Auswertung nicht beteiligt, also ist unbekannt, womit es verbunden ist",
            )
    return first, last


class _Resizing:
    """Two rounds: `note` looks whether all can be resized, `resize` does it."""

    def __init__(self, times: Fraction) -> None:
        self.times = times
        self.counts: list[int] = []
        self.unknown = ""

    def note(self, layer: nn.Module, *, keeps_input: bool, keeps_output: bool) -> bool:
        """Whether the layer has a width at all."""
        counts: list[int] = []
        if isinstance(layer, nn.Conv2d):
            counts = [layer.in_channels] * (not keeps_input) + [layer.out_channels] * (not keeps_output)
        elif isinstance(layer, nn.Linear):
            counts = [layer.in_features] * (not keeps_input) + [layer.out_features] * (not keeps_output)
        elif isinstance(layer, nn.modules.batchnorm._BatchNorm):
            counts = [layer.num_features]
        elif isinstance(layer, nn.GroupNorm):
            counts = [layer.num_channels]
        elif isinstance(layer, nn.LayerNorm):
            counts = [layer.normalized_shape[-1]]
        elif isinstance(layer, SubsampleAndPad):
            counts = [layer.new_channels] if layer.new_channels else []
        elif isinstance(layer, nn.PReLU):
            counts = [layer.num_parameters] if layer.num_parameters > 1 else []
        else:
            for own, parameter in layer.named_parameters(recurse=False):
                if own == "scale" and parameter.ndim == 3:
                    counts.append(len(parameter))
                elif parameter.numel() > 1:
                    self.unknown = type(layer).__name__
        self.counts += counts
        return bool(counts)

    def of(self, count: int, keep: bool = False) -> int:
        return count if keep else int(count * self.times)

    def resize(self, layer: nn.Module, *, keeps_input: bool, keeps_output: bool) -> None:
        if isinstance(layer, nn.Conv2d):
            channels_in, channels_out = self.of(layer.in_channels, keeps_input), self.of(layer.out_channels, keeps_output)
            depthwise = layer.groups == layer.in_channels > 1 and not keeps_input
            groups = channels_in if depthwise else layer.groups
            if channels_in % groups or channels_out % groups:
                raise ValueError(f"{groups} groups, {channels_in} -> {channels_out}")
            reshape_conv(layer, channels_in=channels_in, channels_out=channels_out, groups=groups)
        elif isinstance(layer, nn.Linear):
            layer.in_features, layer.out_features = (
                self.of(layer.in_features, keeps_input),
                self.of(layer.out_features, keeps_output),
            )
            layer.weight = nn.Parameter(layer.weight.new_empty(layer.out_features, layer.in_features))
            if layer.bias is not None:
                layer.bias = nn.Parameter(layer.bias.new_zeros(layer.out_features))
        elif isinstance(layer, SubsampleAndPad):
            layer.new_channels = self.of(layer.new_channels)
        elif isinstance(layer, AFFINE_NORMS):
            self._norm(layer)
        elif isinstance(layer, nn.PReLU):
            layer.num_parameters = self.of(layer.num_parameters)
            layer.weight = nn.Parameter(layer.weight.new_full((layer.num_parameters,), layer.init))
        else:
            scale = layer.scale
            assert isinstance(scale, nn.Parameter)
            layer.scale = nn.Parameter(_stretched(scale, self.of(len(scale))))

    def _norm(self, layer: nn.Module) -> None:
        for own, tensor in [*layer.named_parameters(recurse=False), *layer.named_buffers(recurse=False)]:
            if tensor.ndim == 1:
                stretched = _stretched(tensor, self.of(len(tensor)))
                setattr(layer, own, nn.Parameter(stretched) if isinstance(tensor, nn.Parameter) else stretched)
        if isinstance(layer, nn.GroupNorm):
            layer.num_channels = self.of(layer.num_channels)
            if layer.num_channels % layer.num_groups:
                raise ValueError(f"{layer.num_groups} groups, {layer.num_channels} channels")
        elif isinstance(layer, nn.LayerNorm):
            layer.normalized_shape = (*layer.normalized_shape[:-1], self.of(layer.normalized_shape[-1]))
        elif isinstance(layer, nn.modules.batchnorm._BatchNorm):
            layer.num_features = self.of(layer.num_features)


def _stretched(values: torch.Tensor, length: int) -> torch.Tensor:
    """As many as are needed: fresh scales and shifts are all the same, so the first serves for all."""
    return values.detach()[:1].expand(length, *values.shape[1:]).clone()
