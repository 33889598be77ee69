"""`init=he`, `xavier`, `normal:0.01`, `pytorch`, `fixup`: all weights drawn anew, by another rule.

Layers that come later are drawn by the same rule. Blocks that start as their shortcut go on doing so.

Fixup (Zhang, Dauphin, Ma 2019, arXiv:1901.09321) is for residual networks without norms, so `norm=off` comes before it. Of L blocks
with m convolutions each, all but the last convolution are He's times L^(-1/(2m-2)), the last is 0, and so is the layer that makes
the logits; each correction gets a scalar factor, 1 at first, where its last norm was. In place of the paper's scalar biases before
each layer are the biases of the convolutions, one for each channel, which they got from `norm=off`.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor, nn

from wiesel.blocks import initialisation
from wiesel.zoo.surgery.norm import is_norm
from wiesel.zoo.surgery.replacing import is_zero, replace
from wiesel.zoo.surgery.residual import SHORTCUTS, residual_blocks
from wiesel.zoo.surgery.work import Request, Work


class Factor(nn.Module):
    """Its input times one learned number, 1 at first."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(()))

    def forward(self, x: Tensor) -> Tensor:
        return self.weight * x


def check(request: Request) -> None:
    kind, _, number = request.value.partition(":")
    if request.value in ("he", "xavier", "pytorch", "fixup") or (kind == "normal" and _positive(number)):
        return
    raise request.refusal(
        en="an initialisation is he, xavier, pytorch, fixup or normal:0.01 (a standard deviation above 0)",
        de="eine Initialisierung ist he, xavier, pytorch, fixup oder normal:0.01 (eine Standardabweichung über 0)",
    )


def _positive(text: str) -> bool:
    try:
        return 0 < float(text) < float("inf")
    except ValueError:
        return False


def apply(work: Work) -> None:
    kind, _, number = work.request.value.partition(":")
    if kind == "fixup":
        _fixup(work)
        return
    rules: dict[str, Callable[[nn.Module], None]] = {
        "he": initialisation.he,
        "xavier": initialisation.xavier,
        "pytorch": initialisation.pytorch,
    }
    rule = partial(initialisation.normal, std=float(number)) if kind == "normal" else rules[kind]
    for part in work.where or ("",):
        _redraw(work, part, rule)
    if not work.layers:
        raise work.refusal(en=f"there are no weights in {work.place()}", de=f"es gibt keine Gewichte in {work.place()}")


def _redraw(work: Work, part: str, rule: Callable[[nn.Module], None]) -> None:
    top = work.network.get_submodule(part)
    zero = [layer.weight for layer in top.modules() if is_norm(layer) and is_zero(getattr(layer, "weight", None))]
    for own, layer in top.named_modules():
        if isinstance(layer, (nn.Conv2d, nn.Linear)):
            layer.reset_parameters()  # what the rule leaves alone must not stay as it was trained
            work.layers.append(".".join(name for name in (part, own) if name))
    rule(top)
    for weight in zero:
        nn.init.zeros_(weight)  # type: ignore[arg-type]


@torch.no_grad()
def _fixup(work: Work) -> None:
    work.refuse_a_part()
    norms = [name for name, layer in work.network.named_modules() if is_norm(layer)]
    if norms:
        raise work.refusal(
            en=f"fixup is for networks without norms, and there are {len(norms)}; ask for norm=off before it",
            de=f"fixup ist für Netze ohne Normen, hier sind {len(norms)}; verlange vorher norm=off",
        )
    blocks = residual_blocks(work.network)
    if not blocks:
        raise work.refusal(en="there are no residual blocks", de="es gibt keine Residualblöcke")
    _redraw(work, "", initialisation.he)
    for block in blocks:
        convs = block.convolutions()
        for _, conv in convs[:-1]:
            conv.weight.mul_(len(blocks) ** (-1 / (2 * len(convs) - 2)))
        name, last = convs[-1]
        last.weight.zero_()
        _factor_after(work, block.name, name)
    output = work.seen.last_weighted()
    if output is not None:
        for parameter in work.network.get_submodule(output.name).parameters():
            parameter.zero_()


def _factor_after(work: Work, block: str, conv: str) -> None:
    """In the place where the norm after the last convolution was."""
    parent, _, own = conv.rpartition(".")
    siblings = list(work.network.get_submodule(parent).named_children())
    place = [name for name, _ in siblings].index(own) + 1
    if place < len(siblings) and type(siblings[place][1]) is nn.Identity and siblings[place][0] not in SHORTCUTS:
        replace(work.network, f"{parent}.{siblings[place][0]}" if parent else siblings[place][0], Factor())
    else:
        work.left_out[block] = "no scalar factor"
