"""Findings about a data set -> one HTML file that needs nothing else, in both languages, with the pictures side by side."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from wiesel.errors import BadValue
from wiesel.language import Language, language
from wiesel.reports.page import CHOICES, Album, rendered
from wiesel.reports.pictures import photograph, reduced
from wiesel.reports.words import Words

LONGEST_SIDE = 96
SHOWN = 60
"""Findings of a kind that are shown; all are in the list that machines read."""
LISTED = 200
"""Of those without a picture."""
WIDEST = 40
"""Classes whose counts are written out."""

PictureOf = Callable[[str], NDArray[np.uint8] | None]


@dataclass(frozen=True)
class Shown:
    """One finding: pictures side by side, and a sentence about it."""

    pictures: tuple[tuple[str, Markup], ...]
    """(path, drawing)"""
    said: str = ""


@dataclass(frozen=True)
class Section:
    kind: str
    title: str
    about: str
    count: int
    urgent: bool
    items: tuple[Shown, ...]

    @property
    def hidden(self) -> int:
        return self.count - len(self.items)


def html(findings: Mapping[str, Any], picture: PictureOf, *, urgent: Mapping[str, int], lang: str = "both") -> str:
    """The page about the findings of `images.check`; `urgent`: the kinds that call for action, with their numbers.

    Raises:
        BadValue: another `lang`.
    """
    if lang not in CHOICES:
        raise BadValue(setting="lang", value=lang, expected=" | ".join(CHOICES))
    both: tuple[Language, ...] = ("en", "de")
    languages = tuple(one for one in both if lang in ("both", one))
    album = Album()
    pages = [DataEdition(findings, picture, urgent, Words(one), album) for one in languages]
    return rendered(
        "data.html.j2",
        ("report", "data"),
        findings=findings,
        pages=pages,
        first=language() if lang == "both" else languages[0],
        symbols=album.symbols,
    )


class DataEdition:
    """What the template needs to write the page in one language."""

    def __init__(
        self, findings: Mapping[str, Any], picture: PictureOf, urgent: Mapping[str, int], words: Words, album: Album
    ) -> None:
        self.findings, self.words, self.album, self._picture = findings, words, album, picture
        self.language, self.number = words.language, words.number
        self.urgent = urgent
        self.total = sum(sum(of.values()) for of in findings["counts"].values())
        self.sections = [section for section in self._sections(urgent) if section.count]

    def summary(self) -> list[str]:
        words, found = self.words, self.findings
        said = [words("data.total", n=self.total, classes=len(found["counts"]["train"]))]
        said.append(words("data.problems", n=sum(self.urgent.values())) if self.urgent else words("data.healthy"))
        if found["near"] is not None:
            said.append(words("data.near_limit", difference=found["near"]["difference"], usual=found["near"]["usual"]))
        if found["probe"] is not None:
            said.append(words("data.probe", accuracy=found["probe"]["accuracy"]))
        return said

    def balance(self) -> list[tuple[str, list[tuple[int, float]]]]:
        """Class and, per split, its count and that count's part of the split's largest."""
        counts = self.findings["counts"]
        largest = {split: max(of.values(), default=0) or 1 for split, of in counts.items()}
        names = list(counts["train"])[:WIDEST]
        return [(name, [(of[name], of[name] / largest[split]) for split, of in counts.items()]) for name in names]

    def splits(self) -> list[str]:
        names = {
            "train": self.words("data.train"),
            "validation": self.words("data.validation"),
            "test": self.words("data.test"),
        }
        return [names[split] for split in self.findings["counts"]]

    def _sections(self, urgent: Mapping[str, int]) -> list[Section]:
        words = self.words
        texts = {
            "unreadable": (words("data.unreadable"), words("data.unreadable_about")),
            "conflicts": (words("data.conflicts"), words("data.conflicts_about")),
            "leaks": (words("data.leaks"), words("data.leaks_about")),
            "duplicates": (words("data.duplicates"), words("data.duplicates_about")),
            "near_conflicts": (words("data.near_conflicts"), words("data.conflicts_about")),
            "near_leaks": (words("data.near_leaks"), words("data.leaks_about")),
            "near_duplicates": (words("data.near_duplicates"), words("data.near_about")),
            "suspicious_labels": (words("data.suspicious"), words("data.suspicious_about")),
            "mislabelled_extension": (words("data.extension"), words("data.extension_about")),
            "uniform": (words("data.uniform"), words("data.oddity_about")),
            "dark": (words("data.dark"), words("data.oddity_about")),
            "bright": (words("data.bright"), words("data.oddity_about")),
            "blurred": (words("data.blurred"), words("data.oddity_about")),
            "odd_sizes": (words("data.odd_sizes"), words("data.sizes_about")),
            "rare": (words("data.rare"), words("data.rare_about")),
            "left_out": (words("data.left_out"), words("data.left_out_about")),
        }
        return [
            Section(kind, title, about, len(self.findings[kind]), kind in urgent, self._items(kind))
            for kind, (title, about) in texts.items()
        ]

    def _items(self, kind: str) -> tuple[Shown, ...]:
        found = self.findings[kind]
        if kind in ("unreadable", "left_out", "rare"):
            reasons = self.findings["reasons_de" if self.words.language == "de" else "reasons"]
            return tuple(Shown(((item, Markup("")),), reasons.get(item, "")) for item in found[:LISTED])
        return tuple(self._shown(item) for item in found[:SHOWN])

    def _shown(self, item: Any) -> Shown:
        words = self.words
        if isinstance(item, str):
            return Shown((self._drawn(item),))
        if isinstance(item, list):
            return Shown(
                tuple(self._drawn(path) for path in item[:6]), words("page.more", n=len(item) - 6) if len(item) > 6 else ""
            )
        if "how" in item:
            how = {
                "same": words("data.same"),
                "mirrored": words("data.mirrored"),
                "cropped": words("data.cropped"),
                "mirrored and cropped": words("data.both"),
            }[item["how"]]
            said = words("data.alike", how=how, likeness=math.floor(item["likeness"] * 1e4) / 1e4)
            return Shown(tuple(self._drawn(path) for path in item["pictures"]), said)
        said = words(
            "data.doubt",
            given=words.quoted(item["given"]),
            suggested=words.quoted(item["suggested"]),
            p=item["suggested_probability"],
            q=item["given_probability"],
        )
        return Shown((self._drawn(item["picture"]),), said)

    def _drawn(self, path: str) -> tuple[str, Markup]:
        pixels = self._picture(path)
        if pixels is None:
            return path, Markup("")
        small = reduced(np.asarray(pixels), LONGEST_SIDE).round().astype(np.uint8)
        return path, self.album.picture(photograph(small), path)
