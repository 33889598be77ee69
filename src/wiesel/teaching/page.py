"""What a teaching function returns when it is not a figure: a piece of HTML that needs no network, with its finding as text."""

from __future__ import annotations

import html
from dataclasses import dataclass, field
from pathlib import Path

POLICY = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:"
"""The browser itself refuses whatever would come from elsewhere."""

STYLE = """
:root { color-scheme: light dark; --ground: #fff; --text: #1b2026; --muted: #57616c; --line: #c9d0d7; --panel: #f5f7f9; --accent: #12609f; }
@media screen and (prefers-color-scheme: dark) {
  :root { --ground: #14181c; --text: #e5e8eb; --muted: #a0abb6; --line: #3b434b; --panel: #1c2126; --accent: #74b6ee; }
}
body { margin: 0.8rem; background: var(--ground); color: var(--text); font: 15px/1.45 system-ui, "Segoe UI", Roboto, sans-serif; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: 0.25rem 0.8rem; text-align: right; border-bottom: 1px solid var(--line); }
th { color: var(--muted); font-weight: 600; }
caption { text-align: left; font-weight: 600; padding-bottom: 0.4rem; }
"""


@dataclass(frozen=True, kw_only=True)
class Page:
    """`body` is HTML; `text` is what `print` shows; `alt_text` is the finding in a sentence."""

    title: str
    body: str
    text: str
    alt_text: str
    language: str
    style: str = field(default="", repr=False)
    height: int = 320
    """Pixels that the page takes in a notebook."""

    def __str__(self) -> str:
        return self.text

    def html(self) -> str:
        """A whole document that loads nothing."""
        return (
            f'<!doctype html>\n<html lang="{self.language}">\n<head>\n<meta charset="utf-8"/>\n'
            '<meta name="viewport" content="width=device-width, initial-scale=1"/>\n'
            f'<meta http-equiv="Content-Security-Policy" content="{POLICY}"/>\n'
            f'<title>{html.escape(self.title)}</title>\n<meta name="description" content="{html.escape(self.alt_text, quote=True)}"/>\n'
            f"<style>{STYLE}{self.style}</style>\n</head>\n<body>\n{self.body}\n</body>\n</html>\n"
        )

    def save(self, path: str | Path) -> Path:
        """Write the document as UTF-8."""
        path = Path(path)
        path.write_text(self.html(), encoding="utf-8")
        return path

    def _repr_html_(self) -> str:
        """In a frame of its own, so that neither its style nor its program touches the notebook or a second page in it."""
        return (
            f'<iframe title="{html.escape(self.alt_text, quote=True)}" style="width:100%;height:{self.height}px;border:0" '
            f'sandbox="allow-scripts" srcdoc="{html.escape(self.html(), quote=True)}"></iframe>'
        )
