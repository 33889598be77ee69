"""Batch norm folded into the convolution before it: the same answers in evaluation, with fewer operations.

In evaluation a batch norm is one factor and one summand per channel, so

    scale * (w * x + b - mean) / sqrt(variance + eps) + shift   =   (f w) * x + f (b - mean) + shift,    f = scale / sqrt(variance + eps)

is a convolution again (Jacob et al. 2018, arXiv:1712.05877, section 3.2). Rounding differs, so answers agree to about 1e-6 of their size.
"""

from __future__ import annotations

from copy import deepcopy

import torch
from torch import nn

from wiesel.analysis.tape import record


def folded(network: nn.Module, image: tuple[int, int, int]) -> nn.Module:
    """A copy in evaluation mode whose foldable norms are gone (`nn.Identity`); the network itself is not touched.

    A norm is folded where the tape shows that it reads a convolution whose result nobody else reads, and that neither of the two
    modules is used twice. Everything else stays.
    """
    copy = deepcopy(network).eval()
    modules = dict(copy.named_modules())
    for conv_name, norm_name in foldable(network, image):
        conv, norm = modules[conv_name], modules[norm_name]
        assert isinstance(conv, nn.Conv2d)
        assert isinstance(norm, nn.BatchNorm2d)
        _fold(conv, norm)
        parent, _, child = norm_name.rpartition(".")
        setattr(modules[parent], child, nn.Identity())
    return copy


def foldable(network: nn.Module, image: tuple[int, int, int]) -> list[tuple[str, str]]:
    """(convolution, norm) by their dotted names, in executed order."""
    tape = record(network, image)
    calls: dict[str, int] = {}
    for operation in tape.operations:
        if operation.name in ("conv2d", "batch_norm"):
            calls[operation.module] = calls.get(operation.module, 0) + 1
    modules = dict(network.named_modules())
    pairs = []
    for norm in tape.operations:
        if norm.name != "batch_norm" or type(modules.get(norm.module)) is not nn.BatchNorm2d:
            continue
        conv = tape.producer(norm.inputs[0])
        if (
            conv is not None
            and conv.name == "conv2d"
            and type(modules.get(conv.module)) is nn.Conv2d
            and modules[norm.module].running_mean is not None
            and len(tape.consumers(norm.inputs[0])) == 1
            and calls[norm.module] == calls[conv.module] == 1
        ):
            pairs.append((conv.module, norm.module))
    return pairs


@torch.no_grad()
def _fold(conv: nn.Conv2d, norm: nn.BatchNorm2d) -> None:
    assert norm.running_mean is not None
    assert norm.running_var is not None
    factor = (norm.running_var + norm.eps).rsqrt()
    if norm.weight is not None:
        factor = factor * norm.weight
    bias = torch.zeros_like(norm.running_mean) if conv.bias is None else conv.bias
    bias = (bias - norm.running_mean) * factor
    if norm.bias is not None:
        bias = bias + norm.bias
    weight = conv.weight * factor[:, None, None, None]
    conv.weight = nn.Parameter(weight.contiguous(memory_format=torch.channels_last), requires_grad=False)
    conv.bias = nn.Parameter(bias, requires_grad=False)
