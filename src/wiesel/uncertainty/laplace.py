"""Last-layer Laplace: the linear head as a Gaussian around its most probable weights, as wide as the loss there is flat.

    p(W | data) ≈ N(W_map, (H + precision I)⁻¹)        H = sum_n (diag p_n - p_n p_nᵀ) ⊗ x_n x_nᵀ

H is the Hessian of the loss, exactly: for a linear head under softmax the generalised Gauss-Newton matrix and the Hessian are the same. For many weights it
is replaced by its Kronecker factors, (mean of the left) ⊗ (sum of the right). The precision of the prior is the one under which the training labels
are most probable (marginal likelihood), so no validation pictures are used up.

Sources: MacKay 1992, Neural Computation 4(3), 448-472 (evidence), and 4(5), 720-736 (probit); Ritter, Botev, Barber 2018 (ICLR)
(Kronecker factors); Kristiadi, Hein, Hennig 2020, arXiv:2002.10118 (last layer); Daxberger et al. 2021, arXiv:2106.14806.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from wiesel.errors import BadValue
from wiesel.uncertainty.answer import Answer, chunks, of_logits, of_samples, sampled, table
from wiesel.uncertainty.logistic import checked, fit_map, scaling, with_one

Structure = Literal["full", "kronecker"]

LARGEST_FULL = 1500
"""Weights up to which the whole matrix is used."""

GRID = tuple(10 ** (power / 4) for power in range(-16, 25))
"""Precisions of the prior that are tried, 1e-4 to 1e6."""

CHUNK = 1024
"""Pictures that are answered at once."""


@dataclass(frozen=True, eq=False)
class Laplace:
    """The posterior in the eigenbasis of its curvature: `vectors` and `values` of H, or of both Kronecker factors."""

    kind: ClassVar[str] = "laplace"
    weights: Tensor
    """(K, D + 1), the most probable ones."""
    mean: Tensor
    scale: Tensor
    values: Tensor
    """Eigenvalues of the curvature: (K (D + 1),) if full, else (K, D + 1)."""
    vectors: Tensor
    """Full: (K (D + 1), K (D + 1)). Kronecker: (D + 1, D + 1), of the inputs."""
    class_vectors: Tensor
    """(K, K), of the classes; for a full matrix the identity, not used."""
    precision: float
    """Of the prior."""
    structure: Structure
    evidence: float
    """Log marginal likelihood of the training labels, nats."""
    seed: int = 0
    samples: int = 200

    def logits(self, features: ArrayLike) -> tuple[Tensor, Tensor]:
        """Mean (N, K) and covariance (N, K, K) of the logits."""
        inputs = self._inputs(features)
        return inputs @ self.weights.T, self._covariance(inputs)

    def answer(self, features: ArrayLike, *, link: Literal["sampled", "probit"] = "sampled") -> Answer:
        """`sampled`: mean over draws of the logits. `probit`: without draws, see `probit`."""
        inputs = self._inputs(features)
        generator = torch.Generator().manual_seed(self.seed)
        parts = []
        for chunk in chunks(inputs, CHUNK):
            centre, covariance = chunk @ self.weights.T, self._covariance(chunk)
            variances = covariance.diagonal(dim1=-2, dim2=-1)
            if link == "probit":
                parts.append(of_logits(probit(centre, covariance).log(), variances.mean(-1)))
            else:
                drawn = sampled(centre, _root(covariance), self.samples, generator)
                parts.append(of_samples(drawn, variances.mean(-1)))
        return parts[0].joined(*parts[1:])

    def probabilities(self, features: ArrayLike) -> NDArray[np.float64]:
        """(N, D) -> (N, K)"""
        return self.answer(features).probabilities

    def _inputs(self, features: ArrayLike) -> Tensor:
        return with_one((table(features) - self.mean) / self.scale)

    def _covariance(self, inputs: Tensor) -> Tensor:
        classes, size = self.weights.shape
        if self.structure == "kronecker":
            widths = 1 / (self.values + self.precision)
            weighted = (inputs @ self.vectors).square() @ widths.T  # (N, K), in the eigenbasis of the classes
            return torch.einsum("ki,ni,li->nkl", self.class_vectors, weighted, self.class_vectors)
        root = (self.vectors * (self.values + self.precision).rsqrt()).reshape(classes, size, -1)
        spread = torch.einsum("nd,kdp->nkp", inputs, root)
        return spread @ spread.mT

    def tensors(self) -> dict[str, Tensor]:
        names = ("weights", "mean", "scale", "values", "vectors", "class_vectors")
        return {name: getattr(self, name) for name in names}

    def facts(self) -> dict[str, Any]:
        return {
            "precision": self.precision,
            "structure": self.structure,
            "evidence": self.evidence,
            "seed": self.seed,
            "samples": self.samples,
        }

    @classmethod
    def restored(cls, tensors: Mapping[str, Tensor], facts: Mapping[str, Any]) -> Laplace:
        named: dict[str, Any] = {**tensors, **facts}
        return cls(**named)


def fit(
    features: ArrayLike,
    labels: NDArray[np.int64],
    classes: int,
    seed: int = 0,
    *,
    trained: tuple[ArrayLike, ArrayLike] | None = None,
    precision: float | None = None,
    structure: Structure | None = None,
) -> Laplace:
    """The posterior over the linear head.

    `trained`: weights (K, D) and bias (K,) of a head that is trained already; without it, the head is fitted here, anew for each
    precision that is tried. `precision`: of the prior; by default chosen. `structure`: by default full up to 1500 weights.

    Raises:
        BadValue: labels, features or weights that cannot be used.
    """
    raw = table(features)
    truth = checked(raw, labels, classes)
    given = None
    if trained is None:
        mean, scale = scaling(raw)
    else:
        mean, scale = raw.new_zeros(raw.shape[1]), raw.new_ones(raw.shape[1])
        given = torch.cat([table(trained[0]), table(np.asarray(trained[1])[:, None])], 1)
        if given.shape != (classes, raw.shape[1] + 1):
            raise BadValue(setting="trained", value=tuple(given.shape), expected=(classes, raw.shape[1] + 1))
    inputs = with_one((raw - mean) / scale)
    kind: Structure = structure or ("full" if classes * inputs.shape[1] <= LARGEST_FULL else "kronecker")
    tried = []
    if given is not None:
        curvature = _curvature(inputs, given, kind)
        likelihood = _log_likelihood(inputs, truth, given)
        for one in GRID if precision is None else (precision,):
            tried.append((_evidence(likelihood, given, curvature[0], one), one, given, curvature))
    else:
        start = None
        for one in GRID[::-4] if precision is None else (precision,):  # from simple to free; whole powers of ten
            start = fit_map(inputs, truth, classes, one, start)
            curvature = _curvature(inputs, start, kind)
            tried.append((_evidence(_log_likelihood(inputs, truth, start), start, curvature[0], one), one, start, curvature))
            if len(tried) > 2 and tried[-1][0] < tried[-2][0] < tried[-3][0]:
                break  # past the top
    evidence, chosen, weights, (values, vectors, class_vectors) = max(tried, key=lambda row: row[0])
    return Laplace(weights, mean, scale, values, vectors, class_vectors, chosen, kind, evidence, seed)


def hessian(inputs: Tensor, weights: Tensor) -> Tensor:
    """Of the summed cross-entropy with respect to weights (K, P), flattened row by row: (K P, K P)."""
    classes, size = weights.shape
    probabilities = (inputs @ weights.T).softmax(1)
    blocks = inputs.new_empty(classes, size, classes, size)
    for k in range(classes):
        for other in range(k, classes):
            factor = probabilities[:, k] * (float(k == other) - probabilities[:, other])
            blocks[k, :, other] = inputs.T @ (inputs * factor[:, None])
            blocks[other, :, k] = blocks[k, :, other].T
    return blocks.reshape(classes * size, classes * size)


def _curvature(inputs: Tensor, weights: Tensor, structure: Structure) -> tuple[Tensor, Tensor, Tensor]:
    """Eigenvalues and eigenvectors, as `Laplace` keeps them."""
    classes = len(weights)
    if structure == "full":
        values, vectors = torch.linalg.eigh(hessian(inputs, weights))
        return values.clamp(min=0), vectors, torch.eye(classes, dtype=inputs.dtype)
    probabilities = (inputs @ weights.T).softmax(1)
    among_classes = (torch.diag(probabilities.sum(0)) - probabilities.T @ probabilities) / len(inputs)
    class_values, class_vectors = torch.linalg.eigh(among_classes)
    input_values, vectors = torch.linalg.eigh(inputs.T @ inputs)
    return class_values.clamp(min=0)[:, None] * input_values.clamp(min=0)[None], vectors, class_vectors


def _evidence(likelihood: float, weights: Tensor, values: Tensor, precision: float) -> float:
    """log p(labels) ≈ log p(labels | W) + log prior(W) + P/2 log 2π - 1/2 log det(H + precision I)"""
    flat = 0.5 * (values.numel() * math.log(precision) - precision * float(weights.square().sum()))
    return likelihood + flat - 0.5 * float((values + precision).log().sum())


def _log_likelihood(inputs: Tensor, labels: Tensor, weights: Tensor) -> float:
    return -float(F.cross_entropy(inputs @ weights.T, labels, reduction="sum"))


def probit(mean: Tensor, covariance: Tensor) -> Tensor:
    """Mean softmax (N, K) of logits N(mean, covariance), approximately: (N, K), (N, K, K).

    p_k ∝ 1 / sum_j exp(-(m_k - m_j) / sqrt(1 + π/8 v_kj))     v_kj the variance of the difference of logits k and j

    For two classes this is MacKay's formula. The variance of a logit alone would not do: what all logits share moves no probability.
    """
    own = covariance.diagonal(dim1=-2, dim2=-1)
    variance = own[:, :, None] + own[:, None, :] - 2 * covariance
    gaps = (mean[:, :, None] - mean[:, None, :]) / (1 + math.pi / 8 * variance.clamp(min=0)).sqrt()
    return torch.softmax(-torch.logsumexp(-gaps, 2), 1)


def _root(covariance: Tensor) -> Tensor:
    """A matrix with root rootᵀ = covariance (N, K, K), which may be singular."""
    values, vectors = torch.linalg.eigh(covariance)
    root: Tensor = vectors * values.clamp(min=0).sqrt()[:, None, :]
    return root
