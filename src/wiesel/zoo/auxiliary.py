"""Networks that give their opinion early: auxiliary heads, for training only.

A head half-way up hands gradients to the lower layers by a short way, and asks them for maps that already tell classes apart.
Source: Szegedy et al. 2014, arXiv:1409.4842, section 5.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Any, NamedTuple

from torch import Tensor, nn

from wiesel.zoo.network import Network


class TrainingLogits(NamedTuple):
    """What a network with auxiliary heads gives in training. Each tensor is (B, K).

    The paper adds the losses up, those of the auxiliary heads with weight 0.3:

        loss = cross_entropy(given.logits, labels) + 0.3 * sum(cross_entropy(logits, labels) for logits in given.auxiliary)
    """

    logits: Tensor
    auxiliary: tuple[Tensor, ...]
    """From the lowest head to the highest."""


class NetworkWithAuxiliaryHeads(Network):
    """A `Network` that gives `TrainingLogits` in training and, like any other, logits alone in evaluation.

    `auxiliary` has a head for each tapped layer, by the layer's name in its stage: `inception4a` for `features.stage2.inception4a`.
    """

    def __init__(
        self, features: nn.Sequential, head: nn.Sequential, auxiliary: OrderedDict[str, nn.Module], smallest: tuple[int, int]
    ) -> None:
        super().__init__(features, head, smallest)
        self.auxiliary = nn.ModuleDict(auxiliary)

    def forward(self, pictures: Tensor) -> Any:  # Tensor, or TrainingLogits in training
        """Logits; in training `TrainingLogits`.

        Raises:
            PictureTooSmall: below `smallest`; names it.
        """
        if not self.training:
            return super().forward(pictures)
        self.refuse_smaller(pictures.shape[-2], pictures.shape[-1])
        early, maps = [], pictures
        for stage in self.features:
            for name, layer in stage.named_children():
                maps = layer(maps)
                if name in self.auxiliary:
                    early.append(self.auxiliary[name](maps))
        return TrainingLogits(self.head(maps), tuple(early))
