"""Which pixels of the picture a position of a map really depends on, and how much: its effective receptive field.

Measured, not derived: the gradient of one position, summed over channels, with respect to every pixel, in absolute value and
averaged over pictures. It lies within the theoretical field and is usually much smaller, dense in the middle and thin towards the
border. Source: Luo, Li, Urtasun, Zemel 2016, arXiv:1701.04128.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from wiesel.analysis.receptive_field import Box
from wiesel.analysis.recording import evaluating
from wiesel.errors import BadValue, LayerNotFound, NoMap, NotOneTensor, nearest
from wiesel.language import say

TWO_DEVIATIONS = 0.9545
"""Share of a normal distribution within two standard deviations of its mean; the paper draws its line there."""


@dataclass(frozen=True)
class EffectiveField:
    """How much one position of a map depends on each pixel."""

    layer: str
    call: int
    position: tuple[int, int]
    """Row and column in the map."""
    heat: NDArray[np.float64]
    """(H, W) of the picture, 0 or more: absolute gradient, summed over the channels of the picture, mean over pictures."""

    @property
    def support(self) -> Box:
        """The smallest box around all pixels with any influence; empty if there is none."""
        rows, columns = np.flatnonzero(self.heat.any(axis=1)), np.flatnonzero(self.heat.any(axis=0))
        if not len(rows):
            return Box(0, 0, 0, 0)
        return Box(int(rows[0]), int(columns[0]), int(rows[-1]) + 1, int(columns[-1]) + 1)

    @property
    def centre(self) -> tuple[float, float]:
        """Row and column of the centre of mass; nan if nothing has influence."""
        total = self.heat.sum()
        if total == 0:
            return float("nan"), float("nan")
        rows, columns = np.indices(self.heat.shape)
        return float((rows * self.heat).sum() / total), float((columns * self.heat).sum() / total)

    def radius(self, share: float = TWO_DEVIATIONS) -> float:
        """Of the smallest disc around the centre of mass that holds this share of the influence, in pixels; 0 if there is none.

        Raises:
            BadValue: `share` is not above 0 and at most 1.
        """
        if not 0 < share <= 1:
            raise BadValue(setting="share", value=share, expected=say(en="above 0, at most 1", de="über 0, höchstens 1"))
        total = self.heat.sum()
        if total == 0:
            return 0.0
        rows, columns = np.indices(self.heat.shape)
        row, column = self.centre
        distance = np.hypot(rows - row, columns - column).ravel()
        order = np.argsort(distance, kind="stable")
        held = np.cumsum(self.heat.ravel()[order])
        reached = int(np.searchsorted(held, share * held[-1] * (1 - 1e-12)))
        return float(distance[order[reached]])

    def side(self, threshold: float = 1 - TWO_DEVIATIONS) -> float:
        """The paper's size: the side of a square of as many pixels as have more than `threshold` of the largest influence."""
        return float(np.sqrt((self.heat > threshold * self.heat.max()).sum())) if self.heat.any() else 0.0


def effective_field(
    network: nn.Module, layer: str, pictures: Tensor, *, position: tuple[int, int] | None = None, call: int = 0
) -> EffectiveField:
    """The effective field of one position (the middle, unless given) of what `layer` puts out, over pictures (B, C, H, W).

    In evaluation mode and on the `call`-th call of the layer (from 0). The network is left as it was, gradients included.

    Raises:
        LayerNotFound: no such layer; names the nearest.
        NotOneTensor: it puts out something else than one tensor.
        NoMap: what it puts out is not (B, C, rows, columns), or it was not called that often.
        BadValue: the map has no such position.
    """
    try:
        module = network.get_submodule(layer)
    except AttributeError as error:
        known = [name for name, _ in network.named_modules() if name]
        raise LayerNotFound(layer=layer, nearest=nearest(layer, known)) from error
    leaf = pictures.detach().clone().requires_grad_(True)
    reached = _Reached(call)
    handle = module.register_forward_hook(reached.note)
    try:
        # A copy of the leaf: the network may change its input in place.
        with torch.inference_mode(False), torch.enable_grad(), evaluating(network):
            with suppress(_Enough):
                network(leaf.clone())
            output = reached.output
            if output is None:
                raise NoMap(layer=layer, found=say(en=f"{reached.seen} calls", de=f"{reached.seen} Aufrufe"))
            if not isinstance(output, Tensor):
                raise NotOneTensor(layer=layer, found=type(output).__name__)
            if output.ndim != 4:
                raise NoMap(layer=layer, found=str(tuple(output.shape)))
            row, column = position or (output.shape[2] // 2, output.shape[3] // 2)
            for setting, value, count in (("row", row, output.shape[2]), ("column", column, output.shape[3])):
                if not 0 <= value < count:
                    raise BadValue(setting=setting, value=value, expected=say(en=f"0 to {count - 1}", de=f"0 bis {count - 1}"))
            target = output[:, :, row, column].sum()
            slope = torch.autograd.grad(target, leaf, allow_unused=True)[0] if target.requires_grad else None
    finally:
        handle.remove()
    slope = torch.zeros_like(leaf) if slope is None else slope
    heat = slope.abs().sum(dim=1).mean(dim=0, dtype=torch.float64).cpu().numpy()
    return EffectiveField(layer, call, (row, column), heat)


class _Enough(Exception):
    """The layer has been called; what comes after it is not needed."""


@dataclass
class _Reached:
    call: int
    seen: int = 0
    output: Any = None

    def note(self, _module: nn.Module, _inputs: Any, output: Any) -> None:
        self.seen += 1
        if self.seen == self.call + 1:
            self.output = output
            raise _Enough
