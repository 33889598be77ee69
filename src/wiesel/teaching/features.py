"""The maps that a network makes of a picture, layer by layer, with scales that do not flatter.

Drawing every map from its own smallest to its own largest value makes a dead channel look as rich as a live one. Here all maps of a
layer share one scale, which is that of the whole layer; zero is in the middle of the colours where values are signed, and black where
they are not; the range is printed. Which channels are shown is decided by a rule that is written under the figure.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal, cast

import numpy as np

from wiesel.errors import BadValue, NoMap
from wiesel.teaching import figures
from wiesel.teaching.pictures import picture
from wiesel.teaching.words import Words, spoken

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from torch import Tensor, nn

    from wiesel.teaching.sheet import Sheet

Choice = Literal["varied", "first"]
Part = Literal["main", "conv", "pooling"]
PARTS = ("main", "conv", "pooling")
MOST_ROWS = 12
"""Of a part; layers named one by one are all shown."""
CONSTANT = 1e-6
"""A channel whose values differ by less than this share of the layer's largest is called constant."""


def visualize_features(
    model: Any,
    image: Any,
    *,
    layers: Sequence[str] | Part = "main",
    channels: int = 8,
    choose: Choice = "varied",
    language: str | None = None,
) -> Sheet:
    """One row per layer: its name, shape and range, and some of its maps on a common scale.

    Args:
        model: any `nn.Module`, or a trained run as `wiesel.runs.trained.load(folder)` gives it.
        image: the tensor (C, H, W) or (1, C, H, W) that goes into the network; or whatever `picture` takes: with a trained run it is
            prepared as in training, with a bare network it goes in with values 0..1.
        layers: dotted names, one or several; or "main" (the first convolution and every residual block, or the stages), "conv" or "pooling" (all
            layers of this kind).
        channels: maps per layer.
        choose: the channels that vary most over the picture (standard deviation), or the first ones.

    Raises:
        LayerNotFound, NoMap, SeveralCalls: a layer that is not there, gives no map, or is called several times.
    """
    words = spoken(language)
    if choose not in ("varied", "first"):
        raise BadValue(setting="choose", value=choose, expected="varied, first")
    if channels < 1:
        raise BadValue(setting="channels", value=channels, expected=words(en="1 or more", de="1 oder mehr"))
    network, given = _network(model), _ready(model, image)
    found = {name: maps.numpy()[0] for name, maps in feature_maps(model, image, layers=layers).items()}
    left_out = 0
    if layers not in PARTS or len(found) <= MOST_ROWS:
        rows = found
    else:
        wanted = sorted({round(place) for place in np.linspace(0, len(found) - 1, MOST_ROWS)})
        rows = {name: maps for place, (name, maps) in enumerate(found.items()) if place in wanted}
        left_out = len(found) - len(rows)
    widest = min(channels, max(len(maps) for maps in rows.values()))
    sheet = figures.sheet(1.9 + 1.12 * widest, 1.1 + 1.12 * (len(rows) + 1))
    grid = np.array(sheet.subplots(len(rows) + 1, widest + 1, width_ratios=(1.35, *(1.0,) * widest), squeeze=False))
    _input_row(grid[0], given[0].numpy(), words)
    for axes, (name, maps) in zip(grid[1:], rows.items(), strict=True):
        _row(sheet, axes, name, maps, choose, words)
    first, last = next(iter(rows.items())), list(rows.items())[-1]
    constant = sum(_constant(maps) for maps in rows.values())
    total = sum(len(maps) for maps in rows.values())
    notes = [
        words(
            en="Shown: the channels whose values vary most over the picture (standard deviation), the most varied first.",
            de="Gezeigt: die Kanäle, deren Werte im Bild am stärksten variieren (Standardabweichung), der lebhafteste zuerst.",
        )
        if choose == "varied"
        else words(en="Shown: the first channels.", de="Gezeigt: die ersten Kanäle."),
        words(
            en="One scale per row, that of all its channels; grey maps: black is 0; coloured: grey is 0, orange above.",
            de="Eine Skala je Zeile, die aller ihrer Kanäle; graue Karten: Schwarz ist 0; farbige: Grau ist 0, Orange darüber.",
        ),
        words(en=f"{left_out} layers left out.", de=f"{left_out} Schichten ausgelassen.") if left_out else "",
    ]
    return figures.finished(
        sheet,
        words(en="What each layer makes of the picture", de="Was jede Schicht aus dem Bild macht")
        + f": {type(network).__name__ if type(network).__name__ != 'Network' else words(en='the network', de='das Netz')}",
        words(
            en=f"From {first[0]} to {last[0]} the maps go from {_size(first[1])} to {_size(last[1])}; "
            f"{constant} of {total} channels are constant on this picture; "
            f"{words.percent(_zeros(first[1]))} of the numbers are 0 in the first row and {words.percent(_zeros(last[1]))} in the last.",
            de=f"Von {first[0]} bis {last[0]} werden die Karten von {_size(first[1])} zu {_size(last[1])}; "
            f"{constant} von {total} Kanälen sind auf diesem Bild konstant; "
            f"{words.percent(_zeros(first[1]))} der Zahlen sind in der ersten Zeile 0, {words.percent(_zeros(last[1]))} in der letzten.",
        ),
        note="\n".join([notes[0], " ".join(filter(None, notes[1:]))]),
    )


def feature_maps(
    model: Any, image: Any, *, layers: Sequence[str] | Part = "main", names: Literal["own", "torchvision"] = "own"
) -> dict[str, Tensor]:
    """Layer -> its maps (1, C, H, W), in evaluation mode, copied before anything can write over them.

    `names` "torchvision": a ResNet's layers are called conv1, layer1_0, layer1_1, …, layer4_1, whoever wrote it.

    >>> list(feature_maps(zoo.build("resnet18"), torch.zeros(1, 28, 28), names="torchvision"))[:3]
    ['conv1', 'layer1_0', 'layer1_1']
    """
    import torch

    from wiesel.analysis.recording import recording

    network, given = _network(model), _ready(model, image)
    wanted = layers_of(network, cast(Part, layers)) if layers in PARTS else [layers] if isinstance(layers, str) else list(layers)
    with recording(network, *wanted) as recorded, torch.no_grad():
        network(given)
    found = {}
    for name in wanted:
        if name not in recorded:
            continue
        maps = recorded[name]
        if maps.dim() == 4:
            found[_short(name) if names == "own" else _as_torchvision(name)] = maps
        elif layers not in PARTS:
            raise NoMap(layer=name, found=tuple(maps.shape))
    if not found:
        raise NoMap(layer=str(layers), found="0")
    return found


def layers_of(network: nn.Module, part: Part) -> list[str]:
    """Names of the layers that a part means; see `visualize_features`."""
    from torch import nn

    from wiesel.analysis.stages import skip_of, stage_names

    layers = [(name, layer) for name, layer in network.named_modules() if name]
    convolutions = [name for name, layer in layers if isinstance(layer, nn.Conv2d)]
    if part == "conv":
        return convolutions
    if part == "pooling":
        return [name for name, layer in layers if re.search(r"(Max|Avg|LP)Pool", type(layer).__name__)]
    if part != "main":
        raise BadValue(setting="layers", value=part, expected='"main", "conv", "pooling"')
    blocks = [name for name, layer in layers if skip_of(layer) is not None]
    return [*convolutions[:1], *blocks] if blocks else stage_names(network)


def _network(model: Any) -> nn.Module:
    network: nn.Module = model.network if hasattr(model, "preprocessing") else model
    return network


def _ready(model: Any, image: Any) -> Tensor:
    """(1, C, H, W), as the network takes it."""
    import torch
    from torch import nn

    if isinstance(image, torch.Tensor):
        tensor = image.detach().float()
        return tensor[None] if tensor.dim() == 3 else tensor[None, None] if tensor.dim() == 2 else tensor[:1]
    if hasattr(model, "preprocessing"):
        seen = picture(image, colour=model.preprocessing.channels == 3, size=model.preprocessing.height)
        pixels = torch.from_numpy(np.rint(255 * np.atleast_3d(seen)).astype(np.uint8))[None]
        prepared: Tensor = model.preprocessing.normalise(pixels)
        return prepared
    first = next((layer for layer in model.modules() if isinstance(layer, nn.Conv2d)), None)
    seen = picture(image, colour=first is not None and first.in_channels == 3)
    return torch.from_numpy(np.atleast_3d(seen)).permute(2, 0, 1)[None].float()


def _input_row(row: Any, given: Any, words: Words) -> None:
    low, high = float(given.min()), float(given.max())
    _caption(row[0], words(en="picture", de="Bild"), [_size(given), f"{words.short(low, 2)} … {words.short(high, 2)}"])
    shown = np.moveaxis(given, 0, -1) if len(given) == 3 else given[0]
    figures.show_grey(row[1], (shown - low) / ((high - low) or 1.0))
    for axes in row[2:]:
        axes.set_axis_off()


def _row(sheet: Sheet, row: Any, name: str, maps: Any, choose: Choice, words: Words) -> None:
    low, high = float(maps.min()), float(maps.max())
    said = [_size(maps), f"{words.short(low, 2)} … {words.short(high, 2)}"]
    if _zeros(maps) > 0.005:
        said.append(words(en=f"{words.percent(_zeros(maps))} zeros", de=f"{words.percent(_zeros(maps))} Nullen"))
    if _constant(maps):
        said.append(words(en=f"{_constant(maps)} constant", de=f"{_constant(maps)} konstant"))
    _caption(row[0], name, said)
    spread = maps.reshape(len(maps), -1).std(axis=1)
    order = np.argsort(-spread, kind="stable") if choose == "varied" else np.arange(len(maps))
    shown = 0
    for axes, channel in zip(row[1:], order, strict=False):
        if low < 0:
            figures.show_signed(axes, maps[channel], span=max(-low, high))
        else:
            figures.show_grey(axes, maps[channel], low=0.0, high=high or 1.0)
        axes.set_title(str(channel), fontsize=6.5, pad=1.5, color=figures.MUTED)
        shown += 1
    for axes in row[shown + 1 :]:
        axes.set_axis_off()


def _caption(axes: Axes, name: str, said: list[str]) -> None:
    axes.set_axis_off()
    axes.text(1.0, 0.98, name, ha="right", va="top", fontsize=9.5, transform=axes.transAxes)
    axes.text(1.0, 0.72, "\n".join(said), ha="right", va="top", fontsize=8, color=figures.MUTED, transform=axes.transAxes)


def _size(maps: Any) -> str:
    return " × ".join(map(str, maps.shape))


def _zeros(maps: Any) -> float:
    return float((maps == 0).mean())


def _constant(maps: Any) -> int:
    flat = maps.reshape(len(maps), -1)
    return int(((flat.max(axis=1) - flat.min(axis=1)) <= CONSTANT * max(float(np.abs(maps).max()), 1e-30)).sum())


def _short(name: str) -> str:
    return name.removeprefix("features.")


def _as_torchvision(name: str) -> str:
    """features.stem.conv -> conv1, features.stage1.block1 -> layer1_0, layer1.0 -> layer1_0."""
    name = re.sub(r"(^|\.)stem\.conv$", r"\1conv1", name.removeprefix("features."))
    name = re.sub(r"stage(\d+)\.block(\d+)$", lambda found: f"layer{found[1]}.{int(found[2]) - 1}", name)
    return name.replace(".", "_")
