"""MC dropout: the network asked many times with its dropout layers at work, and how much its answers differ.

Only dropout is switched on; batch norm and everything else stay in evaluation mode. Each pass leaves out other units, so the
passes are answers of many networks that share their weights.

Source: Gal, Ghahramani 2016, arXiv:1506.02142; the mutual information: Houlsby et al. 2011, arXiv:1112.5745.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence

import torch
from numpy.typing import ArrayLike
from torch import nn

from wiesel.batches import EvaluationBatches
from wiesel.batches.inference import logits_in
from wiesel.errors import BadValue, NoDropout
from wiesel.uncertainty.answer import Answer, chunks, of_samples, table
from wiesel.zoo.network import Network

DROPOUT = nn.modules.dropout._DropoutNd
"""All of PyTorch's dropout layers."""

CHUNK = 2048


def passes(network: nn.Module, batches: EvaluationBatches, *, samples: int = 30, seed: int = 0, precision: str = "fp32") -> Answer:
    """Every picture `samples` times through the whole network, or, where only the head has dropout, once through the rest.

    The network is left in the modes it was in.

    Raises:
        NoDropout: it has no dropout layer, or only such with rate 0.
        BadValue: fewer than two samples.
    """
    _enough(samples)
    active = [layer for layer in network.modules() if isinstance(layer, DROPOUT) and layer.p > 0]
    if not active:
        raise NoDropout(architecture=type(network).__name__)
    body: nn.Module = nn.Identity()
    rest = network
    if isinstance(network, Network) and not set(active) & set(network.features.modules()):
        body, rest = network.features, network.head
    parts = []
    with torch.inference_mode(), _only(network, active), torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)  # inside the fork: dropout layers know no generator of their own
        for batch in batches:
            with torch.autocast("cpu", torch.bfloat16, enabled=precision == "bf16"):
                maps = body(batch.pictures)
                logits = torch.stack([logits_in(rest(maps)).float() for _ in range(samples)])
            parts.append(of_samples(logits.double().softmax(-1)))
    return parts[0].joined(*parts[1:])


def before_head(
    features: ArrayLike, weights: ArrayLike, bias: ArrayLike, *, rate: float, samples: int = 30, seed: int = 0
) -> Answer:
    """Dropout of this rate put before a linear head: features (N, D), weights (K, D), bias (K,).

    For networks without dropout. The head was not trained with it, so its answers lose some accuracy; that is part of the method here.

    Raises:
        BadValue: a rate that is not between 0 and 1, or fewer than two samples.
    """
    _enough(samples)
    if not 0 < rate < 1:
        raise BadValue(setting="rate", value=rate, expected="0 < rate < 1")
    matrix, offset = table(weights), table(bias)
    generator = torch.Generator().manual_seed(seed)
    parts = []
    for chunk in chunks(table(features), CHUNK):
        answers = []
        for _ in range(samples):
            kept = torch.rand(chunk.shape, generator=generator) >= rate
            answers.append(((chunk * kept / (1 - rate)) @ matrix.T + offset).softmax(-1))
        parts.append(of_samples(torch.stack(answers)))
    return parts[0].joined(*parts[1:])


def _enough(samples: int) -> None:
    if samples < 2:
        raise BadValue(setting="samples", value=samples, expected=">= 2")


@contextlib.contextmanager
def _only(network: nn.Module, active: Sequence[nn.Module]) -> Iterator[None]:
    """Evaluation mode but for the `active` layers; afterwards the mode that each part was in."""
    modes = {module: module.training for module in network.modules()}
    network.eval()
    for layer in active:
        layer.train()
    try:
        yield
    finally:
        for module, mode in modes.items():
            module.training = mode
