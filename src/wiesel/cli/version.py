"""`wiesel --version`"""

from __future__ import annotations

import importlib.metadata


def version() -> str:
    return importlib.metadata.version("wiesel")
