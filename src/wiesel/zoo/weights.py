"""Weights from elsewhere: torchvision's, timm's, one package's, or our own, by the names of the parameters.

Nothing is changed before everything is known to fit: a network is left as it was when its weights are refused.
"""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from pathlib import Path

import safetensors.torch
import torch
from safetensors import SafetensorError
from torch import Tensor, nn

from wiesel.errors import DamagedWeights, MissingWeight, NoSuchWeights, PickledWeights, UnexpectedWeight, WrongShape, nearest
from wiesel.zoo.weight_names import NAMINGS

COUNTER = "num_batches_tracked"
"""How many batches a norm has seen; no output depends on it. Files from before PyTorch 0.4.1 have none."""

AUXILIARY = ("auxiliary.", "aux1.", "aux2.", "AuxLogits.")
"""What the heads half-way up are called; a network that was built without them does not want their weights."""


def load_weights(network: nn.Module, state_dict: Mapping[str, Tensor]) -> None:
    """Take over all parameters and buffers, under our own names or under those that torchvision or timm has for this network.

    In evaluation mode the network then gives the same logits as theirs. A network from elsewhere takes its own names. A network on the
    meta device gets copies of the tensors; otherwise they are copied into those that are there, with their type and device.

    Raises:
        MissingWeight, UnexpectedWeight, WrongShape: names the parameter; the network is as before.
    """
    own = network.state_dict()
    theirs = best_names(list(own), state_dict)
    given = dict(state_dict)
    if not any(name.endswith(COUNTER) for name in given):
        given |= {their: own[name] for name, their in theirs.items() if name.endswith(COUNTER)}
    missing = [their for their in theirs.values() if their not in given]
    wanted = set(theirs.values())
    unexpected = [name for name in given if name not in wanted and not name.startswith(AUXILIARY)]
    if missing:
        raise MissingWeight(name=missing[0], count=len(missing), nearest=nearest(missing[0], unexpected))
    if unexpected:
        raise UnexpectedWeight(name=unexpected[0], count=len(unexpected), nearest=nearest(unexpected[0], list(wanted)))
    fitting = {name: _fitting(given[their], own[name], their) for name, their in theirs.items()}
    if any(tensor.is_meta for tensor in own.values()):
        network.load_state_dict({name: _copy(name, tensor, own[name].dtype) for name, tensor in fitting.items()}, assign=True)
    else:
        network.load_state_dict(fitting)


def load_weights_file(network: nn.Module, path: Path | str) -> None:
    """`load_weights` from a .safetensors file.

    Raises:
        NoSuchWeights: there is no such file.
        PickledWeights: it is a pickle, which could run any program; says how to convert it.
        DamagedWeights: it is no safetensors file, or not a whole one.
        MissingWeight, UnexpectedWeight, WrongShape: names the parameter.
    """
    load_weights(network, read_safetensors(Path(path)))


def read_safetensors(path: Path) -> dict[str, Tensor]:
    """The tensors of a .safetensors file. Raises as `load_weights_file` does."""
    if not path.is_file():
        raise NoSuchWeights(path=str(path))
    if is_pickle(path):
        raise PickledWeights(path=str(path), source=repr(str(path)), target=repr(str(path.with_suffix(".safetensors"))))
    try:
        found: dict[str, Tensor] = safetensors.torch.load_file(path)
    except (SafetensorError, ValueError, KeyError, RuntimeError, OverflowError, OSError) as error:
        raise DamagedWeights(path=str(path), cause=str(error)) from error
    return found


def is_pickle(path: Path) -> bool:
    """Whether the content is a pickle, whatever the name: PyTorch's old format, its .zip format, or any other pickle or tar of them."""
    with path.open("rb") as file:
        start = file.read(265)
    if start[:4] == b"PK\3\4":
        try:
            with zipfile.ZipFile(path) as archive:
                return any(name.endswith(".pkl") for name in archive.namelist())
        except zipfile.BadZipFile:
            return True
    is_protocol = len(start) > 1 and start[0] == 0x80 and start[1] <= 5
    # A safetensors file begins with the length of its header, whose second byte may be anything, and then a brace.
    return (is_protocol and start[8:9] != b"{") or start[257:262] == b"ustar"


def best_names(own: list[str], given: Mapping[str, Tensor]) -> dict[str, str]:
    """Our names -> those in `given`: of all namings the one that most of them follow; our own, if none."""
    best, most = own, sum(name in given for name in own)
    for naming in NAMINGS:
        names = naming(own)
        known = sum(name in given for name in names)
        if known > most:
            best, most = names, known
    return dict(zip(own, best, strict=True))


def _fitting(given: Tensor, own: Tensor, name: str) -> Tensor:
    """The tensor in the shape of ours. A linear layer on channels is a 1x1 convolution here."""
    if given.ndim == 2 and own.ndim == 4 and own.shape[2:] == (1, 1):
        given = given[..., None, None]
    if given.shape != own.shape:
        raise WrongShape(name=name, found=_shape(given), expected=_shape(own))
    return given


def _copy(name: str, tensor: Tensor, dtype: torch.dtype) -> Tensor:
    """A tensor of its own; 0 for a counter that nobody gave."""
    if name.endswith(COUNTER) and tensor.is_meta:
        return torch.zeros((), dtype=dtype, device="cpu")
    return tensor.detach().to(dtype, copy=True)


def _shape(tensor: Tensor) -> str:
    return " x ".join(map(str, tensor.shape)) or "()"
