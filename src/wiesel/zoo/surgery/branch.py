"""`branch=parallel:3x3`: beside each convolution that looks around, another one on the same maps; what they give is added.

With `@` beside any layer that makes maps of maps: `@features` puts one branch beside all convolutions, up to the dense layers,
`@features.stage2` beside one stage. The branch is a convolution, a norm if the network has batch norms, and the network's
activation: without anything in between, two convolutions that are added would be one. It strides as its neighbour shrinks, but never
so far that it would skip pixels; means of what it found do the rest.
"""

from __future__ import annotations

import copy
from collections import OrderedDict
from typing import NamedTuple

from torch import Tensor, nn

from wiesel.language import say
from wiesel.zoo.auxiliary import NetworkWithAuxiliaryHeads
from wiesel.zoo.network import Network
from wiesel.zoo.surgery.activation import is_activation
from wiesel.zoo.surgery.kernel import refuse_even, sides
from wiesel.zoo.surgery.observing import maps
from wiesel.zoo.surgery.replacing import draw, replace
from wiesel.zoo.surgery.work import Request, Work


class Parallel(nn.Module):
    """The sum of what two layers make of the same maps."""

    def __init__(self, main: nn.Module, branch: nn.Module) -> None:
        super().__init__()
        self.main = main
        self.branch = branch

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.main(x) + self.branch(x)
        return y


def check(request: Request) -> None:
    kind, _, size = request.value.partition(":")
    if kind != "parallel" or not size:
        raise request.refusal(en="a branch is parallel:3x3 (any odd size)", de="ein Zweig ist parallel:3x3 (jede ungerade Grösse)")
    refuse_even(request, size, sides(size))


def apply(work: Work) -> None:
    kernel = sides(work.request.value.partition(":")[2])
    assert kernel is not None
    targets = work.where or tuple(
        name for name, layer in work.network.named_modules() if isinstance(layer, nn.Conv2d) and max(layer.kernel_size) > 1
    )
    for name in targets:
        branch, reason = _branch(work, name, kernel)
        if branch is None:
            work.left_out[name] = reason
            continue
        pair: nn.Module = Parallel(work.network.get_submodule(name), branch)
        place = f"{name}.branch"
        if isinstance(work.network, Network) and name == "features":  # stages stay the children of a sequence
            pair, place = nn.Sequential(OrderedDict(stages=pair)), f"{name}.stages.branch"
        replace(work.network, name, pair)
        draw(work.network, place)
        work.layers.append(place)
    if not work.layers:
        reason = next((f"{name}: {why}" for name, why in work.left_out.items()), "")
        raise work.refusal(
            en=reason or f"no convolution in {work.place()} looks around",
            de=reason or f"keine Faltung in {work.place()} sieht um sich",
        )


def _branch(work: Work, name: str, kernel: tuple[int, int]) -> tuple[nn.Sequential | None, str]:
    """What stands beside `name`; or None and why not."""
    call = work.seen.of(name)
    before, after = (maps(call.input), maps(call.output)) if call is not None else (None, None)
    if before is None or after is None:
        return None, say(en="does not make maps of maps", de="macht nicht aus Karten Karten")
    if name == "features" and isinstance(work.network, NetworkWithAuxiliaryHeads):
        return None, say(en="auxiliary heads tap its stages", de="Hilfsköpfe zapfen seine Stufen an")
    neighbour = work.network.get_submodule(name)
    own = neighbour.stride if isinstance(neighbour, nn.Conv2d) else (None, None)
    down, right = (_fit(before[axis + 1], after[axis + 1], kernel[axis], own[axis]) for axis in (0, 1))
    with_norm = any(isinstance(layer, nn.BatchNorm2d) for layer in work.network.modules())
    activation = next((copy.deepcopy(m) for n, m in work.network.named_modules() if is_activation(n, m)), nn.ReLU())
    layers: OrderedDict[str, nn.Module] = OrderedDict()
    if min(down.padding, right.padding) < 0:  # the neighbour leaves out more of the margin than this kernel does
        top, left = min(0, down.padding), min(0, right.padding)
        layers["crop"] = nn.ZeroPad2d((left, left, top, top))
    layers["conv"] = nn.Conv2d(
        before[0],
        after[0],
        kernel,
        stride=(down.stride, right.stride),
        padding=(max(0, down.padding), max(0, right.padding)),
        groups=neighbour.groups if isinstance(neighbour, nn.Conv2d) else 1,
        bias=not with_norm,
    )
    if with_norm:
        layers["norm"] = nn.BatchNorm2d(after[0])
    layers["activation"] = activation
    if not (down.exact and right.exact):
        layers["pool"] = nn.AdaptiveAvgPool2d((after[1], after[2]))
    return nn.Sequential(layers), ""


class _Fit(NamedTuple):
    stride: int
    padding: int
    """Below 0: so many pixels are cut off on each side."""
    exact: bool
    """Whether the convolution alone makes maps of the size that is needed; else their means must."""


def _fit(before: int, after: int, kernel: int, stride: int | None) -> _Fit:
    """How a convolution makes `after` pixels of `before`, with the stride given, or one that leaves out no pixel.

    >>> _fit(28, 28, 3, 1), _fit(28, 24, 3, 1), _fit(28, 7, 3, None)
    (_Fit(stride=1, padding=1, exact=True), _Fit(stride=1, padding=-1, exact=True), _Fit(stride=2, padding=1, exact=False))
    """
    if stride is None:
        ratio = max(1, round(before / after))
        stride = max(step for step in range(1, min(ratio, kernel) + 1) if ratio % step == 0)
        paddings = [kernel // 2]
    else:
        missing = (after - 1) * stride + kernel - before
        paddings = [kernel // 2, -(-missing // 2)]
    for padding in paddings:
        if (before + 2 * padding - kernel) // stride + 1 == after:
            return _Fit(stride, padding, True)
    return _Fit(stride, kernel // 2, False)
