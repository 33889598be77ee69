# exercise: vanishing_gradients
# level: advanced

# %% [markdown] lang="de"
# # Verschwindende und explodierende Gradienten
#
# 1. `gradient_norms`: Miss die Norm des Gradienten jeder Schicht mit Gewichten (Faltungen und lineare Schichten), von vorn nach hinten: den der
#    Kreuzentropie nach `weight`, in der Reihenfolge von `network.modules()`.
# 2. `left_after`: Sag voraus, was von einem Gradienten der Grösse 1 nach `layers` Schichten bleibt, wenn jede ihn mit `factor` malnimmt; mit einer
#    Abkürzung (Shortcut) nimmt ihn jede mit 1 + `factor` mal.
# 3. Erkläre, wie Abkürzungen, Batch-Norm und Anfangsgewichte helfen.

# %% [markdown] lang="en"
# # Vanishing and exploding gradients
#
# 1. Measure the norm of the gradient of each layer with weights (convolutions and linear layers), from front to back.
# 2. Predict what becomes of the gradient over n layers, if each multiplies it by `factor`.
# 3. Explain how shortcuts, batch norm and initial weights help.

# %%
from torch import Tensor, nn


def gradient_norms(network: nn.Module, pictures: Tensor, labels: Tensor) -> list[float]:
    """Of the cross-entropy, with respect to each layer's `weight`, in the order of `network.modules()`."""
    raise NotImplementedError


def left_after(factor: float, layers: int, shortcut: bool) -> float:
    """What is left of a gradient of 1. With a shortcut, a layer multiplies it by 1 + factor."""
    raise NotImplementedError


explanation = """
"""
