"""The report's sentences in one language: templates from texts.toml, filled with facts and numbers as that language writes them.

A placeholder says how its number is written: `{n:int}` 12 345, `{x:.2}` 0.83 or 0,83, `{p:%1}` 91.3 % or 91,3 %, `{x:si}` 11.2 M,
`{x:sig3}` three significant digits, `{x:time}` 4 min 12 s, `{p:~%}` a probability that is never rounded to 0 or 1, `{p:<%}` a whole
percent with `< 1 %` where it would read 0, `{n:one|many}` the word that goes with the number, and `{x:name}` a name from a folder,
cut if it is very long.
"""

from __future__ import annotations

import math
import string
import tomllib
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import resources
from typing import Any

from wiesel.language import Language

NARROW = "\N{NARROW NO-BREAK SPACE}"
MINUS = "\N{MINUS SIGN}"
LONGEST_NAME = 40


@cache
def texts() -> dict[str, dict[str, str]]:
    """texts.toml as `{"curves.title": {"en": ..., "de": ...}}`."""
    tree = tomllib.loads(resources.files("wiesel.reports").joinpath("texts.toml").read_text(encoding="utf-8"))
    flat: dict[str, dict[str, str]] = {}

    def walk(part: Mapping[str, Any], path: str) -> None:
        if "en" in part or "de" in part:
            flat[path] = dict(part)
            return
        for key, inner in part.items():
            walk(inner, f"{path}.{key}" if path else key)

    walk(tree, "")
    return flat


class Words(string.Formatter):
    """`words("curves.title")`, `words("summary.finding", accuracy=0.913, n=2000)`."""

    def __init__(self, language: Language) -> None:
        self.language = language

    def __call__(self, key: str, /, **facts: Any) -> str:
        return self.format(texts()[key][self.language], **facts)

    def format_field(self, value: Any, spec: str) -> str:
        if spec == "name":
            return shown(str(value))
        return self.number(value, spec) if spec else printable(str(value))

    def number(self, value: float, spec: str) -> str:
        """`value` written as `spec` says (see the head of this file)."""
        if "|" in spec:
            one, many = spec.split("|")
            return one if value == 1 else many
        if spec == "int":
            text = f"{value:,.0f}".replace(",", NARROW)
        elif spec == "si":
            return self._si(value)
        elif spec == "time":
            return self._time(value)
        elif spec == "~%":
            return self._sure(value)
        elif spec == "<%":
            return f"<{NARROW}1{NARROW}%" if 0 < value < 0.005 else self.number(value, "%0")
        elif spec.startswith("%"):
            text = f"{100 * value:.{int(spec[1:])}f}{NARROW}%"
        elif spec.startswith("sig"):
            return self._significant(value, int(spec[3:]))
        else:
            text = f"{value:{spec}f}"
        return self.sign(text)

    def sign(self, text: str) -> str:
        """The decimal comma of German, and a real minus sign."""
        return (text.replace(".", ",") if self.language == "de" else text).replace("-", MINUS)

    def quoted(self, name: str) -> str:
        name = shown(name)
        return f"«{name}»" if self.language == "de" else f"“{name}”"

    def listed(self, names: Sequence[str]) -> str:
        """`a, b and c`."""
        if len(names) < 2:
            return "".join(names)
        return f"{', '.join(names[:-1])} {'und' if self.language == 'de' else 'and'} {names[-1]}"

    def power(self, exponent: int) -> str:
        """10^exponent for an axis: `1`, `0.1`, `10⁻³`."""
        if exponent in (0, -1, -2):
            return self.number(10.0**exponent, f".{-exponent}")
        return "10" + str(exponent).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))

    def _significant(self, value: float, digits: int) -> str:
        if value == 0 or not math.isfinite(value):
            return "0" if value == 0 else str(value)
        exponent = math.floor(math.log10(abs(float(f"{value:.{digits - 1}e}"))))
        if -4 <= exponent < 6:
            return self.sign(f"{value:.{max(0, digits - 1 - exponent)}f}")
        mantissa = self.sign(f"{value / 10.0**exponent:.{digits - 1}f}")
        return f"{mantissa}{NARROW}×{NARROW}{self.power(exponent)}"

    def _si(self, value: float) -> str:
        for factor, unit in ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")):
            if value >= 0.9995 * factor:
                return f"{self._significant(value / factor, 3)}{NARROW}{unit}"
        return self.number(value, "int")

    def _time(self, seconds: float) -> str:
        if seconds < 9.95:
            return f"{self.number(seconds, '.1')}{NARROW}s"
        whole = round(seconds)
        hours, minutes, rest = whole // 3600, whole // 60 % 60, whole % 60
        parts = [f"{hours}{NARROW}h"] if hours else []
        parts += [f"{minutes}{NARROW}min"] if whole >= 60 and (minutes or not hours) else []
        parts += [f"{rest}{NARROW}s"] if not hours and (rest or whole < 60) else []
        return " ".join(parts)

    def _sure(self, share: float) -> str:
        """A probability with one decimal of a percent; `> 99.9 %` and `< 0.1 %` where that would read as certain."""
        if 0.9995 <= share < 1:
            return f">{NARROW}{self.number(0.999, '%1')}"
        if 0 < share < 0.0005:
            return f"<{NARROW}{self.number(0.001, '%1')}"
        return self.number(share, "%1")


def shown(name: str, longest: int = LONGEST_NAME) -> str:
    """A name from a folder or file, cut in the middle where it is very long."""
    name = printable(name)
    return name if len(name) <= longest else f"{name[: longest * 2 // 3]}…{name[-(longest // 3 - 1) :]}"


def printable(text: str) -> str:
    """Without what no page may hold: control characters, halves of surrogate pairs, and marks that turn the writing direction."""
    return "".join("\N{REPLACEMENT CHARACTER}" if _forbidden(c) else c for c in text)


def _forbidden(c: str) -> bool:
    code = ord(c)
    turns = 0x202A <= code <= 0x202E or 0x2066 <= code <= 0x2069
    return (code < 32 and c not in "\n\t") or 0x7F <= code < 0xA0 or 0xD800 <= code < 0xE000 or code in (0xFFFE, 0xFFFF) or turns
