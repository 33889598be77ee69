"""Noting how strong activations and gradients are while a network learns: rows of kind "gradient_flow" in a run's `events.jsonl`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from torch import nn

from wiesel.analysis.gradient_flow import GradientFlow, gradient_flow
from wiesel.batches import Batch
from wiesel.runs import events
from wiesel.runs.folder import RunFolder

if TYPE_CHECKING:
    from wiesel.training.fit import BeforeStep

KIND = "gradient_flow"


def noting(run: RunFolder, every: int) -> BeforeStep | None:
    """What `training.fit` takes as `before_step`: at step 0, `every`, 2 `every`, … the flow of the batch that is about to be learned.

    Of the plain cross-entropy, without label smoothing, class weights or auxiliary heads, in float32. Costs a step's time each time
    and changes nothing: the weights come out as without it. None if `every` is 0.
    """
    if every <= 0:
        return None

    def note(network: nn.Module, batch: Batch, step: int) -> None:
        if step % every == 0:
            flow = gradient_flow(network, batch.pictures, batch.labels, training=None)
            run.record(KIND, step, **flow.to_json())

    return note


def noted(run: RunFolder | Path | str) -> list[tuple[int, GradientFlow]]:
    """What was noted along a run: (steps done, flow), in order; interruptions left out."""
    folder = run if isinstance(run, RunFolder) else RunFolder.open(run)
    return [(row["step"], GradientFlow.from_json(row)) for row in events.effective(folder.history()) if row["kind"] == KIND]
