"""Filtering against SciPy's, the five classic filters against their published numbers, and the figure."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from wiesel.errors import BadValue, NotAPicture
from wiesel.teaching import kernels, show_filter_effects
from wiesel.teaching.filtering import correlate
from wiesel.teaching.pictures import picture

SCIPYS = {"reflect": "mirror", "edge": "nearest", "zero": "constant", "wrap": "wrap"}


@pytest.mark.parametrize("border", SCIPYS)
@pytest.mark.parametrize("shape", [(3, 3), (1, 1), (2, 2), (4, 3), (1, 6), (7, 2)])
def test_filtering_equals_scipys_at_every_border_even_sides_included(border: str, shape: tuple[int, int]) -> None:
    random = np.random.default_rng(1)
    image, weights = random.normal(size=(9, 11)), random.normal(size=shape)
    expected = ndimage.correlate(image, weights, mode=SCIPYS[border])
    np.testing.assert_allclose(correlate(image, weights, border), expected, atol=1e-12)


def test_the_anchor_of_an_even_side_is_the_weight_after_the_middle() -> None:
    point = np.zeros((5, 5))
    point[2, 2] = 1
    response = correlate(point, np.array([[1.0, 2.0], [3.0, 4.0]]), "zero")
    np.testing.assert_array_equal(response[1:4, 1:4], [[0, 0, 0], [0, 4, 3], [0, 2, 1]])
    assert kernels.anchor(np.zeros((2, 4))) == (1, 2)


def test_the_gaussian_is_the_outer_product_of_opencvs_three_numbers() -> None:
    line = np.array([0.27406862, 0.45186276, 0.27406862])  # cv2.getGaussianKernel(3, 1)
    np.testing.assert_allclose(kernels.FIVE["gaussian"], np.outer(line, line), atol=1e-8)


def test_the_five_filters_are_the_textbooks() -> None:
    assert list(kernels.FIVE) == ["gaussian", "sharpen", "edge", "emboss", "sobel_x"]
    sums = {name: float(weights.sum()) for name, weights in kernels.FIVE.items()}
    assert sums == pytest.approx({"gaussian": 1, "sharpen": 1, "edge": 0, "emboss": 1, "sobel_x": 0})
    assert kernels.FIVE["sobel_x"].tolist() == [[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]]
    assert kernels.FIVE["emboss"].tolist() == [[-2, -1, 0], [-1, 1, 1], [0, 1, 2]]


def test_the_table_of_filters_cannot_be_changed_by_accident() -> None:
    with pytest.raises(ValueError, match="read-only"):
        kernels.SOBEL_X[0, 0] = 5


def test_the_figure_shows_the_picture_and_the_five_with_zero_in_the_middle_where_there_are_negatives() -> None:
    sheet = show_filter_effects(size=48, language="en")
    panels = [axes for axes in sheet.axes if axes.images and axes.get_title()]
    assert [axes.get_title() for axes in panels] == [
        "Picture",
        "Gaussian blur",
        "Sharpen",
        "Edges (8 neighbours)",
        "Emboss",
        "Sobel X",
    ]
    for axes in panels:
        shown, (low, high) = axes.images[0].get_array(), axes.images[0].get_clim()
        if shown.min() < -1e-9:
            assert low == -high
        else:
            assert low == 0
        assert shown.min() >= low - 1e-12
        assert shown.max() <= high + 1e-12  # nothing is clipped
    expected = ndimage.correlate(picture(size=48), kernels.SOBEL_X, mode="mirror")
    np.testing.assert_allclose(panels[-1].images[0].get_array(), expected, atol=1e-12)
    share = round(100 * float((expected < -1e-9).mean()))
    assert f"negative at {share}\u202f% of the pixels" in sheet.alt_text
    assert "Sobel X is a band-pass" in sheet.alt_text


def test_any_kernel_alone_in_a_list_or_by_name() -> None:
    for given in ([[1, -1]], np.eye(2), ["laplace", [[0, 1], [-1, 0]]], {"mine": [[1.0]], "sobel_y": kernels.SOBEL_Y}, "mean"):
        sheet = show_filter_effects(np.eye(8), given, language="de")
        assert sheet.alt_text
    assert "Anker" in show_filter_effects(np.eye(8), np.eye(2), language="de").get_supxlabel()
    assert "Anker" not in show_filter_effects(np.eye(8), np.eye(3), language="de").get_supxlabel()


@pytest.mark.parametrize("bad", ["sobl", [], {}, [[np.nan]], np.zeros((2, 2, 2, 2)), [["a"]]])
def test_what_is_no_kernel_is_refused(bad: object) -> None:
    with pytest.raises((BadValue, NotAPicture)):
        show_filter_effects(np.eye(8), bad)


def test_an_unknown_border_or_language_is_refused() -> None:
    with pytest.raises(BadValue):
        show_filter_effects(np.eye(8), border="mirror")  # type: ignore[arg-type]
    with pytest.raises(BadValue):
        show_filter_effects(np.eye(8), language="fr")
