"""Several networks trained alike from different seeds, asked together: a deep ensemble, from saved predictions alone.

The mean of the members' probabilities is the answer. Its entropy is the whole uncertainty; the mean of the members' entropies is
what they agree is unclear (the picture); the difference, their mutual information, is what they disagree about (the network).

Sources: Lakshminarayanan, Pritzel, Blundell 2017, arXiv:1612.01474; Depeweg et al. 2018, arXiv:1710.07283 (decomposition).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from wiesel.errors import OtherPictures, TooFewMembers
from wiesel.evaluation.checking import checked_logits
from wiesel.evaluation.predictions import Predictions
from wiesel.evaluation.probabilities import log_softmax

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Ensemble:
    """M members on N pictures with K classes; entropies in nats."""

    members: int
    log_probabilities: Floats
    """(N, K): log of the mean probabilities; every function that takes logits takes them."""
    total: Floats
    """(N,): entropy of the mean."""
    expected: Floats
    """(N,): mean of the members' entropies."""
    disagreement: Floats
    """(N,): share of pairs of members that name different classes."""

    @property
    def probabilities(self) -> Floats:
        return np.exp(self.log_probabilities)

    @property
    def mutual_information(self) -> Floats:
        """(N,): total - expected, at least 0."""
        return np.maximum(self.total - self.expected, 0)


def ensemble(logits: Sequence[ArrayLike]) -> Ensemble:
    """Of the logits (N, K) of each member for the same pictures in the same order.

    Raises:
        TooFewMembers: fewer than two. OtherPictures: the shapes differ.
    """
    if len(logits) < 2:
        raise TooFewMembers(have=len(logits))
    shapes = [checked_logits(one).shape for one in logits]
    for number, shape in enumerate(shapes):
        if shape != shapes[0]:
            raise OtherPictures(first=f"{shapes[0]}", other=f"{shape}", number=number + 1, difference="")
    log_mean = log_softmax(logits[0])
    expected = np.zeros(len(log_mean))
    votes = np.zeros(log_mean.shape)
    rows = np.arange(len(log_mean))
    for number, one in enumerate(logits):
        log_p = log_softmax(one)
        expected += _entropy(log_p)
        votes[rows, log_p.argmax(axis=1)] += 1
        if number:
            log_mean = np.logaddexp(log_mean, log_p)
    count = len(logits)
    log_mean -= np.log(count)
    alike = (votes * (votes - 1)).sum(axis=1) / (count * (count - 1))
    return Ensemble(count, log_mean, _entropy(log_mean), expected / count, 1 - alike)


def of_predictions(runs: Sequence[Predictions]) -> tuple[NDArray[np.int64], Ensemble]:
    """(labels, ensemble) of several runs' predictions of one split; their order of pictures may differ, the pictures may not.

    Raises:
        TooFewMembers; OtherPictures: names or labels differ, says where: their test pictures may be another's training pictures.
    """
    if len(runs) < 2:
        raise TooFewMembers(have=len(runs))
    first = runs[0]
    order = np.argsort(first.names, kind="stable")
    aligned = [first.logits]
    for number, other in enumerate(runs[1:], start=2):
        if len(other) != len(first) or other.logits.shape[1] != first.logits.shape[1]:
            raise OtherPictures(first=f"{first.logits.shape}", other=f"{other.logits.shape}", number=number, difference="")
        theirs = np.argsort(other.names, kind="stable")
        for ours_said, theirs_said in ((first.names, other.names), (first.labels, other.labels)):
            differs = ours_said[order] != theirs_said[theirs]
            if differs.any():
                row = int(np.argmax(differs))
                difference = f"{first.names[order][row]}: {ours_said[order][row]} / {theirs_said[theirs][row]}"
                raise OtherPictures(first=len(first), other=len(other), number=number, difference=f" ({difference})")
        rows = np.empty_like(order)
        rows[order] = theirs
        aligned.append(other.logits[rows])
    return first.labels, ensemble(aligned)


def _entropy(log_probabilities: Floats) -> Floats:
    """(N, K) -> (N,), nats; 0 log 0 is 0."""
    p = np.exp(log_probabilities)
    result: Floats = -(p * np.where(p > 0, log_probabilities, 0)).sum(axis=1)
    return result
