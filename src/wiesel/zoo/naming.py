"""A model's name may carry changes: `resnet18:residual=off,activation=sigmoid`. What is name and what is change is decided here.

Colons may also be part of the name itself (`timm:resnet18`) and of a value (`init=normal:0.01`); the changes begin at the first part
between colons that has a `=`. Loads no torch.
"""

from __future__ import annotations


def divided(name: str) -> tuple[str, tuple[str, ...]]:
    """The name proper, and its changes in order.

    >>> divided("resnet18")
    ('resnet18', ())
    >>> divided("timm:resnet18:init=normal:0.01,norm=off")
    ('timm:resnet18', ('init=normal:0.01', 'norm=off'))
    """
    parts = name.split(":")
    first = next((number for number, part in enumerate(parts) if "=" in part), len(parts))
    changes = ":".join(parts[first:])
    return ":".join(parts[:first]), tuple(change.strip() for change in changes.split(",") if change.strip())


def joined(name: str, changes: tuple[str, ...]) -> str:
    """The inverse.

    >>> joined("resnet18", ("residual=off", "kernel=5"))
    'resnet18:residual=off,kernel=5'
    """
    return f"{name}:{','.join(changes)}" if changes else name
