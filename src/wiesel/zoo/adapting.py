"""Weights into a network that is not quite theirs: other classes, other channels, first filters of another size.

All that is left as it was made is copied; what cannot fit is refused with the name of the network that the weights are for.

Channels. A grey picture g stands for a colour picture whose channels are all g, so its filter is the sum over the colours. With
mean m_c and deviation s_c per colour, the colour network sees (g - m_c) / s_c; the grey one sees (g - m) / s with the means of both, and
its filter is the sum of w_c s / s_c. A grey network that is to see colour looks at their mean: each filter is w / channels.

First filters. A small stem (3x3, stride 1) stands in for a stem of 7x7 and stride 2 that sees the picture enlarged twice, each pixel as
a square of four: the weights that meet the same pixel are added up. Of the four by four sums that this gives, the row and the
column that lie farthest out, one weight thick each, are dropped.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from wiesel.errors import OtherArchitecture, WeightsError
from wiesel.language import say
from wiesel.zoo.catalogue import ARCHITECTURES, find
from wiesel.zoo.weights import AUXILIARY, COUNTER, best_names

CANDIDATES = 6
"""Networks with nearly as many parameters that are tried before it is said that none fits."""

Norm = tuple[Sequence[float], Sequence[float]]
"""Mean and deviation per channel."""


@dataclass(frozen=True)
class Adapted:
    """Tensors under the network's own names, in its shapes; those of the head are missing if it has other classes."""

    tensors: dict[str, Tensor]
    head: tuple[str, ...]
    """The names of the head's tensors that the weights have not: all of the last layer, or none."""
    folded: bool
    """Whether the first filters are for other channels or of another size than they were."""


def adapt(network: nn.Module, given: Mapping[str, Tensor], *, norm: Norm | None = None, name: str, title: str) -> Adapted:
    """The tensors of `given` (under our, torchvision's or timm's names) for `network`, which is not touched and may be on meta.

    `norm`: mean and deviation per channel with which the weights were made. `name` is the network's, `title` says which weights these are.

    Raises:
        OtherArchitecture: they are for another network; names it, if the zoo has it.
    """
    own = network.state_dict()
    theirs = best_names(list(own), given)
    last = last_layer(network)
    in_head = {f"{last}.weight", f"{last}.bias"} if last else set()
    first = first_convolution(network)
    tensors: dict[str, Tensor] = {}
    folded = False
    wrong = ""
    for mine, target in own.items():
        their = theirs[mine]
        if their not in given:
            if mine.endswith(COUNTER):
                tensors[mine] = torch.zeros((), dtype=target.dtype)
            elif mine not in in_head:
                wrong = wrong or say(en=f"{their!r} is missing", de=f"{their!r} fehlt")
            continue
        tensor = given[their].detach()
        if tensor.ndim == 2 and target.ndim == 4 and target.shape[2:] == (1, 1):
            tensor = tensor[..., None, None]
        if mine == first and tensor.shape != target.shape and (fitted := _first_filters(tensor, target, norm)) is not None:
            tensor, folded = fitted, True
        if tensor.shape == target.shape:
            tensors[mine] = tensor
        elif mine not in in_head:
            found, wanted = (" x ".join(map(str, shape)) for shape in (tensor.shape, target.shape))
            wrong = wrong or say(en=f"{their!r} is {found}, not {wanted}", de=f"{their!r} ist {found}, nicht {wanted}")
    wanted_names = set(theirs.values())
    extra = [one for one in given if one not in wanted_names and not one.startswith(AUXILIARY)]
    if extra and not wrong:
        wrong = say(en=f"{extra[0]!r} has no place in it", de=f"{extra[0]!r} hat darin keinen Platz")
    if wrong:
        raise OtherArchitecture(title=title, name=name, difference=wrong, fits=_advice(given, name))
    missing = tuple(one for one in own if one in in_head and one not in tensors)
    if missing:  # half a head is none
        tensors = {one: tensor for one, tensor in tensors.items() if one not in in_head}
        missing = tuple(one for one in own if one in in_head)
    copies = {one: tensor.to("cpu", own[one].dtype, copy=True) for one, tensor in tensors.items()}
    return Adapted(copies, missing, folded)


def regrouped(values: Sequence[float], channels: int) -> tuple[float, ...]:
    """Mean or deviation per channel, for another number of channels: their mean, for each."""
    return tuple(values) if len(values) == channels else (sum(values) / len(values),) * channels


def last_layer(network: nn.Module) -> str:
    """The name of the layer whose outputs are the logits, or of the convolution that gives one map per class; "" if there is none."""
    names = [name for name, layer in network.named_modules() if isinstance(layer, nn.Linear | nn.Conv2d)]
    own = [name for name in names if not name.startswith(AUXILIARY)]
    return own[-1] if own else ""


def first_convolution(network: nn.Module) -> str:
    """The name of the first convolution's filters in the `state_dict`; "" if there is none."""
    found = next((name for name, layer in network.named_modules() if isinstance(layer, nn.Conv2d)), None)
    return "" if found is None else f"{found}.weight"


def fold_channels(filters: Tensor, channels: int, norm: Norm | None = None) -> Tensor:
    """Filters (out, in, h, w) for pictures with another number of channels, see above."""
    if channels == 1 and norm is not None and len(norm[1]) == filters.shape[1]:
        deviation = torch.tensor(norm[1], dtype=filters.dtype)
        filters = filters * (deviation.mean() / deviation)[:, None, None]
    summed = filters.sum(1, keepdim=True)
    return summed.expand(-1, channels, -1, -1).contiguous() / channels


def shrink_filters(filters: Tensor) -> Tensor:
    """7x7 filters of stride 2 (margin 3) as 3x3 filters of stride 1 (margin 1), see above.

    >>> shrink_filters(torch.ones(1, 1, 7, 7)).tolist()
    [[[[4.0, 4.0, 4.0], [4.0, 4.0, 4.0], [4.0, 4.0, 4.0]]]]
    """
    inner = filters[..., 1:, 1:]
    rows, columns = inner.shape[-2] // 2, inner.shape[-1] // 2
    return inner.reshape(*inner.shape[:-2], rows, 2, columns, 2).sum((-3, -1))


def _first_filters(given: Tensor, target: Tensor, norm: Norm | None) -> Tensor | None:
    """The first filters in the target's shape, or None if there is no rule for it."""
    if given.ndim != 4 or target.ndim != 4 or given.shape[0] != target.shape[0]:
        return None
    if given.shape[2:] == (7, 7) and target.shape[2:] == (3, 3):
        given = shrink_filters(given)
    if given.shape[1] != target.shape[1]:
        given = fold_channels(given, target.shape[1], norm)
    return given if given.shape == target.shape else None


# --- whose weights are these? ------------------------------------------------------------------------------------------------


def _advice(given: Mapping[str, Tensor], name: str) -> str:
    found = fitting_name(given, near=name)
    if found == name:
        side = find(name).input[1]
        return say(
            en=f" They are for {name} on larger pictures: --size {side}.",
            de=f" Sie sind für {name} auf grösseren Bildern: --size {side}.",
        )
    if not found:
        return say(en=" No network of the zoo fits them.", de=" Kein Netz des Zoos passt dazu.")
    return say(en=f" They are for {found}: --model {found}.", de=f" Sie sind für {found}: --model {found}.")


def fitting_name(given: Mapping[str, Tensor], *, near: str = "") -> str:
    """The network of the zoo that these weights are for, whatever their classes and channels; "" if there is none.

    `near`, and networks whose number of parameters is near, are built without memory for their papers' pictures and compared name by name.
    """
    from wiesel.zoo import build

    size = sum(tensor.numel() for name, tensor in given.items() if "running_" not in name and not name.endswith(COUNTER))
    rows = sorted(ARCHITECTURES, key=lambda row: (row.name != near, abs((row.parameters or 0) - size)))
    for row in rows[:CANDIDATES]:
        with torch.device("meta"):
            network = build(row.name, classes=row.classes, channels=row.input[0], size=row.input[1:])
        try:
            adapt_shapes(network, given)
        except WeightsError:
            continue
        return row.name
    return ""


def adapt_shapes(network: nn.Module, given: Mapping[str, Tensor]) -> None:
    """Raise WeightsError unless every tensor but the head's and the first filters' is there in the right shape, and none besides."""
    own = network.state_dict()
    theirs = best_names(list(own), given)
    last, first = last_layer(network), first_convolution(network)
    for mine, target in own.items():
        their = theirs[mine]
        if mine.endswith(COUNTER) or mine in (f"{last}.weight", f"{last}.bias", first):
            continue
        if their not in given or given[their].numel() != target.numel():
            raise WeightsError
    if any(name not in set(theirs.values()) and not name.startswith(AUXILIARY) for name in given):
        raise WeightsError
