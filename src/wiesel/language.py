"""Which language a person reads: German or English.

Order of what decides: `WIESEL_LANG`, then the locale (`LC_ALL`, `LC_MESSAGES`, `LANG`), else English. Machine-readable output
(JSON, CSV, TOML, logs) is the same in every language.
"""

from __future__ import annotations

import os
import string
from collections.abc import Mapping
from typing import Any, Literal

Language = Literal["de", "en"]


def language() -> Language:
    """The language to speak right now, read anew at each call so that a program may change it."""
    for variable in ("WIESEL_LANG", "LC_ALL", "LC_MESSAGES", "LANG"):
        if value := os.environ.get(variable):
            return "de" if value.lower().startswith("de") else "en"
    return "en"


def say(*, en: str, de: str) -> str:
    """The sentence in the reader's language."""
    return de if language() == "de" else en


def duration(seconds: float) -> str:
    """85 -> '1:25'; 3 700 -> '1:01:40'."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def number(value: float, digits: int) -> str:
    """A number for reading: 0.93 or −0.50 (a true minus sign) in English, 0,93 and −0,50 in German."""
    text = f"{value:.{digits}f}".replace("-", "\u2212")
    return text.replace(".", ",") if language() == "de" else text


def grouped(count: int) -> str:
    """A large whole number for reading: 11,689,512 in English, 11 689 512 in German (narrow no-break spaces)."""
    return f"{count:,}".replace(",", "\u202f" if language() == "de" else ",")


def filled(template: str, facts: Mapping[str, Any]) -> str:
    """The template with its facts, for reading: figures with a thousands sign or in percent as the reader writes them, and words that
    go with a number.

    >>> filled("{n:,} {n:file is|files are} missing, {share:.1%}", {"n": 1200, "share": 0.25})
    '1,200 files are missing, 25.0%'
    """
    return _Reading().vformat(template, (), facts)


class _Reading(string.Formatter):
    def format_field(self, value: Any, format_spec: str) -> str:
        if "|" in format_spec:
            one, many = format_spec.split("|")
            return one if value == 1 else many
        text = str(super().format_field(value, format_spec))
        if language() == "de" and format_spec.endswith((",", "%")):
            return text.translate({ord(","): "\u202f", ord("."): ",", ord("%"): " %"})
        return text
