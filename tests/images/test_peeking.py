"""How large the pictures of a source are, without decoding them."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from wiesel.images import small_side


def write(place: Path, sizes: list[tuple[int, int]]) -> Path:
    for number, (height, width) in enumerate(sizes):
        path = place / ("a", "b")[number % 2] / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.zeros((height, width, 3), np.uint8)).save(path)
    return place


@pytest.mark.parametrize(
    ("sizes", "side"),
    [
        ([(32, 32)] * 4, 32),
        ([(96, 96)] * 2, 96),
        ([(97, 97)] * 2, 0),
        ([(32, 32), (32, 32), (48, 48)], 0),
        ([(32, 40)] * 3, 0),
    ],
)
def test_only_small_squares_of_one_size_have_a_side(sizes: list[tuple[int, int]], side: int, tmp_path: Path) -> None:
    folder = write(tmp_path / "pictures", sizes)
    (folder / "a" / "notes.txt").write_text("no picture")
    (folder / "a" / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n" + b"\0" * 40)
    assert small_side(folder) == side
    with zipfile.ZipFile(tmp_path / "pictures.zip", "w") as archive:
        for path in folder.rglob("*.png"):
            archive.write(path, path.relative_to(folder))
    assert small_side(tmp_path / "pictures.zip") == side


def test_named_sets_are_known_and_nothing_is_nothing() -> None:
    assert small_side("fashion-mnist-sample") == 28
    assert small_side("/there/is/nothing") == 0
