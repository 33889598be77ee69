"""`residual=off`: the same blocks without their shortcuts, as in the plain networks of He et al. 2015 (arXiv:1512.03385, figure 3).

The twin keeps all other weights. A correction that started at 0 (a last norm of scale 0, a scale near 0) would cut the network in
two without its shortcut; it starts at 1 then. Projections belong to the shortcuts and go with them.

Known are the blocks of this zoo, the ResNets, MobileNets and EfficientNets of torchvision, and those of timm that are built alike.
Concatenation (DenseNet) is no shortcut in this sense.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from wiesel.blocks.mbconv import MBConv
from wiesel.zoo.efficientnetv2 import FusedMBConv
from wiesel.zoo.resnet import BasicBlock, Bottleneck
from wiesel.zoo.surgery.norm import is_norm
from wiesel.zoo.surgery.observing import observe
from wiesel.zoo.surgery.replacing import is_zero
from wiesel.zoo.surgery.work import Request, Work

SHORTCUTS = ("shortcut", "projection", "downsample")
"""Attributes that hold the layer on the shortcut; what they give is added to the correction."""
SWITCHES = ("use_res_connect", "has_skip", "has_residual")
"""Attributes of other libraries that say whether there is a shortcut."""
PLAIN_IF_NONE = (BasicBlock, Bottleneck)
"""Blocks that know themselves what to do without a shortcut."""
DOWNSAMPLING = {"BasicBlock", "Bottleneck"}
BESIDE = ("squeeze_excite", "se")
NEARLY_ZERO = 1e-5


class Nothing(nn.Module):
    """What is added in a shortcut's place: a 0 of the right device and number format."""

    def forward(self, x: Tensor) -> Tensor:
        return x.new_zeros(())


@dataclass(frozen=True)
class ResidualBlock:
    name: str
    block: nn.Module
    attribute: str
    """By which the shortcut is taken out."""

    def convolutions(self) -> list[tuple[str, nn.Conv2d]]:
        """Those of the correction, with their full names, in order."""
        prefix = f"{self.name}." if self.name else ""
        return [
            (prefix + name, layer)
            for name, layer in self.block.named_modules()
            if isinstance(layer, nn.Conv2d) and name.partition(".")[0] not in (*SHORTCUTS, *BESIDE)
        ]


def residual_blocks(network: nn.Module) -> list[ResidualBlock]:
    """All blocks whose shortcut this file knows how to take out, and that still have it."""
    blocks = []
    for name, block in network.named_modules():
        attribute = _attribute(block)
        if attribute is not None:
            blocks.append(ResidualBlock(name, block, attribute))
    return blocks


def _attribute(block: nn.Module) -> str | None:
    if isinstance(block, (MBConv, FusedMBConv)):
        return None if block.stochastic_depth is None else "stochastic_depth"
    if isinstance(block, PLAIN_IF_NONE):
        return None if block.shortcut is None else "shortcut"
    ours = type(block).__module__.startswith("wiesel.")
    for attribute in SHORTCUTS:
        if attribute in block._modules or attribute in vars(block):
            known = ours or (attribute == "downsample" and type(block).__name__ in DOWNSAMPLING)
            if known and not isinstance(getattr(block, attribute), Nothing):
                return attribute
    return next((switch for switch in SWITCHES if vars(block).get(switch) is True), None)


def check(request: Request) -> None:
    if request.value != "off":
        raise request.refusal(
            en="residual connections can only be taken away: residual=off",
            de="Abkürzungen (Shortcuts) kann man nur wegnehmen: residual=off",
        )


def apply(work: Work) -> None:
    before = work.seen.additions
    for found in residual_blocks(work.network):
        if not work.inside(found.name):
            continue
        _take_out(found)
        _wake(found.block)
        work.layers.append(found.name)
    adding = sorted({name for name in before if work.inside(name) and before[name]})
    if not work.layers:
        if not adding:
            raise work.refusal(
                en=f"there are no shortcuts in {work.place()}", de=f"es gibt keine Abkürzungen (Shortcuts) in {work.place()}"
            )
        raise work.refusal(
            en=f"{adding[0] or 'the network'} adds maps in its forward, in a way that is not known here",
            de=f"{adding[0] or 'das Netz'} addiert Karten in seinem forward auf eine Art, die hier nicht bekannt ist",
        )
    left = observe(work.network, work.image).additions
    stubborn = [name for name in work.layers if left.get(name, 0) >= before.get(name, 1) > 0]
    if stubborn:
        raise work.refusal(en=f"{stubborn[0]} adds its shortcut all the same", de=f"{stubborn[0]} addiert die Abkürzung trotzdem")


def _take_out(found: ResidualBlock) -> None:
    block, attribute = found.block, found.attribute
    if attribute in SWITCHES:
        setattr(block, attribute, False)
    elif attribute == "stochastic_depth" or isinstance(block, PLAIN_IF_NONE):
        setattr(block, attribute, None)
    else:
        setattr(block, attribute, Nothing().train(block.training))


def _wake(block: nn.Module) -> None:
    """What started at 0 because of the shortcut starts at 1."""
    for layer in block.modules():
        weight = getattr(layer, "weight", None)
        if is_norm(layer) and isinstance(weight, nn.Parameter) and is_zero(weight):
            nn.init.ones_(weight)
    scale = getattr(block, "scale", None)
    if isinstance(scale, nn.Parameter) and not scale.is_meta and bool((scale.abs() <= NEARLY_ZERO).all()):
        with torch.no_grad():
            scale.fill_(1)
