# exercise: three_families
# level: advanced

# %% [markdown] lang="de"
# # ResNet, Inception, EfficientNet
#
# Zähle selbst: Parameter, und Multiplikationen mit Addition der Faltungen und linearen Schichten. Geprüft wird an ResNet-18, GoogLeNet und
# EfficientNet-B0. Dann vergleiche die drei Ideen: Was spart jede, wofür bezahlt sie?
#
# `multiply_adds` zählt für ein Bild der Form `image` (C, H, W). Forward-Hooks sehen die Ausgabe jeder Schicht. Vergiss `groups` nicht.

# %% [markdown] lang="en"
# # ResNet, Inception, EfficientNet
#
# Count yourself: parameters, and multiply-adds of convolutions and linear layers. Checked on ResNet-18, GoogLeNet and EfficientNet-B0. Then compare the
# three ideas: what does each save, what does it pay for it?

# %%
from torch import nn


def parameters(network: nn.Module) -> int:
    raise NotImplementedError


def multiply_adds(network: nn.Module, image: tuple[int, int, int]) -> int:
    """For one picture of shape `image` (C, H, W). Hint: forward hooks see each layer's output. Do not forget `groups`."""
    raise NotImplementedError


comparison = """
"""
