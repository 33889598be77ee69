"""A report as a tree. It is written as well-formed XML, so the strict parser of the standard library reads it, and checks it."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from xml.etree.ElementTree import Element


def parsed(html: str) -> Element:
    assert html.startswith("<!DOCTYPE html>")
    return ET.fromstring(html.removeprefix("<!DOCTYPE html>"))


def by_id(tree: Element, name: str) -> Element:
    found = [element for element in tree.iter() if element.get("id") == name]
    assert len(found) == 1, (name, len(found))
    return found[0]


def by_class(tree: Element, name: str) -> list[Element]:
    return [element for element in tree.iter() if name in (element.get("class") or "").split()]


def text(element: Element) -> str:
    """All text in it, with single spaces."""
    return re.sub(r"[ \n]+", " ", "".join(element.itertext())).strip(" ")


def number(shown: str) -> float:
    """What a reader takes a written number for: `1 234`, `0,83`, `−2.5`, `91.3 %` (as a share)."""
    plain = shown.replace("\N{NARROW NO-BREAK SPACE}", "").replace(" ", "").replace(",", ".").replace("\N{MINUS SIGN}", "-")
    return float(plain.removesuffix("%")) / 100 if plain.endswith("%") else float(plain)


def rows(table: Element) -> Iterator[list[str]]:
    """Cells of the body, row by row."""
    for row in table.find("tbody") or []:
        yield [text(cell) for cell in row]


def shape(element: Element) -> list[tuple[int, str, str | None]]:
    """Depth, tag and class of every element in order: what two languages must have in common. Drawn text may differ in number."""
    found: list[tuple[int, str, str | None]] = []

    def walk(part: Element, depth: int) -> None:
        found.append((depth, part.tag, part.get("class")))
        for child in part:
            walk(child, depth + 1)

    walk(element, 0)
    return found
