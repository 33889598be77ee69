"""`head=onehot`: in evaluation the network says the class itself, as a one-hot vector and as a number; no argmax is needed.

In training it gives plain logits, so it is trained as ever, by cross-entropy: a class number has no gradient.

`head=blocks` has a file of its own, `every_block.py`.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from wiesel.zoo.network import Network
from wiesel.zoo.surgery import every_block
from wiesel.zoo.surgery.work import Request, Work


class Answer(NamedTuple):
    """What such a network gives in evaluation."""

    onehot: Tensor
    """int64 (B, K): 1 for the class of the picture, 0 for the others."""
    label: Tensor
    """int64 (B,): the number of the class."""
    logits: Tensor
    """(B, K)"""


class OneHot(nn.Module):
    """Logits (B, K) as they are in training; in evaluation an `Answer`. It has no weights."""

    def forward(self, logits: Tensor) -> Any:  # Tensor in training, Answer in evaluation
        if self.training:
            return logits
        label = logits.argmax(1)
        numbers = torch.arange(logits.shape[1], device=logits.device)
        return Answer(onehot=(label[:, None] == numbers).long(), label=label, logits=logits)


def check(request: Request) -> None:
    if request.value not in ("onehot", "blocks"):
        raise request.refusal(en="the other heads are onehot and blocks", de="die anderen Köpfe sind onehot und blocks")


def apply(work: Work) -> None:
    if work.request.value == "blocks":
        every_block.apply(work)
        return
    work.refuse_a_part()
    if any(isinstance(layer, OneHot) for layer in work.network.modules()):
        raise work.refusal(en="it says the class already", de="es sagt die Klasse schon")
    if len(work.seen.output) != 2:
        raise work.refusal(en="it does not give logits (B, K)", de="es gibt keine Logits (B, K) aus")
    answer = OneHot().train(work.network.training)
    if isinstance(work.network, Network):
        work.network.head.add_module("answer", answer)
        work.layers.append("head.answer")
    else:
        work.network = nn.Sequential(OrderedDict(network=work.network, answer=answer)).train(work.network.training)
        work.layers.append("answer")
