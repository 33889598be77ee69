"""The documentation builds as a site without a warning, and needs nothing from elsewhere."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ZENSICAL = Path(sys.executable).with_name("zensical")


@pytest.mark.skipif(not ZENSICAL.exists(), reason="zensical is not installed: pip install wiesel[docs]")
def test_the_site_builds_and_asks_nobody_else_for_anything(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "docs", tmp_path / "docs")
    shutil.copy(ROOT / "zensical.toml", tmp_path)
    done = subprocess.run([ZENSICAL, "build", "--clean", "--strict"], cwd=tmp_path, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    pages = list((tmp_path / "site").rglob("*.html"))
    assert len(pages) >= len(list((ROOT / "docs").rglob("*.md")))
    # Links to elsewhere are for people to follow; what a browser fetches unasked must lie here.
    fetched = re.compile(
        r"<(?:script|img|iframe)[^>]*\ssrc=\"(https?:[^\"]+)|<link[^>]*rel=\"(?:stylesheet|preconnect)\"[^>]*href=\"(https?:[^\"]+)"
    )
    assert [(page.name, found) for page in pages for found in fetched.findall(page.read_text(encoding="utf-8"))] == []
