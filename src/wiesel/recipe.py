"""Every decision of a run, written down before the run: frozen dataclasses <-> TOML.

A recipe is all that goes into training (`wiesel.training.fit`) and is saved in the run folder as `recipe.toml`, from where
`wiesel train recipe.toml` repeats the run. Values that depend on the data or on the machine may be left to "auto" here; what was
chosen then is written into the run folder (`preprocessing.json`, `provenance.json`).
"""

from __future__ import annotations

import dataclasses
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import msgspec

from wiesel.errors import BadValue, NotAFile, UnknownSetting, nearest
from wiesel.language import grouped, say

Optimiser = Literal["sgd", "adamw", "muon"]
Schedule = Literal["one_cycle", "cosine", "linear", "constant"]
Precision = Literal["auto", "bf16", "fp32"]
Fit = Literal["crop", "pad", "squash"]

MOST_EPOCHS = 1_000_000
"""A slip of the keyboard beyond: at ten epochs a second more than a day, and thousands of times what any paper trains for."""
MOST_AT_ONCE = 1024
"""Threads or processes: more than the largest machines have cores; the system kills a program that asks for millions."""
MOST_PICTURES = 2**53
"""Where a float stops telling numbers of pictures apart."""


@dataclass(frozen=True, kw_only=True)
class DataChoice:
    """Which pictures, and how they are divided."""

    source: str = "fashion-mnist-sample"
    """A named data set, a folder or a .zip file."""
    validation: float = 0.1
    """Share (below 1) or number (from 1) of the training pictures that is kept for choosing, where the source has no such split."""
    test: float = 0.1
    """The same for the last look, used only where the source has no test split."""
    split_seed: int = 0
    size: int = 0
    """Side in pixels to which pictures are brought; 0: their own size if all agree and it is at most 96, else 96."""
    channels: int = 0
    """1 grey, 3 colour; 0: grey if all pictures are grey, else colour."""
    fit: Fit = "crop"
    """How a picture that is not square becomes square."""
    unreadable: float = 0.01
    """Share of unreadable pictures from which on training refuses to start."""
    subset: int = 0
    """Use only so many of the source's training pictures per class, drawn with `split_seed`; validation pictures are taken out of them.
    0: all."""
    enlarge: int = 0
    """Side in pixels to which batches are enlarged before the network sees them; 0: as they are. So small pictures stay small in memory
    and on disk where a network wants large ones."""


@dataclass(frozen=True, kw_only=True)
class Augmentation:
    """What training does to a picture, each time anew; evaluation never does."""

    flip: bool = False
    """Mirror left-right with probability 1/2: right for most photographs, wrong for digits and writing. The job `train` turns it
    on for the named sets that allow it, if nobody says otherwise."""
    alternate: bool = False
    """With `flip`: mirror a random half of the pictures in the first epoch and from then on the other half each time, so that two
    epochs show every picture both ways (Jordan 2024, arXiv:2404.00498, section 3.6)."""
    shift: int = 0
    """Move by up to this many pixels in each direction, edges repeated."""


@dataclass(frozen=True, kw_only=True)
class NetworkOptions:
    """The few knobs of an architecture that a recipe may turn; "auto" is what its file recommends for the input size."""

    stem: Literal["auto", "small", "imagenet"] = "auto"
    zero_init_last_norm: bool = True
    """Start each residual block as the identity (Goyal et al. 2017, section 5.1)."""
    survival: float = 1.0
    """Stochastic depth (Huang et al. 2016, arXiv:1603.09382), where the network's paper has it: the probability that the last residual
    block keeps its correction in training, falling linearly from 1 at the first."""
    auxiliary: bool = False
    """Train with the heads that some papers put half-way up, whose losses count 0.3 each (Szegedy et al. 2014, section 5)."""
    changes: tuple[str, ...] = ()
    """What is changed about the network, in order: `activation=sigmoid`, `norm=off`, … see `wiesel.zoo.surgery`."""


@dataclass(frozen=True, kw_only=True)
class Training:
    """How the weights are found."""

    epochs: int = 5
    batch: int = 64
    """Pictures per step."""
    optimiser: Optimiser = "adamw"
    rate: float = 0.0
    """Peak learning rate, for the mean loss of a batch; 0: what suits the optimiser, see `peak_rate`. Muon's is relative: 0.2 turns a
    filter bank by 20 % of its length in each step."""
    rest_rate: float = 0.01
    """muon only: the peak rate of AdamW for all that is not a filter."""
    momentum: float = 0.9
    decay: float = 5e-4
    """Weight decay on matrices and filters; never on norms and biases."""
    schedule: Schedule = "one_cycle"
    warmup: float = 0.25
    """Share of all steps during which the rate rises (one_cycle, cosine, linear)."""
    label_smoothing: float = 0.1
    class_weights: Literal["none", "balanced"] = "none"
    ema: float = 0.0
    """Decay of the exponential moving average of the weights per step; 0: none. If used, it is what is validated and kept."""
    patience: int = 0
    """Stop after this many epochs without a better validation accuracy; 0: never."""
    resolutions: tuple[tuple[float, int], ...] = ()
    """Progressive resizing: (share of all epochs, pixels), in order; the rest runs at full size. Cheap epochs first."""
    precision: Precision = "auto"
    threads: int = 0
    """Of each process; 0: as many as may be used, divided among the processes."""
    processes: int = 1
    """That train together: each takes an equal share of every batch, and their gradients are added up. Batch norms see shares."""
    checkpoint_every: int = 0
    """Steps between checkpoints inside an epoch; 0: one per epoch."""

    @property
    def peak_rate(self) -> float:
        """The rate, or for 0: sgd 0.05, adamw 0.004 for batches of 64; muon 0.24 for any.

        Another batch scales them: SGD's in proportion (Goyal et al. 2017, section 2.1), AdamW's with the square root (Malladi et
        al. 2022, arXiv:2205.10287).
        """
        share = self.batch / 64
        return self.rate or {"sgd": 0.05 * share, "adamw": 0.004 * share**0.5, "muon": 0.24}[self.optimiser]


@dataclass(frozen=True, kw_only=True)
class Transfer:
    """Which weights training begins with, and what becomes of them."""

    pretrained: str = ""
    """"imagenet": the published weights of this architecture. "torchvision", "timm", "timm:NAME", "torchvision:NAME": that library's.
    Else a .safetensors file or the folder of an earlier run. Empty: weights from chance, and the rest of this section is idle."""
    mode: Literal["probe", "finetune"] = "probe"
    """probe: the network stays as it is; its features are computed once and a linear head is fitted to them. finetune: it learns on."""
    keep_head: bool = False
    """finetune: begin with the head that the weights bring, whose classes must be those of the pictures."""
    head_start: Literal["probe", "fresh"] = "probe"
    """finetune, where the head is not kept: begin with the head of a probe (Kumar et al. 2022, arXiv:2202.10054) or with a random one."""
    freeze: int | str = 0
    """finetune: so many stages, from the picture on, keep their weights and the statistics of their norms; 0: none. "until:LAYER": all
    layers up to that one, itself included."""
    unfreeze: int = 0
    """finetune: begin with the head alone, and after every so many epochs let one more stage learn, from the head towards the picture,
    as far as `freeze` allows (Howard and Ruder 2018, arXiv:1801.06146, section 3.3). 0: all from the first step."""
    layer_decay: float = 1.0
    """finetune: the rate of a stage is that of the stage after it times this (layer-wise rates); 1: the same for all."""
    norm_statistics: Literal["keep", "learn"] = "keep"
    """finetune, for batch norms of stages that learn: keep the running statistics of the weights and use them in training too, so that the
    first step sees the features that the probe saw; or learn new ones from the batches. Frozen stages always keep theirs."""


@dataclass(frozen=True, kw_only=True)
class Recipe:
    architecture: str = "resnet18"
    data: DataChoice = field(default_factory=DataChoice)
    network: NetworkOptions = field(default_factory=NetworkOptions)
    augmentation: Augmentation = field(default_factory=Augmentation)
    training: Training = field(default_factory=Training)
    transfer: Transfer = field(default_factory=Transfer)
    seed: int = 0

    def __post_init__(self) -> None:
        check(self)


def check(recipe: Recipe) -> None:
    """Refuse what cannot work, before anything is read or written.

    Raises:
        BadValue: names the setting, its value and the range.
    """
    data, training, augmentation, to = recipe.data, recipe.training, recipe.augmentation, say(en="to", de="bis")
    rules: list[tuple[str, Any, bool, str]] = [
        ("epochs", training.epochs, 1 <= training.epochs <= MOST_EPOCHS, f"1 {to} {grouped(MOST_EPOCHS)}"),
        ("batch", training.batch, training.batch >= 2, "2 or more (batch norm needs more than one picture)"),
        ("rate", training.rate, training.rate >= 0, "above 0, or 0 for what suits the optimiser"),
        ("rest_rate", training.rest_rate, training.rest_rate > 0, "above 0"),
        ("momentum", training.momentum, 0 <= training.momentum < 1, "0 <= momentum < 1"),
        ("decay", training.decay, training.decay >= 0, "0 or more"),
        ("warmup", training.warmup, 0 <= training.warmup < 1, "0 <= warmup < 1"),
        ("label_smoothing", training.label_smoothing, 0 <= training.label_smoothing < 1, "0 <= label_smoothing < 1"),
        ("ema", training.ema, 0 <= training.ema < 1, "0 <= ema < 1"),
        ("patience", training.patience, training.patience >= 0, "0 or more"),
        ("threads", training.threads, 0 <= training.threads <= MOST_AT_ONCE, f"0 {to} {grouped(MOST_AT_ONCE)}"),
        ("processes", training.processes, 1 <= training.processes <= MOST_AT_ONCE, f"1 {to} {grouped(MOST_AT_ONCE)}"),
        (
            "batch",
            training.batch,
            training.batch >= 2 * training.processes,
            f"2 or more pictures for each of the {training.processes} processes",
        ),
        ("checkpoint_every", training.checkpoint_every, training.checkpoint_every >= 0, "0 or more"),
        (
            "resolutions",
            training.resolutions,
            all(share > 0 and pixels >= 8 for share, pixels in training.resolutions)
            and sum(share for share, _ in training.resolutions) <= 1,
            "pairs of (share of the epochs, at least 8 pixels) whose shares sum to at most 1",
        ),
        ("validation", data.validation, _share_or_number(data.validation), "a share between 0 and 1, or a number of pictures"),
        ("test", data.test, _share_or_number(data.test), "a share between 0 and 1, or a number of pictures"),
        ("size", data.size, data.size == 0 or 8 <= data.size <= 1024, "8 to 1024 pixels, or 0 for automatic"),
        ("channels", data.channels, data.channels in (0, 1, 3), "1 (grey), 3 (colour) or 0 for automatic"),
        ("unreadable", data.unreadable, 0 <= data.unreadable <= 1, "a share between 0 and 1"),
        ("shift", augmentation.shift, 0 <= augmentation.shift <= 64, "0 to 64 pixels"),
        ("survival", recipe.network.survival, 0 < recipe.network.survival <= 1, "above 0, at most 1"),
        ("subset", data.subset, data.subset == 0 or data.subset >= 2, "2 or more pictures per class, or 0 for all"),
        ("enlarge", data.enlarge, data.enlarge == 0 or 8 <= data.enlarge <= 1024, "8 to 1024 pixels, or 0 for none"),
        ("freeze", recipe.transfer.freeze, _may_freeze(recipe.transfer.freeze), "a number of stages from 0, or until:LAYER"),
        ("unfreeze", recipe.transfer.unfreeze, recipe.transfer.unfreeze >= 0, "0 or more epochs"),
        ("layer_decay", recipe.transfer.layer_decay, 0 < recipe.transfer.layer_decay <= 1, "above 0, at most 1"),
        (
            "keep_head",
            recipe.transfer.keep_head,
            not recipe.transfer.keep_head or recipe.transfer.mode == "finetune",
            "only with mode = finetune, because a probe is a new head",
        ),
        ("seed", recipe.seed, 0 <= recipe.seed < 2**63, "0 <= seed < 2**63"),
        ("split_seed", data.split_seed, 0 <= data.split_seed < 2**63, "0 <= split_seed < 2**63"),
    ]
    for setting, value, fine, expected in rules:
        if not fine:
            raise BadValue(setting=setting, value=value, expected=expected)


def _share_or_number(value: float) -> bool:
    return 0 < value < 1 or (1 <= value < MOST_PICTURES and float(value).is_integer())


def _may_freeze(value: int | str) -> bool:
    return value.startswith("until:") and len(value) > len("until:") if isinstance(value, str) else value >= 0


def from_toml(text: str, *, where: str = "recipe.toml") -> Recipe:
    """Read a recipe; what it leaves out keeps its default.

    Raises:
        UnknownSetting: a key that no recipe has; names the nearest.
        BadValue: a value of the wrong type or range; names its path.
    """
    try:
        tree = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise BadValue(setting=where, value="…", expected=f"valid TOML ({error})") from error
    refuse_unknown_keys(tree, Recipe, where)
    try:
        return msgspec.convert(tree, Recipe, strict=True)
    except msgspec.ValidationError as error:
        raise BadValue(setting=where, value="…", expected=str(error)) from error


def refuse_unknown_keys(tree: dict[str, Any], kind: Any, where: str, free: tuple[str, ...] = ()) -> None:
    """Of a tree read from TOML: every key must be a field of the dataclass `kind`, and of the dataclasses in it but those in `free`.

    Raises:
        UnknownSetting: names the nearest.
    """
    known = {one.name: one for one in dataclasses.fields(kind)}
    for key, value in tree.items():
        if key not in known:
            raise UnknownSetting(name=key, where=where, nearest=nearest(key, list(known)))
        if isinstance(value, dict) and key not in free and dataclasses.is_dataclass(known[key].default_factory):
            refuse_unknown_keys(value, known[key].default_factory, f"{where} [{key}]")


def to_toml(recipe: Recipe) -> str:
    """The recipe as TOML, every setting written out. `from_toml(to_toml(r)) == r`."""
    return msgspec.toml.encode(dataclasses.asdict(recipe)).decode()


def read(path: Path) -> Recipe:
    """The recipe in a file.

    Raises:
        NotAFile: there is none, or it is no text in UTF-8.
        UnknownSetting, BadValue: as `from_toml`.
    """
    return from_toml(text_of(path), where=path.name)


def text_of(path: Path) -> str:
    """What a TOML file says.

    Raises:
        NotAFile: there is none, or it is no text in UTF-8.
    """
    try:
        return path.read_text(encoding="utf-8")
    except (FileNotFoundError, NotADirectoryError):
        reason = say(en="there is no such file", de="es gibt keine solche Datei")
    except IsADirectoryError:
        reason = say(en="it is a folder", de="es ist ein Ordner")
    except UnicodeDecodeError as error:
        reason = say(
            en=f"it is no text in UTF-8 (byte {error.start}); save it as UTF-8",
            de=f"es ist kein Text in UTF-8 (Byte {error.start}); als UTF-8 speichern",
        )
    except OSError as error:
        reason = error.strerror or str(error)
    raise NotAFile(path=str(path), reason=reason, hint="")
