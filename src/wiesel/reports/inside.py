"""What the report shows of a network's inside: the maps of one picture, layer by layer, and the filters that look at it first."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from wiesel.analysis.recording import recording
from wiesel.analysis.stages import Stage
from wiesel.reports.facts import FeatureMap, Filter, Filters, LayerMaps
from wiesel.reports.pictures import Values, mapped, reduced, signed

MAPS_SHOWN = 12
LAYERS_SHOWN = 16
FILTERS_SHOWN = 64
PLANES_SHOWN = 3
LONGEST_SIDE = 56
"""Pixels; larger maps are averaged down to it for display."""


def walk_layers(stages: tuple[Stage, ...]) -> list[str]:
    """The layers to show, in order: every residual block, and every stage without blocks whose output is maps."""
    names = []
    for stage in stages:
        names += [block.name for block in stage.blocks if len(block.output) == 3] if stage.blocks else []
        if not stage.blocks and len(stage.output) == 3:
            names.append(stage.name)
    return names


def some_of(names: list[str], count: int = LAYERS_SHOWN) -> list[str]:
    """At most `count` of the names, the first and the last among them, evenly spread."""
    if len(names) <= count:
        return names
    return [names[i] for i in np.linspace(0, len(names) - 1, count).round().astype(int).tolist()]


def layer_maps(network: nn.Module, picture: Tensor, layers: list[str]) -> tuple[LayerMaps, ...]:
    """The maps of normalised `picture` (1, C, H, W) at `layers`, in the order in which the network computes them."""
    with torch.no_grad(), recording(network, *layers) as recorded:
        network(picture)
    return tuple(maps_of(output.layer, output.tensor[0].float().cpu().numpy()) for output in recorded.outputs if output.call == 0)


def maps_of(layer: str, values: Values) -> LayerMaps:
    """Numbers and pictures of the maps (C, H, W) of one layer; every map on the layer's own scale."""
    channels, height, width = values.shape
    flat = values.reshape(channels, -1)
    low, high = float(flat.min()), float(flat.max())
    lows, highs = flat.min(axis=1), flat.max(axis=1)
    strength = np.abs(flat).mean(axis=1)
    is_signed = low < 0
    shown = np.argsort(-strength, kind="stable")[:MAPS_SHOWN]
    return LayerMaps(
        layer=layer,
        shape=(channels, height, width),
        low=low,
        high=high,
        zeros=float((flat == 0).mean()),
        dead=int((~flat.any(axis=1)).sum()),
        constant=int(((lows == highs) & (lows != 0)).sum()) if height * width > 1 else 0,
        signed=is_signed,
        reduced_to=LONGEST_SIDE if max(height, width) > LONGEST_SIDE else 0,
        maps=tuple(
            FeatureMap(
                channel=int(channel),
                mean_absolute=float(strength[channel]),
                low=float(lows[channel]),
                high=float(highs[channel]),
                zeros=float((flat[channel] == 0).mean()),
                png=_map(reduced(values[channel], LONGEST_SIDE), low, high, is_signed),
            )
            for channel in shown.tolist()
        ),
    )


def first_filters(network: nn.Module) -> Filters | None:
    """The weights of the first two-dimensional convolution that the network defines; all filters on one signed scale."""
    for name, module in network.named_modules():
        if isinstance(module, nn.Conv2d):
            weights = module.weight.detach().float().cpu().numpy()
            limit = float(np.abs(weights).max())
            return Filters(
                layer=name,
                shape=(weights.shape[0], weights.shape[1], weights.shape[2], weights.shape[3]),
                low=float(weights.min()),
                high=float(weights.max()),
                filters=tuple(
                    Filter(
                        index=index,
                        norm=float(np.sqrt(np.square(weights[index]).sum())),
                        planes=tuple(signed(plane, limit) for plane in weights[index, :PLANES_SHOWN]),
                    )
                    for index in range(min(FILTERS_SHOWN, len(weights)))
                ),
            )
    return None


def _map(values: Values, low: float, high: float, is_signed: bool) -> bytes:
    return signed(values, max(abs(low), abs(high))) if is_signed else mapped(values, low, high)
