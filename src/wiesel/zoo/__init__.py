"""Networks by name. `build` gives a plain `nn.Module`; `models` lists what there is, without loading torch.

>>> from wiesel import zoo
>>> network = zoo.build("resnet18", classes=10, channels=1, size=28)
>>> [name for name, _ in network.features.named_children()]
['stem', 'stage1', 'stage2', 'stage3', 'stage4']
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Literal

from wiesel.errors import BadValue
from wiesel.language import say
from wiesel.zoo.catalogue import Architecture, find, models

if TYPE_CHECKING:
    from wiesel.zoo.network import Network

__all__ = ["Architecture", "build", "find", "models"]

STEMS = ("auto", "small", "imagenet")


def build(
    name: str,
    classes: int = 10,
    channels: int = 1,
    size: int | tuple[int, int] | None = None,
    stem: Literal["auto", "small", "imagenet"] = "auto",
    zero_init_last_norm: bool = True,
    survival: float = 1.0,
    auxiliary: bool = False,
) -> Network:
    """The network of row `name` with fresh weights: pictures (B, channels, H, W) to logits (B, classes).

    `size` (side, or height and width, in pixels) is what the network is built for; None means the size in the row. It decides
    about stems, heads and margins, see the file of the family. `stem` "auto" leaves that choice to the family.
    `zero_init_last_norm` starts residual blocks as the identity; networks without such blocks take no notice.
    `survival` below 1 is stochastic depth: the probability that, in training, the last residual block keeps its correction.
    `auxiliary` adds the heads that some papers put half-way up: in training such a network gives `auxiliary.TrainingLogits`.

    Weights are drawn from torch's global generator: seed it (or fork it) before.

    Raises:
        UnknownModel: no such row; names the nearest.
        BadValue: fewer than 1 channel or 2 classes, a size below 1 px, a stem, a stochastic depth or auxiliary heads that
            this network does not have.
        PictureTooSmall: the network has no variant for pictures of this size; names the smallest that work.
    """
    row = find(name)
    height, width = row.input[1:] if size is None else size if isinstance(size, tuple) else (size, size)
    other_stem = stem != "auto" and "stem" not in row.knobs
    other_survival = survival != 1 and "survival" not in row.knobs
    other_auxiliary = auxiliary and "auxiliary" not in row.knobs
    rules = (
        ("classes", classes, classes >= 2, say(en="2 or more", de="2 oder mehr")),
        ("channels", channels, channels >= 1, say(en="1 or more", de="1 oder mehr")),
        ("size", size, min(height, width) >= 1, say(en="1 pixel or more", de="1 Pixel oder mehr")),
        ("stem", stem, stem in STEMS, say(en="one of ", de="eines von ") + ", ".join(STEMS)),
        ("stem", stem, not other_stem, say(en=f"{name} has only one stem: auto", de=f"{name} hat nur einen Anfang: auto")),
        ("survival", survival, 0 < survival <= 1, say(en="above 0, at most 1", de="über 0, höchstens 1")),
        (
            "survival",
            survival,
            not other_survival,
            say(en=f"1, {name} has no stochastic depth", de=f"1, {name} überspringt keine Blöcke"),
        ),
        (
            "auxiliary",
            auxiliary,
            not other_auxiliary,
            say(en=f"False, {name} has no auxiliary heads", de=f"False, {name} hat keine Hilfsköpfe"),
        ),
    )
    for setting, value, fine, expected in rules:
        if not fine:
            raise BadValue(setting=setting, value=value, expected=expected)
    options: dict[str, Any] = {
        "stem": stem,
        "zero_init_last_norm": zero_init_last_norm,
        "survival": survival,
        "auxiliary": auxiliary,
    }
    module, function = row.builder.split(":")
    network: Network = getattr(import_module(module), function)(
        classes=classes, channels=channels, size=(height, width), **{knob: options[knob] for knob in row.knobs}
    )
    network.refuse_smaller(height, width)
    return network
