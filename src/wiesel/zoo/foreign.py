"""The networks of timm and torchvision by name, `timm:resnet10t`, `torchvision:swin_t`: plain modules, from pictures to logits.

Both libraries are imported when somebody asks for one of their networks, and never fetch weights unless asked to.
"""

from __future__ import annotations

import warnings
from difflib import get_close_matches
from importlib import import_module
from typing import Any

import torch
from torch import Tensor, nn

from wiesel.errors import CannotBuild, LibraryMissing, NoPretrained, UnknownForeignModel, UnknownModel, WeightsNotHere, nearest
from wiesel.language import say
from wiesel.zoo.catalogue import ARCHITECTURES, Architecture
from wiesel.zoo.published_weights import Preparation, weights_folder

LIBRARIES = ("timm", "torchvision")

SIDE = 224
"""Pixels, where a library does not say for how many a network is made."""

COLOURS = 3
"""Channels that the first layers of both libraries' networks take."""

AUXILIARY_HEADS = ("googlenet", "inception_v3")
"""torchvision gives these heads half-way up unless told not to; in training they would put out more than logits."""


def names(library: str) -> list[str]:
    """All classification networks of a library. No weights are read."""
    found: list[str] = _library(library).list_models(
        **({} if library == "timm" else {"module": import_module("torchvision.models")})
    )
    return found


def find(name: str) -> Architecture:
    """The row of `library:network`, with what the library knows without building it.

    Raises:
        UnknownModel: no such library or network; names the nearest.
        LibraryMissing: the library is not installed.
    """
    library, _, network = name.partition(":")
    if library not in LIBRARIES:
        near = get_close_matches(library, LIBRARIES, n=1)
        hint = nearest(name, [f"{near[0]}:{network}"]) if near else nearest(network, [row.name for row in ARCHITECTURES])
        raise UnknownModel(name=name, nearest=hint, count=len(ARCHITECTURES))
    known = names(library)
    if network not in known and not (library == "timm" and network.partition(".")[0] in known):
        raise UnknownForeignModel(name=name, nearest=_nearest(network, known, library), count=len(known), library=library)
    return Architecture(
        name=name,
        builder="wiesel.zoo.foreign:build",
        family=library,
        year=None,
        paper="",
        input=_own_image(library, network),
        classes=1000,
        parameters=None,
        macs=None,
    )


def build(name: str, *, classes: int, channels: int, size: tuple[int, int]) -> nn.Module:
    """The network `library:network` with fresh weights: pictures (B, channels, H, W) to logits (B, classes).

    It is tried once on a picture of zeros, so that one that cannot work on this size is refused here and not in training.

    Raises:
        UnknownModel, LibraryMissing: see `find`.
        CannotBuild: not with these channels, or not for this size; says what the library says.
    """
    library, _, network = name.partition(":")
    row = find(name)
    make = _timm if library == "timm" else _torchvision
    image = (channels, *size)
    facts = {"name": name, "image": _times(image), "own": _times(row.input)}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            made = _on_any_device(lambda: make(network, classes, channels, size, row.input[1:]))
            logits = _try(made, image)
        except (
            RuntimeError,
            ValueError,
            AssertionError,
            TypeError,
            IndexError,
            KeyError,
            AttributeError,
            NotImplementedError,
        ) as error:
            raise CannotBuild(**facts, cause=_first_line(error)) from error
    if not isinstance(logits, Tensor) or logits.shape != (1, classes):
        said = _times(tuple(logits.shape[1:])) if isinstance(logits, Tensor) else type(logits).__name__
        raise CannotBuild(
            **facts, cause=say(en=f"it gives {said}, not {classes} logits", de=f"es gibt {said}, nicht {classes} Logits")
        )
    return made


def pretrained(name: str) -> tuple[nn.Module, Preparation]:
    """The network `library:network` with the library's weights, fetched if they are not here.

    Raises:
        UnknownModel, LibraryMissing: see `find`.
        NoPretrained: the library has no weights for it.
        WeightsNotHere: they could not be fetched; says where to put which file.
    """
    library, _, network = name.partition(":")
    find(name)
    return _pretrained_timm(name, network) if library == "timm" else _pretrained_torchvision(name, network)


# --- timm --------------------------------------------------------------------------------------------------------------------


def _timm(network: str, classes: int, channels: int, size: tuple[int, int], own: tuple[int, int]) -> nn.Module:
    timm = _library("timm")
    options: dict[str, Any] = {"pretrained": False, "num_classes": classes, "in_chans": channels}
    configuration = timm.get_pretrained_cfg(network)
    if size != own and configuration is not None and configuration.fixed_input_size:
        # Attention over all positions: the table of positions is as large as the picture.
        try:
            made: nn.Module = timm.create_model(network, img_size=size, **options)
        except TypeError:
            pass  # fixed all the same, as far as timm says; whether it works is tried later
        else:
            return made
    made = timm.create_model(network, **options)
    return made


def _pretrained_timm(name: str, network: str) -> tuple[nn.Module, Preparation]:
    timm = _library("timm")
    configuration = timm.get_pretrained_cfg(network)
    if configuration is None or not configuration.has_weights:
        raise NoPretrained(name=name, nearest="")
    file = f"{network}.safetensors"
    path = weights_folder() / file
    url = f"https://huggingface.co/{configuration.hf_hub_id}/resolve/main/model.safetensors"
    if not path.is_file():
        from wiesel.zoo.hubs import fetch, reason, remedy

        try:
            fetch(url, path, "")
        except OSError as error:
            raise WeightsNotHere(name=name, why=reason(error), remedy=remedy(), url=url, folder=path.parent, file=file) from error
    made = timm.create_model(network, pretrained=True, pretrained_cfg_overlay={"file": str(path)})
    facts = timm.data.resolve_model_data_config(made)
    side = int(facts["input_size"][-1])
    preparation = Preparation(
        side=side,
        resize=int(side / facts["crop_pct"]),
        interpolation="bilinear" if facts["interpolation"] == "bilinear" else "bicubic",
        mean=tuple(facts["mean"]),
        std=tuple(facts["std"]),
        squash=facts["crop_mode"] == "squash",
    )
    return made.eval(), preparation


# --- torchvision -------------------------------------------------------------------------------------------------------------


def _torchvision(network: str, classes: int, channels: int, size: tuple[int, int], own: tuple[int, int]) -> nn.Module:
    options: dict[str, Any] = {"weights": None, "num_classes": classes}
    if network in AUXILIARY_HEADS:
        options |= {"aux_logits": False, "init_weights": True}
    if network.startswith("vit_") and size != own:
        options["image_size"] = size[0]
    if network == "maxvit_t" and size != own:
        options["input_size"] = size
    made: nn.Module = _library("torchvision").get_model(network, **options)
    if channels != COLOURS:
        take_channels(made, channels)
    return made


def take_channels(network: nn.Module, channels: int) -> None:
    """Make the first convolution take another number of channels, in place. Its filters are folded, so that it answers a picture
    whose channels are all alike as it did before: summed for one channel, repeated and scaled for others.
    """
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d) and layer.in_channels == COLOURS and layer.groups == 1:
            break
    else:
        raise ValueError(say(en="no first convolution", de="keine erste Faltung"))
    with torch.no_grad():
        if channels == 1:
            weight = layer.weight.sum(1, keepdim=True)
        else:
            weight = layer.weight[:, [channel % COLOURS for channel in range(channels)]] * (COLOURS / channels)
    layer.in_channels = channels
    layer.weight = nn.Parameter(weight.contiguous())


def _pretrained_torchvision(name: str, network: str) -> tuple[nn.Module, Preparation]:
    from wiesel.zoo.hubs import fetch, reason, remedy, tensors_in
    from wiesel.zoo.weights import load_weights

    library = _library("torchvision")
    weights = library.get_model_weights(network).DEFAULT
    file = weights.url.rpartition("/")[2]
    path = weights_folder() / file
    sha256 = file.removesuffix(".pth").rpartition("-")[2]
    if not path.is_file():
        try:
            fetch(weights.url, path, sha256)
        except OSError as error:
            raise WeightsNotHere(
                name=name, why=reason(error), remedy=remedy(), url=weights.url, folder=path.parent, file=file
            ) from error
    facts = weights.transforms()
    halves = network in AUXILIARY_HEADS  # torchvision would undo its usual mean and deviation inside these
    made = build(name, classes=len(weights.meta["categories"]), channels=COLOURS, size=(facts.crop_size[0],) * 2)
    load_weights(made, tensors_in(path, sha256))
    preparation = Preparation(
        side=facts.crop_size[0],
        resize=facts.resize_size[0],
        interpolation="bilinear" if facts.interpolation.value == "bilinear" else "bicubic",
        mean=(0.5, 0.5, 0.5) if halves else tuple(facts.mean),
        std=(0.5, 0.5, 0.5) if halves else tuple(facts.std),
    )
    return made.eval(), preparation


# --- both --------------------------------------------------------------------------------------------------------------------


def _library(name: str) -> Any:
    """timm, or torchvision's models."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return import_module("timm" if name == "timm" else "torchvision.models")
    except ImportError as error:
        raise LibraryMissing(name=f"{name}:…", library=name) from error


def _nearest(network: str, known: list[str], library: str) -> str:
    near = get_close_matches(network.lower(), known, n=3, cutoff=0.5)
    label = say(en="Nearest", de="Am nächsten")
    return f" {label}: {', '.join(f'{library}:{name}' for name in near)}." if near else ""


def _own_image(library: str, network: str) -> tuple[int, int, int]:
    if library == "timm":
        configuration = _library("timm").get_pretrained_cfg(network)
        if configuration is not None:
            channels, height, width = configuration.input_size
            return channels, height, width
    else:
        kinds = list(_library("torchvision").get_model_weights(network))
        if kinds:
            side = kinds[0].transforms().crop_size[0]
            return COLOURS, side, side
    return COLOURS, SIDE, SIDE


def _on_any_device(make: Any) -> nn.Module:
    """What `make` makes; on the meta device also a network whose making needs numbers."""
    if torch.get_default_device().type != "meta":
        made: nn.Module = make()
        return made
    try:
        made = make()
    except (NotImplementedError, RuntimeError):
        with torch.device("cpu"):
            made = make()
        made = made.to("meta")
    return made


def _try(network: nn.Module, image: tuple[int, int, int]) -> Any:
    like = next(network.parameters())
    with torch.no_grad():
        found = network.eval()(torch.zeros((1, *image), dtype=like.dtype, device=like.device))
    network.train()
    return found


def _times(numbers: tuple[int, ...]) -> str:
    return " x ".join(map(str, numbers))


def _first_line(error: Exception) -> str:
    return next(iter(str(error).strip().splitlines()), type(error).__name__)[:200]
