"""Networks by name. `build` gives a plain `nn.Module`; `models` lists what there is, without loading torch.

>>> from wiesel import zoo
>>> network = zoo.build("resnet18", classes=10, channels=1, size=28)
>>> [name for name, _ in network.features.named_children()]
['stem', 'stage1', 'stage2', 'stage3', 'stage4']

`timm:NAME` and `torchvision:NAME` are the networks of those libraries, wherever a name is taken.
"""

from __future__ import annotations

from collections.abc import Mapping
from fnmatch import fnmatchcase
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from wiesel.errors import BadValue
from wiesel.language import say
from wiesel.zoo import catalogue
from wiesel.zoo.catalogue import Architecture
from wiesel.zoo.naming import divided

if TYPE_CHECKING:
    from torch import Tensor, nn

    from wiesel.recipe import Recipe
    from wiesel.zoo.hubs import Pretrained
    from wiesel.zoo.network import Network
    from wiesel.zoo.published_weights import Published
    from wiesel.zoo.surgery import Changed

__all__ = [
    "Architecture",
    "build",
    "change",
    "find",
    "load_weights",
    "load_weights_file",
    "models",
    "of_recipe",
    "pretrained",
    "published",
]

STEMS = ("auto", "small", "imagenet")


def find(name: str) -> Architecture:
    """The row called `name`; changes that the name carries are left aside. Of `timm:NAME` and `torchvision:NAME`, what is known
    without building the network.

    Raises:
        UnknownModel: no such row; the message names the nearest.
        LibraryMissing: the library is not installed.
    """
    plain, _ = divided(name)
    if ":" in plain:
        from wiesel.zoo import foreign

        return foreign.find(plain)
    return catalogue.find(plain)


def models(pattern: str | None = None) -> list[Architecture]:
    """All rows, or those whose name matches: a glob if there is one of `*?[` in it, else a part of the name.

    `timm:PATTERN` and `torchvision:PATTERN` list the networks of those libraries; nothing else does, for that takes seconds.
    """
    library, colon, rest = (pattern or "").partition(":")
    if not colon:
        return catalogue.models(pattern)
    from wiesel.zoo import foreign

    wanted = rest if any(sign in rest for sign in "*?[") else f"*{rest}*"
    return [foreign.find(f"{library}:{name}") for name in foreign.names(library) if fnmatchcase(name, wanted)]


def load_weights(network: nn.Module, state_dict: Mapping[str, Tensor]) -> None:
    """Take over all weights, under our own names, torchvision's or timm's. See `wiesel.zoo.weights`."""
    from wiesel.zoo import weights

    weights.load_weights(network, state_dict)


def load_weights_file(network: nn.Module, path: Path | str) -> None:
    """`load_weights` from a .safetensors file. See `wiesel.zoo.weights`."""
    from wiesel.zoo import weights

    weights.load_weights_file(network, path)


def pretrained(name: str) -> Pretrained:
    """(network, preparation): `name` with published ImageNet weights, and how photographs are prepared for it. See `wiesel.zoo.hubs`.

    >>> network, preparation = zoo.pretrained("efficientnet-lite0")
    >>> preparation.side, preparation.resize, preparation.interpolation
    (224, 256, 'bicubic')
    """
    from wiesel.zoo import hubs

    return hubs.pretrained(name)


def published(pattern: str | None = None) -> list[Published]:
    """Which networks have published weights, and whether they are on this machine. Loads no torch."""
    from wiesel.zoo import published_weights

    return published_weights.rows(pattern)


def of_recipe(recipe: Recipe, *, classes: int, image: tuple[int, int, int]) -> nn.Module:
    """The network that a recipe describes, for pictures of shape `image` (C, H, W). See `build`, also for what it raises."""
    options = recipe.network
    return build(
        recipe.architecture,
        classes=classes,
        channels=image[0],
        size=image[1:],
        stem=options.stem,
        zero_init_last_norm=options.zero_init_last_norm,
        survival=options.survival,
        auxiliary=options.auxiliary,
        changes=options.changes,
    )


def build(
    name: str,
    classes: int = 10,
    channels: int = 1,
    size: int | tuple[int, int] | None = None,
    stem: Literal["auto", "small", "imagenet"] = "auto",
    zero_init_last_norm: bool = True,
    survival: float = 1.0,
    auxiliary: bool = False,
    changes: tuple[str, ...] = (),
) -> nn.Module:
    """The network of row `name` with fresh weights: pictures (B, channels, H, W) to logits (B, classes).

    `size` (side, or height and width, in pixels) is what the network is built for; None means the size in the row. It decides
    about stems, heads and margins, see the file of the family. `stem` "auto" leaves that choice to the family.
    `zero_init_last_norm` starts residual blocks as the identity; networks without such blocks take no notice.
    `survival` below 1 is stochastic depth: the probability that, in training, the last residual block keeps its correction.
    `auxiliary` adds the heads that some papers put half-way up: in training such a network gives `auxiliary.TrainingLogits`.
    `changes` are done to the network in their order, see `wiesel.zoo.surgery`; a name may carry some, which come first:
    `resnet18:residual=off,activation=sigmoid`.

    Weights are drawn from torch's global generator: seed it (or fork it) before.

    Raises:
        UnknownModel: no such row; names the nearest.
        CannotBuild: a network of another library that does not work on such pictures.
        BadValue: fewer than 1 channel or 2 classes, a size below 1 px, a stem, a stochastic depth or auxiliary heads that
            this network does not have.
        PictureTooSmall: the network has no variant for pictures of this size; names the smallest that work.
        UnknownChange, BadChange, LayerNotFound: there is no such change, or this network does not allow it; says why.
    """
    name, own = divided(name)
    if own or changes:
        from wiesel.zoo.surgery import changed

        plain = build(name, classes, channels, size, stem, zero_init_last_norm, survival, auxiliary)
        return changed(plain, (*own, *changes), image=(channels, *_sides(name, size)))
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
    if ":" in name:
        from wiesel.zoo import foreign

        return foreign.build(name, classes=classes, channels=channels, size=(height, width))
    module, function = row.builder.split(":")
    network: Network = getattr(import_module(module), function)(
        classes=classes, channels=channels, size=(height, width), **{knob: options[knob] for knob in row.knobs}
    )
    network.refuse_smaller(height, width)
    return network


def change(network: nn.Module, change: str, *, image: tuple[int, int, int]) -> Changed:
    """A new network with one change, such as `activation=sigmoid`; `network` is not touched. See `wiesel.zoo.surgery.change`."""
    from wiesel.zoo import surgery

    return surgery.change(network, change, image=image)


def _sides(name: str, size: int | tuple[int, int] | None) -> tuple[int, int]:
    if size is None:
        return find(name).input[1:]
    return size if isinstance(size, tuple) else (size, size)
