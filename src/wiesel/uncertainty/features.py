"""What the last linear layer of a trained network sees: the features on which another head can stand.

Every picture passes once. With its features comes the network's own answer, so that the old head and a new one are compared on the same pass.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import safetensors.numpy
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError
from torch import Tensor, nn

from wiesel.analysis.last_linear import last_linear
from wiesel.batches import EvaluationBatches
from wiesel.batches.inference import logits_in
from wiesel.errors import NoFeatures, WieselError
from wiesel.images.cache import cache_folder
from wiesel.runs.commit import write_file

KEPT = 12
"""So many files of features stay in the cache; those that were not used for longest go first."""


@dataclass(frozen=True, eq=False)
class Features:
    values: NDArray[np.float32]
    """(N, D), what the last linear layer gets."""
    logits: NDArray[np.float32]
    """(N, K), the network's own answer."""

    def __len__(self) -> int:
        return len(self.values)


def ending(network: nn.Module, picture: Tensor) -> nn.Linear:
    """The linear layer whose output is the network's answer for `picture` (1, C, H, W).

    Raises:
        NoFeatures: something else comes last.
    """
    found = last_linear(network, picture)
    if found is None:
        raise NoFeatures(architecture=type(network).__name__)
    return found


def features_of(
    network: nn.Module, batches: EvaluationBatches, *, precision: str = "fp32", after_batch: Callable[[], None] = lambda: None
) -> Features:
    """Features and logits of a whole split, in its order, in evaluation mode and whole batches.

    Raises:
        NoFeatures: the network does not end in a linear layer.
    """
    taken: list[Tensor] = []
    answers: list[Tensor] = []
    layer: nn.Linear | None = None
    with _evaluating(network):
        for batch in batches:
            layer = layer or ending(network, batch.pictures[:1])
            seen: list[Tensor] = []
            with (
                torch.autocast("cpu", torch.bfloat16, enabled=precision == "bf16"),
                _hooked([layer], lambda _layer, inputs, _output, seen=seen: seen.append(inputs[0])),
            ):
                answers.append(logits_in(network(batch.pictures)).float())
            taken.append(seen[-1].float())
            after_batch()
    return Features(torch.cat(taken).numpy(), torch.cat(answers).numpy())


def kept(key: tuple[str, ...], make: Callable[[], Features]) -> Features:
    """The features stored under `key` (everything they depend on), or those of `make`, stored now. A cache that cannot be used is passed over."""
    path = cache_folder() / "features" / f"{hashlib.sha256(repr(key).encode()).hexdigest()}.safetensors"
    with contextlib.suppress(OSError, SafetensorError, KeyError, ValueError):
        found = safetensors.numpy.load_file(path)
        os.utime(path)
        return Features(found["values"], found["logits"])
    made = make()
    with contextlib.suppress(OSError, WieselError):
        path.parent.mkdir(parents=True, exist_ok=True)
        write_file(path, safetensors.numpy.save({"values": made.values, "logits": made.logits}))
        for old in sorted(path.parent.glob("*.safetensors"), key=_used, reverse=True)[KEPT:]:
            old.unlink()
    return made


def _used(path: Path) -> float:
    return path.stat().st_mtime


@contextlib.contextmanager
def _hooked(layers: list[Any], hook: Callable[..., None]) -> Iterator[None]:
    handles = [layer.register_forward_hook(hook) for layer in layers]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


@contextlib.contextmanager
def _evaluating(network: nn.Module) -> Iterator[None]:
    """Evaluation mode, and afterwards the mode that each part was in."""
    modes = {module: module.training for module in network.modules()}
    network.eval()
    try:
        with torch.inference_mode():
            yield
    finally:
        for module, mode in modes.items():
            module.training = mode
