"""SqueezeNet (Iandola, Han, Moskewicz, Ashraf, Dally, Keutzer 2016, arXiv:1602.07360).

As good as AlexNet with a fiftieth of its weights. A fire module squeezes its maps into few by 1x1 convolutions and expands them
again, half of the new maps by 1x1, half by 3x3. So the dear 3x3 filters are fewer and see fewer maps. There is no linear layer: the
last convolution makes one map per class.

    at 224 px         stem               stage1          stage2           stage3    head
    squeezenet1_0     96, 7x7, 54x54     fire 2 to 4     fire 5 to 8      fire 9    a map per class, their means
                                         27x27           13x13            13x13
    squeezenet1_1     64, 3x3, 55x55     fire 2, 3       fire 4, 5        fire 6 to 9
                                         27x27           13x13            13x13
    maps of fires     2, 3: 128    4, 5: 256    6, 7: 384    8, 9: 512

1.1 is from the authors' repository: smaller stem and earlier pools, for less than half of the cost. As in their code, the class
maps end in a ReLU, so logits are never below 0. Small pictures: the small stem has stride 1 and no pool, so 28 px end as 7.
"""

from __future__ import annotations

from collections import OrderedDict
from functools import partial

import torch
from torch import Tensor, nn

from wiesel.blocks import initialisation
from wiesel.blocks.stem import Stem, is_small
from wiesel.zoo.network import Network

# Fires by their number in the paper: squeezed maps, and maps of each of the two expansions.
FIRES = {2: (16, 64), 3: (16, 64), 4: (32, 128), 5: (32, 128), 6: (48, 192), 7: (48, 192), 8: (64, 256), 9: (64, 256)}
LAST_WIDTH = 512


class Fire(nn.Module):
    """(B, Cin, H, W) -> (B, 2 expanded, H, W): the maps of the 1x1, then those of the 3x3."""

    def __init__(self, channels_in: int, squeezed: int, expanded: int) -> None:
        super().__init__()
        self.squeeze = nn.Conv2d(channels_in, squeezed, kernel_size=1)
        self.relu = nn.ReLU()
        self.expand1x1 = nn.Conv2d(squeezed, expanded, kernel_size=1)
        self.relu1x1 = nn.ReLU()
        self.expand3x3 = nn.Conv2d(squeezed, expanded, kernel_size=3, padding=1)
        self.relu3x3 = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        few = self.relu(self.squeeze(x))
        return torch.cat((self.relu1x1(self.expand1x1(few)), self.relu3x3(self.expand3x3(few))), dim=1)


def _squeezenet(
    stem_width: int,
    stem_kernel: int,
    stages_of_fires: tuple[tuple[int, ...], ...],
    classes: int,
    channels: int,
    size: tuple[int, int],
    stem: Stem = "auto",
) -> Network:
    """`stem` "auto": "small" if a side is below 64 px, else "imagenet"."""
    small = is_small(stem, size)
    first = nn.Conv2d(channels, stem_width, stem_kernel, stride=1 if small else 2, padding=stem_kernel // 2 if small else 0)
    layers: OrderedDict[str, nn.Module] = OrderedDict(conv=first, relu=nn.ReLU())
    if not small:
        layers["pool"] = _pool()
    stages: OrderedDict[str, nn.Module] = OrderedDict(stem=nn.Sequential(layers))
    channels_in = stem_width
    for number, fires in enumerate(stages_of_fires, start=1):
        layers = OrderedDict()
        for fire in fires:
            squeezed, expanded = FIRES[fire]
            layers[f"fire{fire}"] = Fire(channels_in, squeezed, expanded)
            channels_in = 2 * expanded
        if number < len(stages_of_fires):
            layers["pool"] = _pool()
        stages[f"stage{number}"] = nn.Sequential(layers)
    head = nn.Sequential(
        OrderedDict(
            dropout=nn.Dropout(0.5),
            conv=nn.Conv2d(LAST_WIDTH, classes, kernel_size=1),
            relu=nn.ReLU(),
            pool=nn.AdaptiveAvgPool2d(1),
            flatten=nn.Flatten(),
        )
    )
    # A pool needs 2 positions; for that, the pool before it needs 4, and the pool of the stem 8.
    needed = 4 if small else stem_kernel + 2 * (8 - 1)
    network = Network(nn.Sequential(stages), head, smallest=(needed, needed))
    initialisation.he(network)
    initialisation.normal(head, std=0.01)
    return network


def _pool() -> nn.MaxPool2d:
    return nn.MaxPool2d(3, stride=2, ceil_mode=True)


squeezenet1_0 = partial(_squeezenet, 96, 7, ((2, 3, 4), (5, 6, 7, 8), (9,)))
squeezenet1_1 = partial(_squeezenet, 64, 3, ((2, 3), (4, 5), (6, 7, 8, 9)))
