# exercise: cnn_mnist
# level: basic

# %% [markdown] lang="de"
# # Ein CNN bauen und trainieren
#
# Nur `nn.Conv2d`, `nn.ReLU`, `nn.MaxPool2d`, `nn.Flatten` und `nn.Linear`. Geprüft wird an den 8x8-Ziffern von scikit-learn: erst, ob das Netz die
# richtigen Formen hat, dann, ob dein Training es lernen lässt (mehr als 80 % von 400 nie gesehenen Ziffern, in höchstens einer Minute).
#
# `network` baut das Netz, das aus (B, 1, 8, 8) ein (B, 10) macht. `train` ändert `model`; `pictures` ist (1200, 1, 8, 8) mit Mittelwert 0 und
# Standardabweichung 1, `labels` (1200,) von 0 bis 9.

# %% [markdown] lang="en"
# # Build and train a CNN
#
# Only `nn.Conv2d`, `nn.ReLU`, `nn.MaxPool2d`, `nn.Flatten` and `nn.Linear`. It is checked on scikit-learn's 8x8 digits: first, whether the network has
# the right shapes, then, whether your training makes it learn (more than 80 % of 400 unseen digits, in a minute at most).

# %%
import torch
from torch import Tensor, nn


def network() -> nn.Module:
    """(B, 1, 8, 8) -> (B, 10)"""
    raise NotImplementedError


def train(model: nn.Module, pictures: Tensor, labels: Tensor) -> None:
    """Changes `model`. `pictures` (1200, 1, 8, 8) with mean 0 and deviation 1, `labels` (1200,) from 0 to 9."""
    raise NotImplementedError
