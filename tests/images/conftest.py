"""Every test of this room has its own cache, never touches the network, and speaks English."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

Picture = Callable[..., bytes]


@pytest.fixture(autouse=True)
def _apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WIESEL_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("WIESEL_OFFLINE", "1")
    monkeypatch.setenv("WIESEL_LANG", "en")
    monkeypatch.delenv("WIESEL_DATA", raising=False)


@pytest.fixture
def picture() -> Picture:
    """File bytes of a picture of noise, different for each seed: `picture(3, size=(8, 6), format="PNG")`."""

    def make(seed: int = 0, *, size: tuple[int, int] = (8, 8), format: str = "PNG", mode: str = "RGB", **options: Any) -> bytes:
        pixels = np.random.default_rng(seed).integers(0, 256, (size[1], size[0], 3), np.uint8)
        return encoded(pixels, format, mode=mode, **options)

    return make


def encoded(pixels: NDArray[np.uint8], format: str = "PNG", *, mode: str = "RGB", **options: Any) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).convert(mode).save(file, format, **options)
    return file.getvalue()


@pytest.fixture
def folder(tmp_path: Path, picture: Picture) -> Callable[..., Path]:
    """Makes a folder: `folder("cat/1.png", "dog/2.png", notes="text")`; names ending in a slash become empty folders."""

    def make(*names: str, **texts: str) -> Path:
        root = tmp_path / "pets"
        root.mkdir(exist_ok=True)
        for seed, name in enumerate(names):
            path = root / name
            if name.endswith("/"):
                path.mkdir(parents=True, exist_ok=True)
                continue
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(picture(seed))
        for name, text in texts.items():
            (root / name).write_text(text)
        return root

    return make
