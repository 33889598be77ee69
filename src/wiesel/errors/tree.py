"""The trunk of the tree of errors, and its six branches."""

from __future__ import annotations

from typing import Any, ClassVar

from wiesel.language import filled, language


class WieselError(Exception):
    """Base of the tree. `en` and `de` are templates over the facts given as keywords, see `wiesel.language.filled`.

    >>> class TooCold(WieselError):
    ...     en = de = "{degrees} °C is too cold. Wait for spring."
    >>> str(TooCold(degrees=-3))
    '-3 °C is too cold. Wait for spring.'
    """

    exit_code: ClassVar[int] = 1
    en: ClassVar[str] = ""
    de: ClassVar[str] = ""

    def __init__(self, **facts: Any) -> None:
        super().__init__()
        self.facts = facts

    def __getattr__(self, name: str) -> Any:
        facts = self.__dict__.get("facts", {})
        if name in facts:
            return facts[name]
        raise AttributeError(name)

    def __str__(self) -> str:
        return filled(self.de if language() == "de" else self.en, self.facts)

    def __reduce__(self) -> Any:  # keyword-only construction, so the default pickling protocol would lose the facts
        return _rebuild, (type(self), self.facts)


def _rebuild(kind: type[WieselError], facts: dict[str, Any]) -> WieselError:
    return kind(**facts)


class UsageError(WieselError):
    exit_code = 2


class MissingError(WieselError):
    exit_code = 4


class PicturesError(WieselError):
    pass


class RunError(WieselError):
    pass


class TrainingError(WieselError):
    pass


class WeightsError(WieselError):
    pass


def nearest(name: str, known: list[str]) -> str:
    """` Nearest: a, b.` for an error sentence, or an empty string when nothing is near."""
    import difflib

    near = difflib.get_close_matches(name.lower(), known, n=3, cutoff=0.5)
    label = "Am nächsten" if language() == "de" else "Nearest"
    return f" {label}: {', '.join(near)}." if near else ""
