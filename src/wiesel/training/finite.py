"""A gradient that is not a number stops the run before the optimiser can spread it, and says where it came from."""

from __future__ import annotations

import torch
from torch import Tensor, nn


def gradients_are_finite(network: nn.Module) -> bool:
    """One number for all gradients: a norm is finite exactly if every part is (or overflows, which is as bad)."""
    gradients = [p.grad for p in network.parameters() if p.grad is not None]
    if not gradients:
        return True
    norms = torch.stack(torch._foreach_norm(gradients))
    return bool(torch.isfinite(norms.sum()))


@torch.no_grad()
def first_bad_layer(network: nn.Module, pictures: Tensor) -> str:
    """Name of the first layer, in the order of execution, whose output is not finite; else of the first such gradient."""
    if not torch.isfinite(pictures).all():
        return "input"
    for name, parameter in network.named_parameters():
        if not torch.isfinite(parameter).all():
            return name
    found: list[str] = []

    def watch(name: str) -> object:
        def hook(_layer: nn.Module, _inputs: object, output: object) -> None:
            if isinstance(output, Tensor) and not found and not torch.isfinite(output).all():
                found.append(name)

        return hook

    leaves = [(name, layer) for name, layer in network.named_modules() if not list(layer.children())]
    handles = [layer.register_forward_hook(watch(name)) for name, layer in leaves]
    kept = {name: buffer.clone() for name, buffer in network.named_buffers()}
    try:
        network(pictures)
    finally:
        for handle in handles:
            handle.remove()
        for name, buffer in network.named_buffers():  # a forward pass in training mode moves the running statistics
            buffer.copy_(kept[name])
    if found:
        return found[0]
    bad = [name for name, p in network.named_parameters() if p.grad is not None and not torch.isfinite(p.grad).all()]
    return f"gradient of {bad[-1]}" if bad else "loss"
