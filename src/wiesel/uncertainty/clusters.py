"""K-means: where the inducing points of a Gaussian process stand at the beginning."""

from __future__ import annotations

import torch
from torch import Tensor


def kmeans(places: Tensor, count: int, generator: torch.Generator, *, rounds: int = 20) -> Tensor:
    """At most `count` centres of places (N, d), each the mean of those nearest to it; begun far apart (Arthur, Vassilvitskii 2007).

    Fewer where there are fewer different places.
    """
    first = int(torch.randint(len(places), (1,), generator=generator))
    chosen = [places[first]]
    nearest = (places - chosen[0]).square().sum(1)
    while len(chosen) < count and float(nearest.max()) > 0:
        row = int(torch.multinomial(nearest / nearest.sum(), 1, generator=generator))
        chosen.append(places[row])
        nearest = torch.minimum(nearest, (places - places[row]).square().sum(1))
    centres = torch.stack(chosen)
    for _ in range(rounds):
        owner = torch.cdist(places, centres).argmin(1)
        sums = torch.zeros_like(centres).index_add_(0, owner, places)
        sizes = torch.bincount(owner, minlength=len(centres))
        moved = torch.where(sizes[:, None] > 0, sums / sizes.clamp(min=1)[:, None], centres)
        if torch.equal(moved, centres):
            break
        centres = moved
    return centres
