"""Four kernels: three hang together through one Gaussian, the fourth is a line."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("sklearn")

from scipy.stats import multivariate_normal

from wiesel import teaching
from wiesel.errors import BadValue
from wiesel.teaching import meanings


@pytest.fixture(scope="module")
def found() -> meanings.FourKernels:
    return meanings.measure()


def places() -> np.ndarray:
    cell = 2 * meanings.SIDE / meanings.CELLS
    middles = -meanings.SIDE + cell * (np.arange(meanings.CELLS) + 0.5)
    return np.stack(np.meshgrid(middles, middles), axis=-1)


def test_the_density_is_the_mean_of_normal_distributions(found: meanings.FourKernels) -> None:
    expected = np.mean([multivariate_normal(point, found.width**2 * np.eye(2)).pdf(places()) for point in found.points], axis=0)
    np.testing.assert_allclose(found.density, expected, rtol=1e-9)


def test_convolving_the_counts_gives_the_density_of_points_in_the_middles_of_cells(found: meanings.FourKernels) -> None:
    cell = 2 * meanings.SIDE / meanings.CELLS
    rounded = (np.floor((found.points + meanings.SIDE) / cell) + 0.5) * cell - meanings.SIDE
    moved = meanings.measure(rounded, found.labels)
    assert moved.difference < 0.002, "what is left is where the kernel ends"
    assert 0.002 < found.difference < 0.05
    assert found.counts.sum() == len(found.points)


def test_the_decision_is_a_sum_of_the_same_bumps(found: meanings.FourKernels) -> None:
    from sklearn.svm import SVC

    machine = SVC(kernel="rbf", C=10.0, gamma=1 / (2 * found.width**2)).fit(found.points, found.labels)
    chosen = places()[[10, 50, 90], [40, 50, 20]]
    distances = np.linalg.norm(chosen[:, None] - machine.support_vectors_[None], axis=2)
    by_hand = np.exp(-(distances**2) / (2 * found.width**2)) @ machine.dual_coef_[0] + machine.intercept_[0]
    np.testing.assert_allclose(found.decision[[10, 50, 90], [40, 50, 20]], by_hand)
    assert found.support == len(machine.support_)


def test_the_null_space_is_what_the_map_sends_to_zero(found: meanings.FourKernels) -> None:
    assert np.linalg.norm(found.null) == pytest.approx(1)
    assert np.abs(found.map @ found.null).max() < 1e-12
    assert abs(found.map @ np.array([1.0, 0.0])) > 0.01


@pytest.mark.parametrize("language", ["de", "en"])
def test_the_figure_says_so(language: str, found: meanings.FourKernels) -> None:
    sheet = teaching.four_kernels(language=language)
    assert f"{found.support}" in sheet.alt_text
    assert len(sheet.axes) == 4
    stars = [line.get_xydata()[0].tolist() for axes in sheet.axes for line in axes.lines if line.get_marker() == "*"]
    assert len(stars) == 4
    assert all(star == stars[0] for star in stars)


def test_points_that_are_none_are_refused() -> None:
    with pytest.raises(BadValue):
        meanings.measure(np.zeros((4, 3)), np.array([0, 1, 0, 1]))
    with pytest.raises(BadValue):
        meanings.measure(np.zeros((4, 2)), np.zeros(4, dtype=np.int64))
    with pytest.raises(BadValue):
        meanings.measure(width=0.0)
