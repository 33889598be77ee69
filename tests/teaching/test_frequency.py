"""Golden values of frequency responses, and the kinds of filters said from them."""

from __future__ import annotations

import numpy as np
import pytest

from wiesel.teaching import plot_frequency_response
from wiesel.teaching.frequency import frequency_response, kind
from wiesel.teaching.kernels import CLASSIC, gaussian

PI = np.pi


def test_sobel_is_a_band_pass_with_8_at_half_of_nyquist_and_0_at_zero() -> None:
    sobel = frequency_response("sobel_x")
    assert abs(sobel.at(0, PI / 2)) == pytest.approx(8, abs=1e-12)
    assert sobel.zero == 0
    assert sobel.peak == pytest.approx((8, 0, PI / 2))
    assert max(sobel.nyquist) < 1e-12
    wy, wx = np.meshgrid(sobel.frequencies, sobel.frequencies, indexing="ij")
    np.testing.assert_allclose(sobel.magnitude, np.abs(2 + 2 * np.cos(wy)) * np.abs(2 * np.sin(wx)), atol=1e-12)
    assert kind(CLASSIC["sobel_x"]) == kind(CLASSIC["sobel_y"]) == "band-pass"


def test_the_edge_kernel_is_a_high_pass_with_12_at_nyquist_along_one_axis() -> None:
    edge = frequency_response("edge")
    assert edge.at(0, PI).real == pytest.approx(12)
    assert edge.at(PI, PI).real == pytest.approx(8)
    assert edge.zero == 0
    wy, wx = np.meshgrid(edge.frequencies, edge.frequencies, indexing="ij")
    np.testing.assert_allclose(edge.values, 9 - (1 + 2 * np.cos(wx)) * (1 + 2 * np.cos(wy)), atol=1e-12)
    assert kind(CLASSIC["edge"]) == "high-pass"


def test_the_other_classics() -> None:
    sharpen = frequency_response("sharpen")
    assert sharpen.zero == pytest.approx(1)
    assert sharpen.at(PI, PI).real == pytest.approx(9)
    kinds = {name: kind(weights) for name, weights in CLASSIC.items()}
    assert kinds["gaussian"] == kinds["mean"] == "low-pass"
    assert kinds["sharpen"] == "high-emphasis"
    assert kinds["laplace"] == kinds["line_x"] == "high-pass"
    assert kinds["identity"] == "all-pass"
    assert kind(np.array([[-2.5]])) == "all-pass"
    assert kind(np.zeros((3, 3))) == "silent"
    assert kind(np.array([[1.0, -1.0]])) == "high-pass"
    assert kind(np.array([[-1.0, 0.0, 1.0]])) == "band-pass"
    assert kind(gaussian(9, 2.0)) == "low-pass"
    assert kind(gaussian(9, 1.0) - gaussian(9, 2.0)) == "band-pass"  # a difference of two blurs


@pytest.mark.parametrize("shape", [(3, 3), (5, 3), (2, 2), (4, 7), (1, 1)])
def test_the_response_is_the_centred_fourier_transform_and_zero_the_sum_of_weights(shape: tuple[int, int]) -> None:
    weights = np.random.default_rng(2).normal(size=shape)
    around = np.zeros((256, 256))
    around[: shape[0], : shape[1]] = weights
    around = np.roll(around, (-(shape[0] // 2), -(shape[1] // 2)), axis=(0, 1))
    expected = np.fft.fftshift(np.fft.fft2(around))
    response = frequency_response(weights)
    np.testing.assert_allclose(response.values[:256, :256], expected, atol=1e-10)
    assert response.zero == pytest.approx(weights.sum())


def test_symmetric_kernels_have_phase_0_or_pi_and_antisymmetric_ones_half_of_it() -> None:
    random = np.random.default_rng(5).normal(size=(5, 5))
    even, odd = random + random[::-1, ::-1], random - random[::-1, ::-1]
    for weights, allowed in ((even, (0, PI)), (odd, (PI / 2, -PI / 2)), (CLASSIC["sobel_x"], (PI / 2, -PI / 2))):
        phase = frequency_response(weights).phase
        seen = phase[np.isfinite(phase)]
        assert np.min([np.abs(seen - angle) for angle in allowed], axis=0).max() < 1e-6
    assert np.nanmax(np.abs(frequency_response("edge").phase)) < 1e-9


def test_where_nothing_passes_there_is_no_phase() -> None:
    sobel = frequency_response("sobel_x")
    assert np.isnan(sobel.phase[128, 128])
    assert np.isnan(sobel.phase).sum() >= 257
    assert np.isnan(frequency_response(np.zeros((3, 3))).phase).all()


def test_a_shifted_kernel_has_the_same_magnitude_and_a_ramp_of_phase() -> None:
    middle, shifted = np.zeros((3, 3)), np.zeros((3, 3))
    middle[1, 1] = shifted[1, 2] = 1
    here, there = frequency_response(middle), frequency_response(shifted)
    np.testing.assert_allclose(here.magnitude, there.magnitude)
    assert np.angle(there.at(0, PI / 2)) == pytest.approx(-PI / 2)


def test_the_figure_says_its_numbers_in_both_languages() -> None:
    english, german = (plot_frequency_response("sobel_x", language=language) for language in ("en", "de"))
    assert english.get_suptitle() == "Sobel X: band-pass"
    assert german.get_suptitle() == "Sobel X: Bandpass"
    for sheet in (english, german):
        assert "8" in sheet.alt_text
        assert "(pi/2, 0)" in sheet.alt_text
        assert sum(bool(axes.get_title()) for axes in sheet.axes) == 4
    marked = next(axes for axes in english.axes if axes.get_title() == "Magnitude |H|")
    points = {(x, y) for line in marked.lines for x, y in zip(line.get_xdata(), line.get_ydata(), strict=True)}
    assert points == {(0, 0), (PI, 0), (0, PI), (PI, PI)}


def test_the_figure_of_odd_kernels() -> None:
    assert "Anker" in plot_frequency_response([[1, -1]], language="de").get_supxlabel()
    assert "no phase" in plot_frequency_response(np.zeros((3, 3)), language="en").alt_text
    assert plot_frequency_response(gaussian(15, 3.0), "Blur", language="en").get_suptitle() == "Blur: low-pass"
