"""`norm=off`, `batch`, `group`, `group:8`, `layer`: another normalisation, or none.

    group   Wu, He 2018, arXiv:1803.08494: 32 groups of channels, or fewer, of at least 2 channels each; `group:8` asks for 8
    layer   one group: mean and variance over all channels and positions of a picture, scale and shift for each channel
    off     nothing; the convolution before it gets a bias if it has none, since it had left that to the norm

Scales and shifts are kept. A layer norm of another library that works on channels in the last place can only be switched off.
"""

from __future__ import annotations

from collections import OrderedDict
from math import gcd

from torch import nn

from wiesel.zoo.surgery.observing import maps
from wiesel.zoo.surgery.replacing import replace
from wiesel.zoo.surgery.work import Request, Work

NORMS = (nn.BatchNorm2d, nn.SyncBatchNorm, nn.GroupNorm, nn.LayerNorm, nn.LocalResponseNorm, nn.InstanceNorm2d)
MOST_GROUPS = 32
FEWEST_CHANNELS = 2


def is_norm(layer: nn.Module) -> bool:
    return isinstance(layer, NORMS)


def check(request: Request) -> None:
    kind, _, groups = request.value.partition(":")
    fine = kind in ("off", "batch", "group", "layer") and (not groups or (kind == "group" and groups.isdigit() and int(groups) > 0))
    if not fine or request.value.endswith(":"):
        raise request.refusal(
            en="a norm is off, batch, group, group:8 or layer", de="eine Norm ist off, batch, group, group:8 oder layer"
        )


def groups_of(channels: int) -> int:
    """How many groups, if nobody says: 32, or fewer, so that all have the same size and none has a single channel.

    >>> groups_of(64), groups_of(16), groups_of(24), groups_of(3)
    (32, 8, 12, 1)
    """
    fitting = [n for n in range(1, MOST_GROUPS + 1) if channels % n == 0 and channels // n >= FEWEST_CHANNELS]
    return max(fitting, default=1)


def apply(work: Work) -> None:
    kind, _, groups = work.request.value.partition(":")
    for name, layer in list(work.network.named_modules()):
        if not (name and work.inside(name) and is_norm(layer)):
            continue
        channels = _channels(work, name, layer)
        if kind == "off":
            if channels is not None:
                _bias_before(work, name, channels)
            new: nn.Module = nn.Identity()
        elif channels is None:
            work.left_out[name] = "channels last"
            continue
        elif kind == "batch":
            new = nn.BatchNorm2d(channels)
        else:
            count = 1 if kind == "layer" else int(groups) if groups else groups_of(channels)
            if channels % count:
                possible = gcd(
                    *(_channels(work, n, m) or 0 for n, m in work.network.named_modules() if work.inside(n) and is_norm(m))
                )
                raise work.refusal(
                    en=f"{name} has {channels} channels, which {count} does not divide; a divisor of {possible} fits everywhere",
                    de=f"{name} hat {channels} Kanäle, die sich nicht durch {count} teilen lassen; ein Teiler von {possible} passt überall",
                )
            new = nn.GroupNorm(count, channels)
        if not isinstance(new, nn.Identity):
            _keep(layer, new)
        # Some libraries put activation and dropout inside the norm; they stay.
        inner = OrderedDict((own, child) for own, child in layer.named_children())
        replace(work.network, name, nn.Sequential(OrderedDict(norm=new) | inner) if inner else new)
        work.layers.append(name)
    if not work.layers:
        raise work.refusal(
            en=f"there is no norm in {work.place()} that could be replaced", de=f"es gibt keine ersetzbare Norm in {work.place()}"
        )


def _channels(work: Work, name: str, layer: nn.Module) -> int | None:
    """None where the maps do not come as (B, C, H, W)."""
    if isinstance(layer, (nn.BatchNorm2d, nn.SyncBatchNorm, nn.InstanceNorm2d)):
        return layer.num_features
    if isinstance(layer, nn.GroupNorm):
        return layer.num_channels
    call = work.seen.of(name)
    shape = maps(call.input) if call is not None else None
    if shape is None:
        return None
    if isinstance(layer, nn.LayerNorm) and (type(layer) is nn.LayerNorm or layer.normalized_shape != (shape[0],)):
        return None
    return shape[0]


def _keep(old: nn.Module, new: nn.Module) -> None:
    """Scale, shift and epsilon go over to the new norm."""
    for part in ("weight", "bias"):
        value = getattr(old, part, None)
        if isinstance(value, nn.Parameter) and not value.is_meta and value.numel() == getattr(new, part).numel():
            setattr(new, part, nn.Parameter(value.detach().clone().reshape(-1)))
    if not isinstance(old, nn.LocalResponseNorm):
        new.eps = old.eps


def _bias_before(work: Work, name: str, channels: int) -> None:
    conv = next(work.seen.before(name), None)
    if conv is None or not isinstance(conv.layer, nn.Conv2d):
        return
    layer = work.network.get_submodule(conv.name)
    if isinstance(layer, nn.Conv2d) and layer.bias is None and layer.out_channels == channels:
        layer.bias = nn.Parameter(layer.weight.new_zeros(channels))
