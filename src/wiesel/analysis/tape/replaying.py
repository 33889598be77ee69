"""Whether a tape tells what happened: everything on it is done again."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from wiesel.analysis.tape.recorded import Tape


def replay(tape: Tape, network: nn.Module) -> float:
    """Repeat every operation of a tape with values from its recorded inputs: the largest relative difference to what was recorded.

    Parameters and buffers are read from `network`. Differences are relative to the largest number of each output. Of a network
    that was recorded in evaluation mode, whatever is above 1e-5 means that the tape does not tell what happened.
    """
    holders: dict[str, Tensor] = {**dict(network.named_parameters()), **dict(network.named_buffers())}
    worst = 0.0
    with torch.no_grad():
        for operation in tape.operations:
            if operation.again is not None:
                inputs = {index: tape.values[index].tensor for index in operation.inputs}
                for made, index in zip(operation.again(inputs, holders), operation.outputs, strict=True):
                    worst = max(worst, _difference(made, tape.values[index].tensor))
    return worst


def _difference(made: Tensor, recorded: Tensor | None) -> float:
    assert recorded is not None
    if made.shape != recorded.shape:
        return float("inf")
    if made.numel() == 0:
        return 0.0
    if not made.is_floating_point():
        return 0.0 if bool((made == recorded).all()) else float("inf")
    unequal = (made != recorded) & ~(made.isnan() & recorded.isnan())
    if not bool(unequal.any()):
        return 0.0
    size = float(recorded.abs().max())
    return float((made - recorded).abs()[unequal].max()) / max(size, torch.finfo(made.dtype).tiny)
