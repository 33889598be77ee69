"""Surgery: another network out of one, by a change that is data.

    activation=sigmoid      relu, leaky_relu, gelu, silu, tanh, …; @layer for a part
    pooling=stride          stride, conv, avg, max
    residual=off            the plain twin
    norm=off                off, batch, group, group:8, layer
    init=he                 he, xavier, normal:0.01, pytorch, fixup
    kernel=5                5, 7, 3x7, …
    width=0.5               a factor on all numbers of channels
    depth=+1                blocks more, or fewer, per stage
    branch=parallel:3x3     another convolution beside
    head=onehot             the class itself, as one-hot vector and number
    head=blocks             the last layer sees every block, for probes of pretrained networks

Changes are done in their order, each on what the one before it left. New layers are drawn as the network's own were, from torch's
global generator. `@features.stage1` (or `@stage1+stage2`) keeps a change to a part, where it makes sense.

Most work on any `nn.Module`, by looking at one forward pass on the meta device (`observing.py`). After each change the network is
looked through again: a change after which pictures no longer pass is refused. `Changed` counts parameters; multiply-adds are counted
where analysis may be imported, in `wiesel.jobs.change`.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Sequence
from dataclasses import dataclass
from types import ModuleType

from torch import nn

from wiesel.errors import PictureTooSmall, UnknownChange, nearest
from wiesel.language import grouped, say
from wiesel.zoo.surgery import activation, branch, depth, head, init, kernel, norm, pooling, residual, width
from wiesel.zoo.surgery.observing import Seen, observe
from wiesel.zoo.surgery.replacing import sizes
from wiesel.zoo.surgery.work import Request, Work, found

__all__ = ["Changed", "change", "change_in_place", "changed", "parse"]

CHANGES: dict[str, ModuleType] = {
    "activation": activation,
    "pooling": pooling,
    "residual": residual,
    "norm": norm,
    "init": init,
    "kernel": kernel,
    "width": width,
    "depth": depth,
    "branch": branch,
    "head": head,
}
SOME = 3


@dataclass(frozen=True)
class Changed:
    """A changed network, and what was done to it."""

    network: nn.Module
    change: str
    layers: tuple[str, ...]
    """Which were replaced, added, drawn anew or taken away."""
    left_out: dict[str, str]
    """Layer -> why it stays as it was, or what else it cost it."""
    parameters: tuple[int, int]
    """Before and after."""

    def sentence(self, macs: tuple[int, int] | None = None) -> str:
        """What changed, and how the number of parameters moved, and that of multiply-adds if somebody has counted them."""
        some = ", ".join(self.layers[:SOME]) + (", …" if len(self.layers) > SOME else "")
        before, after = (grouped(count) for count in self.parameters)
        text = say(
            en=f"{self.change}: {len(self.layers)} {'layer' if len(self.layers) == 1 else 'layers'} ({some}), parameters {before} -> {after}",
            de=f"{self.change}: {len(self.layers)} {'Schicht' if len(self.layers) == 1 else 'Schichten'} ({some}), Parameter {before} -> {after}",
        )
        if macs is not None:
            text += say(en=", multiply-adds ", de=", Multiplikationen ") + " -> ".join(grouped(count) for count in macs)
        if self.left_out:
            reasons = "; ".join(f"{name}: {why}" for name, why in list(self.left_out.items())[:SOME])
            text += say(en="; but ", de="; aber ") + reasons + ("; …" if len(self.left_out) > SOME else "")
        return text


def parse(change: str) -> Request:
    """`name=value` or `name=value@layer+layer`, checked as far as that is possible without a network.

    Raises:
        UnknownChange: no such change; names the nearest.
        BadChange: no such value; says which there are.
    """
    name, _, rest = change.strip().partition("=")
    if name not in CHANGES:
        raise UnknownChange(name=name, nearest=nearest(name, list(CHANGES)), known=", ".join(CHANGES))
    value, at, where = rest.partition("@")
    parts = tuple(where.split("+")) if at else ()
    request = Request(change.strip(), name, value.strip(), parts)
    if any(not re.fullmatch(r"\w+(\.\w+)*", part) for part in parts):
        raise request.refusal(
            en="after @ comes the name of a layer, or several with +", de="nach @ steht der Name einer Schicht, oder mehrere mit +"
        )
    CHANGES[name].check(request)
    return request


def change(network: nn.Module, change: str, *, image: tuple[int, int, int]) -> Changed:
    """A new network with the change; `network` is not touched. `image` is the (C, H, W) of its pictures.

    >>> change(build("resnet20"), "residual=off", image=(1, 28, 28)).parameters
    (269434, 269434)

    Raises:
        UnknownChange, BadChange: there is no such change, or it makes no sense here; says why.
        LayerNotFound: no such layer; names the nearest.
        PictureTooSmall: the network takes no pictures of this size.
    """
    parse(change)
    return change_in_place(copy.deepcopy(network), change, image=image)


def change_in_place(network: nn.Module, change: str, *, image: tuple[int, int, int]) -> Changed:
    """As `change`, but `network` is used up, which saves a copy."""
    request = parse(change)
    return _operate(network, request, image, _observed(network, request, image))[0]


def changed(network: nn.Module, changes: Sequence[str], *, image: tuple[int, int, int]) -> nn.Module:
    """All changes in their order. `network` is used up: it may be altered, and another one returned. Raises as `change` does."""
    requests = [parse(text) for text in changes]
    seen: Seen | None = None
    for request in requests:
        done, seen = _operate(network, request, image, seen or _observed(network, request, image))
        network = done.network
    return network


def _operate(network: nn.Module, request: Request, image: tuple[int, int, int], seen: Seen) -> tuple[Changed, Seen]:
    before = sizes(network)
    work = Work(network, request, image, seen, found(network, request.where))
    CHANGES[request.name].apply(work)
    after = _observed(work.network, request, image)
    if after.output != seen.output:
        raise request.refusal(
            en=f"logits would have the shape {after.output} instead of {seen.output}",
            de=f"Logits hätten die Form {after.output} statt {seen.output}",
        )
    return Changed(work.network, request.text, tuple(work.layers), work.left_out, (before, sizes(work.network))), after


def _observed(network: nn.Module, request: Request, image: tuple[int, int, int]) -> Seen:
    try:
        return observe(network, image)
    except PictureTooSmall:
        raise
    except Exception as error:  # a network from anywhere may raise anything
        size = "x".join(map(str, image))
        raise request.refusal(
            en=f"pictures of {size} do not pass through the network ({str(error).splitlines()[0] if str(error) else type(error).__name__})",
            de=f"Bilder von {size} kommen nicht durch das Netz ({str(error).splitlines()[0] if str(error) else type(error).__name__})",
        ) from error
