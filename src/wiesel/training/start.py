"""The weights that training begins with when it does not begin with chance, and the preparation of pictures that belongs to them.

imagenet                 the published weights of the network
torchvision, timm        what that library has under the network's name
timm:NAME, …             a certain set of weights of that library
FILE.safetensors         any weights; a `preprocessing.json` beside it says how pictures are prepared for them
RUN                      the folder of a finished run
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from wiesel import zoo
from wiesel.batches import Preprocessing
from wiesel.errors import NoPretrained, NoSuchStart, OtherArchitecture, OtherHead
from wiesel.language import say
from wiesel.recipe import Recipe
from wiesel.runs import trained
from wiesel.runs.documents import parse_mapping, read_bytes
from wiesel.zoo.adapting import adapt, last_layer, regrouped
from wiesel.zoo.foreign import LIBRARIES
from wiesel.zoo.published_weights import Preparation, find_published
from wiesel.zoo.weights import read_safetensors

IMAGENET = "imagenet"

IMAGENET_CLASSES = 1000


@dataclass(frozen=True)
class Given:
    """Weights as somebody made them."""

    title: str
    """What to call them in a sentence."""
    tensors: Mapping[str, Tensor]
    mean: tuple[float, ...] = ()
    """Per channel, on the 0..1 scale; empty where nobody says how pictures were prepared."""
    std: tuple[float, ...] = ()
    side: int = 0
    """Pixels of the pictures that they were made for; 0: unknown."""
    classes: tuple[str, ...] = ()
    """Their names, where they are known."""
    architecture: str = ""
    """Where it is known."""
    licence: str = ""

    @property
    def sha256(self) -> str:
        """Over names, shapes and values."""
        total = hashlib.sha256()
        for name, tensor in sorted(self.tensors.items()):
            total.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
            total.update(tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().data)
        return total.hexdigest()


@dataclass(frozen=True)
class Start:
    """Weights fitted to the network of a recipe."""

    tensors: dict[str, Tensor]
    """Under the network's own names. Without those of the head, if that is replaced."""
    keeps_head: bool
    given: Given
    folded: bool

    def put_into(self, network: nn.Module) -> None:
        """What the weights do not have (a new head) stays as it is."""
        network.load_state_dict({**network.state_dict(), **self.tensors})

    def facts(self) -> dict[str, Any]:
        """For a run's record."""
        return {
            "weights": self.given.title,
            "sha256": self.given.sha256,
            "licence": self.given.licence,
            "keeps_head": self.keeps_head,
            "folded": self.folded,
        }


def is_run(pretrained: str) -> bool:
    """Whether this means the folder of an earlier run."""
    return bool(pretrained) and (Path(pretrained).expanduser() / "recipe.toml").is_file()


def find_start(pretrained: str, architecture: str) -> Given:
    """The weights that a recipe asks for. Published ones are fetched if they are not on this machine.

    Raises:
        NoPretrained: nobody published weights of this network.
        WeightsNotHere: they could not be fetched; says what to install, or which file goes where.
        NoSuchWeights, PickledWeights, DamagedWeights: about a file.
        NotTrained, Damaged: about a run folder.
        NoSuchStart: it is nothing of all that.
    """
    if pretrained == IMAGENET:
        return _published(architecture)
    library, _, name = pretrained.partition(":")
    if library in LIBRARIES and not Path(pretrained).exists():
        return _of_library(library, name or architecture.partition(":")[2] or architecture)
    path = Path(pretrained).expanduser()
    if is_run(pretrained):
        return _of_run(path)
    if path.is_file() or path.suffix in (".safetensors", ".pt", ".pth"):
        return _of_file(path, architecture)
    raise NoSuchStart(name=pretrained)


def fitted(given: Given, recipe: Recipe, network: nn.Module, *, classes: tuple[str, ...]) -> Start:
    """The weights for `network`, the one of this recipe; it is not changed, and may be on the meta device.

    Raises:
        OtherArchitecture: they are for another network; says which.
        OtherHead: the head is to be kept, and it is for other classes.
    """
    if given.architecture and given.architecture != recipe.architecture and not recipe.network.changes:
        said = say(en=f"they belong to a run of {given.architecture}", de=f"sie gehören zu einem Lauf von {given.architecture}")
        raise OtherArchitecture(title=given.title, name=recipe.architecture, difference=said, fits=f" --model {given.architecture}")
    norm = (given.mean, given.std) if given.mean else None
    adapted = adapt(network, given.tensors, norm=norm, name=recipe.architecture, title=given.title)
    same = not adapted.head and (given.classes == classes or (recipe.transfer.keep_head and not given.classes))
    if recipe.transfer.keep_head and not same:
        raise OtherHead(title=given.title, theirs=_phrase(given.classes), ours=_phrase(classes))
    keeps = same and recipe.transfer.mode == "finetune"
    tensors = adapted.tensors
    if not keeps:
        last = last_layer(network)
        tensors = {name: tensor for name, tensor in tensors.items() if name not in (f"{last}.weight", f"{last}.bias")}
    return Start(tensors, keeps, given, adapted.folded)


def preprocessing_of(given: Given, measured: Preprocessing) -> Preprocessing:
    """How pictures are prepared for these weights: their mean and deviation, at the size of `measured`, which is that of our pictures."""
    if not given.mean:
        return measured
    return Preprocessing(
        channels=measured.channels,
        height=measured.height,
        width=measured.width,
        mean=regrouped(given.mean, measured.channels),
        std=regrouped(given.std, measured.channels),
        fit=measured.fit,
        enlarge=measured.enlarge,
    )


# --- where they come from ----------------------------------------------------------------------------------------------------


def _published(architecture: str) -> Given:
    library, colon, name = architecture.partition(":")
    if colon:
        return _of_library(library, name)
    from wiesel.zoo.hubs import published_tensors

    row = find_published(architecture)
    title = say(en=f"{row.name} for ImageNet ({row.source})", de=f"{row.name} für ImageNet ({row.source})")
    return _prepared(title, published_tensors(row), row.preparation, licence=row.licence)


def _of_library(library: str, name: str) -> Given:
    network, preparation = zoo.pretrained(f"{library}:{name}")
    return _prepared(f"{library}:{name}", network.state_dict(), preparation)


def _prepared(title: str, tensors: Mapping[str, Tensor], preparation: Preparation, *, licence: str = "") -> Given:
    return Given(
        title=title,
        tensors=tensors,
        mean=tuple(preparation.mean),
        std=tuple(preparation.std),
        side=preparation.side,
        licence=licence,
    )


def _of_run(path: Path) -> Given:
    model = trained.load(path)
    preparation = model.preprocessing
    return Given(
        title=str(path),
        tensors=model.network.state_dict(),
        mean=preparation.mean,
        std=preparation.std,
        side=max(preparation.image[1:]),
        classes=model.classes,
        architecture=model.recipe.architecture,
    )


def _of_file(path: Path, architecture: str) -> Given:
    tensors = read_safetensors(path)
    beside = path.with_name("preprocessing.json")
    if beside.is_file():
        facts = Preprocessing.from_json(parse_mapping(read_bytes(beside), beside))
        classes = _classes_beside(path)
        side = max(facts.image[1:])
        return Given(str(path), tensors, facts.mean, facts.std, side, classes)
    try:
        row = find_published(architecture)
    except NoPretrained:
        return Given(str(path), tensors)
    if not any(tensor.shape[:1] == (IMAGENET_CLASSES,) for tensor in tensors.values()):
        return Given(str(path), tensors)
    return _prepared(str(path), tensors, row.preparation)


def _classes_beside(path: Path) -> tuple[str, ...]:
    try:
        names = json.loads(path.with_name("classes.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return ()
    return tuple(names) if isinstance(names, list) and all(isinstance(name, str) for name in names) else ()


def _phrase(classes: tuple[str, ...]) -> str:
    if not classes:
        return say(en="classes whose names are not known", de="Klassen, deren Namen nicht bekannt sind")
    shown = ", ".join(classes[:4]) + (", …" if len(classes) > 4 else "")
    return f"{len(classes)} ({shown})"
