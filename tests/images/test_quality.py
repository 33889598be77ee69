from __future__ import annotations

import numpy as np
from PIL import Image, ImageFilter

from wiesel.images.quality import odd_sizes, oddities


def test_dark_bright_uniform_and_blurred_pictures_are_told_apart():
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (40, 32, 32, 3), np.uint8)
    pixels[3] = 120 + rng.integers(0, 4, pixels[3].shape)
    pixels[5] = rng.integers(0, 45, pixels[5].shape)
    pixels[7] = rng.integers(215, 256, pixels[7].shape)
    wide = Image.fromarray(np.kron(rng.integers(0, 256, (2, 2, 3)), np.ones((16, 16, 1))).astype(np.uint8))
    pixels[9] = np.asarray(wide.filter(ImageFilter.GaussianBlur(6)))
    found = {kind: rows.tolist() for kind, rows in oddities(pixels).items()}
    assert found == {"uniform": [3], "dark": [5], "bright": [7], "blurred": [9]}


def test_a_few_bright_pixels_do_not_make_a_dark_picture_bright():
    pixels = np.random.default_rng(0).integers(0, 40, (4, 28, 28, 1), np.uint8)
    pixels[:, :2, 0] = 255  # 2 of 784
    assert oddities(pixels)["dark"].tolist() == [0, 1, 2, 3]


def test_tiny_and_flat_data_sets_do_not_fail():
    assert oddities(np.zeros((3, 2, 2, 1), np.uint8))["uniform"].tolist() == [0, 1, 2]
    assert all(len(rows) == 0 for rows in oddities(np.zeros((0, 8, 8, 3), np.uint8)).values())


def test_odd_sizes_are_those_far_from_the_median():
    sizes = {f"{i}.png": (400 + i, 300) for i in range(9)} | {"long.png": (1600, 300), "tiny.png": (60, 45), "up.png": (300, 400)}
    assert odd_sizes(sizes) == ["long.png", "tiny.png"]
    assert odd_sizes({}) == []
