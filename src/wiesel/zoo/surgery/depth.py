"""`depth=+1`: one more block in each stage; `depth=-1`: one fewer. Also `+2`, and `@features.stage3` for one stage.

In stages made of blocks, the last one that keeps the shape of its maps is repeated with weights of its own. In stages made of plain
layers (VGG), a convolution with what follows it (norm, activation) is added after the last one, before the pool. Stages without such
a block stay as they are, and it is said which; stems are no stages.
"""

from __future__ import annotations

import copy
import re
from collections import OrderedDict

from torch import nn

from wiesel.language import say
from wiesel.zoo.auxiliary import NetworkWithAuxiliaryHeads
from wiesel.zoo.network import Network
from wiesel.zoo.surgery.activation import is_activation
from wiesel.zoo.surgery.norm import is_norm
from wiesel.zoo.surgery.observing import maps
from wiesel.zoo.surgery.replacing import draw, replace, reshape_conv, set_padding
from wiesel.zoo.surgery.work import Request, Work

MOST = 100
Children = list[tuple[str, nn.Module]]


def count(text: str) -> int | None:
    """>>> count("+1"), count("-2"), count("0"), count("1")
    (1, -2, None, None)
    """
    return int(text) if re.fullmatch(r"[+-]\d{1,3}", text) and 0 < abs(int(text)) <= MOST else None


def check(request: Request) -> None:
    if count(request.value) is None:
        raise request.refusal(
            en=f"a depth is +1, +2, … up to +{MOST}, or -1, -2, … blocks per stage",
            de=f"eine Tiefe ist +1, +2, … bis +{MOST}, oder -1, -2, … Blöcke je Stufe",
        )


def apply(work: Work) -> None:
    blocks = count(work.request.value)
    assert blocks is not None
    for name in stages(work.network):
        if not (work.inside(name) or any(part.startswith(f"{name}.") for part in work.where)):
            continue
        units = _units(work, name)
        if not units:
            work.left_out[name] = say(en="no block that keeps its shape", de="kein Block, der seine Form behält")
        elif blocks > 0:
            _lengthen(work, name, units[-1], blocks)
        else:
            _shorten(work, name, units, -blocks)
    if not work.layers:
        raise work.refusal(
            en=f"no stage in {work.place()} has a block that could be {'repeated' if blocks > 0 else 'spared'}",
            de=f"keine Stufe in {work.place()} hat einen Block, der sich {'wiederholen' if blocks > 0 else 'entbehren'} liesse",
        )


def stages(network: nn.Module) -> list[str]:
    """Sequences that hold blocks or convolutions, outermost first, without stems."""
    found: list[str] = []

    def look(name: str, layer: nn.Module) -> None:
        if name.rpartition(".")[2] == "stem" and isinstance(network, Network):
            return
        if type(layer) is nn.Sequential and _has_blocks(layer) and not any(_has_stage(child) for child in layer):
            found.append(name)
            return
        for own, child in layer.named_children():
            look(f"{name}.{own}" if name else own, child)

    look("features" if isinstance(network, Network) else "", network.features if isinstance(network, Network) else network)
    return found


def _has_blocks(layer: nn.Sequential) -> bool:
    return any(_is_block(child) or isinstance(child, nn.Conv2d) for child in layer)


def _has_stage(layer: nn.Module) -> bool:
    """Whether there is a sequence of blocks within."""
    return any(type(inner) is nn.Sequential and any(_is_block(child) for child in inner) for inner in layer.modules())


def _is_block(layer: nn.Module) -> bool:
    """Something with convolutions, but neither a mere sequence of them nor a whole stage."""
    convolves = any(isinstance(inner, nn.Conv2d) for inner in layer.modules() if inner is not layer)
    return convolves and not isinstance(layer, nn.Sequential) and not _has_stage(layer)


def _units(work: Work, stage: str) -> list[range]:
    """Places, among the stage's children, of what can be repeated or taken away: blocks that keep their shape, or convolutions."""
    children = list(work.network.get_submodule(stage).named_children())
    has_blocks = any(_is_block(layer) for _, layer in children)
    units = []
    for place, (own, layer) in enumerate(children):
        if _is_block(layer):
            call = work.seen.of(_at(stage, own))
            if call is not None and maps(call.input) is not None and maps(call.input) == maps(call.output):
                units.append(range(place, place + 1))
        elif (
            isinstance(layer, nn.Conv2d) and max(layer.kernel_size) > 1 and all(s % 2 for s in layer.kernel_size) and not has_blocks
        ):
            end = place + 1
            while end < len(children) and _follows(*children[end]):
                end += 1
            units.append(range(place, end))
    return units


def _follows(name: str, layer: nn.Module) -> bool:
    return is_norm(layer) or is_activation(name, layer) or isinstance(layer, nn.Dropout)


def _lengthen(work: Work, stage: str, unit: range, times: int) -> None:
    children = list(work.network.get_submodule(stage).named_children())
    new: Children = []
    for _ in range(times):
        for own, layer in [children[place] for place in unit]:
            repeated = copy.deepcopy(layer)
            if isinstance(repeated, nn.Conv2d):
                height, width = (
                    (side - 1) * dilation // 2 for side, dilation in zip(repeated.kernel_size, repeated.dilation, strict=True)
                )
                repeated.stride = (1, 1)
                reshape_conv(repeated, channels_in=repeated.out_channels)
                set_padding(repeated, (height, width))
            new.append((_next_name(own, [name for name, _ in [*children, *new]]), repeated))
    names = _put(work, stage, [*children[: unit.stop], *new, *children[unit.stop :]])
    for own in names[unit.stop : unit.stop + len(new)]:
        draw(work.network, _at(stage, own))
        work.layers.append(_at(stage, own))


def _shorten(work: Work, stage: str, units: list[range], times: int) -> None:
    children = list(work.network.get_submodule(stage).named_children())
    tapped = set(work.network.auxiliary) if isinstance(work.network, NetworkWithAuxiliaryHeads) else set()
    gone: set[int] = set()
    for unit in reversed(units):
        first = children[unit.start][1]
        changes_channels = isinstance(first, nn.Conv2d) and first.in_channels != first.out_channels
        some_left = any(
            _is_block(layer) or isinstance(layer, nn.Conv2d)
            for place, (_, layer) in enumerate(children)
            if place not in gone and place not in unit
        )
        if len(gone) < times * len(unit) and some_left and not changes_channels and not any(children[p][0] in tapped for p in unit):
            gone |= set(unit)
    if len(gone) < times * len(units[-1]):
        work.left_out[stage] = say(en="needs the blocks that it has", de="braucht die Blöcke, die es hat")
    if gone:
        _put(work, stage, [child for place, child in enumerate(children) if place not in gone])
        work.layers += [_at(stage, children[place][0]) for place in sorted(gone)]


def _put(work: Work, stage: str, children: Children) -> list[str]:
    """The stage with these layers. Where names are numbers, as in a list, they are counted anew."""
    if all(own.isdigit() for own, _ in children):
        children = [(str(number), layer) for number, (_, layer) in enumerate(children)]
    sequence = nn.Sequential(OrderedDict(children))
    if stage:
        replace(work.network, stage, sequence)
    else:
        work.network = sequence.train(work.network.training)
    return [own for own, _ in children]


def _at(stage: str, own: str) -> str:
    return f"{stage}.{own}" if stage else own


def _next_name(name: str, taken: list[str]) -> str:
    """The next number that is free: block3 after block2, conv2 after conv."""
    stem = name.rstrip("0123456789")
    numbers = [int(other[len(stem) :] or 1) for other in taken if other.startswith(stem) and (other[len(stem) :] or "1").isdigit()]
    return f"{stem}{max(numbers, default=1) + 1}"
