"""Facts -> pages: the report of a run as one HTML file that opens anywhere and loads nothing."""

from __future__ import annotations

from wiesel.reports.writing import write

__all__ = ["write"]
