"""Which language a person reads: German or English.

Order of what decides: `WIESEL_LANG`, then the locale (`LC_ALL`, `LC_MESSAGES`, `LANG`), else English. Machine-readable output
(JSON, CSV, TOML, logs) is the same in every language.
"""

from __future__ import annotations

import os
from typing import Literal

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
    """A number for reading: 0.93 in English, 0,93 in German."""
    text = f"{value:.{digits}f}"
    return text.replace(".", ",") if language() == "de" else text


def grouped(count: int) -> str:
    """A large whole number for reading: 11,689,512 in English, 11 689 512 in German (narrow no-break spaces)."""
    return f"{count:,}".replace(",", "\u202f" if language() == "de" else ",")
