"""From logits to probabilities, and what only probabilities can say: loss, Brier score, ranks, margins, confident mistakes.

Everything is computed in float64 from the logits, block by block, so that a float32 overflow or a saturated softmax never hides
how sure the network was. Logarithms are natural; losses are in nats per picture.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from wiesel.errors import BadValue
from wiesel.evaluation.checking import checked_labels, checked_logits
from wiesel.language import say

Floats = NDArray[np.float64]

BLOCK = 2**18  # numbers per block: its float64 copies stay in the processor's cache


def log_softmax(logits: ArrayLike) -> Floats:
    """log p = z - max z - log(1 + rest), rest = sum of exp(z - max z) over all classes but the largest: (N, K) -> (N, K).

    Finite for all finite logits. log1p keeps the loss of a nearly certain picture (1e-30, say), which log(sum) rounds to 0.
    """
    shifted, _, rest = _shifted(checked_logits(logits))
    return shifted - np.log1p(rest)[:, None]


def softmax(logits: ArrayLike) -> Floats:
    """Probabilities: (N, K) -> (N, K), each row sums to 1."""
    return np.exp(log_softmax(logits))


def logits_from(probabilities: ArrayLike) -> Floats:
    """log p, which every function here takes as logits: (N, K) -> (N, K).

    A zero becomes the smallest normal double, so that a truth held impossible costs 708 nats and not infinity.

    Raises:
        BadValue: a negative number, or a row whose sum is not 1 (within 1e-3, which is what half precision leaves).
    """
    given = checked_logits(probabilities, where="probabilities").astype(np.float64)
    if not ((given >= 0).all() and np.abs(given.sum(axis=1) - 1).max() <= 1e-3):
        row = int(np.argmax((given < 0).any(axis=1) | (np.abs(given.sum(axis=1) - 1) > 1e-3)))
        expected = say(en="numbers from 0 on with the sum 1", de="Zahlen ab 0 mit der Summe 1")
        raise BadValue(setting=f"probabilities[{row}]", value=given[row].tolist(), expected=expected)
    result: Floats = np.log(np.maximum(given, np.finfo(np.float64).tiny))
    return result


@dataclass(frozen=True, eq=False)
class Outcomes:
    """What became of each of N pictures; every field has shape (N,)."""

    label: NDArray[np.int64]
    predicted: NDArray[np.int64]
    """The class with the largest logit; of equal ones the first in the list of classes."""
    tied: NDArray[np.bool_]
    """More than one class has the largest logit, so the prediction is by that convention only."""
    rank: NDArray[np.int64]
    """How many classes stand before the true one, with equal logits in the order of the list of classes; 0: right."""
    confidence: Floats
    """Probability of the predicted class."""
    doubt: Floats
    """1 - confidence, exact also where the confidence rounds to 1."""
    loss: Floats
    """-log p(true class), nats."""
    squared_error: Floats
    """Brier's: sum over all classes of (p - 1[true class])², 0..2."""
    margin: Floats
    """Logit of the true class minus the largest other logit: log-odds against its best rival; negative: wrong; 0: tied."""

    @property
    def correct(self) -> NDArray[np.bool_]:
        return np.equal(self.rank, 0)


def outcomes(labels: ArrayLike, logits: ArrayLike) -> Outcomes:
    """Every per-picture quantity in one pass over labels (N,) and logits (N, K). Memory beyond the result: a few megabytes."""
    scores = checked_logits(logits)
    truth = checked_labels(labels, classes=scores.shape[1], pictures=len(scores))
    step = max(1, BLOCK // scores.shape[1])
    blocks = [_outcomes(truth[at : at + step], scores[at : at + step]) for at in range(0, len(scores), step)]
    return Outcomes(*(np.concatenate(column) for column in zip(*blocks, strict=True)))


def negative_log_likelihood(labels: ArrayLike, logits: ArrayLike) -> float:
    """Mean of -log p(true class), nats; a uniform guess costs log K."""
    return float(outcomes(labels, logits).loss.mean())


def brier_score(labels: ArrayLike, logits: ArrayLike) -> float:
    """Mean over pictures of the sum over classes of (p - 1[true class])².

    Brier's own convention, 0 (certain and right) to 2 (certain and wrong); for two classes it is twice the one-column version.

    Source: Brier 1950, Monthly Weather Review 78(1), 1-3, equation 2.
    """
    return float(outcomes(labels, logits).squared_error.mean())


def top_k_accuracy(labels: ArrayLike, logits: ArrayLike, k: int) -> float:
    """Share of pictures whose true class is among the k largest logits; equal logits in the order of the list of classes.

    With that order top-1 is the accuracy also where logits are tied. k >= K gives 1.
    """
    if k < 1:
        raise BadValue(setting="k", value=k, expected=say(en="1 or more", de="1 oder mehr"))
    return float((outcomes(labels, logits).rank < k).mean())


def confident_mistakes(found: Outcomes, count: int = 25) -> NDArray[np.int64]:
    """Indices of the wrong pictures, the most confident first, at most `count`; equally confident ones in their own order."""
    wrong = np.flatnonzero(~found.correct)
    return wrong[np.argsort(found.doubt[wrong], kind="stable")[:count]].astype(np.int64, copy=False)


def _shifted(logits: NDArray[np.generic]) -> tuple[Floats, NDArray[np.int64], Floats]:
    """(z - max z, index of the first maximum, sum of exp(z - max z) without that one), in float64."""
    wide = logits.astype(np.float64)
    largest = wide.argmax(axis=1)
    rows = np.arange(len(wide))
    wide -= wide[rows, largest][:, None]
    powers = np.exp(wide)
    powers[rows, largest] = 0
    return wide, largest, powers.sum(axis=1)


def _outcomes(label: NDArray[np.int64], logits: NDArray[np.generic]) -> tuple[NDArray[np.generic], ...]:
    """The fields of `Outcomes`, in order, for one block."""
    rows = np.arange(len(label))
    shifted, predicted, rest = _shifted(logits)
    of_truth = shifted[rows, label]
    log_total = np.log1p(rest)
    earlier = np.arange(shifted.shape[1]) < label[:, None]
    rank = ((shifted > of_truth[:, None]) | ((shifted == of_truth[:, None]) & earlier)).sum(axis=1)
    tied = (shifted == 0).sum(axis=1) > 1
    # Without the true class: (1 - p)² is the square of the others' sum, which loses no digits where p is nearly 1.
    others = np.exp(shifted - log_total[:, None])
    others[rows, label] = 0
    squared_error = others.sum(axis=1) ** 2 + np.square(others).sum(axis=1)
    shifted[rows, label] = -np.inf
    margin = of_truth - shifted.max(axis=1)
    return label, predicted, tied, rank, np.exp(-log_total), rest / (1 + rest), log_total - of_truth, squared_error, margin
