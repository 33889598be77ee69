"""Why this class? Maps of one picture for any `nn.Module` that gives logits, and checks of how far they can be trusted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import Tensor, nn

from wiesel.errors import BadValue
from wiesel.explanation.cam import gradcam, gradcam_plus, hirescam, layercam
from wiesel.explanation.explanation import Explanation
from wiesel.explanation.faithfulness import Faithfulness, faithfulness
from wiesel.explanation.gradients import integrated_gradients, saliency, smoothgrad
from wiesel.explanation.layer import Layer, choose_layer
from wiesel.explanation.occlusion import occlusion
from wiesel.explanation.sanity import Sanity, sanity

LAYER_METHODS: dict[str, Callable[..., Explanation]] = {
    "gradcam": gradcam,
    "gradcam++": gradcam_plus,
    "layercam": layercam,
    "hirescam": hirescam,
}
PICTURE_METHODS: dict[str, Callable[..., Explanation]] = {
    "occlusion": occlusion,
    "integrated_gradients": integrated_gradients,
    "smoothgrad": smoothgrad,
    "saliency": saliency,
}
METHODS = (*LAYER_METHODS, *PICTURE_METHODS)


def explain(
    network: nn.Module,
    picture: Tensor,
    target: int | None = None,
    *,
    method: str = "gradcam",
    layer: str | None = None,
    **settings: Any,
) -> Explanation:
    """One picture (1, C, H, W), preprocessed as the network wants it, explained for class `target` (None: the predicted one).

    >>> explain(network, picture, method="hirescam").range
    (-0.41, 2.87)

    `layer`: for the methods in `LAYER_METHODS`; the others look at the picture itself and take none.

    Raises:
        BadValue: no such method, or a layer for a method that has none.
        LayerNotFound, WhichCall, NoMap, NoMapAnywhere, NotPartOfScore, ClassOutside: see the methods.
    """
    if method in LAYER_METHODS:
        return LAYER_METHODS[method](network, picture, target, layer=layer, **settings)
    if method not in PICTURE_METHODS:
        raise BadValue(setting="method", value=method, expected=" | ".join(METHODS))
    if layer is not None:
        raise BadValue(setting="layer", value=layer, expected=f"{method}: -")
    return PICTURE_METHODS[method](network, picture, target, **settings)


__all__ = [
    "LAYER_METHODS",
    "METHODS",
    "PICTURE_METHODS",
    "Explanation",
    "Faithfulness",
    "Layer",
    "Sanity",
    "choose_layer",
    "explain",
    "faithfulness",
    "gradcam",
    "gradcam_plus",
    "hirescam",
    "integrated_gradients",
    "layercam",
    "occlusion",
    "saliency",
    "sanity",
    "smoothgrad",
]
