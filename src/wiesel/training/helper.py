"""What the processes beside the leader do: the same steps on other pictures, and nothing else."""

from __future__ import annotations

import signal
import threading
from typing import Any

import pytorch_lightning as pl
import torch
from torch import Tensor

from wiesel.batches import Batch, Preprocessing
from wiesel.images import DataSet
from wiesel.recipe import Recipe
from wiesel.runs import checkpoints
from wiesel.training.classifier import Classifier, balanced_weights
from wiesel.training.finite import gradients_are_finite
from wiesel.training.fit import Epochs, Machine, fresh_network, learn, share_of, trainer_for
from wiesel.training.freezing import Freezing
from wiesel.training.position import Position
from wiesel.training.team import Team


def help_to_fit(
    recipe: Recipe,
    data: DataSet,
    preprocessing: Preprocessing,
    machine: Machine,
    team: Team,
    *,
    state: dict[str, Any] | None = None,
    optimizer: dict[str, Tensor] | None = None,
) -> None:
    """Take part in `training.fit.fit` of the leader until its last step; `state` and `optimizer` are those of the checkpoint that the
    leader resumes from.

    Writes nothing. Where the leader stops earlier, the next step fails, because the connection is closed.
    """
    torch.set_num_threads(machine.threads)
    torch.set_flush_denormal(True)
    network = fresh_network(recipe, classes=len(data.classes), image=preprocessing.image)
    batches = share_of(recipe, data, preprocessing, team)
    position = Position() if state is None else Position.from_json(state["position"])
    weights = None
    if recipe.training.class_weights == "balanced":
        weights = balanced_weights(torch.from_numpy(data.train.labels), len(data.classes))
    freezing = Freezing(network, recipe.transfer) if recipe.transfer.pretrained else None
    steps = batches.steps * recipe.training.epochs
    classifier = Classifier(
        network, recipe, steps=steps, done=position.step, class_weights=weights, freezing=freezing, rank=team.rank
    )
    if position.batch == batches.steps:  # the leader validates first
        position.epoch, position.batch = position.epoch + 1, 0
    team.begin_equal(network)
    left = recipe.training.epochs - position.epoch
    if left > 0:
        buffers = checkpoints.unflatten(optimizer or {}, state["optimizer"]) if state is not None else None
        trainer = trainer_for(machine, left, _Helper(classifier, position, team, buffers), ".")
        learn(trainer, classifier, Epochs(batches, position, recipe.training))


def ignore_signals() -> None:
    """Ctrl-C and SIGTERM may reach all processes; the leader saves and ends the others."""
    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)


class _Helper(pl.Callback):
    def __init__(self, classifier: Classifier, position: Position, team: Team, buffers: dict[str, Any] | None) -> None:
        self.classifier, self.position, self.team, self.buffers = classifier, position, team, buffers

    def on_train_start(self, trainer: pl.Trainer, _module: pl.LightningModule) -> None:
        ignore_signals()  # Lightning has put its own handler of SIGTERM in front
        if self.buffers is not None:
            trainer.optimizers[0].load_state_dict(self.buffers)

    def on_train_batch_start(self, _trainer: pl.Trainer, _module: pl.LightningModule, _batch: Batch, _index: int) -> None:
        if self.classifier.freezing is not None:
            self.classifier.freezing.begin(self.position.epoch)

    def on_before_optimizer_step(
        self, _trainer: pl.Trainer, _module: pl.LightningModule, _optimizer: torch.optim.Optimizer
    ) -> None:
        self.team.share_gradients(self.classifier.network, self.classifier.part)
        if not gradients_are_finite(self.classifier.network):
            raise RuntimeError("the gradients are not finite; the leader says which")

    def on_train_batch_end(
        self, _trainer: pl.Trainer, _module: pl.LightningModule, _outputs: Any, _batch: Batch, _index: int
    ) -> None:
        self.position.step += 1
        self.position.batch += 1
        self.classifier.done = self.position.step

    def on_train_epoch_end(self, _trainer: pl.Trainer, _module: pl.LightningModule) -> None:
        self.position.epoch += 1
        self.position.batch = 0
