"""The number that is explained: the logit of one class, of a network that is in evaluation mode and left as it was.

The logit and not the probability: the softmax mixes in every other class, so that a part of the picture may raise a probability by
speaking against a rival.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from wiesel.analysis.recording import evaluating
from wiesel.errors import BadValue, ClassOutside

BATCH = 64
"""Pictures that go through the network at once where many variants of one are needed."""


@contextmanager
def differentiating(network: nn.Module) -> Iterator[None]:
    """Gradients on, whatever the caller switched off; evaluation mode; PyTorch's generator as it was afterwards.

    No flag of a parameter is touched and no `.grad` filled, if the block uses `torch.autograd.grad`.
    """
    with ExitStack() as undo:
        undo.enter_context(torch.inference_mode(False))
        undo.enter_context(torch.enable_grad())
        undo.enter_context(torch.random.fork_rng(devices=[]))
        undo.enter_context(evaluating(network))
        yield


def one_picture(picture: Tensor) -> Tensor:
    """A copy as a leaf without history, float32 (1, C, H, W); (C, H, W) is taken too.

    Raises:
        BadValue: several pictures, or something else than a picture.
    """
    with torch.inference_mode(False):
        copy = picture.detach().clone().float()
        copy = copy[None] if copy.ndim == 3 else copy
    if copy.ndim != 4 or len(copy) != 1:
        raise BadValue(setting="picture", value=tuple(picture.shape), expected="(1, C, H, W)")
    return copy


def logits(network: nn.Module, pictures: Tensor) -> Tensor:
    """Logits (B, K) of a network that gives them directly or as the attribute `logits`."""
    answer: Any = network(pictures)
    found: Any = getattr(answer, "logits", answer)
    if not isinstance(found, Tensor) or found.ndim != 2:
        said = tuple(found.shape) if isinstance(found, Tensor) else type(found).__name__
        raise BadValue(setting="network(picture)", value=said, expected="(B, K)")
    return found


def checked_target(scores: Tensor, target: int | None) -> int:
    """The class to explain; None is the one with the highest logit in `scores` (1, K)."""
    if target is None:
        return int(scores[0].argmax())
    if not 0 <= target < scores.shape[1]:
        raise ClassOutside(target=target, classes=scores.shape[1], last=scores.shape[1] - 1)
    return target


def scores_of_variants(network: nn.Module, count: int, variants: Callable[[int, int], Tensor], batch: int = BATCH) -> Tensor:
    """Logits (count, K) of many pictures; `variants(start, end)` makes those of one batch, so that they need not all exist at once."""
    with torch.inference_mode(False), torch.no_grad(), torch.random.fork_rng(devices=[]), evaluating(network):
        parts = [logits(network, variants(start, min(start + batch, count))).float().cpu() for start in range(0, count, batch)]
    return torch.cat(parts)
