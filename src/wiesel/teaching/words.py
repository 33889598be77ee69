"""The language of one figure: labels, numbers and alt texts in German or English, chosen per call.

words = spoken(language)                     # "de", "en", or None for the language of the reader
words(en="low-pass", de="Tiefpass")
words.number(0.5, 2)                         # 0.50 or 0,50
"""

from __future__ import annotations

from dataclasses import dataclass

from wiesel.errors import BadValue
from wiesel.language import Language
from wiesel.language import language as readers_language

MINUS = "\u2212"
RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


@dataclass(frozen=True)
class Words:
    language: Language

    def __call__(self, *, en: str, de: str) -> str:
        """The text in this figure's language."""
        return de if self.language == "de" else en

    def number(self, value: float, digits: int) -> str:
        """With so many decimals and a true minus sign: −0.50 or −0,50; a rounded zero has no sign."""
        text = f"{value:.{digits}f}"
        if float(text) == 0:
            text = text.removeprefix("-")
        return self._written(text)

    def short(self, value: float, digits: int = 3) -> str:
        """With so many significant digits and no needless zeros: 8, −0.096, 1.2·10⁻⁷."""
        mantissa, _, exponent = (f"{value:.{digits}g}" if value else "0").partition("e")
        return self._written(mantissa) + (f"·10{str(int(exponent)).translate(RAISED)}" if exponent else "")

    def percent(self, share: float, digits: int = 0) -> str:
        """0.25 -> 25 % (with a narrow no-break space)."""
        return self.number(100 * share, digits) + "\u202f%"

    def grouped(self, count: int) -> str:
        """1,049,600 or 1 049 600 (narrow no-break spaces)."""
        return f"{count:,}".replace(",", "\u202f" if self.language == "de" else ",")

    def _written(self, text: str) -> str:
        text = text.replace("-", MINUS)
        return text.replace(".", ",") if self.language == "de" else text


def spoken(language: str | None) -> Words:
    """The words for `language`; None: what `wiesel.language` says the reader speaks.

    Raises:
        BadValue: neither "de" nor "en" nor None.
    """
    if language is None:
        return Words(readers_language())
    if language == "de":
        return Words("de")
    if language == "en":
        return Words("en")
    raise BadValue(setting="language", value=language, expected='"de", "en"')
