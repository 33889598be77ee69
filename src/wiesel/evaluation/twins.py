"""The score with and without the test pictures that have a twin in training."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np
from numpy.typing import ArrayLike, NDArray

from wiesel.errors import DamagedEvaluation
from wiesel.evaluation.intervals import Interval, wilson
from wiesel.language import number, say


@dataclass(frozen=True)
class TwinScores:
    """Accuracies of one split; intervals at 95 %."""

    n: int
    """Test pictures."""
    exact: int
    """Of these with an equal picture in training."""
    near: int
    """Of these with a nearly equal one, and no equal one."""
    every: Interval
    without: Interval
    """Accuracy on the test pictures without a twin."""
    twins: Interval
    """Accuracy on those with one; 0 with bounds 0 and 1 if there are none."""

    def to_json(self) -> dict[str, Any]:
        plain: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(self))
        return plain

    @classmethod
    def from_json(cls, plain: dict[str, Any]) -> TwinScores:
        """What `to_json` gave.

        Raises:
            DamagedEvaluation: a key is missing, or a value has another type.
        """
        try:
            return msgspec.convert(plain, cls)
        except msgspec.ValidationError as error:
            raise DamagedEvaluation(cause=str(error)) from error

    def sentence(self) -> str:
        """One line in the reader's language."""
        count = self.exact + self.near
        if not count:
            return say(
                en="No test picture has an exact or near twin in training.",
                de="Kein Testbild hat einen gleichen oder fast gleichen Zwilling im Training.",
            )
        every, without = (f"{number(100 * one.value, 2)} %" for one in (self.every, self.without))
        low, high = (number(100 * bound, 2) for bound in (self.without.low, self.without.high))
        return say(
            en=f"{count} of {self.n} test pictures have a twin in training ({self.exact} exact, {self.near} near): accuracy {every} with "
            f"them, {without} without (95 % interval {low} to {high}).",
            de=f"{count} von {self.n} Testbildern haben einen Zwilling im Training ({self.exact} gleich, {self.near} fast gleich): "
            f"Genauigkeit {every} mit ihnen, {without} ohne (95-%-Intervall {low} bis {high}).",
        )


def twin_scores(labels: ArrayLike, logits: ArrayLike, *, exact: NDArray[np.bool_], near: NDArray[np.bool_]) -> TwinScores:
    """Of labels (N,), logits (N, K), and which of the N have an exact or a near twin (exact wins)."""
    correct = np.asarray(logits).argmax(axis=1) == np.asarray(labels)
    twin = exact | near

    def accuracy(rows: NDArray[np.bool_]) -> Interval:
        return wilson(int(correct[rows].sum()), int(rows.sum()))

    return TwinScores(
        n=len(correct),
        exact=int(exact.sum()),
        near=int((near & ~exact).sum()),
        every=accuracy(np.ones_like(twin)),
        without=accuracy(~twin),
        twins=accuracy(twin),
    )
