"""Class activation maps: where the features of one layer speak for a class.

With A the layer's maps (K of them, h x w), g = d score / d A, and means and sums over places (i, j):

    Grad-CAM     sum_k mean(g_k) A_k                      Selvaraju et al. 2017, arXiv:1610.02391
    Grad-CAM++   sum_k sum(a_k relu(g_k)) A_k             Chattopadhay et al. 2018, arXiv:1710.11063
                 a = g^2 / (2 g^2 + sum(A_k) g^3)
    LayerCAM     sum_k relu(g_k) A_k                      Jiang et al. 2021, doi:10.1109/TIP.2021.3089943
    HiResCAM     sum_k g_k A_k                            Draelos, Carin 2020, arXiv:2011.08891

The papers clip the sum at zero; here the map keeps its sign and `Explanation.positive` is the clipped one. Grad-CAM++ is derived for
the exponential of the score; its factor exp(score) is left out, which changes the unit of the map and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from wiesel.errors import NotPartOfScore
from wiesel.explanation.explanation import Explanation, finished
from wiesel.explanation.layer import choose_layer, holding
from wiesel.explanation.scores import checked_target, differentiating, logits, one_picture
from wiesel.language import say

Formula = Callable[[Tensor, Tensor], Tensor]
"""Maps and gradients, both (K, h, w) -> (h, w)."""


def gradcam(network: nn.Module, picture: Tensor, target: int | None = None, *, layer: str | None = None) -> Explanation:
    """Grad-CAM of `picture` (1, C, H, W) for class `target` (None: the predicted one) at `layer` (None: `choose_layer`).

    Raises:
        LayerNotFound, WhichCall, NoMap, NoMapAnywhere: see `choose_layer`.
        ClassOutside: there is no such class.
        NotPartOfScore: the score does not depend on the layer.
    """
    return _cam("gradcam", _gradcam, network, picture, target, layer)


def gradcam_plus(network: nn.Module, picture: Tensor, target: int | None = None, *, layer: str | None = None) -> Explanation:
    """Grad-CAM++; arguments and errors as for `gradcam`."""
    return _cam("gradcam++", _gradcam_plus, network, picture, target, layer)


def layercam(network: nn.Module, picture: Tensor, target: int | None = None, *, layer: str | None = None) -> Explanation:
    """LayerCAM; arguments and errors as for `gradcam`."""
    return _cam("layercam", _layercam, network, picture, target, layer)


def hirescam(network: nn.Module, picture: Tensor, target: int | None = None, *, layer: str | None = None) -> Explanation:
    """HiResCAM; arguments and errors as for `gradcam`, which it equals before a global mean and a linear layer."""
    return _cam("hirescam", _hirescam, network, picture, target, layer)


def _gradcam(maps: Tensor, gradients: Tensor) -> Tensor:
    return (gradients.mean((1, 2), keepdim=True) * maps).sum(0)


def _gradcam_plus(maps: Tensor, gradients: Tensor) -> Tensor:
    square = gradients**2
    below = 2 * square + maps.sum((1, 2), keepdim=True) * gradients * square
    share = torch.where(below != 0, square / torch.where(below != 0, below, 1), 0)
    weights = (share * gradients.clamp(min=0)).sum((1, 2), keepdim=True)
    return (weights * maps).sum(0)


def _layercam(maps: Tensor, gradients: Tensor) -> Tensor:
    return (gradients.clamp(min=0) * maps).sum(0)


def _hirescam(maps: Tensor, gradients: Tensor) -> Tensor:
    return (gradients * maps).sum(0)


def _cam(name: str, formula: Formula, network: nn.Module, picture: Tensor, target: int | None, layer: str | None) -> Explanation:
    leaf = one_picture(picture).requires_grad_()
    chosen = choose_layer(network, picture, layer)
    with differentiating(network), holding(network, chosen) as held:
        scores = logits(network, leaf.clone())  # of a copy: the first layer may write into its input
        target = checked_target(scores, target)
        assert held.tensor is not None
        assert held.values is not None
        gradients = None
        if held.tensor.requires_grad and scores.requires_grad:
            (gradients,) = torch.autograd.grad(scores[0, target], held.tensor, allow_unused=True)
    if gradients is None:
        raise NotPartOfScore(layer=chosen.name)
    raw = formula(held.values[0].double(), gradients[0].double()).float()
    rows, columns = raw.shape
    height, width = leaf.shape[2:]
    return finished(
        name,
        target,
        scores,
        raw,
        (height, width),
        kind="evidence",
        layer=chosen.name,
        reason=chosen.reason,
        remarks=(_coarseness(rows, columns, height, width),) if (rows, columns) != (height, width) else (),
    )


def _coarseness(rows: int, columns: int, height: int, width: int) -> str:
    return say(
        en=f"The map has {rows} x {columns} cells for {height} x {width} pixels; finer detail in an enlarged map is interpolation.",
        de=f"Die Karte hat {rows} x {columns} Zellen für {height} x {width} Pixel; Feineres in der vergrösserten Karte ist Interpolation.",
    )
