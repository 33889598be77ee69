"""What a trained network says about pictures from anywhere."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from wiesel.batches.inference import logits_in
from wiesel.errors import NoSuchPicture
from wiesel.images.decoding import decode
from wiesel.runs import trained


@dataclass(frozen=True)
class Prediction:
    image: str
    label: str
    """The name of the most probable class."""
    number: int
    """Its number, 0..K-1."""
    probabilities: dict[str, float]
    """Class name -> probability; they sum to 1."""

    @property
    def probability(self) -> float:
        return self.probabilities[self.label]

    @property
    def onehot(self) -> list[int]:
        return [int(index == self.number) for index in range(len(self.probabilities))]

    def to_json(self) -> dict[str, Any]:
        return {
            "image": self.image,
            "label": self.label,
            "class": self.number,
            "probability": self.probability,
            "onehot": self.onehot,
            "probabilities": self.probabilities,
        }


@torch.inference_mode()
def predict(run: Path | str, pictures: Sequence[Path | str]) -> list[Prediction]:
    """Classify picture files with the same decoding and preprocessing as in training, one after the other in one batch each 256.

    Raises:
        NoSuchPicture, Undecodable: the first picture that is not there or cannot be read; nothing is predicted then.
        RunError: not a finished run.
    """
    model = trained.load(run)
    preparation = model.preprocessing
    decoded = []
    for picture in pictures:
        path = Path(picture)
        if not path.is_file():
            raise NoSuchPicture(path=picture)
        decoded.append(
            decode(
                path.read_bytes(),
                channels=preparation.channels,
                size=(preparation.height, preparation.width),
                fit=preparation.fit,
                name=str(picture),
            )
        )
    found: list[Prediction] = []
    for start in range(0, len(decoded), 256):
        batch = preparation.normalise(torch.from_numpy(np.stack(decoded[start : start + 256])))
        for probabilities in logits_in(model.network(batch)).double().softmax(1).tolist():
            number = int(np.argmax(probabilities))
            found.append(
                Prediction(
                    image=str(pictures[len(found)]),
                    label=model.classes[number],
                    number=number,
                    probabilities=dict(zip(model.classes, probabilities, strict=True)),
                )
            )
    return found
