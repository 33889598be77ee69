"""Exponential moving average of the weights (Polyak averaging as used by Tan and Le 2019, section 5.2)."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class MovingAverage:
    """A copy of the network's state that follows it: average <- d * average + (1 - d) * weights, d growing from 0 to `decay`.

    d = min(decay, (1 + t) / (10 + t)) after t updates, so that the first steps do not hang on the random start.
    Buffers of whole numbers (batch counters) are copied.
    """

    def __init__(self, network: nn.Module, decay: float) -> None:
        self.decay = decay
        self.updates = 0
        self.state: dict[str, Tensor] = {name: tensor.detach().clone() for name, tensor in network.state_dict().items()}

    @torch.no_grad()
    def update(self, network: nn.Module) -> None:
        decay = min(self.decay, (1 + self.updates) / (10 + self.updates))
        self.updates += 1
        floating: list[Tensor] = []
        targets: list[Tensor] = []
        for name, tensor in network.state_dict().items():
            if tensor.is_floating_point():
                floating.append(self.state[name])
                targets.append(tensor.detach())
            else:
                self.state[name].copy_(tensor)
        torch._foreach_lerp_(floating, targets, 1 - decay)
