"""Training of small heads on features in memory: seeded batches, clipped gradients, and a way back when the loss is not finite."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from wiesel.errors import HeadDiverged

ATTEMPTS = 5
BATCH = 256


@dataclass(frozen=True)
class Descent:
    """What became of it."""

    steps: int
    setbacks: int
    """How often the training began anew from its last good state with half the rate."""
    loss: float
    """Mean over the last tenth of the steps."""


def steps_for(count: int, *, epochs: int, least: int, most: int) -> int:
    return min(max(epochs * -(-count // BATCH), least), most)


def batches(count: int, steps: int, generator: torch.Generator) -> Iterator[Tensor]:
    """Row numbers, `steps` times: all rows in an order of their own before any comes again."""
    left = torch.empty(0, dtype=torch.int64)
    size = min(BATCH, count)
    for _ in range(steps):
        if len(left) < size:
            left = torch.cat([left, torch.randperm(count, generator=generator)])
        yield left[:size]
        left = left[size:]


def descend(
    kind: str,
    model: nn.Module,
    groups: list[tuple[list[nn.Parameter], float]],
    loss_of: Callable[[Tensor], Tensor],
    *,
    count: int,
    steps: int,
    generator: torch.Generator,
    after_step: Callable[[], None] = lambda: None,
    clip: float = 5.0,
) -> Descent:
    """Adam with a rate for each group, falling to 0 along a cosine. `loss_of` takes row numbers.

    The gradient of each group is clipped to norm `clip`. Where the loss or a gradient is not finite, or a matrix is not
    positive definite, the model goes back to its last good state and on with half the rate.

    Raises:
        HeadDiverged: for the fifth time.
    """
    factor, setbacks, done, losses = 1.0, 0, 0, []
    good = copy.deepcopy(model.state_dict())
    while True:
        optimiser = torch.optim.Adam([{"params": parameters, "lr": rate} for parameters, rate in groups])
        try:
            for rows in batches(count, steps - done, generator):
                for group, (_, rate) in zip(optimiser.param_groups, groups, strict=True):
                    group["lr"] = factor * rate * 0.5 * (1 + math.cos(math.pi * done / steps))
                optimiser.zero_grad(set_to_none=True)
                loss = loss_of(rows)
                if not bool(torch.isfinite(loss)):
                    raise ArithmeticError
                loss.backward()  # type: ignore[no-untyped-call]
                norms = [nn.utils.clip_grad_norm_(parameters, clip) for parameters, _ in groups]
                if not all(bool(torch.isfinite(norm)) for norm in norms):
                    raise ArithmeticError
                optimiser.step()
                after_step()
                done += 1
                losses.append(float(loss.detach()))
                if done % 50 == 0:
                    good = copy.deepcopy(model.state_dict())
        except (ArithmeticError, torch.linalg.LinAlgError) as error:  # type: ignore[attr-defined]
            setbacks += 1
            if setbacks >= ATTEMPTS:
                raise HeadDiverged(kind=kind, attempts=setbacks) from error
            model.load_state_dict(good)
            factor /= 2
            continue
        last = losses[-max(len(losses) // 10, 1) :]
        return Descent(done, setbacks, sum(last) / max(len(last), 1))
