"""What a change is asked to do, what it works on, and how it says no."""

from __future__ import annotations

from dataclasses import dataclass, field

from torch import nn

from wiesel.errors import BadChange, LayerNotFound, nearest
from wiesel.language import say
from wiesel.zoo.surgery.observing import Seen


@dataclass(frozen=True)
class Request:
    """`name=value`, or `name=value@layer+layer` for a part of the network only."""

    text: str
    name: str
    value: str
    where: tuple[str, ...] = ()

    def refusal(self, *, en: str, de: str) -> BadChange:
        """The error to raise; the two texts end the sentence "the change … is not possible: …"."""
        return BadChange(change=self.text, reason=say(en=en, de=de))


@dataclass
class Work:
    """A network under change: it may be altered and replaced freely. What was done is noted in `layers` and `left_out`."""

    network: nn.Module
    request: Request
    image: tuple[int, int, int]
    seen: Seen
    where: tuple[str, ...]
    """Dotted names that exist; empty for the whole network."""
    layers: list[str] = field(default_factory=list)
    left_out: dict[str, str] = field(default_factory=dict)
    """Layer -> why it stays as it was, or what else it cost."""

    def inside(self, name: str) -> bool:
        """Whether the change is meant for this layer too."""
        return not self.where or any(name == part or name.startswith(f"{part}.") for part in self.where)

    def refusal(self, *, en: str, de: str) -> BadChange:
        return self.request.refusal(en=en, de=de)

    def place(self) -> str:
        """The part that was meant, for a sentence."""
        return " + ".join(self.where) or say(en="this network", de="diesem Netz")

    def refuse_a_part(self) -> None:
        """For changes that go through the whole network or not at all."""
        if self.where:
            raise self.refusal(
                en="it goes through the whole network; leave @… away", de="sie geht durch das ganze Netz; lass @… weg"
            )


def found(network: nn.Module, where: tuple[str, ...]) -> tuple[str, ...]:
    """Full names of the layers meant; the leading `features.` of our networks may be left out.

    Raises:
        LayerNotFound: no such layer; names the nearest.
    """
    names = [name for name, _ in network.named_modules(remove_duplicate=False) if name]
    full = []
    for part in where:
        name = part if part in names or f"features.{part}" not in names else f"features.{part}"
        if name not in names:
            raise LayerNotFound(layer=part, nearest=nearest(part, names))
        full.append(name)
    return tuple(full)
