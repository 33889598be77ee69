# exercise: gaussian_process
# level: advanced

# %% [markdown] lang="de"
# # Gauss-Prozesse, und ein Netz als Kern
#
# 1. Mittelwert und Varianz der Vorhersage eines Gauss-Prozesses mit RBF-Kern.
# 2. Deep Kernel Learning: derselbe Kern, aber auf den Merkmalen eines Netzes.
# 3. Was weiss die Varianz, das eine Softmax nicht weiss?
#
# Die drei Funktionen:
#
# * `rbf`: exp(-|x - y|² / (2 length²)) für alle Paare, aus (n, d) und (m, d) wird (n, m).
# * `posterior`: Mittelwert (m,) und Varianz (m,) der Funktion an den Stellen `asked` (m, d), nachdem `values` (n,) an den Stellen `known` (n, d) gesehen
#   wurden; `noise` ist die Varianz des Rauschens, das in `values` steckt, nicht in der Funktion.
# * `deep_kernel`: `rbf` auf dem, was die Funktion `features` (n, d) -> (n, k) aus beiden macht.

# %% [markdown] lang="en"
# # Gaussian processes, and a network as a kernel
#
# 1. Mean and variance of a Gaussian process's prediction with an RBF kernel.
# 2. Deep kernel learning: the same kernel, but on the features of a network.
# 3. What does the variance know that a softmax does not?

# %%
import numpy as np
from numpy.typing import NDArray


def rbf(first: NDArray, second: NDArray, length: float) -> NDArray:
    """exp(-|x - y|² / (2 length²)) for all pairs: (n, d) and (m, d) -> (n, m)."""
    raise NotImplementedError


def posterior(known: NDArray, values: NDArray, asked: NDArray, length: float, noise: float) -> tuple[NDArray, NDArray]:
    """(mean (m,), variance (m,)) of the function at `asked` (m, d), after seeing `values` (n,) at `known` (n, d) with noise variance `noise`."""
    raise NotImplementedError


def deep_kernel(features, first: NDArray, second: NDArray, length: float) -> NDArray:
    """`rbf` on what the function `features` (n, d) -> (n, k) makes of both."""
    raise NotImplementedError


explanation = """
"""
