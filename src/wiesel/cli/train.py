"""`wiesel train`: flags -> recipe -> run."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Group, Parameter

from wiesel.cli.german import spoken
from wiesel.language import say
from wiesel.recipe import Fit, Optimiser, Precision, Schedule

TRANSFER = Group(say(en="Pretrained networks", de="Vortrainierte Netze"), sort_key=3)
PICTURES = Group(say(en="Pictures", de="Bilder"), sort_key=1)
TRAINING = Group(say(en="Training", de="Training"), sort_key=2)


@spoken
def train(
    recipe: Path | None = None,
    /,
    *,
    model: Annotated[str | None, Parameter(name=["--model", "-m"])] = None,
    data: Annotated[str | None, Parameter(name=["--data", "-d"])] = None,
    preset: Literal["standard", "few", "fast"] | None = None,
    epochs: int | None = None,
    seed: int | None = None,
    output: Annotated[Path | None, Parameter(name=["--output", "-o"])] = None,
    resume: Path | None = None,
    json_: Annotated[bool, Parameter(name="--json", negative="")] = False,
    quiet: Annotated[bool, Parameter(name=["--quiet", "-q"], negative="")] = False,
    lang: Literal["de", "en", "both"] = "both",
    data_dir: Annotated[Path | None, Parameter(group=PICTURES)] = None,
    size: Annotated[int | None, Parameter(group=PICTURES)] = None,
    channels: Annotated[int | None, Parameter(group=PICTURES)] = None,
    fit: Annotated[Fit | None, Parameter(group=PICTURES)] = None,
    validation: Annotated[float | None, Parameter(group=PICTURES)] = None,
    test: Annotated[float | None, Parameter(group=PICTURES)] = None,
    split_seed: Annotated[int | None, Parameter(group=PICTURES)] = None,
    unreadable: Annotated[float | None, Parameter(group=PICTURES)] = None,
    subset: Annotated[int | None, Parameter(group=PICTURES)] = None,
    enlarge: Annotated[int | None, Parameter(group=PICTURES)] = None,
    flip: Annotated[bool | None, Parameter(group=PICTURES)] = None,
    alternate: Annotated[bool | None, Parameter(group=PICTURES)] = None,
    shift: Annotated[int | None, Parameter(group=PICTURES)] = None,
    batch: Annotated[int | None, Parameter(name=["--batch-size", "-b"], group=TRAINING)] = None,
    rate: Annotated[float | None, Parameter(name=["--lr"], group=TRAINING)] = None,
    rest_rate: Annotated[float | None, Parameter(group=TRAINING)] = None,
    optimiser: Annotated[Optimiser | None, Parameter(name=["--opt"], group=TRAINING)] = None,
    schedule: Annotated[Schedule | None, Parameter(name=["--sched"], group=TRAINING)] = None,
    warmup: Annotated[float | None, Parameter(group=TRAINING)] = None,
    momentum: Annotated[float | None, Parameter(group=TRAINING)] = None,
    decay: Annotated[float | None, Parameter(name=["--weight-decay"], group=TRAINING)] = None,
    label_smoothing: Annotated[float | None, Parameter(name=["--smoothing"], group=TRAINING)] = None,
    class_weights: Annotated[Literal["none", "balanced"] | None, Parameter(group=TRAINING)] = None,
    ema: Annotated[float | None, Parameter(group=TRAINING)] = None,
    patience: Annotated[int | None, Parameter(group=TRAINING)] = None,
    stem: Annotated[Literal["auto", "small", "imagenet"] | None, Parameter(group=TRAINING)] = None,
    survival: Annotated[float | None, Parameter(group=TRAINING)] = None,
    auxiliary: Annotated[bool | None, Parameter(group=TRAINING)] = None,
    change: Annotated[tuple[str, ...] | None, Parameter(name=["--change"], negative="", group=TRAINING)] = None,
    precision: Annotated[Precision | None, Parameter(group=TRAINING)] = None,
    threads: Annotated[int | None, Parameter(group=TRAINING)] = None,
    processes: Annotated[int | None, Parameter(group=TRAINING)] = None,
    checkpoint_every: Annotated[int | None, Parameter(group=TRAINING)] = None,
    pretrained: Annotated[bool | str | None, Parameter(negative="", group=TRANSFER)] = None,
    mode: Annotated[Literal["probe", "finetune"] | None, Parameter(group=TRANSFER)] = None,
    keep_head: Annotated[bool | None, Parameter(negative="", group=TRANSFER)] = None,
    head_start: Annotated[Literal["probe", "fresh"] | None, Parameter(group=TRANSFER)] = None,
    freeze: Annotated[int | str | None, Parameter(group=TRANSFER)] = None,
    unfreeze: Annotated[int | None, Parameter(group=TRANSFER)] = None,
    layer_decay: Annotated[float | None, Parameter(group=TRANSFER)] = None,
    norm_statistics: Annotated[Literal["keep", "learn"] | None, Parameter(group=TRANSFER)] = None,
) -> None:
    """Train a network on pictures, measure it once on the test split, write its report.

    Without any flag: ResNet-18 on the embedded sample of Fashion-MNIST.

    Parameters
    ----------
    recipe
        A recipe file (TOML) to start from; flags change it.
    model
        Name of the network; `wiesel models` lists them.
    data
        A named data set (`wiesel data list`), a folder `DIR/class/*`, `DIR/{train,val,test}/class/*`, or a .zip of either.
    preset
        standard: what suits most networks; fast: our own small network and its recipe, the most accuracy per second;
        few: ResNet-18 to 152 on fewer than 20,000 pictures, their default unless you choose an optimiser, a rate and its course, or a batch size.
    epochs
        How often each training picture is seen.
    seed
        Number that decides initial weights, order and augmentation.
    output
        The run folder to make; default `runs/<data>-<model>-<n>`.
    resume
        Go on with this run folder where it was interrupted.
    json_
        Print the result as JSON.
    quiet
        No progress.
    lang
        Language of the report.
    data_dir
        Where named data sets are looked for first.
    size
        Side in pixels to which pictures are brought.
    channels
        1: grey, 3: colour.
    fit
        How a picture that is not square becomes square.
    validation
        Share (below 1) or number of training pictures kept for choosing.
    test
        The same for the last look, where the source has no test split.
    split_seed
        Number that decides the division.
    unreadable
        Share of unreadable pictures from which on training refuses to start.
    subset
        Use only so many training pictures per class; those for validation are taken out of them.
    enlarge
        Side in pixels to which batches are enlarged before the network sees them.
    flip
        Mirror pictures at random; default: only for named sets of things that look the same in a mirror.
    alternate
        With --flip: mirror one half of the pictures in one epoch and the other half in the next, instead of at random.
    shift
        Move pictures at random by up to so many pixels.
    batch
        Pictures per step.
    rate
        Peak learning rate.
    rest_rate
        With muon: peak rate of AdamW for everything that is not a filter.
    optimiser
        sgd (Nesterov), adamw, or muon (orthogonalised momentum for filters, AdamW for the rest).
    schedule
        How the rate changes.
    warmup
        Share of the steps during which the rate rises.
    momentum
        Momentum (sgd), or the first beta (adamw).
    decay
        Weight decay, not on norms and biases.
    label_smoothing
        Share of the target spread over all classes.
    class_weights
        balanced: rare classes weigh more.
    ema
        Decay of the moving average of the weights; 0: none.
    patience
        Stop after so many epochs without gain; 0: never.
    stem
        First layers of a ResNet: small (3x3, for small pictures) or imagenet (7x7 and pooling).
    survival
        Stochastic depth: how probably the last residual block keeps its correction in training; 1: always.
    auxiliary
        Train with the early heads that some papers add (GoogLeNet, Inception).
    change
        A change to the network, such as `activation=sigmoid`; may be given several times.
    precision
        bf16, fp32, or auto: the faster one here.
    threads
        Processor threads of each process; 0: all that may be used, divided among the processes.
    processes
        Train with so many processes on this machine; each takes an equal share of every batch.
    checkpoint_every
        Steps between checkpoints within an epoch; 0: one per epoch.
    pretrained
        Begin with weights from elsewhere: alone, the published ones; or torchvision, timm, timm:NAME, a .safetensors file, a run folder.
    mode
        probe: fit only a linear head to the network's features (default); finetune: the network learns on.
    keep_head
        Fine-tuning: begin with the head of the weights, which must know the same classes.
    head_start
        Fine-tuning with other classes: begin with the head of a probe, or with a fresh one.
    freeze
        Fine-tuning: so many stages from the picture on, or `until:LAYER`, stay as they are.
    unfreeze
        Fine-tuning: begin with the head alone and let one more stage learn after every so many epochs.
    layer_decay
        Fine-tuning: the rate of a stage is that of the next one times this; 1: the same for all.
    norm_statistics
        Fine-tuning: keep the running statistics of the batch norms (default), or learn new ones.
    """
    from wiesel.jobs.train import train as job
    from wiesel.training.progress import Silent, fitting

    result = job(
        model,
        data,
        epochs=epochs,
        seed=seed,
        output=output,
        resume=resume,
        recipe=recipe,
        preset=preset,
        data_dir=data_dir,
        progress=Silent() if quiet else fitting(),
        lang=lang,
        size=size,
        channels=channels,
        fit=fit,
        validation=validation,
        test=test,
        split_seed=split_seed,
        unreadable=unreadable,
        flip=flip,
        alternate=alternate,
        shift=shift,
        batch=batch,
        rate=rate,
        rest_rate=rest_rate,
        optimiser=optimiser,
        schedule=schedule,
        warmup=warmup,
        momentum=momentum,
        decay=decay,
        label_smoothing=label_smoothing,
        class_weights=class_weights,
        ema=ema,
        patience=patience,
        stem=stem,
        survival=survival,
        auxiliary=auxiliary,
        changes=change,
        precision=precision,
        threads=threads,
        processes=processes,
        checkpoint_every=checkpoint_every,
        subset=subset,
        enlarge=enlarge,
        pretrained="imagenet" if pretrained is True else pretrained or None,
        mode=mode,
        keep_head=keep_head,
        head_start=head_start,
        freeze=freeze,
        unfreeze=unfreeze,
        layer_decay=layer_decay,
        norm_statistics=norm_statistics,
    )
    print(json.dumps(result.to_json()) if json_ else result.sentence())
    sys.stdout.flush()
