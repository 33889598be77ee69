"""What is written can be read: by XML parsers, by Graphviz and Mermaid, by people in both languages, in light and dark."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
import torch
from PIL import ImageFont
from torch import nn

from wiesel import zoo
from wiesel.analysis.drawing import draw, graph_of
from wiesel.analysis.drawing.dot import dot
from wiesel.analysis.drawing.mermaid import mermaid
from wiesel.analysis.drawing.svg import STYLE, svg
from wiesel.analysis.graphs.graph import Cluster, Edge, Graph, Node
from wiesel.errors import BadValue

SVG = "{http://www.w3.org/2000/svg}"
NASTY = 'a<b>&"c\\ d#35;e]|f{g}\x1b\n--> end `h`'


@pytest.fixture(autouse=True)
def _english(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WIESEL_LANG", "en")


@cache
def resnet() -> Graph:
    """ResNet-20: identities, reshaped skips, stages; operation by operation."""
    with torch.device("meta"):
        return graph_of(zoo.build("resnet20", channels=3, size=32), (3, 32, 32), "operations", name="resnet20")


def nasty() -> Graph:
    nodes = (
        Node("input", "input", "input", shape=(1, 2, 2)),
        Node('x" y', NASTY, "block", module=NASTY, lines=(NASTY,), parameters=3),
        Node("end", NASTY, "failure", lines=("1×2", "3×4", f"RuntimeError: {NASTY}")),
    )
    edges = (Edge("input", 'x" y'), Edge('x" y', "end"), Edge("input", "end", "skip", "identity"))
    return Graph(nodes, edges, (Cluster(NASTY, NASTY, ('x" y',)),), name=NASTY)


def texts(picture: ET.Element) -> list[str]:
    return [element.text or "" for element in picture.iter(f"{SVG}text")]


def test_the_svg_is_one_picture_with_a_title_and_the_facts_for_those_who_do_not_see_it() -> None:
    picture = ET.fromstring(svg(resnet()))
    assert (picture.tag, picture.get("role")) == (f"{SVG}svg", "img")
    title, description = picture[0], picture[1]
    assert (title.tag, title.text) == (f"{SVG}title", "Graph of resnet20")
    assert description.tag == f"{SVG}desc"
    assert "skips: 7 identity, 2 no weights; 269,722 parameters" in (description.text or "")


def test_the_svg_needs_nothing_from_elsewhere_and_runs_nothing() -> None:
    text = svg(resnet())
    assert re.findall(r"https?://[^\"<\s]*", text) == ["http://www.w3.org/2000/svg"]
    assert not re.search(r"<script|<foreignObject|@import|url\(|\son\w+=|href", text)


def test_every_node_and_every_edge_is_drawn() -> None:
    graph = resnet()
    picture = ET.fromstring(svg(graph))
    assert len(picture.findall(f"{SVG}g")) == len(graph.nodes)
    lines = [path for path in picture.iter(f"{SVG}path") if "edge" in (path.get("class") or "").split()]
    assert len(lines) == len(graph.edges)
    assert sum("skip" in (path.get("class") or "").split() for path in lines) == sum(edge.kind == "skip" for edge in graph.edges)
    assert texts(picture).count("identity") == 7
    assert texts(picture).count("no weights") == 2
    assert {"input", "output", "conv 3×3, 16", "batch norm", "relu", "+", "stage3", "block1"} <= set(texts(picture))


def test_titles_labels_and_numbers_are_in_the_readers_language(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WIESEL_LANG", "de")
    picture = ET.fromstring(svg(resnet()))
    assert picture[0].text == "Graph von resnet20"
    assert "Überspringende Verbindungen: 7 Identität, 2 ohne Gewichte; 269\u202f722 Parameter" in (picture[1].text or "")
    assert {"Eingabe", "Ausgabe", "Identität", "ohne Gewichte", "16 × 32 × 32 · 432 Parameter"} <= set(texts(picture))
    assert "identity" not in texts(picture)
    assert "|#quot;" not in mermaid(resnet())
    assert "Identität" in mermaid(resnet())
    assert "Identität" in dot(resnet())


def test_no_text_is_wider_than_its_box_in_a_wide_font() -> None:
    """DejaVu Sans is the widest of the fonts that systems fall back to."""
    found = find_spec("matplotlib")
    assert found is not None
    assert found.origin is not None
    folder = Path(found.origin).parent / "mpl-data" / "fonts" / "ttf"
    fonts = {
        (bold, size): ImageFont.truetype(str(folder / f"DejaVuSans{'-Bold' if bold else ''}.ttf"), size * 10)
        for bold in (False, True)
        for size in (11, 12, 13)
    }
    for picture in (ET.fromstring(svg(graph)) for graph in (resnet(), failed())):
        right = float(picture.get("width") or "")
        for group in picture.findall(f"{SVG}g"):
            box = next(group.iter(f"{SVG}rect"))
            for text in group.iter(f"{SVG}text"):
                assert _wide(text, fonts) <= float(box.get("width") or "") - 4, text.text
        for text in picture.findall(f"{SVG}text"):
            x, wide = float(text.get("x") or ""), _wide(text, fonts)
            begin = x - wide if text.get("text-anchor") == "end" else x
            assert begin >= 0
            assert begin + wide <= right, text.text


def _wide(text: ET.Element, fonts: dict[tuple[bool, int], ImageFont.FreeTypeFont]) -> float:
    kinds = set((text.get("class") or "").split())
    size = 13 if kinds & {"head", "strong", "stage"} else 11 if kinds & {"facts", "part"} else 12
    return fonts[bool(kinds & {"strong", "stage", "skip-label"}), size].getlength(text.text or "") / 10


def test_text_stands_out_from_its_ground_in_light_and_dark() -> None:
    """Contrast of at least 4.5 (WCAG 2.1, 1.4.3)."""
    light, dark = STYLE.split("@media screen and (prefers-color-scheme: dark)")
    for part in (light, dark):
        colours = dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{3,6})", part))
        for ground in ("ground", "panel", "work", "pool", "plain", "act"):
            assert contrast(colours["text"], colours[ground]) >= 4.5
            assert contrast(colours["muted"], colours[ground]) >= 4.5
        assert contrast(colours["red"], colours["red-ground"]) >= 4.5
        assert contrast(colours["skip"], colours["panel"]) >= 4.5


def contrast(one: str, other: str) -> float:
    def luminance(colour: str) -> float:
        digits = colour[1:] if len(colour) == 7 else "".join(2 * c for c in colour[1:])
        channels = [int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4)]
        linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    dark, bright = sorted((luminance(one), luminance(other)))
    return (bright + 0.05) / (dark + 0.05)


def failed() -> Graph:
    return graph_of(nn.Sequential(nn.Conv2d(1, 4, 3), nn.Flatten(), nn.Linear(9, 2)), (1, 8, 8), name="mine")


def test_a_failure_is_red_and_says_both_shapes() -> None:
    picture = ET.fromstring(svg(failed()))
    (box,) = [box for box in picture.iter(f"{SVG}rect") if "failure" in (box.get("class") or "")]
    assert box is not None
    shown = " ".join(texts(picture))
    assert "linear inputs: 1×144, 2×9, 2 RuntimeError: mat1 and mat2 shapes cannot be multiplied (1x144 and 9x2)" in shown
    assert "the forward pass failed at linear" in (picture[1].text or "")
    assert ":::failed" in mermaid(failed())
    assert "#b3261e" in dot(failed())


def test_no_name_breaks_the_svg() -> None:
    picture = ET.fromstring(svg(nasty()))
    assert 'a<b>&"c\\ d#35;e]|f{g} --> end `h`' in texts(picture)


def test_the_dot_file_is_a_list_of_statements_in_the_grammar_of_graphviz() -> None:
    string = r'"(?:[^"\\]|\\.)*"'
    attributes = rf"(?: \[\w+={string}(?:, \w+={string})*\])?"
    statement = re.compile(
        rf"digraph {string} \{{|subgraph {string} \{{|\}}|rankdir=TB;|label={string};|(?:node|edge) \[.*\];"
        rf"|{string}{attributes};|{string} -> {string}{attributes};"
    )
    for graph in (resnet(), nasty(), failed()):
        lines = [line.strip() for line in dot(graph).splitlines()]
        assert [line for line in lines if not statement.fullmatch(line)] == []
        assert sum(line.endswith("{") for line in lines) == lines.count("}")
        assert sum(" -> " in line and not line.startswith("digraph") for line in lines) >= len(graph.edges)
        declared = [line for line in lines if re.match(rf"{string} \[label", line)]
        assert len(declared) == len(graph.nodes)


def test_the_mermaid_file_has_only_plain_statements_and_no_character_that_could_end_one() -> None:
    label = r'"(?:[^"\[\]{}<>|`#;&\\]|#\d+;|<br/>)*"'
    statement = re.compile(
        rf"flowchart TD|subgraph s[\dx]+\[{label}\]|end|n\d+(?:\[{label}\]|\(\[{label}\]\)):::\w+"
        rf"|n\d+ (?:-->|==>|-\.->)(?:\|{label}\|)? n\d+|classDef \w+ [\w:#,]+"
    )
    for graph in (resnet(), nasty(), failed()):
        lines = [line.strip() for line in mermaid(graph).splitlines()]
        assert [line for line in lines if not statement.fullmatch(line)] == []
        assert lines[0] == "flowchart TD"
        assert sum(line.startswith("subgraph") for line in lines) == lines.count("end")
        assert len({match[0] for line in lines if (match := re.match(r"n\d+(?=[\[(])", line))}) == len(graph.nodes)
        defined = {line.split()[1] for line in lines if line.startswith("classDef")}
        assert {kind for line in lines for kind in re.findall(r":::(\w+)", line)} == defined


def test_one_call_draws_a_network_in_every_format() -> None:
    network = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU())
    assert draw(network, (1, 8, 8)).startswith("<svg xmlns=")
    assert draw(network, (1, 8, 8), format="dot", name="mine").startswith('digraph "mine" {')
    assert draw(network, (1, 8, 8), format="mermaid", detail="operations").count(":::") == 4
    assert draw(network, (1, 8, 8)) == draw(network, (1, 8, 8))
    with pytest.raises(BadValue, match=r"svg \| dot \| mermaid"):
        draw(network, (1, 8, 8), format="png")  # type: ignore[arg-type]
    with pytest.raises(BadValue, match=r"blocks \| operations"):
        draw(network, (1, 8, 8), detail="layers")  # type: ignore[arg-type]


def test_a_graph_without_nodes_is_still_a_picture() -> None:
    ET.fromstring(svg(Graph((), ())))


def test_the_name_of_a_graph_is_in_its_title() -> None:
    assert "<title>Graph of a network</title>" in svg(replace(resnet(), name=""))
