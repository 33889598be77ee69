"""The figure that every teaching function returns: a Matplotlib figure that carries its finding as text.

The one file of this room that imports Matplotlib when it is imported; `figures.py` imports it when a figure is wanted.
"""

from __future__ import annotations

import base64
import html
import io
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

DPI = 120


class Sheet(Figure):
    """A figure that belongs to no global state and shows itself in notebooks, with its alternative text.

    `alt_text` says what the figure shows, the numbers included, to those who do not see it.
    """

    def __init__(self, *args: Any, alt_text: str = "", **settings: Any) -> None:
        super().__init__(*args, **settings)
        self.alt_text = alt_text

    def save(self, path: str | Path, dpi: float = DPI) -> Path:
        """Write PNG, SVG or PDF, after the ending of `path`; the alternative text goes into the file's metadata."""
        path = Path(path)
        kind = path.suffix.lower()
        metadata = {
            ".png": {"Description": self.alt_text},
            ".svg": {"Description": self.alt_text},
            ".pdf": {"Subject": self.alt_text},
        }
        self.savefig(path, dpi=dpi, metadata=metadata.get(kind))
        return path

    def png(self, dpi: float = DPI) -> bytes:
        file = io.BytesIO()
        self.savefig(file, format="png", dpi=dpi, metadata={"Description": self.alt_text})
        return file.getvalue()

    def _repr_html_(self) -> str:
        picture = base64.b64encode(self.png()).decode()
        said = html.escape(self.alt_text, quote=True)
        return f'<img alt="{said}" style="max-width:100%;height:auto" src="data:image/png;base64,{picture}"/>'
