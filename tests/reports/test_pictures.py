"""Photographs keep every pixel; colours keep the order of values, and what a range statement says can be read back from the PNG."""

from __future__ import annotations

import io

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from wiesel.reports.pictures import DIVERGING, SEQUENTIAL, colours, mapped, photograph, reduced, scale_bar, signed, size_of


def opened(png: bytes) -> NDArray[np.uint8]:
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGB"))


def levels(png: bytes, nodes: str) -> NDArray[np.int64]:
    """The place of each pixel's colour in the map."""
    distance = np.abs(opened(png).astype(int)[:, :, None] - colours(nodes).astype(int)).sum(axis=-1)
    assert distance.min(axis=-1).max() == 0
    return distance.argmin(axis=-1)


def lightness(rgb: NDArray[np.uint8]) -> NDArray[np.float64]:
    """CIE L*, 0..100."""
    linear = np.where(rgb / 255 <= 0.04045, rgb / 255 / 12.92, ((rgb / 255 + 0.055) / 1.055) ** 2.4)
    y = linear @ [0.2126, 0.7152, 0.0722]
    return np.where(y > 216 / 24389, 116 * np.cbrt(y) - 16, y * 24389 / 27)


def test_the_sequential_map_is_viridis_and_its_lightness_only_grows() -> None:
    matplotlib = pytest.importorskip("matplotlib")
    viridis = matplotlib.colormaps["viridis"](np.linspace(0, 1, 255))[:, :3] * 255
    assert np.abs(colours(SEQUENTIAL) - viridis).max() < 4
    light = lightness(colours(SEQUENTIAL))
    assert (light[2:] > light[:-2]).all()  # single steps of a byte may round the other way


def test_the_diverging_map_is_neutral_at_zero_and_as_dark_on_either_side() -> None:
    table = colours(DIVERGING)
    light = lightness(table)
    assert np.ptp(table[127].astype(int)) == 0
    assert light.argmax() == 127
    assert (np.diff(light[:128]) > 0).all()
    assert (np.diff(light[127:]) < 0).all()
    assert np.abs(light - light[::-1]).max() < 8
    assert (table[:100, 2] > table[:100, 0]).all()  # blue below
    assert (table[160:, 0] > table[160:, 2]).all()  # orange above


def test_values_can_be_read_back_from_the_colours_within_one_step() -> None:
    values = np.random.default_rng(0).normal(size=(9, 7))
    low, high = float(values.min()), float(values.max())
    back = low + levels(mapped(values, low, high), SEQUENTIAL) / 254 * (high - low)
    assert np.abs(back - values).max() <= 2 * (high - low) / 254  # a few neighbours of viridis are equal after rounding to bytes
    limit = float(np.abs(values).max())
    back = (levels(signed(values, limit), DIVERGING) - 127) / 127 * limit
    assert np.abs(back - values).max() <= limit / 127


def test_a_scale_wider_than_a_map_leaves_the_ends_unused() -> None:
    found = levels(mapped(np.array([[1.0, 2.0]]), 0.0, 4.0), SEQUENTIAL)
    assert found.tolist() == [[64, 127]]


def test_dead_maps_are_all_darkest_and_zero_weights_neutral() -> None:
    assert levels(mapped(np.zeros((3, 3)), 0.0, 0.0), SEQUENTIAL).max() == 0
    assert levels(signed(np.zeros((3, 3)), 0.0), DIVERGING).tolist() == [[127] * 3] * 3


@pytest.mark.parametrize("channels", [1, 3])
def test_photographs_keep_every_pixel(channels: int) -> None:
    pixels = np.random.default_rng(1).integers(0, 256, (5, 8, channels), dtype=np.uint8)
    png = photograph(pixels)
    assert size_of(png) == (8, 5)
    assert np.array_equal(opened(png), np.broadcast_to(pixels, (5, 8, 3)))


def test_reduction_takes_means_and_leaves_small_arrays_alone() -> None:
    values = np.arange(16.0).reshape(4, 4)
    assert reduced(values, 2).tolist() == [[2.5, 4.5], [10.5, 12.5]]
    assert np.array_equal(reduced(values, 4), values)
    assert reduced(np.zeros((200, 100, 3), np.uint8), 50).shape == (50, 25, 3)


def test_the_scale_bar_shows_the_whole_map_from_low_to_high() -> None:
    assert np.array_equal(opened(scale_bar(SEQUENTIAL)), np.broadcast_to(colours(SEQUENTIAL), (20, 255, 3)))
