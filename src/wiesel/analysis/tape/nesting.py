"""Tensors in nested tuples, lists and dictionaries, as functions of PyTorch take and return them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from torch import Tensor


def tensors_in(item: Any) -> Iterator[Tensor]:
    """All tensors in nested tuples, lists and dictionaries, in order."""
    if isinstance(item, Tensor):
        yield item
    elif isinstance(item, (tuple, list)):
        for part in item:
            yield from tensors_in(part)
    elif isinstance(item, Mapping):
        for part in item.values():
            yield from tensors_in(part)


def mapped(change: Callable[[Any], Any], item: Any) -> Any:
    """The same nesting with every leaf changed."""
    if isinstance(item, tuple):
        parts = [mapped(change, part) for part in item]
        if hasattr(item, "_fields"):
            return type(item)(*parts)
        return (
            tuple(parts) if type(item) is tuple else item if all(a is b for a, b in zip(parts, item, strict=True)) else tuple(parts)
        )
    if isinstance(item, list):
        return [mapped(change, part) for part in item]
    if isinstance(item, dict):
        return {key: mapped(change, part) for key, part in item.items()}
    return change(item)


def distinct(tensors: list[Tensor]) -> list[Tensor]:
    return list({id(tensor): tensor for tensor in tensors}.values())
