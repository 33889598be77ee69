"""A step that did not find the memory it needed: the sentence about it, with the number of pictures that would fit."""

from __future__ import annotations

import gc
import shlex

import torch
from torch import nn

from wiesel.batches import TrainingBatches
from wiesel.batches.memory import available_bytes, batch_that_fits
from wiesel.errors import OutOfMemory
from wiesel.language import number, say
from wiesel.runs.folder import RunFolder
from wiesel.training.classifier import Classifier

STATE = 3
"""Times the weights: what the optimiser's buffers, and the copies of a checkpoint, take at most."""


def out_of_memory(classifier: Classifier, batches: TrainingBatches, run: RunFolder, *, precision: str, device: str) -> OutOfMemory:
    """To be called when the step that failed has let go of its tensors. Tries a few steps; the weights are not changed."""
    network = classifier.network
    network.zero_grad(set_to_none=True)
    gc.collect()
    if torch.device(device).type == "cuda":
        torch.cuda.empty_cache()

    def step(count: int) -> None:
        batch = next(batches.sized(count).epoch(0))
        with torch.autocast(torch.device(device).type, torch.bfloat16, enabled=precision == "bf16"):
            loss = classifier.loss(network(batch.pictures.to(device)), batch.labels.to(device))
        try:
            loss.backward()  # type: ignore[no-untyped-call]
        finally:
            network.zero_grad(set_to_none=True)

    kept = {name: buffer.clone() for name, buffer in network.named_buffers()}  # a pass in training mode moves running statistics
    try:
        available = available_bytes(device)
        processes = batches.share[1]  # each takes a share, of the pictures and of the memory
        asked = -(-min(batches.batch, len(batches.labels)) // processes)
        free = available // processes if available is not None else None
        fits = processes * batch_that_fits(step, asked, available=free, reserve=STATE * _bytes(network))
    finally:
        for name, buffer in network.named_buffers():
            buffer.copy_(kept[name])
    return OutOfMemory(batch=batches.batch, fits=fits, advice=advice(fits, available), run=shlex.quote(str(run.path)))


def advice(fits: int, available: int | None) -> str:
    if fits < 2:
        return say(
            en="Not even 2 fit: take a smaller network (--model), smaller pictures (--size), or close other programs.",
            de="Nicht einmal 2 passen: nimm ein kleineres Netz (--model), kleinere Bilder (--size) oder schliesse andere Programme.",
        )
    amount = number((available or 0) / 1e9, 1)
    free = say(en=f" in the {amount} GB that are free", de=f" in die {amount} GB, die frei sind") if available is not None else ""
    return say(
        en=f"{fits} fit{free}: start again with --batch-size {fits}.",
        de=f"{fits} passen{free}: beginne neu mit --batch-size {fits}.",
    )


def _bytes(network: nn.Module) -> int:
    return sum(tensor.nbytes for tensor in network.state_dict().values())
