"""Surgery with its account: what each change did to the layers, to the number of parameters, and to the multiply-adds."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from torch import nn

from wiesel.analysis.cost import cost
from wiesel.zoo.surgery import Changed, change_in_place, parse


@dataclass(frozen=True)
class Account:
    """One change, done."""

    changed: Changed
    macs: tuple[int, int]
    """Multiply-adds for one picture, before and after."""

    def sentence(self) -> str:
        return self.changed.sentence(self.macs)

    def to_json(self) -> dict[str, Any]:
        return {
            "change": self.changed.change,
            "layers": list(self.changed.layers),
            "left_out": self.changed.left_out,
            "parameters": list(self.changed.parameters),
            "macs": list(self.macs),
        }


def change(network: nn.Module, changes: Sequence[str], *, image: tuple[int, int, int]) -> tuple[nn.Module, tuple[Account, ...]]:
    """A new network with all changes, in their order, and the account of each. `network` is not touched.

    Raises:
        UnknownChange, BadChange, LayerNotFound, PictureTooSmall: see `wiesel.zoo.change`.
    """
    for text in changes:
        parse(text)
    accounts: list[Account] = []
    if changes:
        network = copy.deepcopy(network)
        macs = cost(network, image).macs
        for text in changes:
            done = change_in_place(network, text, image=image)
            network, before = done.network, macs
            macs = cost(network, image).macs
            accounts.append(Account(done, (before, macs)))
    return network, tuple(accounts)
