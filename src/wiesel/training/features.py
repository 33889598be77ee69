"""What a frozen network makes of each picture just before its last layer: computed once, in whole batches, kept on disk.

    <cache>/features/<key>/00000.npy 00001.npy …     float32 (up to 2,048 pictures, D) each

The key is a hash of everything that the numbers depend on: pictures, weights, preprocessing, precision. Each part appears under its name
only when it is whole, so an interrupted computation goes on at the part where it stopped.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from wiesel.analysis.folding import folded
from wiesel.analysis.last_linear import last_linear
from wiesel.batches import EvaluationBatches, Preprocessing
from wiesel.errors import NoLinearHead
from wiesel.images import Images
from wiesel.images.kept import keep, kept

PART = 2048
"""Pictures per file; what is lost when the computation is killed."""

FORMAT = 2
"""Raised when what the cache holds changes its meaning."""


def linear_head(network: nn.Module, image: tuple[int, int, int], name: str) -> nn.Linear:
    """The layer whose outputs are the logits.

    Raises:
        NoLinearHead: the logits come out of something else (of SqueezeNet: out of a mean over maps).
    """
    like = next(network.parameters())
    found = last_linear(network, torch.zeros((1, *image), dtype=like.dtype, device=like.device))
    if found is None:
        raise NoLinearHead(name=name)
    return found


def features_of(
    network: nn.Module,
    head: nn.Linear,
    images: Images,
    preprocessing: Preprocessing,
    *,
    weights: str,
    fingerprint: str,
    precision: str,
    mirrored: bool = False,
    after_batch: Callable[[int], None] = lambda _count: None,
) -> NDArray[np.float32]:
    """float32 (N, D): the inputs of `head`, in the order of `images`, from the cache as far as they are there.

    `weights` and `fingerprint` name the network's weights and the pictures (with their order). `mirrored`: of the pictures in a mirror.
    `after_batch` is called with the number of pictures done so far.
    """
    key = hashlib.sha256(
        f"{FORMAT} {fingerprint} {len(images)} {weights} {sorted(preprocessing.to_json().items())} {precision} {mirrored}".encode()
    ).hexdigest()[:40]
    parts: list[NDArray[np.float32]] = []
    for start in range(0, len(images), PART):
        rows = slice(start, min(start + PART, len(images)))
        size = (rows.stop - rows.start, head.in_features)
        name = f"{key}/{start // PART:05d}"
        part = kept("features", name, size, np.float32)
        if part is None:
            some = Images(images.pixels[rows], images.labels[rows], images.names[rows])
            part = _computed(
                network,
                head,
                some,
                preprocessing,
                precision,
                mirrored,
                lambda count, done=start: after_batch(done + count),  # type: ignore[misc]
            )
            keep("features", name, part)
        parts.append(part)
        after_batch(rows.stop)
    return np.concatenate(parts)


@torch.inference_mode()
def _computed(
    network: nn.Module,
    head: nn.Linear,
    images: Images,
    preprocessing: Preprocessing,
    precision: str,
    mirrored: bool,
    after_batch: Callable[[int], None],
) -> NDArray[np.float32]:
    seen: list[Tensor] = []
    name = next(name for name, layer in network.named_modules() if layer is head)
    lean = folded(network, preprocessing.image)  # a fifth to a third of the time of networks with depthwise filters
    handle = lean.get_submodule(name).register_forward_pre_hook(lambda _layer, inputs: seen.append(inputs[0].float()))
    done = 0
    try:
        for batch in EvaluationBatches(images, preprocessing):
            pictures = batch.pictures.flip(3) if mirrored else batch.pictures
            with torch.autocast("cpu", torch.bfloat16, enabled=precision == "bf16"):
                lean(pictures)
            done += len(batch)
            after_batch(done)
    finally:
        handle.remove()
    return torch.cat(seen).numpy()
