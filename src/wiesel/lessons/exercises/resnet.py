# exercise: resnet
# level: applied

# %% [markdown] lang="de"
# # Dein eigenes ResNet
#
# Basisblock, Flaschenhals und das ganze Netz, nach der Arbeit (Faltungen ohne Bias vor einer Norm, erste Faltung 7x7 mit Schrittweite 2, Pooling 3x3,
# Stufen mit 64, 128, 256, 512 Kanälen). Geprüft werden Formen, Summen der Parameter, und dass dein Netz mit denselben Gewichten dasselbe sagt wie
# unseres: Dazu werden die Gewichte in der Reihenfolge übertragen, in der sie in einem Block stehen (erste Faltung, ihre Norm, zweite, …, zuletzt die
# Abkürzung (Shortcut)).
#
# Der Flaschenhals: eine 1x1 hinunter auf `channels`, eine 3x3 (mit der Schrittweite), eine 1x1 hinauf auf `channels * expansion`. ResNet-18 ist
# `resnet(BasicBlock, [2, 2, 2, 2])`, ResNet-50 `resnet(Bottleneck, [3, 4, 6, 3])`.

# %% [markdown] lang="en"
# # Your own ResNet
#
# Basic block, bottleneck and the whole network, after the paper (convolutions without bias before a norm, first convolution 7x7 with stride 2, pooling
# 3x3, stages of 64, 128, 256, 512 channels). Checked are shapes, sums of parameters, and that your network with the same weights says the same as
# ours: for this, weights are carried over in the order in which they stand in a block (first convolution, its norm, second, …, the shortcut
# last).

# %%
from torch import Tensor, nn


class BasicBlock(nn.Module):
    expansion = 1

    def __init__(self, channels_in: int, channels: int, stride: int = 1) -> None:
        super().__init__()
        raise NotImplementedError

    def forward(self, x: Tensor) -> Tensor:
        raise NotImplementedError


class Bottleneck(nn.Module):
    """1x1 down, 3x3 (with the stride), 1x1 up to `channels * expansion`."""

    expansion = 4

    def __init__(self, channels_in: int, channels: int, stride: int = 1) -> None:
        super().__init__()
        raise NotImplementedError

    def forward(self, x: Tensor) -> Tensor:
        raise NotImplementedError


def resnet(block: type[nn.Module], blocks: list[int], classes: int = 1000, channels: int = 3) -> nn.Module:
    """ResNet-18 is `resnet(BasicBlock, [2, 2, 2, 2])`, ResNet-50 is `resnet(Bottleneck, [3, 4, 6, 3])`."""
    raise NotImplementedError
