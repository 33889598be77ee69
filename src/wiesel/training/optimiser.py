"""Optimisers, and which parameters decay: matrices and filters do, norms and biases do not (Goyal et al. 2017, section 5.3)."""

from __future__ import annotations

import torch
from torch import nn

from wiesel.recipe import Training
from wiesel.training.muon import Muon


def parameter_groups(network: nn.Module, decay: float) -> list[dict[str, object]]:
    """Two groups: parameters with two or more axes decay, vectors (biases, scales and shifts of norms) do not."""
    parameters = [p for p in network.parameters() if p.requires_grad]
    return [
        {"params": [p for p in parameters if p.ndim >= 2], "weight_decay": decay},
        {"params": [p for p in parameters if p.ndim < 2], "weight_decay": 0.0},
    ]


def optimiser_for(network: nn.Module, training: Training) -> torch.optim.Optimizer:
    """Each group carries `relative`: its rate as a multiple of the schedule's."""
    rate = training.peak_rate
    if training.optimiser == "muon":
        return Muon(filters_and_rest(network, training), lr=rate)
    groups = [{**group, "relative": 1.0} for group in parameter_groups(network, training.decay)]
    if training.optimiser == "adamw":
        return torch.optim.AdamW(groups, lr=rate, betas=(training.momentum, 0.99), fused=True)
    return torch.optim.SGD(groups, lr=rate, momentum=training.momentum, nesterov=training.momentum > 0)


def filters_and_rest(network: nn.Module, training: Training) -> list[dict[str, object]]:
    """Filter banks (out, in, kh, kw) that combine several inputs are for Muon; depthwise ones, matrices of heads and vectors are not."""
    parameters = [p for p in network.parameters() if p.requires_grad]
    filters = [p for p in parameters if p.ndim == 4 and p.shape[1] > 1]
    chosen = set(map(id, filters))
    rest = [p for p in parameters if id(p) not in chosen]
    groups = [{"params": filters, "orthogonal": True, "momentum": training.momentum, "relative": 1.0}]
    for decay, part in ((training.decay, [p for p in rest if p.ndim >= 2]), (0.0, [p for p in rest if p.ndim < 2])):
        groups.append({"params": part, "momentum": 0.9, "weight_decay": decay, "relative": training.rest_rate / training.peak_rate})
    return [group for group in groups if group["params"]]
