"""`pooling=stride`, `conv`, `avg`, `max`: other ways to make maps smaller.

    stride  the convolution before a pool strides as far as the pool did, and the pool goes: no weight more, fewer multiply-adds
            (Springenberg, Dosovitskiy, Brox, Riedmiller 2014, arXiv:1412.6806, "Strided-CNN")
    conv    in the place of a pool, a convolution with its stride, and an activation ("All-CNN" of the same paper)
    avg     the mean of a window instead of its largest value
    max     the other way around

`stride` and `conv` are for pools that make maps smaller; those of stride 1, as in Inception modules, stay. Means over whole maps
before a linear layer stay too. Margins are chosen so that maps come out as large as the pool made them, where that can be.
"""

from __future__ import annotations

import copy
from collections import OrderedDict

from torch import nn

from wiesel.language import say
from wiesel.zoo.surgery.activation import is_activation
from wiesel.zoo.surgery.kernel import pair, positions
from wiesel.zoo.surgery.norm import is_norm
from wiesel.zoo.surgery.observing import maps
from wiesel.zoo.surgery.replacing import draw, replace, set_padding
from wiesel.zoo.surgery.work import Request, Work

Pool = nn.MaxPool2d | nn.AvgPool2d
Maps = tuple[int, int, int]
WAYS = ("stride", "conv", "avg", "max")


def check(request: Request) -> None:
    if request.value not in WAYS:
        raise request.refusal(
            en=f"{request.value!r} is none of {', '.join(WAYS)}", de=f"{request.value!r} ist keines von {', '.join(WAYS)}"
        )


def apply(work: Work) -> None:
    way = work.request.value
    pools = [(n, m) for n, m in work.network.named_modules() if n and isinstance(m, Pool) and work.inside(n)]
    unwanted = nn.MaxPool2d if way == "max" else nn.AvgPool2d if way == "avg" else ()
    for name, pool in pools:
        if isinstance(pool, unwanted):
            continue
        if way == "avg":
            replace(work.network, name, _mean(pool))
        elif way == "max":
            replace(work.network, name, _largest(pool))
        elif max(pair(pool.stride)) == 1:
            work.left_out[name] = say(en="stride 1", de="Schrittweite 1")
            continue
        elif way == "stride":
            _stride_instead(work, name, pool)
        else:
            _convolve_instead(work, name, pool)
        work.layers.append(name)
    if not work.layers:
        raise work.refusal(
            en=f"there is no pool in {work.place()} to be replaced by {way}",
            de=f"es gibt keinen Pool in {work.place()}, an dessen Stelle {way} träte",
        )


def _mean(pool: Pool) -> nn.AvgPool2d:
    # A margin is no part of the picture and does not count.
    return nn.AvgPool2d(pool.kernel_size, pool.stride, pool.padding, ceil_mode=pool.ceil_mode, count_include_pad=False)


def _largest(pool: Pool) -> nn.MaxPool2d:
    return nn.MaxPool2d(pool.kernel_size, pool.stride, pool.padding, ceil_mode=pool.ceil_mode)


def _stride_instead(work: Work, name: str, pool: Pool) -> None:
    for call in work.seen.before(name):
        layer = work.network.get_submodule(call.name)
        if isinstance(layer, nn.Conv2d):
            height, width = pair(layer.stride)
            down, right = pair(pool.stride)
            if isinstance(layer.padding, str):
                break
            layer.stride = (height * down, width * right)
            pooled = work.seen.of(name)
            _end_like(layer, maps(call.input), maps(pooled.output) if pooled is not None else None)
            replace(work.network, name, nn.Identity())
            return
        if not (is_norm(layer) or is_activation(call.name, layer) or isinstance(layer, (nn.Dropout, nn.Identity))):
            break
    raise work.refusal(
        en=f"before {name} there is not one convolution alone that could stride; pooling=conv puts one in its place",
        de=f"vor {name} steht nicht eine einzelne Faltung, die Schritte machen könnte; pooling=conv setzt eine an seine Stelle",
    )


def _end_like(conv: nn.Conv2d, before: Maps | None, after: Maps | None) -> None:
    """Choose the margin with which the convolution makes maps of the size that the pool made, if there is one."""
    if before is None or after is None:
        return
    usual = pair(conv.padding)
    found = []
    for axis in (0, 1):
        tried = (usual[axis], usual[axis] - 1, usual[axis] + 1)
        fitting = [p for p in tried if p >= 0 and positions(conv, axis, before[axis + 1], p) == after[axis + 1]]
        found.append(fitting[0] if fitting else usual[axis])
    set_padding(conv, (found[0], found[1]))


def _convolve_instead(work: Work, name: str, pool: Pool) -> None:
    call = work.seen.of(name)
    shape = maps(call.input) if call is not None else None
    if shape is None:
        raise work.refusal(en=f"{name} takes no part in evaluation", de=f"{name} ist an der Auswertung nicht beteiligt")
    kernel, padding = pair(pool.kernel_size), pair(pool.padding)
    if pool.ceil_mode:  # an odd kernel with its usual margin rounds up
        kernel = (kernel[0] | 1, kernel[1] | 1)
        padding = (kernel[0] // 2, kernel[1] // 2)
    before = next(work.seen.before(name), None)
    known = before is not None and is_activation(before.name, before.layer)
    activation = copy.deepcopy(before.layer) if known and before is not None else nn.ReLU()
    conv = nn.Conv2d(shape[0], shape[0], kernel, pair(pool.stride), padding)
    _end_like(conv, shape, maps(call.output) if call is not None else None)
    replace(work.network, name, nn.Sequential(OrderedDict(conv=conv, activation=activation)))
    draw(work.network, name)
