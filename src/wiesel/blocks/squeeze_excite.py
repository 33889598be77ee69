"""Squeeze and excitation (Hu, Shen, Albanie, Sun, Wu 2017, arXiv:1709.01507): the whole picture decides what a channel weighs.

The mean of each map goes through two small layers and becomes a number between 0 and 1, which the map is multiplied by. What is
seen anywhere can so strengthen or silence a channel everywhere.
"""

from __future__ import annotations

from torch import Tensor, nn


class SqueezeExcite(nn.Module):
    """(B, C, H, W) -> the same shape, each channel of each picture scaled. `squeezed` is the width between the two layers.

    The layers are 1x1 convolutions on maps of one position, which are linear layers that need no reshaping.
    """

    def __init__(
        self, channels: int, squeezed: int, activation: type[nn.Module] = nn.ReLU, gate: type[nn.Module] = nn.Sigmoid
    ) -> None:
        super().__init__()
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.reduce = nn.Conv2d(channels, squeezed, kernel_size=1)
        self.activation = activation()
        self.expand = nn.Conv2d(squeezed, channels, kernel_size=1)
        self.gate = gate()

    def forward(self, x: Tensor) -> Tensor:
        scale: Tensor = self.gate(self.expand(self.activation(self.reduce(self.pool(x)))))
        return x * scale
