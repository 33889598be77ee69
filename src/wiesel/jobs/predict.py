"""What a trained network says about pictures from anywhere."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from wiesel.batches.inference import logits_in
from wiesel.batches.preprocessing import Preprocessing
from wiesel.errors import BadValue, NoSuchPicture, NotCalibrated, WieselError
from wiesel.images.dataset import natural
from wiesel.images.decoding import decode
from wiesel.images.listing import list_folder
from wiesel.language import say
from wiesel.runs import trained
from wiesel.runs.folder import RunFolder
from wiesel.uncertainty.assessment import Answers
from wiesel.uncertainty.conformal import scores


@dataclass(frozen=True)
class Sure:
    """The classes that a picture may belong to, at a level that was calibrated."""

    classes: tuple[str, ...]
    """From the most to the least probable; never empty."""
    level: float
    """So large a share of such answers contains the truth, at least, if the pictures are like the calibration pictures."""
    coverage: float
    """The share that did on the test pictures."""


@dataclass(frozen=True)
class Prediction:
    image: str
    label: str
    """The name of the most probable class."""
    number: int
    """Its number, 0..K-1."""
    probabilities: dict[str, float]
    """Class name -> probability; they sum to 1."""
    sure: Sure | None = None
    """Only if a level was asked for; the probabilities then have the run's temperature."""

    @property
    def probability(self) -> float:
        return self.probabilities[self.label]

    @property
    def onehot(self) -> list[int]:
        return [int(index == self.number) for index in range(len(self.probabilities))]

    def to_json(self) -> dict[str, Any]:
        sure = {} if self.sure is None else {"sure": asdict(self.sure)}
        return {
            "image": self.image,
            "label": self.label,
            "class": self.number,
            "probability": self.probability,
            "onehot": self.onehot,
            "probabilities": self.probabilities,
            **sure,
        }


@torch.inference_mode()
def predict(
    run: Path | str,
    pictures: Sequence[Path | str],
    *,
    sure: float | None = None,
    skipped: Callable[[WieselError], None] | None = None,
) -> list[Prediction]:
    """Classify picture files with the same decoding and preprocessing as in training, in batches of 256.

    Args:
        pictures: files, and folders for all files below them in the order of their names, hidden ones left out.
        sure: in percent; also the set of classes that contains the truth in so many cases of a hundred, at least (`Prediction.sure`).
        skipped: is called with the error of each picture that is not there or cannot be read, and the others are predicted.

    Raises:
        NotCalibrated: `sure` is given, and the run was not evaluated by a version that calibrates.
        TooFewForSets: the run's calibration pictures are too few for this level; says how many are needed.
        NoSuchPicture, Undecodable: the first picture that is not there or cannot be read, without `skipped`; nothing is predicted then.
        RunError: not a finished run.
    """
    model = trained.load(run)
    asked = None if sure is None else _calibrated(model.run, sure)
    preparation = model.preprocessing
    names, decoded = [], []
    for picture in _files(pictures):
        try:
            decoded.append(_decoded(picture, preparation))
            names.append(picture)
        except WieselError as error:
            if skipped is None:
                raise
            skipped(error)
    found: list[Prediction] = []
    for start in range(0, len(decoded), 256):
        batch = preparation.normalise(torch.from_numpy(np.stack(decoded[start : start + 256])))
        temperature = asked.temperature if asked else 1.0
        for probabilities in (logits_in(model.network(batch)).double() / temperature).softmax(1).tolist():
            number = int(np.argmax(probabilities))
            found.append(
                Prediction(
                    image=names[len(found)],
                    label=model.classes[number],
                    number=number,
                    probabilities=dict(zip(model.classes, probabilities, strict=True)),
                    sure=asked.answer(probabilities, model.classes) if asked else None,
                )
            )
    return found


def _files(pictures: Sequence[Path | str]) -> Iterator[str]:
    for picture in pictures:
        if Path(picture).is_dir():
            with list_folder(Path(picture)) as listing:
                yield from (
                    str(Path(picture) / entry.path) for entry in sorted(listing.entries, key=lambda entry: natural(entry.path))
                )
        else:
            yield str(picture)


def _decoded(picture: str, preparation: Preprocessing) -> NDArray[np.uint8]:
    path = Path(picture)
    if not path.is_file():
        raise NoSuchPicture(path=picture)
    size = (preparation.height, preparation.width)
    return decode(path.read_bytes(), channels=preparation.channels, size=size, fit=preparation.fit, name=picture)


@dataclass(frozen=True)
class _Calibrated:
    temperature: float
    answers: Answers

    def answer(self, probabilities: Sequence[float], classes: Sequence[str]) -> Sure:
        badness = scores([probabilities], "aps")[0]
        members = [k for k in np.argsort(badness, kind="stable").tolist() if badness[k] <= self.answers.threshold]
        return Sure(tuple(classes[k] for k in members), self.answers.level, self.answers.coverage.value)


def _calibrated(run: RunFolder, percent: float) -> _Calibrated:
    from wiesel.jobs.evaluate import assessment_of

    if not 50 <= percent <= 99.9:
        expected = say(en="a percentage from 50 to 99.9", de="ein Prozentsatz von 50 bis 99.9")
        raise BadValue(setting="sure", value=percent, expected=expected)
    assessment = assessment_of(run)
    if assessment is None:
        raise NotCalibrated(run=shlex.quote(str(run.path)))
    return _Calibrated(assessment.temperature.value, assessment.at(percent / 100))
