"""Occlusion (Zeiler, Fergus 2014, arXiv:1311.2901): cover a part of the picture and see how far the score falls.

Needs no gradients and no layer, and means what it says; but a covered part is a picture that the network never saw in training.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from wiesel.errors import BadValue
from wiesel.explanation.explanation import Explanation, finished
from wiesel.explanation.scores import BATCH, checked_target, one_picture, scores_of_variants
from wiesel.language import say


def occlusion(
    network: nn.Module,
    picture: Tensor,
    target: int | None = None,
    *,
    window: int | None = None,
    stride: int | None = None,
    cover: float = 0.0,
    batch: int = BATCH,
) -> Explanation:
    """How far the score of `target` falls when a square of `window` pixels is set to `cover`, at every `stride` pixels.

    The raw map has one value per place of the square. At picture size, each pixel has the mean over the squares that covered it.
    `window`: default a quarter of the shorter side; `stride`: default half the window. `cover`: 0 is the mean colour of the training
    pictures for a normalised picture. The last square of a row or column stands at the edge, also where `stride` does not divide.

    Raises:
        BadValue: a window larger than the picture, or a stride outside 1..window (pixels would be left out).
        ClassOutside: there is no such class.
    """
    whole = one_picture(picture)
    height, width = whole.shape[2:]
    window = max(1, min(height, width) // 4) if window is None else window
    if not 1 <= window <= min(height, width):
        raise BadValue(setting="window", value=window, expected=f"1..{min(height, width)}")
    stride = max(1, window // 2) if stride is None else stride
    if not 1 <= stride <= window:
        raise BadValue(setting="stride", value=stride, expected=f"1..{window}")
    masks = covers(height, width, window, stride).to(whole.device)  # (rows, columns, H, W)
    flat = masks.flatten(0, 1)

    def covered(start: int, end: int) -> Tensor:
        return torch.where(flat[start:end, None], torch.as_tensor(cover, dtype=whole.dtype, device=whole.device), whole)

    scores = scores_of_variants(network, 1, lambda _start, _end: whole.clone())
    target = checked_target(scores, target)
    falls = scores[0, target] - scores_of_variants(network, len(flat), covered, batch)[:, target]
    counts = flat.double().sum(0).cpu()
    mean = torch.einsum("n,nhw->hw", falls.double(), flat.double().cpu()) / counts
    return finished(
        "occlusion",
        target,
        scores,
        falls.reshape(masks.shape[:2]),
        (height, width),
        kind="evidence",
        at_picture_size=(
            mean.float(),
            say(
                en=f"each pixel: the mean over the {window} x {window} squares that covered it",
                de=f"jedes Pixel: das Mittel über die Quadrate von {window} x {window}, die es abdeckten",
            ),
        ),
        remarks=(
            say(
                en=f"{len(flat)} squares of {window} x {window} pixels, every {stride}, set to {cover:g} (0: the mean colour).",
                de=f"{len(flat)} Quadrate von {window} x {window} Pixeln, alle {stride}, auf {cover:g} gesetzt (0: die mittlere Farbe).",
            ),
        ),
    )


def covers(height: int, width: int, window: int, stride: int) -> Tensor:
    """Which pixels each place of the square covers: bool (rows, columns, H, W)."""
    rows, columns = (_bands(length, window, stride) for length in (height, width))
    return rows[:, None, :, None] & columns[None, :, None, :]


def _bands(length: int, window: int, stride: int) -> Tensor:
    starts = torch.tensor([*range(0, length - window, stride), length - window])
    places = torch.arange(length)
    return (places >= starts[:, None]) & (places < starts[:, None] + window)
