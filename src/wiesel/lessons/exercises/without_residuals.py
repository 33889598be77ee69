# exercise: without_residuals
# level: applied

# %% [markdown] lang="de"
# # Ohne Abkürzungen (Shortcuts)
#
# 1. Schreib aus einem Residualblock einen ohne Abkürzung: dieselben Schichten, aber `out` statt `out + shortcut(x)`.
# 2. Trainiere beide Arten mit denselben Daten (`wiesel train --model resnet20`, `--model resnet20 --change residual=off`, oder gleich
#    `wiesel compare resnet20 resnet20:residual=off`) und trag die Ordner der Läufe ein.
# 3. Erkläre, was du siehst.

# %% [markdown] lang="en"
# # Without shortcuts
#
# 1. Make of a residual block one without a shortcut: the same layers, but `out` instead of `out + shortcut(x)`.
# 2. Train both kinds on the same data (`wiesel train --model resnet20`, `--model resnet20 --change residual=off`, or at once
#    `wiesel compare resnet20 resnet20:residual=off`) and enter the folders of the runs.
# 3. Explain what you see.

# %%
import torch.nn.functional as F
from torch import Tensor, nn


class Block(nn.Module):
    """With a shortcut; `channels` stay as many as they are."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels)

    def forward(self, x: Tensor) -> Tensor:
        out = F.relu(self.bn1(self.conv1(x)))
        return F.relu(self.bn2(self.conv2(out)) + x)


class PlainBlock(Block):
    """The same layers without the shortcut."""

    def forward(self, x: Tensor) -> Tensor:
        raise NotImplementedError


residual_run = None  # "runs/fashion-mnist-sample-resnet20-1"
plain_run = None

explanation = """
"""
