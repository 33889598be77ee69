"""An optimiser's state as flat named tensors and JSON, and back: the same tensors, numbers, tuples and keys.

    {"state": {0: {"momentum_buffer": T}}, "param_groups": [{"lr": 0.1, "betas": (0.9, 0.999), "params": [0]}]}
    ->  {"state.0.momentum_buffer": T}   and   {"dict": [["state", {"dict": [[0, {"dict": …}]]}], …]}

Plain JSON would lose what `torch.optim.Optimizer.load_state_dict` needs: which values were tensors, integer keys, tuples, and
infinity. So containers and tensors say what they are; finite numbers, strings, booleans and None stand for themselves.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from wiesel.errors import BadValue


def flatten(state: Mapping[str, Any]) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """The tensors by a dotted name (not copied), and the rest as JSON values.

    Raises:
        TypeError: a value that is neither tensor, number, string, boolean, None, list, tuple nor dict.
    """
    found: dict[str, Tensor] = {}

    def spelled(value: Any, name: str) -> Any:
        if isinstance(value, Tensor):
            while name in found:  # {"a": {"b": T}, "a.b": T}
                name += "'"
            found[name] = value
            return {"tensor": name, "layout": "channels_last"} if _channels_last(value) else {"tensor": name}
        if isinstance(value, float):
            return float(value) if math.isfinite(value) else {"float": str(float(value))}
        if value is None or isinstance(value, bool | int | str):
            return value
        if isinstance(value, dict):
            return {"dict": [[spelled(key, name), spelled(item, f"{name}.{key}".lstrip("."))] for key, item in value.items()]}
        if isinstance(value, list | tuple):
            kind = "tuple" if isinstance(value, tuple) else "list"
            return {kind: [spelled(item, f"{name}.{position}") for position, item in enumerate(value)]}
        raise TypeError(f"{name}: {type(value).__name__} has no place in a checkpoint")

    return found, spelled(dict(state), "")


def unflatten(tensors: Mapping[str, Tensor], structure: Mapping[str, Any]) -> dict[str, Any]:
    """What `flatten` was given. Tensors lie in memory as they did then (channels last where they were).

    Raises:
        BadValue: `structure` is not what `flatten` wrote, or does not belong to `tensors`.
    """

    def read(spelled: Any) -> Any:
        if not isinstance(spelled, dict):
            return spelled
        if "tensor" in spelled:
            tensor = tensors[spelled["tensor"]]
            return tensor.contiguous(memory_format=torch.channels_last) if "layout" in spelled else tensor
        ((kind, content),) = spelled.items()
        if kind == "float":
            return float(content)
        if kind == "dict":
            return {read(key): read(value) for key, value in content}
        items = [read(item) for item in content]
        return {"tuple": tuple(items), "list": items}[kind]

    try:
        return dict(read(structure))
    except (KeyError, ValueError, TypeError, RuntimeError, RecursionError) as error:
        raise BadValue(setting="optimizer", value="…", expected=f"the structure that belongs to the tensors ({error})") from error


def _channels_last(tensor: Tensor) -> bool:
    return tensor.dim() == 4 and not tensor.is_contiguous() and tensor.is_contiguous(memory_format=torch.channels_last)
