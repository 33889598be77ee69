"""What a method says about one picture and one class: its numbers as they came out, and what one has to know to read them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from wiesel.language import say

Map = NDArray[np.float32]
Kind = Literal["evidence", "sensitivity"]


@dataclass(frozen=True, eq=False)
class Explanation:
    """A map for one class. Nothing in it is clipped, rescaled or normalised."""

    method: str
    target: int
    """The class, 0..K-1."""
    score: float
    """Its logit."""
    probability: float
    """Its softmax probability, 0..1."""
    layer: str
    """The layer that was looked at; "" for methods that look at the picture itself."""
    reason: str
    """Why that layer."""
    kind: Kind
    """"evidence": above zero speaks for the class, below against it. "sensitivity": how much the score reacts, without a direction."""
    raw: Map
    """(h, w) as the method computed it."""
    picture: Map
    """(H, W) the same at the size of the picture."""
    interpolation: str
    """How `picture` came from `raw`."""
    remarks: tuple[str, ...] = ()
    """What else is worth knowing, in the reader's language."""
    measured: Mapping[str, float] = field(default_factory=dict)
    """Numbers of the method, for example the completeness gap of integrated gradients."""

    @property
    def range(self) -> tuple[float, float]:
        """Lowest and highest raw value."""
        return float(self.raw.min()), float(self.raw.max())

    @property
    def has_positive_evidence(self) -> bool:
        """Whether anything is above zero. If not, a map clipped at zero would be blank, and that is the result."""
        return bool(self.raw.max() > 0)

    @property
    def positive(self) -> Map:
        """(H, W) max(picture, 0), the form in which the papers of the CAM family show their maps."""
        return np.maximum(self.picture, 0)

    def to_json(self) -> dict[str, Any]:
        low, high = self.range
        return {
            "method": self.method,
            "class": self.target,
            "score": _finite(self.score),
            "probability": _finite(self.probability),
            "layer": self.layer,
            "reason": self.reason,
            "kind": self.kind,
            "range": [_finite(low), _finite(high)],
            "has_positive_evidence": self.has_positive_evidence,
            "map": [[_finite(value) for value in row] for row in self.raw.tolist()],
            "interpolation": self.interpolation,
            "remarks": list(self.remarks),
            "measured": {name: _finite(value) for name, value in self.measured.items()},
        }


def finished(
    method: str,
    target: int,
    scores: Tensor,
    raw: Tensor,
    size: tuple[int, int],
    *,
    kind: Kind,
    layer: str = "",
    reason: str = "",
    at_picture_size: tuple[Tensor, str] | None = None,
    remarks: tuple[str, ...] = (),
    measured: Mapping[str, float] | None = None,
) -> Explanation:
    """An explanation from logits (1, K) and a map (h, w), which is interpolated to `size` unless that is given too."""
    picture, interpolation = at_picture_size or enlarged(raw, size)
    scores = scores.detach()
    shown = raw.detach().float().cpu().numpy()
    return Explanation(
        method=method,
        target=target,
        score=float(scores[0, target]),
        probability=float(scores[0].double().softmax(0)[target]),
        layer=layer,
        reason=reason,
        kind=kind,
        raw=shown,
        picture=picture.detach().float().cpu().numpy(),
        interpolation=interpolation,
        remarks=(*_about(shown, kind), *remarks),
        measured=dict(measured or {}),
    )


def enlarged(raw: Tensor, size: tuple[int, int]) -> tuple[Tensor, str]:
    """(h, w) -> (H, W), and how: straight lines between the centres of the cells, never beyond the range of the cells."""
    if tuple(raw.shape) == tuple(size):
        return raw, say(en="none: the map has the size of the picture", de="keine: Die Karte hat die Grösse des Bildes")
    larger = F.interpolate(raw.detach()[None, None].float(), size=size, mode="bilinear", align_corners=False)[0, 0]
    rows, columns = raw.shape
    return larger, say(
        en=f"bilinear, from {rows} x {columns} cells to {size[0]} x {size[1]} pixels",
        de=f"bilinear, von {rows} x {columns} Zellen auf {size[0]} x {size[1]} Pixel",
    )


def _about(raw: Map, kind: Kind) -> tuple[str, ...]:
    low, high = float(raw.min()), float(raw.max())
    if not (math.isfinite(low) and math.isfinite(high)):
        return (say(en="The map holds numbers that are not finite.", de="Die Karte enthält Zahlen, die nicht endlich sind."),)
    if low == high == 0:
        return (
            say(
                en="The map is zero everywhere: nothing here moves the score of this class.",
                de="Die Karte ist überall null: Nichts hier bewegt den Wert dieser Klasse.",
            ),
        )
    remarks = []
    if kind == "evidence" and high <= 0:
        remarks.append(
            say(
                en="No positive evidence: nothing in this map speaks for this class. Clipped at zero, it would be blank.",
                de="Keine positive Evidenz: Nichts in dieser Karte spricht für diese Klasse. Bei null abgeschnitten wäre sie leer.",
            )
        )
    if low == high:
        remarks.append(say(en="The map is the same everywhere.", de="Die Karte ist überall gleich."))
    return tuple(remarks)


def _finite(value: float) -> float | None:
    """JSON knows no NaN."""
    return float(value) if math.isfinite(value) else None


def on_picture(values: Tensor) -> Tensor:
    """Attributions of one picture (1, C, H, W), signed, summed over its channels: (H, W)."""
    return values.detach()[0].sum(0)


def strongest(values: Tensor) -> Tensor:
    """Magnitudes of one picture's gradients (1, C, H, W), the largest over its channels: (H, W)."""
    return torch.amax(values.detach()[0].abs(), dim=0)
