"""What every head says about a picture: probabilities, and how unsure it is of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Answer:
    """N pictures, K classes. All scores are larger where the head is less sure."""

    probabilities: Floats
    """(N, K), each row adds up to 1."""
    entropy: Floats
    """(N,), nats: of the probabilities; doubt of every kind together."""
    information: Floats | None = None
    """(N,), nats: mutual information of the label and the head's own parameters, what more training labels could still settle."""
    variance: Floats | None = None
    """(N,): of the logits under the head's posterior, mean over the classes."""

    @property
    def scores(self) -> dict[str, Floats]:
        """Name -> score, those that this head has."""
        named = {"entropy": self.entropy, "information": self.information, "variance": self.variance}
        return {name: score for name, score in named.items() if score is not None}

    def joined(self, *others: Answer) -> Answer:
        """This and more pictures, in order."""
        parts = (self, *others)

        def column(name: str) -> Floats | None:
            values = [getattr(part, name) for part in parts]
            return None if values[0] is None else np.concatenate(values)

        entropy = column("entropy")
        assert entropy is not None
        return Answer(np.concatenate([part.probabilities for part in parts]), entropy, column("information"), column("variance"))


def of_samples(probabilities: Tensor, variance: Tensor | None = None) -> Answer:
    """From S answers (S, N, K) of equally plausible heads: their mean, its entropy, and how much they disagree.

    information = entropy of the mean - mean of the entropies (Houlsby et al. 2011, arXiv:1112.5745).
    """
    wide = probabilities.double()
    mean = wide.mean(0)
    whole = entropy_of(mean)
    apart = (whole - entropy_of(wide).mean(0)).clamp(min=0)
    return Answer(mean.numpy(), whole.numpy(), apart.numpy(), None if variance is None else variance.double().numpy())


def of_logits(logits: Tensor, variance: Tensor | None = None) -> Answer:
    """From one answer (N, K)."""
    probabilities = logits.double().softmax(-1)
    return Answer(
        probabilities.numpy(), entropy_of(probabilities).numpy(), variance=None if variance is None else variance.double().numpy()
    )


def sampled(mean: Tensor, root: Tensor, samples: int, generator: torch.Generator) -> Tensor:
    """Probabilities (S, N, K) of logits drawn from N(mean, root rootᵀ): (N, K), (N, K, K) or, for independent classes, (N, K)."""
    drawn = torch.randn((samples, *mean.shape), generator=generator, dtype=mean.dtype)
    spread = drawn * root if root.ndim == mean.ndim else torch.einsum("nij,snj->sni", root, drawn)
    return torch.softmax(mean + spread, -1)


def entropy_of(probabilities: Tensor) -> Tensor:
    """Nats, over the last axis; 0 log 0 = 0."""
    entropy: Tensor = torch.special.entr(probabilities).sum(-1)
    return entropy


def chunks(rows: Tensor, size: int) -> Iterator[Tensor]:
    """The rows in order, at most `size` at once; rows without any as one empty chunk."""
    for start in range(0, max(len(rows), 1), size):
        yield rows[start : start + size]


def table(features: ArrayLike) -> Tensor:
    """Any array as a float64 tensor of its own."""
    return torch.from_numpy(np.array(np.asarray(features), dtype=np.float64))
