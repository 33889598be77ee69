"""Putting a layer in another's place, changing the shape of one, and drawing the weights of what is new."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from wiesel.blocks.initialisation import rule_for

AFFINE_NORMS = (nn.modules.batchnorm._BatchNorm, nn.GroupNorm, nn.LayerNorm)


def replace(network: nn.Module, name: str, layer: nn.Module) -> None:
    """Put `layer` at the place `name`, in the mode, on the device and in the number format of the network."""
    parent, _, own = name.rpartition(".")
    before = network.get_submodule(name)
    like = next(network.parameters(), torch.empty(0))
    layer.to(device=like.device, dtype=like.dtype)
    layer.train(before.training)
    network.get_submodule(parent).add_module(own, layer)


def reshape_conv(
    conv: nn.Conv2d,
    *,
    channels_in: int | None = None,
    channels_out: int | None = None,
    groups: int | None = None,
    kernel: tuple[int, int] | None = None,
) -> None:
    """Another shape in the same place, so that a convolution of another kind (standardised, ...) stays what it is.

    The weights are without meaning afterwards: draw them.
    """
    conv.in_channels = channels_in or conv.in_channels
    conv.out_channels = channels_out or conv.out_channels
    conv.groups = groups or conv.groups
    conv.kernel_size = kernel or conv.kernel_size
    shape = (conv.out_channels, conv.in_channels // conv.groups, *conv.kernel_size)
    conv.weight = nn.Parameter(conv.weight.new_empty(shape))
    if conv.bias is not None:
        conv.bias = nn.Parameter(conv.bias.new_zeros(conv.out_channels))
    gain = getattr(conv, "gain", None)
    if isinstance(gain, nn.Parameter):
        conv.gain = nn.Parameter(gain.new_ones(conv.out_channels, 1, 1, 1))


def set_padding(conv: nn.Conv2d, padding: tuple[int, int]) -> None:
    conv.padding = padding
    conv._reversed_padding_repeated_twice = [padding[1], padding[1], padding[0], padding[0]]


def draw(network: nn.Module, name: str) -> None:
    """Fresh weights for everything inside `name`, as the network's own were drawn (`rule_for`); from torch's global generator.

    Norms become the identity, but a scale that is 0 throughout stays so: that is how a block starts as its shortcut.
    """
    top = network.get_submodule(name)
    for own, layer in list(top.named_modules()):
        whole = ".".join(part for part in (name, own) if part)
        if isinstance(layer, (nn.Conv2d, nn.Linear)):
            layer.reset_parameters()
            rule = rule_for(network, whole)
            if rule is not None:
                rule(layer)
                vars(layer).pop("drawn_by", None)
        elif isinstance(layer, AFFINE_NORMS):
            zero = is_zero(layer.weight)
            layer.reset_parameters()
            if zero:
                nn.init.zeros_(layer.weight)


def is_zero(tensor: Tensor | None) -> bool:
    """Whether all of it is 0; unknown, hence no, where there are only shapes."""
    return tensor is not None and not tensor.is_meta and not bool(tensor.any())


def sizes(network: nn.Module) -> int:
    """Trainable and frozen numbers."""
    return sum(parameter.numel() for parameter in network.parameters())
