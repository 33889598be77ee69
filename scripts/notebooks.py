#!/usr/bin/env python3
"""Makes notebooks of all lessons, German and English, from the scripts in src/wiesel/lessons/scripts.

    python scripts/notebooks.py                      # writes notebooks/de/*.ipynb and notebooks/en/*.ipynb
    python scripts/notebooks.py --repository me/mine # with a badge that opens them in Colab from its branch `notebooks`, and installs from it

They are not kept in the repository: the scripts are the source, and the same scripts give the same bytes.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "src"))

from wiesel.lessons import cells  # noqa: E402
from wiesel.lessons.catalogue import lessons  # noqa: E402


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--to", type=Path, default=ROOT / "notebooks")
    parser.add_argument("--repository", metavar="OWNER/NAME")
    chosen = parser.parse_args()
    for language in ("de", "en"):
        folder = chosen.to / language
        folder.mkdir(parents=True, exist_ok=True)
        for lesson in lessons():
            made = cells.notebook(lesson.script, language, lesson.name, repository=chosen.repository)
            (folder / f"{lesson.name}.ipynb").write_bytes(cells.to_bytes(made))
            print(folder / f"{lesson.name}.ipynb")
    return 0


if __name__ == "__main__":
    sys.exit(main())
