"""`activation=sigmoid`: another activation in all layers, or in those of a part.

Gates stay: the sigmoid of squeeze and excitation makes a weight between 0 and 1, which is not what an activation is for. So does an
activation that a `forward` applies itself, as a function: there is no layer to exchange, and guessing would change half of a network.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import nn

from wiesel.zoo.surgery.replacing import replace
from wiesel.zoo.surgery.work import Request, Work

ACTIVATIONS: dict[str, Callable[[], nn.Module]] = {
    "relu": nn.ReLU,
    "relu6": nn.ReLU6,
    "leaky_relu": nn.LeakyReLU,
    "prelu": nn.PReLU,
    "elu": nn.ELU,
    "selu": nn.SELU,
    "celu": nn.CELU,
    "softplus": nn.Softplus,
    "gelu": nn.GELU,
    "silu": nn.SiLU,
    "mish": nn.Mish,
    "hardswish": nn.Hardswish,
    "sigmoid": nn.Sigmoid,
    "hardsigmoid": nn.Hardsigmoid,
    "tanh": nn.Tanh,
    "softsign": nn.Softsign,
    "identity": nn.Identity,
}
KINDS: tuple[Any, ...] = (
    *(kind for name, kind in ACTIVATIONS.items() if name != "identity"),
    nn.Hardtanh,
    nn.RReLU,
    nn.LogSigmoid,
    nn.Threshold,
)
FOREIGN = {
    "ScaledGELU",
    "Swish",
    "Mish",
    "Sigmoid",
    "Tanh",
    "HardSwish",
    "HardSigmoid",
    "HardMish",
    "PReLU",
    "GELU",
    "GELUTanh",
    "QuickGELU",
}
"""Names of classes of other libraries, and of our own, that are activations without being one of PyTorch's."""
GATES = {"gate", "scale_activation"}
FUNCTIONS = {
    *ACTIVATIONS,
    *(f"{name}_" for name in ACTIVATIONS),
    *("hardtanh", "hardtanh_", "rrelu", "logsigmoid", "threshold"),
} - {"identity", "identity_"}


def is_activation(name: str, layer: nn.Module) -> bool:
    """`name` is the layer's, since a gate is told from an activation by it alone."""
    return (isinstance(layer, KINDS) or type(layer).__name__ in FOREIGN) and name.rpartition(".")[2] not in GATES


def is_gate(name: str, layer: nn.Module) -> bool:
    return (isinstance(layer, KINDS) or type(layer).__name__ in FOREIGN) and name.rpartition(".")[2] in GATES


def check(request: Request) -> None:
    if request.value not in ACTIVATIONS:
        raise request.refusal(
            en=f"{request.value!r} is none of {', '.join(ACTIVATIONS)}",
            de=f"{request.value!r} ist keine von {', '.join(ACTIVATIONS)}",
        )


def apply(work: Work) -> None:
    layers = dict(work.network.named_modules())
    own = {name: used & FUNCTIONS for name, used in work.seen.functions.items() if work.inside(name)}
    functional = [
        f"{name or type(layers[name]).__name__} ({type(layers[name]).__name__}: {', '.join(sorted(used))})"
        for name, used in own.items()
        if used and not (is_activation(name, layers[name]) or is_gate(name, layers[name]))
    ]
    if functional:
        some = "; ".join(functional[:3]) + ("; …" if len(functional) > 3 else "")
        raise work.refusal(
            en=f"activations are functions inside forward here, not layers, in {len(functional)} places: {some}",
            de=f"Aktivierungen sind hier Funktionen in forward statt Schichten, an {len(functional)} Stellen: {some}",
        )
    for name, layer in list(work.network.named_modules(remove_duplicate=False)):
        if name and work.inside(name) and is_activation(name, layer):
            replace(work.network, name, ACTIVATIONS[work.request.value]())
            work.layers.append(name)
    if not work.layers:
        raise work.refusal(en=f"there is no activation in {work.place()}", de=f"es gibt keine Aktivierung in {work.place()}")
