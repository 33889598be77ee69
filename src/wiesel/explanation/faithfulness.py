"""Does the network care about the pixels that a map calls important? (Petsiuk, Das, Saenko 2018, arXiv:1806.07421)

Deletion covers the pixels, the highest of the map first: the probability should fall soon, so a small area is good. Insertion brings
them back into a blurred picture: it should rise soon, so a large area is good. The same with pixels in random order says what a map
without any knowledge gets. Areas are comparable between methods on one picture, not between pictures.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from wiesel.errors import BadValue
from wiesel.explanation.explanation import Explanation
from wiesel.explanation.scores import BATCH, checked_target, one_picture, scores_of_variants


@dataclass(frozen=True)
class Curve:
    shares: tuple[float, ...]
    """Share of the pixels that were changed, 0..1."""
    probabilities: tuple[float, ...]
    """Of the class, at each share."""

    @property
    def area(self) -> float:
        """Under the curve, 0..1, by trapezoids."""
        heights = np.asarray(self.probabilities)
        return float(np.sum(np.diff(self.shares) * (heights[1:] + heights[:-1]) / 2))


@dataclass(frozen=True)
class Faithfulness:
    deletion: Curve
    insertion: Curve
    random_deletion: float
    """Mean area for pixels in random order."""
    random_insertion: float

    def to_json(self) -> dict[str, Any]:
        return {
            "deletion": self.deletion.area,
            "insertion": self.insertion.area,
            "random": {"deletion": self.random_deletion, "insertion": self.random_insertion},
        }


def faithfulness(
    network: nn.Module,
    picture: Tensor,
    explanation: Explanation,
    *,
    steps: int = 20,
    cover: float = 0.0,
    blur: float | None = None,
    orders: int = 3,
    seed: int = 0,
    batch: int = BATCH,
) -> Faithfulness:
    """Deletion and insertion of the class that `explanation` is about, on the same normalised `picture` (1, C, H, W).

    `cover`: value of deleted pixels. `blur`: deviation in pixels of the Gaussian that makes the start of insertion, default a tenth of
    the shorter side. `orders`: random orders for comparison. Pixels with the same value go in the order of rows.
    """
    if steps < 1:
        raise BadValue(setting="steps", value=steps, expected="1..")
    whole = one_picture(picture)
    height, width = whole.shape[2:]
    if explanation.picture.shape != (height, width):
        raise BadValue(setting="explanation", value=explanation.picture.shape, expected=f"({height}, {width})")
    blur = min(height, width) / 10 if blur is None else blur
    blank, start = torch.full_like(whole, cover), blurred(whole, blur)
    draw = np.random.default_rng(seed)
    rankings = [ranks(explanation.picture), *(draw.permutation(height * width).reshape(height, width) for _ in range(orders))]
    deletions = [_curve(network, whole, blank, order, explanation.target, steps, batch) for order in rankings]
    insertions = [_curve(network, start, whole, order, explanation.target, steps, batch) for order in rankings]
    return Faithfulness(deletions[0], insertions[0], _mean_area(deletions[1:]), _mean_area(insertions[1:]))


def ranks(values: NDArray[np.floating]) -> NDArray[np.int64]:
    """0 for the highest value, then in falling order; ties by place: int64, same shape."""
    order = np.argsort(-values.ravel(), kind="stable")
    place = np.empty(order.size, dtype=np.int64)
    place[order] = np.arange(order.size)
    return place.reshape(values.shape)


def blurred(picture: Tensor, deviation: float) -> Tensor:
    """(1, C, H, W) through a Gaussian of `deviation` pixels; the edges are continued with their own values."""
    if deviation <= 0:
        return picture.clone()
    reach = max(1, round(3 * deviation))
    places = torch.arange(-reach, reach + 1, dtype=picture.dtype, device=picture.device)
    weights = torch.exp(-(places**2) / (2 * deviation**2))
    weights = weights / weights.sum()
    channels = picture.shape[1]
    padded = F.pad(picture, (reach, reach, reach, reach), mode="replicate")
    rows = F.conv2d(padded, weights.view(1, 1, -1, 1).expand(channels, 1, -1, 1), groups=channels)
    return F.conv2d(rows, weights.view(1, 1, 1, -1).expand(channels, 1, 1, -1), groups=channels)


def _curve(
    network: nn.Module, before: Tensor, after: Tensor, order: NDArray[np.int64], target: int, steps: int, batch: int
) -> Curve:
    """The probability while the pixels of `before` are replaced by those of `after` in the given order."""
    pixels = order.size
    counts = np.linspace(0, pixels, min(steps, pixels) + 1).round().astype(np.int64)
    places, limits = torch.from_numpy(order).to(before.device), torch.from_numpy(counts).to(before.device)

    def mixed(start: int, end: int) -> Tensor:
        changed = places[None, None] < limits[start:end, None, None, None]
        return torch.where(changed, after, before)

    scores = scores_of_variants(network, len(counts), mixed, batch)
    target = checked_target(scores, target)
    return Curve(tuple((counts / pixels).tolist()), tuple(scores.double().softmax(1)[:, target].tolist()))


def _mean_area(curves: list[Curve]) -> float:
    return float(np.mean([curve.area for curve in curves])) if curves else float("nan")
