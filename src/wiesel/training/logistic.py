"""A linear head on features that do not change: multinomial logistic regression, to the optimum, in seconds.

    minimise over W (D, K) and b (K):   mean of -log softmax(x W + b)[label]  +  penalty / 2 * |W|^2

on standardised features x. The problem is convex; L-BFGS over all pictures at once finds the optimum without a learning rate. It needs few
steps because the variables are changed first: at W = 0 the Hessian is close to G / K + penalty for each class, G = mean of x x^T, and in
the eigenvectors of G, scaled by its inverse root, it is close to the identity (as for Böhning 1992, Annals of the Institute of
Statistical Mathematics 44, whose bound has 1/2 in place of 1/K).

The penalty is chosen by the loss on validation pictures, from strong to weak, each fit beginning where the last one ended.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

PENALTIES = tuple(float(10 ** (power / 2)) for power in range(1, -9, -1))
"""From 3.2 to 0.0001."""

WORSE = 2
"""After so many penalties in a row with a higher validation loss, weaker ones are not tried."""

STEPS = 200
LARGEST = 2048
"""Features up to which their eigenvectors are computed; the time grows with the cube."""


@dataclass(frozen=True)
class Fitted:
    """One penalty's optimum. `weight` (K, D) and `bias` (K,) are for the features as they were, not standardised."""

    penalty: float
    weight: Tensor
    bias: Tensor
    train_loss: float
    train_accuracy: float
    validation_loss: float
    validation_accuracy: float
    steps: int


def fit_head(
    features: NDArray[np.float32],
    labels: NDArray[np.int64],
    validation: tuple[NDArray[np.float32], NDArray[np.int64]],
    *,
    classes: int,
    balanced: bool = False,
    after: Callable[[Fitted], None] = lambda _fitted: None,
) -> Fitted:
    """The head with the lowest validation loss; of the ties the one with the stronger penalty. `features` (N, D) is overwritten.

    `balanced`: every class weighs the same in the loss. `after` is called with each optimum.
    """
    best: Fitted | None = None
    worse = 0
    for found in path(features, labels, validation, classes=classes, balanced=balanced):
        after(found)
        if best is None or found.validation_loss < best.validation_loss:
            best, worse = found, 0
        else:
            worse += 1
            if worse == WORSE:
                break
    assert best is not None
    return best


def path(
    features: NDArray[np.float32],
    labels: NDArray[np.int64],
    validation: tuple[NDArray[np.float32], NDArray[np.int64]],
    *,
    classes: int,
    balanced: bool = False,
    penalties: tuple[float, ...] = PENALTIES,
) -> Iterator[Fitted]:
    """The optimum for each penalty in turn. `features` is overwritten."""
    from scipy.optimize import minimize

    mean = features.mean(0, dtype=np.float64)
    deviation = features.std(0, dtype=np.float64)
    alive = deviation > 1e-6 * float(deviation.max())  # a feature that is always the same tells nothing
    deviation[~alive] = 1.0
    features -= mean.astype(np.float32)
    features /= deviation.astype(np.float32)
    x, y = torch.from_numpy(features), torch.from_numpy(labels)
    count, size = x.shape
    weights = _weights(y, classes) if balanced else torch.full((count,), 1 / count)
    axes, spread = _axes(x)

    flat = np.zeros(size * classes + classes)
    matrix = np.zeros((size, classes))
    for penalty in penalties:
        scale = (spread / classes + penalty) ** -0.5

        def loss_and_gradient(
            flat: NDArray[np.float64], scale: NDArray[np.float64] = scale, penalty: float = penalty
        ) -> tuple[float, NDArray[np.float64]]:
            inner, bias = flat[: size * classes].reshape(size, classes), flat[size * classes :]
            matrix = _from_axes(axes, scale[:, None] * inner)
            logits = x @ torch.from_numpy(matrix.astype(np.float32)) + torch.from_numpy(bias.astype(np.float32))
            logs = F.log_softmax(logits, dim=1)
            loss = -float((weights.double() * logs[torch.arange(count), y].double()).sum())
            slope = logs.exp_()
            slope[torch.arange(count), y] -= 1
            slope *= weights[:, None]
            gradient = (x.T @ slope).double().numpy() + penalty * matrix
            inner_gradient = scale[:, None] * _to_axes(axes, gradient)
            value = loss + penalty / 2 * float((matrix**2).sum())
            return value, np.concatenate([inner_gradient.ravel(), slope.double().sum(0).numpy()])

        flat[: size * classes] = (_to_axes(axes, matrix) / scale[:, None]).ravel()
        options = {"maxiter": STEPS, "ftol": 1e-7, "gtol": 1e-6}
        found = minimize(loss_and_gradient, flat, jac=True, method="L-BFGS-B", options=options)
        flat = found.x
        matrix = _from_axes(axes, scale[:, None] * flat[: size * classes].reshape(size, classes)) * alive[:, None]
        weight = torch.from_numpy((matrix / deviation[:, None]).T.astype(np.float32).copy())
        bias = torch.from_numpy((flat[size * classes :] - ((mean / deviation)[:, None] * matrix).sum(0)).astype(np.float32))
        whole = x @ torch.from_numpy(matrix.astype(np.float32)) + torch.from_numpy(flat[size * classes :].astype(np.float32))
        train_loss, train_accuracy = _measures(whole, y)
        ours, truth = torch.from_numpy(validation[0]), torch.from_numpy(validation[1])
        validation_loss, validation_accuracy = _measures(F.linear(ours, weight, bias), truth)
        yield Fitted(penalty, weight, bias, train_loss, train_accuracy, validation_loss, validation_accuracy, int(found.nit))


def _axes(x: Tensor) -> tuple[Tensor | None, NDArray[np.float64]]:
    """Eigenvectors of the features' second moments as columns, and eigenvalues; of many features only the diagonal."""
    count, size = x.shape
    if size > LARGEST:
        return None, (x**2).mean(0).double().numpy()
    values, vectors = torch.linalg.eigh((x.T @ x).double() / count)
    return vectors, values.clamp(min=0).numpy()


# All products are torch's: NumPy's would wake a second set of threads, and the two would fight for the cores.


def _to_axes(axes: Tensor | None, matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    return matrix if axes is None else (axes.T @ torch.from_numpy(matrix)).numpy()


def _from_axes(axes: Tensor | None, matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    return matrix if axes is None else (axes @ torch.from_numpy(matrix)).numpy()


def _weights(labels: Tensor, classes: int) -> Tensor:
    """Per picture; they sum to 1, and so that each class that has pictures weighs the same."""
    counts = torch.bincount(labels, minlength=classes)
    return 1 / (counts[labels].float() * int((counts > 0).sum()))


def _measures(logits: Tensor, labels: Tensor) -> tuple[float, float]:
    loss = F.cross_entropy(logits.double(), labels)
    return float(loss), float((logits.argmax(1) == labels).double().mean())
