"""Facts -> one HTML file that needs nothing else: no network, no script, no font. It holds both languages, or the one asked for."""

from __future__ import annotations

import base64
import hashlib
import math
from collections.abc import Callable
from functools import partial
from importlib import metadata
from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from wiesel.language import Language, language
from wiesel.reports import curves, findings, inline, matrix, softmax
from wiesel.reports.facts import Facts, Picture, TrainingPicture
from wiesel.reports.pictures import DIVERGING, SEQUENTIAL, data_uri, scale_bar, size_of
from wiesel.reports.reliability import reliability
from wiesel.reports.strip import strip
from wiesel.reports.sureness import accuracy_against_coverage, set_sizes
from wiesel.reports.svg import element
from wiesel.reports.words import Words, printable, shown

CHOICES = ("de", "en", "both")

MOST_LEFT_OUT = 200
"""Files that are listed by name; the rest is counted."""


def html(facts: Facts, *, lang: str = "both") -> str:
    """The page. With "both", the reader's language is shown first and a switch shows the other."""
    both: tuple[Language, ...] = ("en", "de")
    languages = tuple(one for one in both if lang in ("both", one))
    first = language() if lang == "both" else languages[0]
    album = Album()
    pages = [Edition(facts, Words(one), album) for one in languages]
    return rendered(
        "report.html.j2",
        ("report",),
        facts=facts,
        pages=pages,
        first=first,
        symbols=album.symbols,
    )


class Album:
    """Every PNG of the page once, as a symbol that both languages point to."""

    def __init__(self) -> None:
        self._ids: dict[bytes, str] = {}

    def picture(self, png: bytes, said: str, class_: str = "px") -> Markup:
        """An image with `said` as its text for those who do not see it."""
        number = self._ids.setdefault(png, f"p{len(self._ids)}")
        width, height = size_of(png)
        return element(
            "svg",
            element("title", said),
            element("use", href=f"#{number}"),
            viewBox=f"0 0 {width} {height}",
            class_=class_,
            role="img",
        )

    def symbols(self) -> Markup:
        """To be called when all pictures are placed."""
        return Markup("\n").join(
            element(
                "symbol",
                element("image", href=data_uri(png), width=width, height=height),
                id=number,
                viewBox=f"0 0 {width} {height}",
            )
            for png, number in self._ids.items()
            for width, height in [size_of(png)]
        )


class Edition:
    """What the template needs to write the page in one language."""

    def __init__(self, facts: Facts, words: Words, album: Album) -> None:
        self.facts, self.words, self.album = facts, words, album
        self.language = words.language
        self.sections = list(findings.FINDINGS)
        self.number = words.number
        self.quoted = words.quoted
        self.share_bar = inline.share_bar
        self.whisker = inline.whisker
        self.bars_shown = len(softmax.bars_shown(facts.softmax[0]))
        self.floor = softmax.softmax_floor(facts.softmax)
        self.matrix = matrix.matrix_of(facts.evaluation)
        self.right_steps, self.wrong_steps = matrix.RIGHT_STEPS, matrix.WRONG_STEPS
        self.hits = round(facts.evaluation.accuracy.value * facts.evaluation.n)
        self.chance = math.log(len(facts.classes))
        self.most_left_out = MOST_LEFT_OUT
        self.pages_pictures = len({picture.index for picture in _pictures_of(facts)}) + len(_training_pictures_of(facts))

    def finding(self, section: str) -> list[str]:
        return findings.FINDINGS[section](self.facts, self.words)

    def warnings(self) -> list[str]:
        return findings.warnings(self.facts, self.words)

    def strip(self) -> Markup:
        return strip(self.facts.network, self.words)

    def curves(self) -> list[Markup]:
        return curves.curves(self.facts.history, self.words) if self.facts.history.epochs else []

    def label(self, index: int) -> str:
        return shown(self.facts.classes[index])

    def said_of(self, picture: Picture) -> str:
        """A test picture in a sentence."""
        truth, prediction = self.quoted(self.facts.classes[picture.truth]), self.quoted(self.facts.classes[picture.prediction])
        key = "page.picture_right" if picture.right else "page.picture_wrong"
        return self.words(key, number=picture.index + 1, truth=truth, prediction=prediction, p=picture.confidence)

    def photograph(self, picture: Picture) -> Markup:
        return self.album.picture(picture.png, self.said_of(picture)) if picture.png is not None else Markup("")

    def trained_on(self, picture: TrainingPicture) -> Markup:
        said = self.words("kin.said", name=picture.name, label=self.quoted(self.facts.classes[picture.label]), x=picture.likeness)
        return self.album.picture(picture.png, said)

    def picture(self, png: bytes, said: str) -> Markup:
        return self.album.picture(png, said)

    def scale_bar(self, signed: bool, low: float, high: float) -> Markup:
        """The part of the colour scale that a layer's values take, from its lowest to its highest colour."""
        said = self.words("maps.scale", low=low, high=high)
        return self.album.picture(scale_bar(DIVERGING if signed else SEQUENTIAL), said, "scale-bar")

    def softmax_bars(self, one: Any) -> Markup:
        return softmax.softmax_bars(one, self.facts.classes, self.floor, self.words)

    def reliability(self) -> Markup:
        return reliability(self.facts.evaluation.calibration, self.words)

    def accuracy_against_coverage(self) -> Markup:
        assert self.facts.uncertainty is not None
        return accuracy_against_coverage(self.facts.uncertainty, self.words)

    def set_sizes(self) -> Markup:
        assert self.facts.uncertainty is not None
        return set_sizes(self.facts.uncertainty, self.words)

    def plane(self, number: int) -> str:
        channels = self.facts.network.image[0]
        if channels == 1:
            return self.words("filters.plane.grey")
        return self.words(f"filters.plane.{number}") if channels == 3 else self.words("filters.plane.other", n=number)

    def listed_numbers(self, values: tuple[float, ...]) -> str:
        return ("; " if self.language == "de" else ", ").join(self.number(value, ".3") for value in values)


def _training_pictures_of(facts: Facts) -> set[str]:
    if facts.kin is None:
        return set()
    shown = [*(one.prototypes for one in facts.kin.classes), *(one.training for one in facts.kin.nearest)]
    return {picture.name for pictures in shown for picture in pictures}


def _pictures_of(facts: Facts) -> list[Picture]:
    placed = [*facts.first, *facts.mistakes, *(picture for pair in facts.pairs for picture in pair.pictures)]
    placed += [picture for one in (facts.kin.classes if facts.kin else ()) for picture in one.mistakes]
    return [picture for picture in placed if picture.png is not None]


def rendered(template: str, sheets: tuple[str, ...], **values: Any) -> str:
    """A self-contained page: the template with these values and its style sheets, whose hash the page's security policy names."""
    css = "".join(files("wiesel.reports").joinpath(f"templates/{name}.css").read_text(encoding="utf-8") for name in sheets)
    text: str = (
        environment()
        .get_template(template)
        .render(
            css=Markup(css),
            style_hash=base64.b64encode(hashlib.sha256(css.encode()).digest()).decode(),
            version=metadata.version("wiesel"),
            **values,
        )
    )
    return text


def environment() -> Environment:
    """Templates of this room: everything is escaped, nothing may be missing, no character that a page cannot hold is written."""
    environment = Environment(
        loader=PackageLoader("wiesel.reports"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_clean,
    )
    filters: dict[str, Callable[..., Any]] = {"shown": shown, "brief": partial(shown, longest=18)}
    environment.filters.update(filters)
    return environment


def _clean(value: Any) -> Any:
    """Whatever is printed loses the characters that no page may hold; what is markup already went through this."""
    return printable(value) if isinstance(value, str) and not isinstance(value, Markup) else value
