"""A learner's Gaussian process against an independent formula: the conditional of a joint normal distribution, by eigenvectors."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import cdist

from wiesel.language import say
from wiesel.lessons.checking import Own, Result
from wiesel.lessons.reader import scientific

Floats = NDArray[np.float64]


def check(own: Own) -> Iterator[Result]:
    good = say(en="agrees.", de="stimmt überein.")
    yield own.part("rbf", "rbf", _rbf, good)
    yield own.part("posterior", "posterior", _posterior, good)
    yield own.part("deep_kernel", "deep_kernel", _deep, good)
    yield own.text("explanation", "explanation")


def _similar(first: Floats, second: Floats, length: float) -> Floats:
    similar: Floats = np.exp(-cdist(first, second, "sqeuclidean") / (2 * length**2))
    return similar


def _rbf(theirs: Any) -> str | None:
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(5, 3)), rng.normal(size=(4, 3))
    return _apart(np.asarray(theirs(a, b, 0.7)), _similar(a, b, 0.7), "rbf")


def _posterior(theirs: Any) -> str | None:
    rng = np.random.default_rng(1)
    known, asked = rng.uniform(-3, 3, (12, 2)), rng.uniform(-3, 3, (7, 2))
    values = np.sin(known).sum(1)
    eigenvalues, vectors = np.linalg.eigh(_similar(known, known, 1.2) + 0.05 * np.eye(12))
    inverse = vectors / eigenvalues @ vectors.T
    across = _similar(asked, known, 1.2)
    mean, variance = theirs(known, values, asked, 1.2, 0.05)
    wrong = _apart(np.asarray(mean), across @ inverse @ values, say(en="mean", de="Mittelwert"))
    right = 1 - ((across @ inverse) * across).sum(1)
    noisy = np.shape(variance) == right.shape and np.allclose(variance, right + 0.05, atol=1e-6)
    if noisy:
        return say(
            en="the variance is that of a new measurement; asked is that of the function: leave the noise out",
            de="die Varianz ist die einer neuen Messung; gefragt ist die der Funktion: ohne das Rauschen",
        )
    return wrong or _apart(np.asarray(variance), right, say(en="variance", de="Varianz"))


def _deep(theirs: Any) -> str | None:
    rng = np.random.default_rng(2)
    a, b = rng.normal(size=(5, 3)), rng.normal(size=(4, 3))

    def features(x: Floats) -> Floats:
        return np.tanh(np.stack([x[:, 0] * x[:, 1], x[:, 2]], 1))

    return _apart(np.asarray(theirs(features, a, b, 0.5)), _similar(features(a), features(b), 0.5), "deep_kernel")


def _apart(given: NDArray[Any], right: Floats, name: str) -> str | None:
    if given.shape != right.shape:
        return say(
            en=f"{name}: shape {given.shape}, right is {right.shape}", de=f"{name}: Form {given.shape}, richtig ist {right.shape}"
        )
    largest = float(np.abs(given - right).max())
    return (
        None
        if largest < 1e-6
        else say(en=f"{name}: off by up to {scientific(largest)}", de=f"{name}: um bis zu {scientific(largest)} daneben")
    )
