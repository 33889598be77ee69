"""What the weights are before the first step.

Each function overwrites the weights of a whole network in place. Biases become 0 and norms the identity (scale 1, shift 0);
`generator` makes the draw repeatable without touching the global random state. The network remembers how it was drawn, so that a
layer that comes later can be drawn alike (`rule_for`).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import torch
from torch import nn

Rule = Callable[[nn.Module], None]


def he(network: nn.Module, generator: torch.Generator | None = None) -> None:
    """Filters from N(0, 2 / (Cout * kernel area)): keeps the size of gradients from layer to layer through ReLUs.

    In a grouped convolution, Cout is that of one group, since one channel in feeds no more than these.
    Linear layers keep what PyTorch gave them: here they end the network and no ReLU follows.
    Source: He, Zhang, Ren, Sun 2015, arXiv:1502.01852, equation 14.
    """
    _remember(network, he)
    _unit_norms(network)
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d):
            nn.init.kaiming_normal_(layer.weight, mode="fan_out", nonlinearity="relu", generator=generator)
            if layer.groups > 1:
                with torch.no_grad():
                    layer.weight.mul_(layer.groups**0.5)
            _zero_bias(layer)


def xavier(network: nn.Module, generator: torch.Generator | None = None) -> None:
    """Filters and matrices from U(-a, a) with a² = 6 / (fan in + fan out), made for tanh and other odd activations.

    Source: Glorot, Bengio 2010, AISTATS 9, equation 16.
    """
    _remember(network, xavier)
    _unit_norms(network)
    for layer in network.modules():
        if isinstance(layer, (nn.Conv2d, nn.Linear)):
            nn.init.xavier_uniform_(layer.weight, generator=generator)
            _zero_bias(layer)


def normal(network: nn.Module, std: float, generator: torch.Generator | None = None) -> None:
    """Filters and matrices from N(0, std²), whatever their size: what was usual before Xavier and He."""
    _remember(network, partial(normal, std=std))
    _unit_norms(network)
    for layer in network.modules():
        if isinstance(layer, (nn.Conv2d, nn.Linear)):
            nn.init.normal_(layer.weight, 0.0, std, generator=generator)
            _zero_bias(layer)


def pytorch(network: nn.Module) -> None:
    """Filters and matrices, and biases too, as PyTorch draws them when a layer is made: U(-a, a) with a² = 1 / fan in."""
    _remember(network, pytorch)
    _unit_norms(network)
    for layer in network.modules():
        if isinstance(layer, (nn.Conv2d, nn.Linear)):
            layer.reset_parameters()


def zero_last_norms(network: nn.Module) -> None:
    """Start every residual block as its shortcut alone: the norm that ends its correction gets scale 0.

    A block says which norm that is by a property `last_norm`, which is None where no shortcut carries the signal past it: there a
    scale of 0 would cut the network in two.
    Source: Goyal et al. 2017, arXiv:1706.02677, section 5.1.
    """
    for block in network.modules():
        last_norm = getattr(block, "last_norm", None)
        if last_norm is not None:
            nn.init.zeros_(last_norm.weight)


def rule_for(network: nn.Module, layer: str) -> Rule | None:
    """How the weights of `layer` (a dotted name) were drawn; None if nobody said so, which means PyTorch's own way."""
    parts = layer.split(".") if layer else []
    for length in range(len(parts), -1, -1):
        rule: Rule | None = vars(network.get_submodule(".".join(parts[:length]))).get("drawn_by")
        if rule is not None:
            return rule
    return None


def _remember(network: nn.Module, rule: Rule) -> None:
    for layer in network.modules():
        vars(layer).pop("drawn_by", None)  # the last word counts
    network.drawn_by = rule  # type: ignore[assignment]


def _unit_norms(network: nn.Module) -> None:
    for layer in network.modules():
        if isinstance(layer, nn.BatchNorm2d):
            nn.init.ones_(layer.weight)
            nn.init.zeros_(layer.bias)


def _zero_bias(layer: nn.Conv2d | nn.Linear) -> None:
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)
