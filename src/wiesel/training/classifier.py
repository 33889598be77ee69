"""A network as Lightning trains it: one step is forward, loss, backward; everything else stands in its own file."""

from __future__ import annotations

import dataclasses

import pytorch_lightning as pl
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from wiesel.batches import Batch
from wiesel.batches.order import Use, chance
from wiesel.recipe import Recipe
from wiesel.training.freezing import Freezing
from wiesel.training.optimiser import optimiser_for
from wiesel.training.position import Window
from wiesel.training.schedule import rate_at
from wiesel.zoo.auxiliary import TrainingLogits

AUXILIARY_WEIGHT = 0.3  # Szegedy et al. 2014, arXiv:1409.4842, section 5


class Classifier(pl.LightningModule):
    """Wraps any network that maps float32 (B, C, H, W) to logits (B, K).

    `steps` is the number of steps of the whole run, `done` how many of them earlier sittings did; the learning rate and dropout's
    draws depend on the step's number alone; and on `rank`, the number of the process among those that share each batch, so that dropout
    is not the same in all shares.
    """

    part: Tensor
    """float32 (2,): what this share added to the mean loss of the whole batch and to its hits."""

    def __init__(
        self,
        network: nn.Module,
        recipe: Recipe,
        *,
        steps: int,
        done: int = 0,
        class_weights: Tensor | None = None,
        freezing: Freezing | None = None,
        rank: int = 0,
    ) -> None:
        super().__init__()
        self.network = network
        self.recipe = recipe
        self.steps = steps
        self.done = done
        self.class_weights = class_weights
        self.freezing = freezing
        self.rank = rank
        self.sums = Sums()

    def configure_optimizers(self) -> torch.optim.Optimizer:
        optimiser = optimiser_for(self.network, self.recipe.training)
        return optimiser if self.freezing is None else self.freezing.slow(optimiser)

    def training_step(self, batch: Batch, _index: int) -> Tensor:
        training = self.recipe.training
        # Dropout and stochastic depth draw from torch's own generator.
        draws = chance(self.recipe.seed, self.done, Use.DROPOUT)
        for _ in range(self.rank):
            draws.integers(2**63)
        torch.manual_seed(int(draws.integers(2**63)))
        rate = rate_at(self.done, self.steps, peak=training.peak_rate, schedule=training.schedule, warmup=training.warmup)
        for group in self.optimizers().param_groups:
            group["lr"] = rate * group["relative"]
        given = self.network(batch.pictures)
        loss = self.loss(given, batch.labels)
        logits = given.logits if isinstance(given, TrainingLogits) else given
        hits = (logits.detach().argmax(1) == batch.labels).sum()
        if batch.of is None:
            self.sums.add(loss.detach(), hits, len(batch))
            return loss
        loss = loss * self._weight(batch)
        self.part = torch.stack([loss.detach().float(), hits / batch.copies])
        return loss

    def _weight(self, batch: Batch) -> float:
        """What the mean over this share counts in the mean over the whole batch; over all processes the weights sum to 1."""
        assert batch.of is not None
        if self.class_weights is None:
            return len(batch) / len(batch.of) / batch.copies
        own, whole = (float(self.class_weights[labels].double().sum()) for labels in (batch.labels, batch.of))
        return own / whole / batch.copies

    def loss(self, given: Tensor | TrainingLogits, labels: Tensor) -> Tensor:
        """Of what the network answers to a batch: the mean over its pictures, early heads included."""
        if not isinstance(given, TrainingLogits):
            return self._loss(given, labels)
        return self._loss(given.logits, labels) + AUXILIARY_WEIGHT * sum(self._loss(early, labels) for early in given.auxiliary)

    def _loss(self, logits: Tensor, labels: Tensor) -> Tensor:
        smoothing = self.recipe.training.label_smoothing
        return F.cross_entropy(logits.float(), labels, self.class_weights, label_smoothing=smoothing)

    def transfer_batch_to_device(self, batch: Batch, device: torch.device, _dataloader: int) -> Batch:
        if device.type == "cpu":
            return batch
        pictures, labels, ids = (t.to(device, non_blocking=True) for t in (batch.pictures, batch.labels, batch.ids))
        return dataclasses.replace(batch, pictures=pictures, labels=labels, ids=ids)


class Sums:
    """Loss and hits since the last metric row (window 0) and since the epoch began (window 1).

    They stay tensors, because reading them each step would make a GPU wait for us, and each step is added to both windows in the
    same order whether or not the run was interrupted in between, so that the rows come out equal to the last bit.
    """

    def __init__(self) -> None:
        self.loss = torch.zeros(2, dtype=torch.float64)
        self.correct = torch.zeros(2, dtype=torch.int64)
        self.seen = [0, 0]

    def add(self, mean_loss: Tensor, correct: Tensor, count: int) -> None:
        if self.loss.device != mean_loss.device:
            self.loss, self.correct = self.loss.to(mean_loss.device), self.correct.to(mean_loss.device)
        self.loss += mean_loss.double() * count
        self.correct += correct
        self.seen = [seen + count for seen in self.seen]

    def read(self, window: int) -> Window:
        return Window(loss=float(self.loss[window]), correct=int(self.correct[window]), seen=self.seen[window])

    def reset(self, window: int, to: Window | None = None) -> None:
        to = to or Window()
        self.loss[window], self.correct[window], self.seen[window] = to.loss, to.correct, to.seen


def balanced_weights(labels: Tensor, classes: int) -> Tensor:
    """Weight per class so that each class weighs the same in all: N / (K * count); 0 for a class without pictures."""
    counts = torch.bincount(labels, minlength=classes).double()
    return torch.where(counts > 0, len(labels) / (classes * counts.clamp(min=1)), 0.0).float()
