"""The quickest use of a pretrained network: it stays as it is, and only a linear head is fitted to its features."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from wiesel.batches import EvaluationBatches, Preprocessing
from wiesel.images import DataSet, Images
from wiesel.recipe import Recipe
from wiesel.runs import checkpoints
from wiesel.runs.folder import RunFolder
from wiesel.training.features import features_of, linear_head
from wiesel.training.fit import Interrupted, Machine, Outcome, fresh_network
from wiesel.training.interruption import Interruption
from wiesel.training.logistic import Fitted, fit_head
from wiesel.training.position import Best, Position
from wiesel.training.progress import Progress, Silent
from wiesel.training.start import Start


@dataclass(frozen=True)
class Probed:
    """The whole network, its last layer fitted."""

    state: dict[str, Tensor]
    fitted: Fitted
    seconds: float


def probe(
    recipe: Recipe,
    data: DataSet,
    preprocessing: Preprocessing,
    run: RunFolder,
    machine: Machine,
    start: Start,
    *,
    progress: Progress | None = None,
) -> Outcome:
    """Fit a head and leave an ordinary run: one epoch, one checkpoint. The caller holds the run's lock.

    Features are kept in the cache as they are computed, so a run that is stopped loses at most one part of them.

    Raises:
        NoLinearHead: the network has no linear layer at its end.
    """
    run.record("start", 0, epochs=1, steps=1)
    found = probed_start(recipe, data, preprocessing, run, machine, start, progress=progress)
    if isinstance(found, Outcome):
        return found
    fitted = found.fitted
    position = Position(epoch=1, step=1, seconds=found.seconds, best=Best(epoch=1, step=1, accuracy=fitted.validation_accuracy))
    row = run.record(
        "epoch",
        1,
        epoch=1,
        train_loss=fitted.train_loss,
        train_accuracy=fitted.train_accuracy,
        validation_loss=fitted.validation_loss,
        validation_accuracy=fitted.validation_accuracy,
        best=True,
        seconds=round(found.seconds, 3),
    )
    state = {"position": position.to_json(), "optimizer": {}, "average_updates": None}
    checkpoints.save(run, 1, model=found.state, optimizer={}, state=state, best=1)
    if progress is not None:
        progress.epoch(row)
    return Outcome(position, finished=True)


def probed_start(
    recipe: Recipe,
    data: DataSet,
    preprocessing: Preprocessing,
    run: RunFolder,
    machine: Machine,
    start: Start,
    *,
    progress: Progress | None = None,
) -> Probed | Outcome:
    """The network with its head fitted, from which fine-tuning may go on; or, where a signal came first, that it was stopped."""
    try:
        return fitted_head(recipe, data, preprocessing, run, machine, start, progress=progress or Silent())
    except Interrupted as stop:
        run.record("stop", 0, signal=stop.args[0])
        return Outcome(Position(), finished=False, signal=stop.args[0])


def fitted_head(
    recipe: Recipe,
    data: DataSet,
    preprocessing: Preprocessing,
    run: RunFolder,
    machine: Machine,
    start: Start,
    *,
    progress: Progress,
) -> Probed:
    """The network of a recipe with the start weights and the best linear head on top of them. A row `probe` per penalty is written.

    With `flip`, the head learns from every training picture and from its mirror image.

    Raises:
        Interrupted: Ctrl-C or SIGTERM; carries the signal.
        NoLinearHead: as `probe`.
    """
    assert data.validation is not None
    began = time.perf_counter()
    torch.set_num_threads(machine.threads)
    network = fresh_network(recipe, classes=len(data.classes), image=preprocessing.image)
    start.put_into(network)
    head = linear_head(network, preprocessing.image, recipe.architecture)
    mirrors = (False, True) if recipe.augmentation.flip else (False,)
    splits: list[tuple[str, Images, bool]] = [("train", data.train, mirrored) for mirrored in mirrors]
    splits.append(("validation", data.validation, False))
    total = sum(len(images) for _, images, _ in splits)
    batch = EvaluationBatches(data.validation, preprocessing).batch  # what the display calls a step
    weights = start.given.sha256 + recipe.architecture + repr(recipe.network)
    features: list[np.ndarray[Any, np.dtype[np.float32]]] = []
    with Interruption() as interruption:

        def look(_done: object = None) -> None:
            if interruption.signal is not None:
                raise Interrupted(interruption.signal)

        shown = 0
        progress.begin(steps=-(-total // batch), done=0, epochs=1)
        try:
            for split, images, mirrored in splits:
                before = sum(len(part) for part in features)

                def step(count: int, before: int = before) -> None:
                    nonlocal shown
                    if (steps := -(-(before + count) // batch)) != shown:
                        shown = steps
                        progress.step(steps)
                    look()

                features.append(
                    features_of(
                        network,
                        head,
                        images,
                        preprocessing,
                        weights=weights,
                        fingerprint=f"{data.fingerprint} {split}",
                        precision=machine.precision,
                        mirrored=mirrored,
                        after_batch=step,
                    )
                )
            computed = time.perf_counter() - began

            def after(fitted: Fitted) -> None:
                run.record(
                    "probe",
                    0,
                    penalty=fitted.penalty,
                    train_loss=fitted.train_loss,
                    validation_loss=fitted.validation_loss,
                    validation_accuracy=fitted.validation_accuracy,
                    iterations=fitted.steps,
                )
                look()

            fitted = fit_head(
                np.concatenate(features[:-1]) if len(features) > 2 else features[0],
                np.concatenate([data.train.labels] * (len(features) - 1)),
                (features[-1], data.validation.labels),
                classes=len(data.classes),
                balanced=recipe.training.class_weights == "balanced",
                after=after,
            )
        finally:
            progress.end()
    put_head(head, fitted)
    seconds = time.perf_counter() - began
    run.record("probed", 0, penalty=fitted.penalty, features_seconds=round(computed, 3), seconds=round(seconds, 3))
    return Probed({name: tensor.clone() for name, tensor in network.state_dict().items()}, fitted, seconds)


@torch.no_grad()
def put_head(head: nn.Linear, fitted: Fitted) -> None:
    head.weight.copy_(fitted.weight)
    if head.bias is not None:
        head.bias.copy_(fitted.bias)
