"""Optimisers, and which parameters decay: matrices and filters do, norms and biases do not (Goyal et al. 2017, section 5.3)."""

from __future__ import annotations

import torch
from torch import nn

from wiesel.recipe import Training


def parameter_groups(network: nn.Module, decay: float) -> list[dict[str, object]]:
    """Two groups: parameters with two or more axes decay, vectors (biases, scales and shifts of norms) do not."""
    parameters = [p for p in network.parameters() if p.requires_grad]
    return [
        {"params": [p for p in parameters if p.ndim >= 2], "weight_decay": decay},
        {"params": [p for p in parameters if p.ndim < 2], "weight_decay": 0.0},
    ]


def optimiser_for(network: nn.Module, training: Training) -> torch.optim.Optimizer:
    groups = parameter_groups(network, training.decay)
    if training.optimiser == "adamw":
        return torch.optim.AdamW(groups, lr=training.peak_rate, betas=(training.momentum, 0.99), fused=True)
    return torch.optim.SGD(groups, lr=training.peak_rate, momentum=training.momentum, nesterov=training.momentum > 0)
