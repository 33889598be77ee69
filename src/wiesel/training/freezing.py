"""Which layers of a pretrained network learn, when, and how fast.

A network is a row of stages from the picture to the head. What is frozen keeps its weights and stays in evaluation mode, so that the running
statistics of its norms and its dropout are as they were; everything that is registered before it is frozen with it. All of this is a
pure function of the recipe and the epoch, so a resumed run needs to remember nothing about it.
"""

from __future__ import annotations

import torch
from torch import nn

from wiesel.errors import BadValue, LayerNotFound, nearest
from wiesel.language import say
from wiesel.recipe import Transfer
from wiesel.zoo.adapting import last_layer
from wiesel.zoo.network import Network

ROWS = ("features", "blocks", "stages", "layers", "trunk_output")
"""What torchvision and timm call the module that holds the stages in a row."""


BATCH_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)


class Freezing:
    """For one network and one recipe's section `transfer`.

    Raises:
        BadValue: more stages are to be frozen than there are.
        LayerNotFound: "until:" names no layer.
    """

    def __init__(self, network: nn.Module, transfer: Transfer) -> None:
        self.network, self.transfer = network, transfer
        self.fixed = {id(parameter) for parameter in network.parameters() if not parameter.requires_grad}  # by design: never learn
        self.names = [name for name, _ in network.named_modules()]
        self.modules = [module for _, module in network.named_modules()]
        self.stages = stages_of(network)
        self.epoch: int | None = None
        self.held: list[nn.Module] = []
        self.floor = self._floor()
        for parameter, place in self._placed():
            parameter.requires_grad_(place > self.floor)

    def begin(self, epoch: int) -> None:
        """Freeze what does not learn in this epoch. To be called before each step, since validation sets the whole network to training."""
        if epoch != self.epoch:
            self.epoch = epoch
            last = self.last_frozen(epoch)
            ends = [self._end(name) for name in self.names]
            self.held = [module for module, end in zip(self.modules, ends, strict=True) if end <= last]
            for parameter, place in self._placed():
                parameter.requires_grad_(place > last)
                if place <= last:
                    parameter.grad = None
            if self.transfer.norm_statistics == "keep":
                self.held += [module for module in self.modules if isinstance(module, BATCH_NORMS)]
        for module in self.held:
            module.training = False

    def last_frozen(self, epoch: int) -> int:
        """The place of the last frozen module among all modules; -1: nothing is frozen."""
        if not self.transfer.unfreeze:
            return self.floor
        still = len(self.stages) - epoch // self.transfer.unfreeze
        return max(self.floor, self._end(self.stages[still - 1]) if still > 0 else -1)

    def slow(self, optimiser: torch.optim.Optimizer) -> torch.optim.Optimizer:
        """Give each stage its own rate: every group is divided by stage, and its factor `relative` multiplied. The same optimiser."""
        decay = self.transfer.layer_decay
        if decay == 1:
            return optimiser
        depth = {id(parameter): self._height(place) for parameter, place in self._placed()}
        groups = []
        for group in optimiser.param_groups:
            for height in sorted({depth[id(p)] for p in group["params"]}):
                params = [p for p in group["params"] if depth[id(p)] == height]
                groups.append({**group, "params": params, "relative": group["relative"] * decay**height})
        optimiser.param_groups = groups
        return optimiser

    def _floor(self) -> int:
        """What never learns: the place of its last module."""
        wanted = self.transfer.freeze
        if isinstance(wanted, int):
            if wanted > len(self.stages):
                stages = ", ".join(self.stages)
                expected = say(en=f"at most {len(self.stages)}: {stages}", de=f"höchstens {len(self.stages)}: {stages}")
                raise BadValue(setting="freeze", value=wanted, expected=expected)
            return self._end(self.stages[wanted - 1]) if wanted else -1
        layer = wanted.removeprefix("until:")
        found = [name for name in self.names if name == layer or name == f"features.{layer}"]
        if not found or not layer:
            raise LayerNotFound(layer=layer, nearest=nearest(layer, self.names))
        return self._end(found[0])

    def _end(self, name: str) -> int:
        """The place of the last module inside this one."""
        inside = [place for place, other in enumerate(self.names) if other == name or other.startswith(f"{name}.") or not name]
        return inside[-1]

    def _placed(self) -> list[tuple[nn.Parameter, int]]:
        """Every parameter that may learn, with the place of the module that has it."""
        return [
            (parameter, place)
            for place, module in enumerate(self.modules)
            for parameter in module.parameters(recurse=False)
            if id(parameter) not in self.fixed
        ]

    def _height(self, place: int) -> int:
        """How many stages (the head is one) lie between this module's and the head: 0 for the head itself."""
        ends = [self._end(stage) for stage in self.stages]
        return sum(place <= end for end in ends)


def stages_of(network: nn.Module) -> list[str]:
    """The names of the stages from the picture on, without the head: of ours the children of `features`, of others' networks what
    comes before the last layer, each child or, where one holds a row of stages, each of those."""
    if isinstance(network, Network):
        return [f"features.{name}" for name, layer in network.features.named_children() if _holds(layer)]
    last = last_layer(network).partition(".")[0]
    found: list[str] = []
    for name, child in network.named_children():
        if name == last and name not in ROWS:
            break
        row = dict(child.named_children()).items() if name in ROWS else [("", child)]
        found += [".".join(filter(None, (name, part))) for part, layer in row if _holds(layer)]
    return found


def _holds(layer: nn.Module) -> bool:
    return next(layer.parameters(), None) is not None or next(layer.buffers(), None) is not None
