"""Heads by their kind; written into a folder and read from it: tensors as safetensors, the rest as JSON.

heads/dkl/    head.safetensors  head.json  evaluation.json  MANIFEST.json
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, Protocol, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from wiesel.language import say
from wiesel.runs import commit
from wiesel.runs.checkpoints import packed, tensors
from wiesel.runs.documents import damaged, parse_mapping, to_json
from wiesel.runs.manifest import read_verified
from wiesel.uncertainty import dkl, laplace, sngp, softmax
from wiesel.uncertainty.answer import Answer

Kind = Literal["softmax", "laplace", "sngp", "dkl"]
KINDS: tuple[Kind, ...] = get_args(Kind)

TENSORS, FACTS, EVALUATION = "head.safetensors", "head.json", "evaluation.json"


class Head(Protocol):
    """What stands on the features of a trained network."""

    @property
    def kind(self) -> str: ...

    def answer(self, features: ArrayLike) -> Answer:
        """Probabilities and doubts for features (N, D)."""
        ...

    def probabilities(self, features: ArrayLike) -> NDArray[np.float64]:
        """(N, D) -> (N, K)"""
        ...

    def tensors(self) -> dict[str, Tensor]: ...

    def facts(self) -> dict[str, Any]: ...


def fit(kind: Kind, features: ArrayLike, labels: NDArray[np.int64], classes: int, seed: int = 0) -> Head:
    """A head of this kind with its default settings. Raises as its own `fit`."""
    rooms = {"softmax": softmax.fit, "laplace": laplace.fit, "sngp": sngp.fit, "dkl": dkl.fit}
    head: Head = rooms[kind](features, labels, classes, seed)  # type: ignore[operator]
    return head


def save(folder: Path, head: Head, *, about: Mapping[str, Any], evaluation: Mapping[str, Any]) -> None:
    """Make `folder`; a head that was there before makes room, once everything of the new one is ready.

    `about`: what it was fitted on; `evaluation`: what was measured. Both JSON.

    Raises:
        CannotSave: the machine refused.
    """
    contents = {
        TENSORS: packed(head.tensors()),
        FACTS: to_json({"kind": head.kind, "facts": head.facts(), "about": dict(about)}),
        EVALUATION: to_json(dict(evaluation)),
    }

    def write(part: Path) -> None:
        for name, data in contents.items():
            commit.put(part / name, data)

    with commit.saving(folder, 0):
        if not folder.parent.exists():
            commit.make_folder(folder.parent)
    if os.path.lexists(folder):
        commit.discard(folder)
    commit.commit_folder(folder, write, needed=sum(map(len, contents.values())))


def load(folder: Path) -> Head:
    """A head as it was saved. Nothing in the folder is run.

    Raises:
        Damaged: something is missing, altered, or not a head.
        GaussianProcessesMissing: it is a Gaussian process, and GPyTorch is not installed.
    """
    found = read_verified(folder, (TENSORS, FACTS))
    document = parse_mapping(found[FACTS], folder / FACTS)
    kinds: dict[Any, Any] = {one.kind: one for one in (softmax.Softmax, laplace.Laplace, sngp.Sngp, dkl.Dkl)}
    try:
        head: Head = kinds[document["kind"]].restored(tensors(found[TENSORS], folder / TENSORS), document["facts"])
    except (KeyError, TypeError, ValueError, RuntimeError, AttributeError) as error:
        raise damaged(folder, {FACTS: say(en="not a head", de="kein Kopf")}) from error
    return head
