"""Write the reference pages of the documentation from the program itself: `--help` in both languages, and the public docstrings.

    python scripts/reference.py

A test compares the pages with what this makes, so that they cannot fall behind.
"""

from __future__ import annotations

import importlib
import inspect
import io
import os
import re
import sys
from pathlib import Path

from rich.console import Console

DOCS = Path(__file__).parents[1] / "docs"
GROUPS = {"data": ("list", "fetch", "card", "check"), "lesson": ("list", "open", "check")}
"""Commands with commands of their own."""
ROOMS = ("wiesel", "wiesel.analysis", "wiesel.zoo", "wiesel.scratch", "wiesel.teaching", "wiesel.comparison", "wiesel.explanation")
"""Whose public names are described; every name in `__all__`."""


def commands(language: str) -> str:
    """The help of every command, as the terminal shows it in this language."""
    from wiesel import cli

    titles = {"en": "Commands", "de": "Befehle"}
    notes = {
        "en": "What `--help` says, for every command. Written by `scripts/reference.py`.",
        "de": "Was `--help` zu jedem Befehl sagt. Geschrieben von `scripts/reference.py`.",
    }
    before = os.environ.get("WIESEL_LANG")
    loaded = {name: module for name, module in sys.modules.items() if name.startswith("wiesel.cli.")}
    os.environ["WIESEL_LANG"] = language
    try:
        # The commands' modules decide about groups' titles when they are imported.
        for name in loaded:
            del sys.modules[name]
        app = cli.application()
        parts = [f"# {titles[language]}\n\n{notes[language]}\n"]
        for words in [(name,) for name in cli.COMMANDS] + [(group, name) for group, names in GROUPS.items() for name in names]:
            page = io.StringIO()
            app.help_print(list(words), console=Console(file=page, width=110, no_color=True, highlight=False))
            text = "\n".join(line.rstrip() for line in page.getvalue().strip().splitlines())
            parts.append(f"## wiesel {' '.join(words)}\n\n```text\n{text}\n```\n")
    finally:
        sys.modules.update(loaded)
        if before is None:
            del os.environ["WIESEL_LANG"]
        else:
            os.environ["WIESEL_LANG"] = before
    return "\n".join(parts)


def python() -> str:
    """Signature and docstring of every public name."""
    parts = ["# Python\n\nThe public functions and classes, from their docstrings. Written by `scripts/reference.py`.\n"]
    for room in ROOMS:
        module = importlib.import_module(room)
        names = sorted(getattr(module, "__all__", ()))
        if not names:
            continue
        parts.append(f"## {room}\n\n{first_paragraph(module)}\n")
        for name in names:
            parts.append(entry(room, name, getattr(module, name)))
    return "\n".join(parts)


def first_paragraph(thing: object) -> str:
    return (inspect.getdoc(thing) or "").split("\n\n")[0]


def entry(room: str, name: str, thing: object) -> str:
    signature = ""
    if callable(thing):
        try:
            signature = str(inspect.signature(thing))
        except ValueError:
            signature = "(…)"
    # A default that is a function shows where it lies in memory.
    shown = re.sub(r"<function (\w+) at 0x[0-9a-f]+>", r"\1", f"{name}{signature}").replace("wiesel.", "")
    return f"### {room}.{name}\n\n```python\n{shown}\n```\n\n```text\n{inspect.getdoc(thing) or ''}\n```\n"


PAGES = {
    "reference/commands.md": lambda: commands("en"),
    "de/reference/befehle.md": lambda: commands("de"),
    "reference/python.md": python,
}


def main() -> None:
    for name, make in PAGES.items():
        page = DOCS / name
        page.parent.mkdir(parents=True, exist_ok=True)
        page.write_text(make(), encoding="utf-8")
        print(page.relative_to(DOCS.parent))


if __name__ == "__main__":
    main()
