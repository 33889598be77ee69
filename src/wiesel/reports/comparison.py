"""A comparison's facts -> comparison.html: the sentence first, then what the arms do not share, the numbers, and pictures of them.

Like the report of a run it is one file that needs nothing else, in both languages, without a program. It is made from
`comparison.json` and the test pictures, so it can be made again at any time.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from markupsafe import Markup

from wiesel.errors import BadValue
from wiesel.images import Images
from wiesel.language import Language, language
from wiesel.reports import comparison_charts as charts
from wiesel.reports.collecting import LONGEST_SIDE
from wiesel.reports.page import CHOICES, Album, rendered
from wiesel.reports.pictures import photograph, reduced
from wiesel.reports.words import Words, shown
from wiesel.runs.commit import write_file

PAGE = "comparison.html"
WIDEST = 25
"""Classes above which differences class by class are left to comparison.json."""


def write(folder: Path, document: Mapping[str, Any], *, plan: str = "", pictures: Images | None = None, lang: str = "both") -> Path:
    """Write `comparison.html` into `folder`; its path. `plan`: the text of plan.toml. `pictures`: the test pictures, if they are there.

    Raises:
        BadValue: another `lang`.
        CannotSave: the machine refused.
    """
    path = folder / PAGE
    write_file(path, html(document, folder=folder.resolve().name, plan=plan, pictures=pictures, lang=lang).encode())
    return path


def html(
    document: Mapping[str, Any], *, folder: str = "", plan: str = "", pictures: Images | None = None, lang: str = "both"
) -> str:
    """The page. With "both", the reader's language is shown first and a switch shows the other."""
    if lang not in CHOICES:
        raise BadValue(setting="lang", value=lang, expected=" | ".join(CHOICES))
    both: tuple[Language, ...] = ("en", "de")
    languages = tuple(one for one in both if lang in ("both", one))
    album = Album()
    found = _photographs(document, pictures)
    pages = [Edition(document, folder, plan, found, album, Words(one)) for one in languages]
    return rendered(
        "comparison.html.j2",
        ("report", "comparison"),
        pages=pages,
        first=language() if lang == "both" else languages[0],
        symbols=album.symbols,
    )


def _photographs(document: Mapping[str, Any], pictures: Images | None) -> dict[int, bytes]:
    """PNG of each picture that the page shows, by its number."""
    if pictures is None:
        return {}
    groups = [cards for arm in document["arms"][1:] for cards in arm.get("told_apart", {}).values()]
    numbers = {int(card["picture"]) for cards in groups for card in cards}
    return {
        number: photograph(reduced(pictures.pixels[number], LONGEST_SIDE).round().astype("uint8"))
        for number in numbers
        if number < len(pictures)
    }


@dataclass(frozen=True)
class Chart:
    drawing: Markup
    caption: str


class Edition:
    """What the template needs to write the page in one language."""

    def __init__(
        self,
        document: Mapping[str, Any],
        folder: str,
        plan: str,
        photographs: dict[int, bytes],
        album: Album,
        words: Words,
    ) -> None:
        self.document, self.folder, self.plan, self.words, self.album = document, folder, plan, words, album
        self.photographs = photographs
        self.language = words.language
        self.number = words.number
        self.sentence = str(document["sentence"][self.language])
        self.small_print = str(document.get("small_print", {}).get(self.language, ""))
        self.question = str(document.get("question", {}).get(self.language, ""))
        self.fixed = document.get("data", {}).get("divisions", "fixed") == "fixed"
        self.arms: list[dict[str, Any]] = document["arms"]
        self.tags = {arm["name"]: tag for arm, tag in zip(self.arms, "ABCDEFGHIJ", strict=False)}
        self.others = [
            str(arm["sentence"][self.language])
            for arm in self.arms[1:]
            if arm["name"] != document["challenger"] and "sentence" in arm
        ]

    # --- order ----------------------------------------------------------------------------------------------------------

    @cached_property
    def headings(self) -> dict[str, str]:
        words = self.words
        return {
            "verdict": words("compare.verdict"),
            "fairness": words("compare.fairness"),
            "numbers": words("compare.numbers"),
            "charts": words("compare.charts"),
            "training": words("compare.training"),
            "pictures": words("compare.pictures"),
            "classes": words("compare.classes"),
            "origin": words("compare.origin"),
        }

    @property
    def sections(self) -> list[str]:
        empty = {
            "fairness": not self.document.get("fairness"),
            "training": not self.document.get("training"),
            "pictures": all("told_apart" not in arm for arm in self.arms[1:]),
            "classes": not self.explored(),
        }
        return [section for section in self.headings if not empty.get(section)]

    def about(self, section: str) -> str:
        words = self.words
        return {
            "fairness": words("compare.fairness_about"),
            "numbers": words("compare.numbers_about"),
            "charts": words("compare.charts_about"),
            "training": words("compare.training_about"),
            "pictures": words("compare.pictures_about"),
            "classes": words("compare.classes_about"),
            "origin": words("compare.origin_about"),
        }.get(section, "")

    # --- sentence and numbers -------------------------------------------------------------------------------------------

    def title(self) -> str:
        first = self.arms[0]["name"]
        if len(self.arms) > 2:
            if any(arm.get("against", first) != first for arm in self.arms[1:]):
                return self.words("compare.compared", n=len(self.arms))
            return self.words("compare.several", n=len(self.arms) - 1, baseline=first)
        return self.words("compare.title", challenger=self.arms[1]["name"], baseline=first)

    def warnings(self) -> list[str]:
        said = []
        why = self.document.get("why_exploratory")
        if why:
            said.append(self.words("compare.exploratory", why=why[self.language]))
        if len(self.document.get("programs", ())) > 1:
            said.append(self.words("compare.programs", n=len(self.document["programs"])))
        return said

    def budget(self) -> str:
        budget = self.document.get("budget", {"kind": "epochs"})
        if budget["kind"] == "seconds":
            return self.words("compare.equal_seconds", seconds=budget["seconds"])
        return self.words("compare.free") if budget["kind"] == "free" else self.words("compare.equal_epochs")

    def burdens(self) -> list[dict[str, Any]]:
        return [
            {
                "tag": self.tags[one["name"]],
                "name": shown(one["name"], 60),
                "parameters": one["parameters"],
                "macs": one["macs"],
                "epochs": one.get("epochs", "–"),
                "time": "–" if one["seconds"] is None else self.number(one["seconds"], "time"),
                "settings": ", ".join(f"{key} = {value}" for key, value in one["settings"].items()),
            }
            for one in self.document["fairness"]
        ]

    def results(self) -> list[dict[str, str]]:
        return [self._result(arm) for arm in self.arms]

    def _result(self, arm: dict[str, Any]) -> dict[str, str]:
        row = dict.fromkeys(("against", "difference", "interval", "word", "beats"), "")
        row |= {"tag": self.tags[arm["name"]], "name": shown(arm["name"], 60), "right": self.number(arm["accuracy"], "%2")}
        if "difference" in arm:
            row |= {
                "against": self.tags[arm.get("against", self.arms[0]["name"])],
                "difference": self.points(arm["difference"]),
                "interval": self.between(*arm["interval"]),
                "word": self.word(arm["verdict"]),
                "beats": self.number(arm["beats"], "%0"),
            }
        return row

    def simplest(self) -> str:
        """Which arm is as good as the first with the least work; empty with a single challenger, or if there is no such arm."""
        first, macs = self.arms[0]["name"], {one["name"]: one["macs"] for one in self.document.get("fairness", ())}
        enough = [
            arm["name"]
            for arm in self.arms[1:]
            if arm["verdict"] in ("same", "better")
            and arm.get("against", first) == first
            and macs.get(arm["name"], 0) < macs.get(first, 0)
        ]
        if len(self.arms) < 3 or not enough:
            return ""
        name = min(enough, key=lambda one: macs[one])
        return self.words("compare.simplest", baseline=first, name=name, macs=macs[name])

    def word(self, verdict: str) -> str:
        words = self.words
        return {
            "better": words("compare.better"),
            "worse": words("compare.worse"),
            "same": words("compare.same"),
            "undecided": words("compare.undecided"),
            "test_set_too_small": words("compare.small"),
        }[verdict]

    def points(self, share: float) -> str:
        return ("+" if share > 0.00005 else "") + self.number(100 * share + 0.0, ".2")

    def between(self, low: float, high: float) -> str:
        return self.words("compare.between", low=self.points(low), high=self.points(high))

    # --- charts ---------------------------------------------------------------------------------------------------------

    def charts(self) -> list[Chart]:
        words, margin = self.words, 100 * self.document["margin"]
        return [
            Chart(
                charts.differences(self.arms, self.document["margin"], self.tags, words),
                words("compare.chart_differences_facts", margin=margin),
            ),
            Chart(charts.runs(self.arms, self.tags, words), words("compare.chart_runs_facts")),
            Chart(charts.times(self.arms, self.tags, words), words("compare.chart_time_facts")),
        ]

    def training(self) -> list[str]:
        return [str(one["sentence"][self.language]) for one in self.document["training"]]

    def training_chart(self) -> Markup:
        return charts.training_errors(self.arms, self.tags, self.words)

    # --- pictures and classes -------------------------------------------------------------------------------------------

    def groups(self) -> list[dict[str, Any]]:
        found = []
        for arm in self.arms[1:]:
            baseline = arm.get("against", self.arms[0]["name"])
            for direction in ("better", "worse"):
                cards = arm.get("told_apart", {}).get(direction, [])
                if cards:
                    right, wrong = (arm["name"], baseline) if direction == "better" else (baseline, arm["name"])
                    count = len(arm["exploration"]["pictures"][direction])
                    heading = self.words(
                        "compare.only_one", right=right, wrong=wrong, n=count, all=self.document["data"]["test_pictures"]
                    )
                    found.append({"heading": heading, "cards": [self._card(card, right, wrong, direction) for card in cards]})
        return found

    def _card(self, card: dict[str, Any], right: str, wrong: str, direction: str) -> dict[str, Any]:
        good, bad = card["right"][::-1] if direction == "better" else card["right"]
        names, runs = self.document["classes"], self.document["runs"]
        label, said = (self.words.quoted(names[card[key]]) for key in ("label", "said"))
        text = self.words(
            "compare.picture",
            number=card["picture"] + 1,
            label=label,
            good=good,
            bad=bad,
            runs=runs,
            right=right,
            wrong=wrong,
            said=said,
        )
        png = self.photographs.get(card["picture"])
        return {
            "photograph": Markup("") if png is None else self.album.picture(png, text),
            "label": shown(names[card["label"]]),
            "said": self.words("compare.not_said", said=said),
            "often": self.words("compare.often", good=good, bad=bad, runs=runs),
        }

    def explored(self) -> list[dict[str, Any]]:
        found = []
        for arm in self.arms[1:]:
            classes = arm.get("exploration", {}).get("classes", [])
            if 1 < len(classes) <= WIDEST:
                against = arm.get("against", self.arms[0]["name"])
                rows = [
                    {**one, "difference": self.points(one["difference"]), "interval": self.between(*one["interval"])}
                    for one in classes
                ]
                found.append({"heading": f"{shown(arm['name'], 60)} − {shown(against, 60)}", "rows": rows})
        return found

    # --- origin ---------------------------------------------------------------------------------------------------------

    def origin(self) -> list[tuple[str, str]]:
        document, words = self.document, self.words
        facts = [
            (words("compare.command"), str(document.get("command", ""))),
            (words("compare.made"), str(document.get("made", ""))[:16].replace("T", " ")),
            (words("compare.data"), str(document.get("data", {}).get("source", ""))),
            (words("compare.fingerprint"), str(document.get("plan", ""))),
            (words("compare.program"), "; ".join(document.get("programs", ()))),
        ]
        return [(name, value) for name, value in facts if value]
