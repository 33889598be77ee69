"""Recipe + pictures -> run folder. Lightning drives the epochs; the position, the checkpoints and the metrics are ours.

Lightning's own checkpoints are pickles without any random state, and its mid-epoch resume needs loaders with a state. Here every
source of chance is a pure function of (seed, epoch, step, sample), so a run is its weights, the optimiser's buffers and a `Position`;
Lightning is simply asked to do the epochs that are left, and the first of them starts at the batch where the last sitting ended.
"""

from __future__ import annotations

import logging
import time
import traceback
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytorch_lightning as pl
import torch
from torch import Tensor, nn

from wiesel import zoo
from wiesel.batches import Batch, EvaluationBatches, Preprocessing, TrainingBatches
from wiesel.batches.inference import logits_of, loss_and_accuracy
from wiesel.batches.memory import is_out_of_memory
from wiesel.batches.order import Use, chance
from wiesel.errors import NotFinite, OutOfMemory
from wiesel.images import DataSet
from wiesel.language import say
from wiesel.recipe import Recipe, Training
from wiesel.runs import checkpoints
from wiesel.runs.folder import RunFolder
from wiesel.training.average import MovingAverage
from wiesel.training.classifier import Classifier, balanced_weights
from wiesel.training.finite import first_bad_layer, gradients_are_finite
from wiesel.training.freezing import Freezing
from wiesel.training.interruption import Interruption
from wiesel.training.memory import out_of_memory
from wiesel.training.position import Best, Position
from wiesel.training.progress import Progress, Silent
from wiesel.training.team import Team
from wiesel.zoo.wiesel import Whitening

ROWS_PER_RUN = 100
"""About so many `train` rows are written, whatever the length of the run."""

WHITENED = 5000
"""At most so many training pictures are looked at to whiten a stem; of pictures above 32 x 32 as many as have the same number of pixels."""

BeforeStep = Callable[[nn.Module, Batch, int], None]
"""The network, the batch it is about to learn from, and how many steps were done before."""

RECENT, WHOLE = 0, 1  # the two windows of `Sums`


@dataclass(frozen=True)
class Machine:
    """What was settled for the machine at hand: part of what a bit-identical repetition needs."""

    precision: str
    threads: int
    """Of each process."""
    device: str = "cpu"
    processes: int = 1
    """That share each batch."""


@dataclass(frozen=True)
class Outcome:
    position: Position
    finished: bool
    signal: int | None = None
    """The signal that ended this sitting early; None if it ran to its end."""


class Interrupted(Exception):
    """Raised between two steps to leave Lightning's loop; never seen outside `fit`."""


def fresh_network(recipe: Recipe, *, classes: int, image: tuple[int, int, int]) -> nn.Module:
    """The network with its initial weights, a pure function of the recipe's seed; torch's global generator is left as it was."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(int(chance(recipe.seed, 0, Use.INITIAL_WEIGHTS).integers(2**63)))
        network = zoo.of_recipe(recipe, classes=classes, image=image)
    return network.to(memory_format=torch.channels_last)


def resolution_of(epoch: int, training: Training) -> int:
    """Pixels of the shorter side in this epoch, 0 for full size: the shares of `resolutions` rounded to whole epochs."""
    ends = 0.0
    for share, pixels in training.resolutions:
        ends += share * training.epochs
        if epoch < round(ends):
            return pixels
    return 0


def fit(
    recipe: Recipe,
    data: DataSet,
    preprocessing: Preprocessing,
    run: RunFolder,
    machine: Machine,
    *,
    resume: checkpoints.Checkpoint | None = None,
    progress: Progress | None = None,
    before_step: BeforeStep | None = None,
    start: Mapping[str, Tensor] | None = None,
    seconds: float = 0.0,
    team: Team | None = None,
) -> Outcome:
    """Train `recipe.architecture` on `data.train`, choosing the epoch on `data.validation`; the caller holds the run's lock.

    Writes metric rows to `events.jsonl` and a checkpoint per epoch (more often with `checkpoint_every`). Ends early, with a
    checkpoint, at Ctrl-C or SIGTERM. `resume`: go on from this checkpoint; the final weights are bit-identical to those of a run that
    was never interrupted, on the same machine with the same number of threads. `before_step` may look at the network before each
    step, and must leave it and PyTorch's generator as they are. `start`: weights to begin with, by name; the others come from chance. A
    run that is resumed has its own. `seconds` were spent on them. `team`: be its leader; its helpers are in `helper.help_to_fit`.

    Raises:
        NotFinite: a loss or gradient was NaN or infinite; nothing after the last checkpoint is kept.
        OutOfMemory: a step found no room; says how many pictures would.
    """
    assert data.validation is not None
    torch.set_num_threads(machine.threads)
    torch.set_flush_denormal(True)
    network = fresh_network(recipe, classes=len(data.classes), image=preprocessing.image)
    batches = share_of(recipe, data, preprocessing, team)
    if resume is None:
        prepare(network, batches)
        network.load_state_dict({**network.state_dict(), **(start or {})})
    position = Position(seconds=seconds) if resume is None else Position.from_json(resume.state()["position"])
    sitting = _Sitting(recipe, data, preprocessing, run, machine, network, batches, position, progress or Silent())
    sitting.before_step = before_step
    sitting.team = team
    try:
        with Interruption() as interruption, torch.random.fork_rng(devices=[]):
            sitting.interruption = interruption
            try:
                return sitting.go(resume)
            except (MemoryError, RuntimeError) as error:
                if not is_out_of_memory(error):
                    raise
                traceback.clear_frames(error.__traceback__)  # they hold the tensors that filled the memory
            raise sitting.out_of_memory()
    finally:
        torch.set_flush_denormal(False)  # as every process starts; other code may count on tiny numbers


def share_of(recipe: Recipe, data: DataSet, preprocessing: Preprocessing, team: Team | None) -> TrainingBatches:
    """The batches of training, or this process's share of each."""
    return TrainingBatches(
        data.train,
        preprocessing,
        batch=recipe.training.batch,
        seed=recipe.seed,
        augmentation=recipe.augmentation,
        share=(0, 1) if team is None else (team.rank, team.size),
    )


def trainer_for(machine: Machine, epochs: int, callback: pl.Callback, folder: str) -> pl.Trainer:
    """Lightning without anything that we do ourselves."""
    logging.getLogger("pytorch_lightning").setLevel(logging.ERROR)  # its start-up talk is about devices we settled already
    return pl.Trainer(
        max_epochs=epochs,
        accelerator=machine.device,
        devices=1,
        precision="bf16-mixed" if machine.precision == "bf16" else "32-true",
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        use_distributed_sampler=False,
        num_sanity_val_steps=0,
        callbacks=[callback],
        default_root_dir=folder,
    )


def learn(trainer: pl.Trainer, classifier: Classifier, epochs: Epochs) -> None:
    """Lightning's loop without its advice."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module="pytorch_lightning")
        warnings.filterwarnings("ignore", message=".*does not have many workers.*")
        trainer.fit(classifier, train_dataloaders=epochs)


def prepare(network: nn.Module, batches: TrainingBatches) -> None:
    """Layers that are computed from the training pictures instead of learned: some thousands, evenly spaced, are enough."""
    _, height, width = batches.preprocessing.image
    most = max(50, min(WHITENED, WHITENED * 32 * 32 // (height * width)))
    for layer in network.modules():
        if isinstance(layer, Whitening):
            every = -(-len(batches.labels) // most)
            layer.prepare(batches.preprocessing.normalise(batches.pixels[::every]))


class Epochs:
    """What Lightning takes for a data loader: each `iter` yields the batches that the current epoch still lacks."""

    def __init__(self, batches: TrainingBatches, position: Position, training: Training) -> None:
        self.batches, self.position, self.training = batches, position, training

    def __iter__(self) -> Iterator[Batch]:
        epoch = self.position.epoch
        return self.batches.epoch(epoch, start=self.position.batch, resolution=resolution_of(epoch, self.training))


class _Sitting(pl.Callback):
    """One uninterrupted stretch of training, told by Lightning's hooks."""

    interruption: Interruption
    batch: Batch | None = None
    before_step: BeforeStep | None = None
    team: Team | None = None

    def __init__(
        self,
        recipe: Recipe,
        data: DataSet,
        preprocessing: Preprocessing,
        run: RunFolder,
        machine: Machine,
        network: nn.Module,
        batches: TrainingBatches,
        position: Position,
        progress: Progress,
    ) -> None:
        assert data.validation is not None
        self.recipe, self.run, self.machine, self.network = recipe, run, machine, network
        self.batches, self.position, self.progress = batches, position, progress
        self.validation = EvaluationBatches(data.validation, preprocessing)
        self.validation_labels = data.validation.labels
        self.pixels = min(preprocessing.image[1:])
        self.steps = batches.steps * recipe.training.epochs
        self.row_every = max(1, self.steps // ROWS_PER_RUN)
        weights = None
        if recipe.training.class_weights == "balanced":
            weights = balanced_weights(torch.from_numpy(data.train.labels), len(data.classes))
        self.freezing = Freezing(network, recipe.transfer) if recipe.transfer.pretrained else None
        self.classifier = Classifier(
            network, recipe, steps=self.steps, done=position.step, class_weights=weights, freezing=self.freezing
        )
        self.average = MovingAverage(network, recipe.training.ema) if recipe.training.ema else None
        self.optimizer_state: tuple[dict[str, Tensor], dict[str, Any]] | None = None
        self.optimizer: torch.optim.Optimizer | None = None
        self.started = time.perf_counter()

    # --- the whole sitting -----------------------------------------------------------------------------------------------

    def go(self, resume: checkpoints.Checkpoint | None) -> Outcome:
        training = self.recipe.training
        if resume is not None:
            self._load(resume)
        else:
            self.run.record("start", 0, epochs=training.epochs, steps=self.steps)
        if self.team is not None:
            self.team.begin_equal(self.network)
        work = [(resolution_of(epoch, training) or self.pixels) ** 2 for epoch in range(training.epochs)]
        self.progress.begin(steps=self.steps, done=self.position.step, epochs=training.epochs, work=work)
        outcome: Outcome | None = None
        try:
            if self.position.batch == self.batches.steps:  # the last sitting ended between an epoch's last step and its validation
                self._finish_epoch()
            if not self._enough():
                trainer = trainer_for(self.machine, training.epochs - self.position.epoch, self, str(self.run.path))
                learn(trainer, self.classifier, Epochs(self.batches, self.position, training))
        except Interrupted:
            self._save()
            self.run.record("stop", self.position.step, signal=self.interruption.signal)
            outcome = Outcome(self.position, finished=False, signal=self.interruption.signal)
        finally:
            self.progress.end()
        return outcome or Outcome(self.position, finished=True)

    def out_of_memory(self) -> OutOfMemory:
        self.batch = None
        self.progress.note(
            say(en="Memory ran out; trying how many pictures fit …", de="Der Speicher reicht nicht; wie viele Bilder passen? …")
        )
        error = out_of_memory(self.classifier, self.batches, self.run, precision=self.machine.precision, device=self.machine.device)
        self.run.record("out_of_memory", self.position.step, batch=error.batch, fits=error.fits)
        return error

    def _enough(self) -> bool:
        training, position = self.recipe.training, self.position
        small = position.epoch > 0 and resolution_of(position.epoch - 1, training) > 0  # patience is for full-sized pictures
        stale = 0 < training.patience <= position.without_gain and not small
        return position.epoch >= training.epochs or stale

    # --- Lightning's hooks -----------------------------------------------------------------------------------------------

    def on_train_start(self, trainer: pl.Trainer, _module: pl.LightningModule) -> None:
        self.interruption.listen()  # Lightning has put its own SIGTERM handler in front of ours
        self.optimizer = trainer.optimizers[0]
        if self.optimizer_state is not None:
            self.optimizer.load_state_dict(checkpoints.unflatten(*self.optimizer_state))
            self.optimizer_state = None

    def on_train_batch_start(self, _trainer: pl.Trainer, _module: pl.LightningModule, batch: Batch, _index: int) -> None:
        self.batch = batch
        if self.freezing is not None:
            self.freezing.begin(self.position.epoch)
        if self.before_step is not None:
            self.before_step(self.network, batch, self.position.step)

    def on_before_optimizer_step(
        self, _trainer: pl.Trainer, _module: pl.LightningModule, _optimizer: torch.optim.Optimizer
    ) -> None:
        assert self.batch is not None
        if self.team is not None:
            assert self.batch.of is not None
            loss, hits = self.team.share_gradients(self.network, self.classifier.part)
            self.classifier.sums.add(loss, hits.round().long(), len(self.batch.of))
        if gradients_are_finite(self.network):
            return
        whole = self.batch if self.team is None else self._whole_batch()
        layer = first_bad_layer(self.network, whole.pictures)
        step, ids = self.position.step + 1, whole.ids.tolist()
        self.run.record("not_finite", step, layer=layer, ids=ids)
        raise NotFinite(
            step=step, layer=layer, ids=", ".join(map(str, ids[:8])) + (", …" if len(ids) > 8 else ""), run=self.run.path
        )

    def _whole_batch(self) -> Batch:
        """The batch of which `self.batch` is a share."""
        training, position = self.recipe.training, self.position
        every = self.batches.sized(training.batch)
        return next(every.epoch(position.epoch, start=position.batch, resolution=resolution_of(position.epoch, training)))

    def on_train_batch_end(
        self, _trainer: pl.Trainer, _module: pl.LightningModule, _outputs: Any, _batch: Batch, _index: int
    ) -> None:
        position = self.position
        position.step += 1
        position.batch += 1
        self.classifier.done = position.step
        if self.average is not None:
            self.average.update(self.network)
        self.progress.step(position.step)
        whole = position.batch == self.batches.steps
        if position.step % self.row_every == 0 or whole:
            self._train_row()
        every = self.recipe.training.checkpoint_every
        if every and position.step % every == 0 and not whole:
            self._save()
        if self.interruption.signal is not None:
            raise Interrupted

    def on_train_epoch_end(self, trainer: pl.Trainer, _module: pl.LightningModule) -> None:
        self._finish_epoch()
        trainer.should_stop = self._enough()

    # --- an epoch's end --------------------------------------------------------------------------------------------------

    def _finish_epoch(self) -> None:
        position = self.position
        resolution = resolution_of(position.epoch, self.recipe.training)
        loss, accuracy = self._validate(resolution)
        whole = self.classifier.sums.read(WHOLE)
        best = position.best
        # What smaller pictures let a network reach is no rival of what it reaches with larger ones.
        if best is None or accuracy > best.accuracy or resolution_of(best.epoch - 1, self.recipe.training) != resolution:
            position.best = Best(epoch=position.epoch + 1, step=position.step, accuracy=accuracy)
            position.without_gain = 0
        else:
            position.without_gain += 1
        row = self.run.record(
            "epoch",
            position.step,
            epoch=position.epoch + 1,
            train_loss=whole.loss / whole.seen,
            train_accuracy=whole.correct / whole.seen,
            validation_loss=loss,
            validation_accuracy=accuracy,
            best=position.without_gain == 0,
            seconds=round(self._seconds(), 3),
            **({"resolution": resolution} if resolution else {}),
        )
        position.epoch += 1
        position.batch = 0
        self.classifier.sums.reset(WHOLE)
        self._save()
        self.progress.epoch(row)
        if self.interruption.signal is not None and not self._enough():
            raise Interrupted

    def _validate(self, resolution: int) -> tuple[float, float]:
        def look_at_the_flag() -> None:
            if self.interruption.signal is not None:
                raise Interrupted

        # The helpers wait meanwhile, so their cores are free.
        torch.set_num_threads(self.machine.threads * self.machine.processes)
        kept: dict[str, Tensor] = {}
        if self.average is not None:
            kept = {name: tensor.clone() for name, tensor in self.network.state_dict().items()}
            self.network.load_state_dict(self.average.state)
        try:
            logits = logits_of(
                self.network,
                self.validation.shrunk(resolution),
                precision=self.machine.precision,
                device=self.machine.device,
                after_batch=look_at_the_flag,
            )
        finally:
            torch.set_num_threads(self.machine.threads)
            if kept:
                self.network.load_state_dict(kept)
        return loss_and_accuracy(logits, self.validation_labels)

    # --- what is written -------------------------------------------------------------------------------------------------

    def _train_row(self) -> None:
        recent = self.classifier.sums.read(RECENT)
        assert self.optimizer is not None
        row = self.run.record(
            "train",
            self.position.step,
            loss=recent.loss / recent.seen,
            accuracy=recent.correct / recent.seen,
            rate=self.optimizer.param_groups[0]["lr"],
        )
        self.progress.train(row)
        self.classifier.sums.reset(RECENT)

    def _seconds(self) -> float:
        return self.position.seconds + time.perf_counter() - self.started

    def _save(self) -> None:
        position, sums = self.position, self.classifier.sums
        position.recent, position.whole = sums.read(RECENT), sums.read(WHOLE)
        position.seconds, self.started = self._seconds(), time.perf_counter()
        model = dict(self.network.state_dict())
        if self.average is not None:
            model |= {f"average.{name}": tensor for name, tensor in self.average.state.items()}
        if self.optimizer is not None:
            tensors, facts = checkpoints.flatten(self.optimizer.state_dict())
        else:
            assert self.optimizer_state is not None
            tensors, facts = self.optimizer_state
        state = {
            "position": position.to_json(),
            "optimizer": facts,
            "average_updates": self.average.updates if self.average is not None else None,
        }
        best = position.best.step if position.best is not None else None
        checkpoints.save(self.run, position.step, model=model, optimizer=tensors, state=state, best=best)

    def _load(self, resume: checkpoints.Checkpoint) -> None:
        model, state = resume.model(), resume.state()
        averaged = {name.removeprefix("average."): t for name, t in model.items() if name.startswith("average.")}
        self.network.load_state_dict({name: t for name, t in model.items() if not name.startswith("average.")})
        if self.average is not None:
            for name, tensor in averaged.items():
                self.average.state[name].copy_(tensor)
            self.average.updates = int(state["average_updates"])
        self.classifier.sums.reset(RECENT, self.position.recent)
        self.classifier.sums.reset(WHOLE, self.position.whole)
        self.optimizer_state = resume.optimizer(), state["optimizer"]
