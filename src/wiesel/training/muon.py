"""Muon: momentum whose direction is orthogonalised, for convolution filters; AdamW for everything else.

A gradient's few large singular values drown the many small ones. Muon replaces the gradient (after momentum) by the nearest matrix whose
singular values are all about 1, so that every direction learns at the same speed (Jordan et al. 2024, "Muon: an optimizer for
hidden layers in neural networks"; for filters: airbench94_muon). The step is relative: a rate of 0.2 turns a filter bank by 20 % of
its length, and afterwards the bank is scaled back to the length it started with, which a norm behind it makes harmless.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, overload

import torch
from torch import Tensor

QUINTIC = (3.4445, -4.7750, 2.0315)
"""Newton-Schulz coefficients a, b, c: a x + b x^3 + c x^5 takes singular values in (0, 1] to about 0.7 .. 1.2 quickly."""

TINY = 1e-12
"""Behind a norm that starts at 0, as the last of a residual block does, the first gradients are 0: then nothing turns."""


class Muon(torch.optim.Optimizer):
    """Groups with `orthogonal=True` hold filters or matrices and are stepped by Muon, the others by AdamW.

    lr, momentum, weight_decay: per group. For AdamW, momentum is its first beta; the second is 0.99.
    """

    def __init__(self, groups: list[dict[str, Any]], *, lr: float, momentum: float = 0.6, iterations: int = 3) -> None:
        super().__init__(
            groups, {"lr": lr, "momentum": momentum, "weight_decay": 0.0, "orthogonal": False, "iterations": iterations}
        )

    @overload
    def step(self, closure: None = None) -> None: ...
    @overload
    def step(self, closure: Callable[[], float]) -> float: ...
    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> float | None:
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            update = self._turn if group["orthogonal"] else self._adamw
            for parameter in group["params"]:
                if parameter.grad is not None:
                    update(parameter, self.state[parameter], group)
        return loss

    @staticmethod
    def _turn(filters: Tensor, state: dict[str, Tensor], group: dict[str, Any]) -> None:
        assert filters.grad is not None
        if not state:
            state["velocity"] = torch.zeros_like(filters)
            state["length"] = filters.norm()
        gradient, velocity = filters.grad, state["velocity"]
        torch.add(gradient, velocity, alpha=group["momentum"], out=velocity)
        direction = orthogonalised(gradient.add(velocity, alpha=group["momentum"]), group["iterations"])  # Nesterov's look ahead
        filters.addcmul_(direction, state["length"] / direction.norm().clamp(min=TINY), value=-group["lr"])
        filters.mul_(state["length"] / filters.norm().clamp(min=TINY))

    @staticmethod
    def _adamw(parameter: Tensor, state: dict[str, Tensor], group: dict[str, Any]) -> None:
        assert parameter.grad is not None
        if not state:
            state["step"] = torch.zeros(())
            state["mean"], state["square"] = torch.zeros_like(parameter), torch.zeros_like(parameter)
        beta1, beta2 = group["momentum"], 0.99
        state["step"] += 1
        state["mean"].lerp_(parameter.grad, 1 - beta1)
        state["square"].lerp_(parameter.grad.square(), 1 - beta2)
        mean = state["mean"] / (1 - beta1 ** state["step"])
        square = state["square"] / (1 - beta2 ** state["step"])
        parameter.mul_(1 - group["lr"] * group["weight_decay"])
        parameter.sub_(group["lr"] * mean / (square.sqrt() + 1e-8))


def orthogonalised(gradient: Tensor, iterations: int) -> Tensor:
    """The tensor as a matrix (first axis by all others) with its singular values brought near 1; same shape.

    Each iteration is x <- (a + b x x^T + c (x x^T)^2) x. Its factors are polynomials of the first x x^T, so they commute and can be
    gathered in a small square matrix before x is multiplied once, which for wide x is half the work. The trace of x x^T is the
    squared length of x, so that x need not be divided by it beforehand.
    """
    a, b, c = QUINTIC
    last = gradient.movedim(1, -1)  # channels-last filters are a matrix as they lie in memory; the order of columns does not matter
    matrix = last.reshape(len(gradient), -1)
    tall = matrix.shape[0] > matrix.shape[1]
    x = matrix.T if tall else matrix
    gram = x @ x.T
    length = gram.trace().sqrt() + 1e-7
    gram = gram / length.square()
    factor = torch.eye(len(x), dtype=x.dtype, device=x.device) / length
    for iteration in range(iterations):
        polynomial = torch.addmm(gram, gram, gram, beta=b, alpha=c)
        polynomial.diagonal().add_(a)
        factor = polynomial @ factor
        if iteration + 1 < iterations:
            gram = polynomial @ gram @ polynomial
    turned = factor @ x
    return (turned.T if tall else turned).reshape(last.shape).movedim(-1, 1)
