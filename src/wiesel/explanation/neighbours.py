"""Explaining by example: which known pictures a network sees as near to this one.

The feature space is what goes into the last layer with weights that a forward pass calls, averaged over places if it is a map:
what the network knows of a picture before it decides. Near means a large cosine there. Works with any `nn.Module`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn

_LAYERS = (nn.Linear, nn.Conv2d)


@torch.inference_mode()
def features_of(network: nn.Module, batches: Iterable[Tensor]) -> Tensor:
    """Batches of preprocessed pictures (B, C, H, W) -> features (N, D) of length 1. The network is left as it was."""
    was_training = network.training
    network.eval()
    last: list[Tensor] = []

    def keep(_layer: nn.Module, inputs: tuple[Any, ...]) -> None:
        last[:] = [inputs[0]]

    hooks = [layer.register_forward_pre_hook(keep) for layer in network.modules() if isinstance(layer, _LAYERS)]
    try:
        parts = []
        for batch in batches:
            last.clear()
            network(batch)
            found = last[0] if last else batch
            pooled = found.mean(dim=(2, 3)) if found.dim() == 4 else found.flatten(1)
            parts.append(nn.functional.normalize(pooled.float(), dim=1))
    finally:
        for hook in hooks:
            hook.remove()
        network.train(was_training)
    return torch.cat(parts)


def nearest(queries: Tensor, known: Tensor, number: int) -> tuple[Tensor, Tensor]:
    """Cosines (M, k) and rows (M, k) of the `number` nearest known features to each query, the nearest first."""
    cosines, rows = (queries @ known.T).topk(min(number, len(known)), dim=1)
    return cosines, rows


def prototypes(features: Tensor, labels: Tensor, classes: int, number: int) -> list[list[tuple[int, float]]]:
    """Per class the rows nearest to the mean of its features, with their cosines to it; an empty list where it has none."""
    found: list[list[tuple[int, float]]] = []
    for label in range(classes):
        rows = torch.nonzero(labels == label)[:, 0]
        if not len(rows):
            found.append([])
            continue
        mean = nn.functional.normalize(features[rows].mean(dim=0, keepdim=True), dim=1)
        cosines, places = nearest(mean, features[rows], number)
        found.append([(int(rows[place]), float(cosine)) for place, cosine in zip(places[0], cosines[0], strict=True)])
    return found
