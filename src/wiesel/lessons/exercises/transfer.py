# exercise: transfer
# level: basic

# %% [markdown] lang="de"
# # Transfer: ein gelerntes Netz für andere Klassen
#
# Dein `adapt` bekommt ein ResNet-18 und die neue Zahl der Klassen. Zurück kommt ein Netz, dessen letzte Schicht neu ist und als einzige lernt. Geprüft
# wird mit zufälligen Gewichten und einem Trainingsschritt, damit nichts geladen werden muss; mit wirklichen Gewichten:
# `wiesel.zoo.pretrained(...)`. Zeig danach an einem Lauf, was es bringt, und schreib es in `comparison`.
#
# `network.head` ist der Teil nach den Merkmalskarten; seine letzte Schicht ist `network.head.fc` oder die letzte `nn.Linear` darin.

# %% [markdown] lang="en"
# # Transfer: a trained network for other classes
#
# Your `adapt` gets a ResNet-18 and the new number of classes. Back comes a network whose last layer is new and the only one that learns. It is checked
# with random weights and one step of training, so that nothing has to be fetched; with real weights: `wiesel.zoo.pretrained(...)`. Then
# show on a run what it gains, and write that into `comparison`.

# %%
from torch import nn


def adapt(network: nn.Module, classes: int) -> nn.Module:
    """`network.head` is the part after the feature maps; its last layer is `network.head.fc` or the last `nn.Linear` in it."""
    raise NotImplementedError


comparison = """
"""
