"""Everything that a report says, as plain values: numbers, names and finished PNG files, in no language.

`collecting` makes these from a run folder; `page` makes HTML of them. Between the two there is no network, no tensor and no file.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from wiesel.analysis.stages import Stage
from wiesel.evaluation import Evaluation
from wiesel.evaluation.twins import TwinScores
from wiesel.uncertainty.assessment import Assessment


@dataclass(frozen=True)
class Epoch:
    """One row per epoch; losses in nats, accuracies 0..1. Training: with augmentation, averaged while the weights changed."""

    epoch: int
    train_loss: float
    train_accuracy: float
    validation_loss: float
    validation_accuracy: float
    seconds: float
    resolution: int = 0
    """Pixels of the shorter side that this epoch trained and validated with; 0: full size."""


@dataclass(frozen=True)
class TrainRow:
    """Between two validations: mean over the last few steps, at `epoch` (1.5: half of the second epoch is done)."""

    epoch: float
    loss: float
    accuracy: float
    rate: float


@dataclass(frozen=True)
class History:
    epochs: tuple[Epoch, ...]
    rows: tuple[TrainRow, ...]
    planned: int
    """Epochs that the recipe asked for."""
    best: int
    """The epoch whose weights were kept: the first with the highest validation accuracy; 0 if there was none."""
    seconds: float
    resumed: int
    """How often the run was interrupted and went on."""

    @property
    def done(self) -> int:
        """The last finished epoch."""
        return self.epochs[-1].epoch if self.epochs else 0

    @property
    def best_epoch(self) -> Epoch:
        return next(row for row in self.epochs if row.epoch == self.best)

    @property
    def stopped_early(self) -> bool:
        return 0 < self.done < self.planned


@dataclass(frozen=True)
class Picture:
    """A test picture and what the network said of it; classes by index."""

    index: int
    """Position in the test split, from 0."""
    name: str
    truth: int
    prediction: int
    confidence: float
    png: bytes | None
    """None if the pictures are not there any more."""

    @property
    def right(self) -> bool:
        return self.truth == self.prediction


@dataclass(frozen=True)
class PairExamples:
    """Pictures of class `truth` that were called `prediction`, the surest first."""

    truth: int
    prediction: int
    count: int
    share: float
    """Of the pictures of `truth`."""
    pictures: tuple[Picture, ...]


@dataclass(frozen=True)
class Softmax:
    """All probabilities of one picture, (K,)."""

    picture: Picture
    probabilities: NDArray[np.float64]


@dataclass(frozen=True)
class FeatureMap:
    channel: int
    mean_absolute: float
    low: float
    high: float
    zeros: float
    """Share of its values that are exactly 0."""
    png: bytes


@dataclass(frozen=True)
class LayerMaps:
    """The maps of one layer for one picture. `low`, `high`, `zeros`, `dead` and `constant` are over all channels."""

    layer: str
    shape: tuple[int, int, int]
    low: float
    high: float
    zeros: float
    dead: int
    """Channels that are 0 everywhere."""
    constant: int
    """Channels with one value everywhere that is not 0 (of more than one value)."""
    signed: bool
    """There are negative values, so zero lies in the middle of the colours, which reach from -limit to limit."""
    reduced_to: int
    """Side in pixels to which maps were averaged for display; 0: shown as they are."""
    maps: tuple[FeatureMap, ...]
    """The strongest by mean absolute value, in falling order."""

    @property
    def hidden(self) -> int:
        return self.shape[0] - len(self.maps)

    @property
    def limit(self) -> float:
        return max(abs(self.low), abs(self.high))


@dataclass(frozen=True)
class Walk:
    """One picture on its way through the network."""

    picture: Picture
    layers: tuple[LayerMaps, ...]
    layers_in_all: int


@dataclass(frozen=True)
class Filter:
    index: int
    norm: float
    """Square root of the sum of its squared weights."""
    planes: tuple[bytes, ...]
    """PNG of each input channel."""


@dataclass(frozen=True)
class Filters:
    """The first convolution: (out, in, height, width); `limit`, the largest absolute weight, is the end of the colour scale."""

    layer: str
    shape: tuple[int, int, int, int]
    low: float
    high: float
    filters: tuple[Filter, ...]

    @property
    def limit(self) -> float:
        return max(abs(self.low), abs(self.high))

    @property
    def hidden(self) -> int:
        return self.shape[0] - len(self.filters)


@dataclass(frozen=True)
class Layer:
    """One row of the ledger."""

    name: str
    type: str
    output: tuple[int, ...]
    parameters: int
    macs: int


@dataclass(frozen=True)
class NetworkFacts:
    architecture: str
    image: tuple[int, int, int]
    parameters: int
    macs: int
    stages: tuple[Stage, ...]
    layers: tuple[Layer, ...]
    filters: Filters | None
    """None if the network has no two-dimensional convolution."""


@dataclass(frozen=True)
class Origin:
    """Where the run came from and how to repeat it."""

    command: str
    recipe: str
    """TOML."""
    seed: int
    split_seed: int
    fingerprint: str
    source: str
    left_out: tuple[tuple[str, str], ...]
    """(path, reason)"""
    warnings: tuple[str, ...]
    """What was noted about the data, in the language of whoever trained."""
    sealed: tuple[tuple[str, int, str], ...]
    """(file, bytes, sha256)"""
    looks: int
    """How often the test split was used."""
    threads: int
    precision: str
    device: str
    processor: str
    cores: int
    started: str
    versions: dict[str, str] = field(default_factory=dict)
    more: dict[str, Any] = field(default_factory=dict)
    """Platform, commit, environment."""


@dataclass(frozen=True)
class TrainingPicture:
    """A training picture beside another one or a class."""

    name: str
    label: int
    likeness: float
    """Cosine of the features, to the picture or to the mean of the class."""
    png: bytes


@dataclass(frozen=True)
class ClassKin:
    """What the network takes for typical of a class, and its surest mistakes about pictures of it."""

    index: int
    prototypes: tuple[TrainingPicture, ...]
    mistakes: tuple[Picture, ...]


@dataclass(frozen=True)
class Nearest:
    picture: Picture
    training: tuple[TrainingPicture, ...]
    """The nearest first."""


@dataclass(frozen=True)
class Kin:
    """Pictures near to each other in the space of what goes into the last layer."""

    compared: int
    """Training pictures that were compared with, of `available`."""
    available: int
    classes: tuple[ClassKin, ...]
    """At most 20: those with the most mistakes, in the order of the classes."""
    nearest: tuple[Nearest, ...]
    """Of the surest mistakes."""


@dataclass(frozen=True)
class Facts:
    run: str
    """Name of the run folder."""
    data: str
    classes: tuple[str, ...]
    sizes: dict[Literal["train", "validation", "test"], int]
    """Pictures per split, as far as known."""
    evaluation: Evaluation
    history: History
    network: NetworkFacts
    origin: Origin
    first: tuple[Picture, ...]
    """The first test pictures, at most 25."""
    softmax: tuple[Softmax, ...]
    """Of the first test pictures, at most 6."""
    pairs: tuple[PairExamples, ...]
    mistakes: tuple[Picture, ...]
    sure_mistakes: int
    """Wrong pictures that the network was at least 90 % sure of."""
    walk: Walk | None
    """None without pictures."""
    mean: tuple[float, ...]
    """Of the training pictures per channel, on the 0..1 scale, as `std`."""
    std: tuple[float, ...]
    has_pictures: bool
    shown_at: int
    """Side in pixels to which pictures were averaged for display; 0: shown as they are."""
    uncertainty: Assessment | None = None
    """None if the run was evaluated by a version that did not ask, or has too few pictures."""
    twins: TwinScores | None = None
    """None if the run was evaluated without its pictures, or by a version that did not look."""
    kin: Kin | None = None
    """None without pictures."""
