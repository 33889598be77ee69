"""The network on pictures it does not learn from: logits of a whole split, every picture once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from wiesel.batches.loading import EvaluationBatches
from wiesel.batches.memory import with_room


def logits_of(
    network: nn.Module,
    batches: EvaluationBatches,
    *,
    precision: str = "fp32",
    device: torch.device | str = "cpu",
    after_batch: Callable[[], None] = lambda: None,
) -> NDArray[np.float32]:
    """float32 (N, K) in the order of the split; the network is in evaluation mode meanwhile and left in the mode it was in.

    Where memory does not suffice for a batch, all is done again in batches of half the size.
    """
    was_training = network.training
    network.eval()
    try:
        return with_room(batches, lambda some: _logits(network, some, precision, device, after_batch))
    finally:
        network.train(was_training)


@torch.inference_mode()
def _logits(
    network: nn.Module, batches: EvaluationBatches, precision: str, device: torch.device | str, after_batch: Callable[[], None]
) -> NDArray[np.float32]:
    parts: list[torch.Tensor] = []
    for batch in batches:
        with torch.autocast(torch.device(device).type, torch.bfloat16, enabled=precision == "bf16"):
            parts.append(logits_in(network(batch.pictures.to(device))).float().cpu())
        after_batch()
    return torch.cat(parts).numpy()


def logits_in(answer: Any) -> torch.Tensor:
    """Logits (B, K), also of a network that says more than these (`head=onehot`)."""
    logits: torch.Tensor = getattr(answer, "logits", answer)
    return logits


def loss_and_accuracy(logits: NDArray[np.float32], labels: NDArray[np.int64]) -> tuple[float, float]:
    """Mean cross-entropy (nats, without label smoothing) and accuracy (0..1), in float64."""
    wide = logits.astype(np.float64)
    shifted = wide - wide.max(axis=1, keepdims=True)
    log_sum = np.log(np.exp(shifted).sum(axis=1))
    right = shifted[np.arange(len(labels)), labels]
    return float((log_sum - right).mean()), float((wide.argmax(axis=1) == labels).mean())
