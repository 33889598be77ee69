"""SNGP: a Gaussian process as the last layer, in one forward pass.

    h = projection(features)                    which keeps distances (`projection.py`)
    φ(h) = sqrt(2/R) cos(Ω h / length + b)      random Fourier features: φ·φ' ≈ exp(-|h - h'|² / 2 length²)
    logits = β φ                                β_k ~ N(0, I / precision)
    Σ_k = (precision I + sum_n p_nk (1 - p_nk) φ_n φ_nᵀ)⁻¹
    probabilities = softmax(logits_k / sqrt(1 + π/8 φᵀ Σ_k φ))     mean field

Far from all training features the variance returns to that of the prior, 1/precision, and the logits are drawn together. After the projection has been
trained, β is fitted again to its optimum, under the precision whose probabilities are best on a fifth of (at most 5000) training pictures, held out.

The bound on the norms begins at the features: the network below was trained without it, and what it has lost is not brought back here.

Source: Liu, Lin, Padhy, Tran, Bedrax-Weiss, Lakshminarayanan 2020, arXiv:2006.10108; Rahimi, Recht 2007 (NeurIPS).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import ArrayLike, NDArray
from torch import Tensor, nn

from wiesel.uncertainty.answer import Answer, chunks, of_logits, table
from wiesel.uncertainty.descent import descend, steps_for
from wiesel.uncertainty.logistic import ENOUGH, checked, fit_map, some
from wiesel.uncertainty.projection import Projection, middle_distance

PRECISIONS = (1e-2, 1e-1, 1e0, 1e1)
"""Of the prior, from which the training labels choose."""

CHUNK = 4096


@dataclass(frozen=True, eq=False)
class Sngp:
    kind: ClassVar[str] = "sngp"
    projection: Projection
    frequencies: Tensor
    """Ω / length: (R, width)"""
    phases: Tensor
    """(R,), 0..2π"""
    weights: Tensor
    """β: (K, R)"""
    roots: Tensor
    """(K, R, R): lower triangular, root_k root_kᵀ = Σ_k⁻¹"""
    precision: float
    setbacks: int = 0

    def logits(self, features: ArrayLike) -> tuple[Tensor, Tensor]:
        """Mean and variance of the logits, both (N, K)."""
        means, variances = [], []
        with torch.no_grad():
            for chunk in chunks(table(features), CHUNK):
                waves = fourier(self.projection(chunk), self.frequencies, self.phases)
                means.append(waves @ self.weights.T)
                variances.append(_variances(waves, self.roots))
        return torch.cat(means), torch.cat(variances)

    def answer(self, features: ArrayLike) -> Answer:
        mean, variance = self.logits(features)
        return of_logits(mean_field(mean, variance), variance.mean(1))

    def probabilities(self, features: ArrayLike) -> NDArray[np.float64]:
        """(N, D) -> (N, K)"""
        return self.answer(features).probabilities

    def tensors(self) -> dict[str, Tensor]:
        own = {name: getattr(self, name) for name in ("frequencies", "phases", "weights", "roots")}
        return own | {f"projection.{name}": tensor for name, tensor in self.projection.state_dict().items()}

    def facts(self) -> dict[str, Any]:
        return {"precision": self.precision, "setbacks": self.setbacks, "depth": len(self.projection.blocks)}

    @classmethod
    def restored(cls, tensors: Mapping[str, Tensor], facts: Mapping[str, Any]) -> Sngp:
        inner = {name.removeprefix("projection."): t for name, t in tensors.items() if name.startswith("projection.")}
        width, size = inner["first.weight"].shape
        projection = Projection(size, width, int(facts["depth"]))
        projection.load_state_dict(inner)
        own = {name: tensor for name, tensor in tensors.items() if not name.startswith("projection.")}
        return cls(projection, **own, precision=float(facts["precision"]), setbacks=int(facts["setbacks"]))


def fourier(places: Tensor, frequencies: Tensor, phases: Tensor) -> Tensor:
    """φ: (N, width) -> (N, R)"""
    return math.sqrt(2 / len(phases)) * torch.cos(places @ frequencies.T + phases)


def fit(
    features: ArrayLike,
    labels: NDArray[np.int64],
    classes: int,
    seed: int = 0,
    *,
    width: int = 64,
    depth: int = 2,
    waves: int = 512,
    steps: int | None = None,
) -> Sngp:
    """`waves`: how many random Fourier features. `steps` of Adam for the projection; by default 8 epochs, 300 to 1500.

    Raises:
        BadValue: labels or features that cannot be used.
        HeadDiverged: see `descent`.
    """
    raw = table(features)
    truth = checked(raw, labels, classes)
    generator = torch.Generator().manual_seed(seed)
    projection = Projection(raw.shape[1], min(width, raw.shape[1]), depth)
    projection.start(raw, generator)
    rows = some(truth, ENOUGH, generator)
    with torch.no_grad():
        length = middle_distance(projection(raw[rows]), truth[rows], generator)
    frequencies = torch.randn(waves, projection.first.out_features, generator=generator, dtype=torch.float64) / length
    phases = 2 * math.pi * torch.rand(waves, generator=generator, dtype=torch.float64)
    head = nn.ParameterList([nn.Parameter(torch.zeros(classes, waves, dtype=torch.float64))])

    def loss_of(rows: Tensor) -> Tensor:
        logits = fourier(projection(raw[rows]), frequencies, phases) @ head[0].T
        prior: Tensor = 1e-3 / (2 * len(raw)) * head[0].square().sum()
        return prior + F.cross_entropy(logits, truth[rows])

    descent = descend(
        "sngp",
        nn.ModuleList([projection, head]),
        [(list(projection.parameters()), 1e-3), (list(head.parameters()), 0.1)],
        loss_of,
        count=len(raw),
        steps=steps or steps_for(len(raw), epochs=8, least=300, most=1500),
        generator=generator,
        after_step=projection.keep_bounds,
    )
    projection.keep_bounds(exact=True)
    projection.requires_grad_(False)
    inputs = torch.cat([fourier(projection(chunk), frequencies, phases) for chunk in chunks(raw, CHUNK)])
    precision = _best_precision(inputs[rows], truth[rows], classes, generator)
    weights = fit_map(inputs, truth, classes, precision)
    # Contiguous, as a file gives them back: in another order the same numbers are added in another order.
    roots = torch.linalg.cholesky(_precisions(inputs, weights, precision)).contiguous()
    return Sngp(projection, frequencies, phases, weights, roots, precision, descent.setbacks)


def _best_precision(inputs: Tensor, labels: Tensor, classes: int, generator: torch.Generator) -> float:
    """The precision with the least NLL on every fifth picture, where it is fitted on the others; 1 for fewer than ten pictures.

    Not the marginal likelihood: where the features tell the training labels apart without an error, that prefers a prior so wide
    that the mean field answers nothing with confidence.
    """
    if len(labels) < 10:
        return 1.0
    held = torch.zeros(len(labels), dtype=torch.bool)
    held[torch.randperm(len(labels), generator=generator)[::5]] = True
    losses, start = {}, None
    for precision in reversed(PRECISIONS):
        start = fit_map(inputs[~held], labels[~held], classes, precision, start)
        roots = torch.linalg.cholesky(_precisions(inputs[~held], start, precision))
        logits = mean_field(inputs[held] @ start.T, _variances(inputs[held], roots))
        losses[precision] = float(F.cross_entropy(logits, labels[held]))
    return min(losses, key=losses.__getitem__)


def mean_field(mean: Tensor, variance: Tensor) -> Tensor:
    """Logits whose softmax is about the mean softmax of logits N(mean, variance), classes apart: (N, K), (N, K) -> (N, K)."""
    return mean / (1 + math.pi / 8 * variance).sqrt()


def _variances(waves: Tensor, roots: Tensor) -> Tensor:
    """φᵀ Σ_k φ: (N, R), (K, R, R) -> (N, K)"""
    return torch.stack([torch.linalg.solve_triangular(root, waves.T, upper=False).square().sum(0) for root in roots], 1)


def _precisions(inputs: Tensor, weights: Tensor, precision: float) -> Tensor:
    """Σ_k⁻¹: (K, R, R)"""
    probabilities = (inputs @ weights.T).softmax(1)
    strengths = probabilities * (1 - probabilities)
    eye = precision * torch.eye(inputs.shape[1], dtype=inputs.dtype)
    return torch.stack([eye + inputs.T @ (inputs * strength[:, None]) for strength in strengths.T])
