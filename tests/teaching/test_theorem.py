"""Both sides of the convolution theorem against SciPy's convolution; 1 x 1 against torch's layer."""

from __future__ import annotations

import re

import numpy as np
import pytest
import torch
from scipy import signal

from wiesel.errors import BadValue, NotAPicture
from wiesel.teaching import convolution_theorem, one_by_one
from wiesel.teaching.channel_mixing import mix
from wiesel.teaching.theorem import border_width, both_ways


@pytest.mark.parametrize("shape", [(3, 3), (5, 3), (1, 1), (2, 2), (4, 3), (9, 11)])
def test_space_and_fft_give_scipys_convolution_in_both_versions(shape: tuple[int, int]) -> None:
    random = np.random.default_rng(7)
    image, weights = random.normal(size=(9, 11)), random.normal(size=shape)
    result = both_ways(image, weights)
    top, left = shape[0] // 2, shape[1] // 2
    around = signal.convolve2d(image, weights, mode="full", boundary="wrap")[top : top + 9, left : left + 11]
    black = signal.convolve2d(image, weights, mode="full")[top : top + 9, left : left + 11]
    for own, expected in (
        (result.circular, around),
        (result.circular_fft, around),
        (result.linear, black),
        (result.linear_fft, black),
    ):
        np.testing.assert_allclose(own, expected, atol=1e-10)
    assert result.difference < 1e-5


def test_the_versions_differ_only_where_the_window_leaves_the_picture() -> None:
    result = both_ways(np.ones((12, 12)), np.ones((5, 5)))
    assert border_width(result) == 2
    assert np.abs(result.border[2:-2, 2:-2]).max() < 1e-12
    assert result.border[0, 0] == pytest.approx(25 - 9)
    assert border_width(both_ways(np.ones((4, 4)), np.ones((1, 1)))) == 0


def test_the_figure_prints_the_difference() -> None:
    sheet = convolution_theorem(kernel=[[1, 2], [3, 4]], size=32, language="en")
    assert re.match(r"\d(\.\d)?·10⁻¹[⁰¹²³⁴⁵⁶⁷⁸⁹]\.", sheet.alt_text.partition("largest difference is ")[2])
    assert "row 2, column 2" in sheet.get_supxlabel()
    with pytest.raises(BadValue):
        convolution_theorem(np.ones((4, 4)), np.ones((5, 5)))


def test_one_by_one_is_torchs_layer_and_the_same_sum_at_every_frequency() -> None:
    random = np.random.default_rng(8)
    maps, weights = random.normal(size=(4, 6, 7)), random.normal(size=(3, 4))
    layer = torch.nn.Conv2d(4, 3, 1, bias=False).double()
    with torch.no_grad():
        layer.weight.copy_(torch.from_numpy(weights)[:, :, None, None])
        expected = layer(torch.from_numpy(maps)[None])[0].numpy()
    result = mix(maps, weights)
    np.testing.assert_allclose(result.mixed, expected, atol=1e-12)
    assert result.spectral_difference < 1e-12
    assert one_by_one(maps, layer.weight, language="de").alt_text


def test_channels_that_are_opposite_cancel() -> None:
    wave = np.random.default_rng(9).normal(size=(8, 8))
    lost = mix(np.stack([wave, -wave]), np.array([[0.5, 0.5], [0.5, -0.5]])).lost
    assert lost == pytest.approx([1, 0], abs=1e-9)


def test_weights_that_do_not_fit_are_refused() -> None:
    for weights in (np.ones((2, 4)), [[1, 2, float("nan")]], np.ones((7, 3)), np.ones((2, 3, 3, 3))):
        with pytest.raises(BadValue):
            one_by_one(size=8, weights=weights)
    with pytest.raises(NotAPicture):
        one_by_one(np.full((4, 5, 6), np.nan))
    with pytest.raises(BadValue):
        one_by_one(np.zeros((9, 5, 6)))
