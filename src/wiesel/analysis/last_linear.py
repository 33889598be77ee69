"""The linear layer that says a network's last word: what goes into it are the network's features."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from wiesel.analysis.recording import evaluating


@torch.inference_mode()
def last_linear(network: nn.Module, picture: Tensor) -> nn.Linear | None:
    """The linear layer whose output is the network's answer for `picture` (1, C, H, W); None if something else comes last."""
    called: list[tuple[nn.Linear, Tensor]] = []

    def note(layer: nn.Module, _inputs: Any, output: Tensor) -> None:
        assert isinstance(layer, nn.Linear)
        called.append((layer, output))

    handles = [layer.register_forward_hook(note) for layer in network.modules() if isinstance(layer, nn.Linear)]
    try:
        with evaluating(network):
            answer = network(picture)
    finally:
        for handle in handles:
            handle.remove()
    logits = getattr(answer, "logits", answer)
    # The same numbers in the same place: a ReLU after it may by chance have found nothing to cut off in this picture.
    return next(
        (layer for layer, output in reversed(called) if output.data_ptr() == logits.data_ptr() and torch.equal(output, logits)),
        None,
    )
