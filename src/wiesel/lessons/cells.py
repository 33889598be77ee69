"""Scripts of cells in two languages, and the script or notebook in one language that is made of them.

The format is py:percent, which Jupytext, VS Code, PyCharm and Spyder read; texts carry their language:

    # lesson 04
    # %% [markdown] lang="de"
    # # Parameter und Grössen
    # %% [markdown] lang="en"
    # # Parameters and sizes
    # %%
    print(3 * 3 * 64)

Lines before the first cell are the head, which stays in every copy. A notebook is nbformat 4.5; the same script gives the same bytes.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from wiesel.language import Language

Kind = Literal["markdown", "code"]

_MARKER = re.compile(r'# %%(?P<markdown> \[markdown\])?(?: lang="(?P<language>de|en)")?\s*$')


@dataclass(frozen=True)
class Cell:
    kind: Kind
    language: Language | None
    """None: for both."""
    text: str
    """Of a markdown cell without the comment signs."""


@dataclass(frozen=True)
class Script:
    head: str
    cells: tuple[Cell, ...]

    def title(self, language: Language) -> str:
        """The first heading in a language."""
        for cell in self.of(language):
            if cell.kind == "markdown" and cell.text.startswith("# "):
                return cell.text.splitlines()[0].removeprefix("# ").strip()
        return ""

    def of(self, language: Language) -> tuple[Cell, ...]:
        """The cells that a reader of this language sees."""
        return tuple(cell for cell in self.cells if cell.language in (None, language))


def parse(source: str) -> Script:
    """The cells of a script.

    Raises:
        ValueError: a line that looks like a marker and is none; names the line.
    """
    head: list[str] = []
    cells: list[Cell] = []
    lines: list[str] = head
    kind: Kind = "code"
    language: Language | None = None

    def close() -> None:
        if lines is not head:
            text = "\n".join(lines).strip("\n")
            if kind == "markdown":
                text = "\n".join(re.sub(r"^# ?", "", line) for line in text.splitlines())
            cells.append(Cell(kind, language, text))

    for place, line in enumerate(source.splitlines(), start=1):
        if not line.startswith("# %%"):
            lines.append(line)
            continue
        found = _MARKER.match(line)
        if found is None:
            raise ValueError(f"line {place}: {line!r} is no cell marker")
        close()
        lines, kind = [], "markdown" if found["markdown"] else "code"
        language = found["language"]  # type: ignore[assignment]
    close()
    return Script("\n".join(head).strip("\n"), tuple(cells))


def script(source: Script, language: Language) -> str:
    """The script in one language, still in cells."""
    parts = [source.head, f"# %%\n{setting(language)}"]
    for cell in source.of(language):
        if cell.kind == "markdown":
            parts.append("\n".join(["# %% [markdown]", *(f"# {line}".rstrip() for line in cell.text.splitlines())]))
        else:
            parts.append(f"# %%\n{cell.text}")
    return "\n\n".join(part for part in parts if part) + "\n"


def setting(language: Language) -> str:
    """The code that makes a copy speak its language, unless somebody wants another one."""
    return f'import os\n\nos.environ.setdefault("WIESEL_LANG", "{language}")'


def notebook(source: Script, language: Language, name: str, *, repository: str | None = None) -> dict[str, Any]:
    """The notebook in one language as nbformat 4.5.

    `name` is the file's name without `.ipynb`; it goes into the cells' ids. `repository`: OWNER/NAME on GitHub whose branch `notebooks`
    has this notebook and from which wiesel can be installed; the notebook then begins with a badge that opens it in Colab, and a cell
    that installs wiesel there and nowhere else.
    """
    cells = []
    if repository is not None:
        badge = (
            "[![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)]"
            f"(https://colab.research.google.com/github/{repository}/blob/notebooks/{language}/{name}.ipynb)"
        )
        install = (
            'import sys\n\nif "google.colab" in sys.modules:  # elsewhere, wiesel is there already\n'
            f'    get_ipython().run_line_magic("pip", \'install --quiet "wiesel[sklearn,teaching] @ git+https://github.com/{repository}"\')'
        )
        cells = [Cell("markdown", None, badge), Cell("code", None, install)]
    settled = f'{source.head}\n\nimport os\n\nos.environ["WIESEL_LANG"] = "{language}"'
    cells += [Cell("code", None, settled.strip()), *source.of(language)]
    return {
        "cells": [_cell(cell, f"{name}/{language}/{place}") for place, cell in enumerate(cells)],
        "metadata": {
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
        },
        "nbformat": 4,
        "nbformat_minor": 5,
    }


def code_of(content: str) -> str:
    """The code cells of a notebook as one program, without lines that only IPython understands (`%` and `!`).

    Raises:
        ValueError: not a notebook.
    """
    try:
        found = ["".join(cell["source"]) for cell in json.loads(content)["cells"] if cell["cell_type"] == "code"]
    except (KeyError, TypeError, RecursionError) as error:
        raise ValueError("no cells") from error
    return "\n\n".join(re.sub(r"^(?=[%!])", "# ", code, flags=re.MULTILINE) for code in found) + "\n"


def to_bytes(plain: dict[str, Any]) -> bytes:
    """A notebook as its file's content."""
    return (json.dumps(plain, indent=1, ensure_ascii=False, sort_keys=True) + "\n").encode()


def _cell(cell: Cell, place: str) -> dict[str, Any]:
    common = {
        "cell_type": cell.kind,
        "id": hashlib.sha256(place.encode()).hexdigest()[:8],
        "metadata": {},
        "source": _lines(cell.text),
    }
    return common if cell.kind == "markdown" else {**common, "execution_count": None, "outputs": []}


def _lines(text: str) -> Sequence[str]:
    return text.splitlines(keepends=True)
