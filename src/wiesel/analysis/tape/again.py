"""A call of a function that can be repeated with other tensors."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from wiesel.analysis.tape.nesting import distinct, mapped, tensors_in


@dataclass(frozen=True)
class Held:
    """Stands for a value (by index) or a parameter (by name) in the arguments of a call."""

    key: int | str


@dataclass(frozen=True)
class Again:
    """A call that can be repeated."""

    function: Callable[..., Any]
    arguments: Any
    keywords: Any
    changed: tuple[int, ...]
    """Which of the tensors among its arguments it changes in place; they are outputs too."""

    def __call__(self, values: Mapping[int, Tensor | None], holders: Mapping[str, Tensor]) -> list[Tensor]:
        copies: dict[int | str, Tensor] = {}

        def get(item: Any) -> Any:
            if isinstance(item, Held):
                if item.key not in copies:
                    source = values[item.key] if isinstance(item.key, int) else holders[item.key]
                    assert source is not None
                    copies[item.key] = source.detach().clone()
                return copies[item.key]
            return item.clone() if isinstance(item, Tensor) else item

        arguments, keywords = mapped(get, self.arguments), mapped(get, self.keywords)
        inputs = list(tensors_in((arguments, keywords)))
        result = self.function(*arguments, **keywords)
        return distinct([*tensors_in(result), *(inputs[position] for position in self.changed)])
