import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from wiesel.errors import BadValue
from wiesel.scratch.geometry import geometry, output_size


@given(
    size=st.integers(1, 30),
    kernel=st.integers(1, 5),
    stride=st.integers(1, 4),
    padding=st.integers(0, 4),
    dilation=st.integers(1, 4),
)
def test_the_formula_counts_the_windows_that_lie_inside(size, kernel, stride, padding, dilation):
    inside = [start for start in range(-padding, size + padding, stride) if start + dilation * (kernel - 1) < size + padding]
    if inside:
        assert output_size(size, kernel, stride, padding, dilation) == (len(inside), len(inside))
    else:
        with pytest.raises(BadValue):
            output_size(size, kernel, stride, padding, dilation)


@pytest.mark.parametrize(
    ("size", "arguments", "expected"),
    [
        (6, {"kernel_size": 3, "padding": 1}, (6, 6)),
        (6, {"kernel_size": 2, "stride": 2}, (3, 3)),
        (7, {"kernel_size": 2, "stride": 2}, (3, 3)),  # the last row and column fill no window
        (224, {"kernel_size": 7, "stride": 2, "padding": 3}, (112, 112)),  # the stem of ResNet
        ((28, 31), {"kernel_size": (5, 3), "stride": 2, "padding": (2, 0), "dilation": (1, 2)}, (14, 14)),
    ],
)
def test_sizes_that_are_known(size, arguments, expected):
    assert output_size(size, **arguments) == expected


def test_height_comes_first():
    place = geometry((1, 2), (3, 4), (5, 6), (7, 8))
    assert (place.extent, place.padded((10, 20))) == ((1, 9), (20, 32))
    assert output_size((10, 20), (1, 5)) == (10, 16)


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("kernel_size", 0),
        ("kernel_size", (3,)),
        ("kernel_size", (3, 3, 3)),
        ("kernel_size", "3"),
        ("stride", 0),
        ("stride", True),
        ("stride", 1.5),
        ("padding", -1),
        ("padding", "same"),
        ("dilation", (1, 0)),
    ],
)
def test_a_bad_value_is_named_in_both_languages(monkeypatch, setting, value):
    with pytest.raises(BadValue) as caught:
        geometry(**{"kernel_size": 3, setting: value})
    smallest = 0 if setting == "padding" else 1
    monkeypatch.setenv("WIESEL_LANG", "en")
    assert str(caught.value).startswith(f"{setting} = {value!r} is not possible: one whole number from {smallest} on")
    monkeypatch.setenv("WIESEL_LANG", "de")
    with pytest.raises(BadValue, match=f"eine ganze Zahl ab {smallest} oder zwei davon"):
        geometry(**{"kernel_size": 3, setting: value})


def test_a_picture_smaller_than_its_window_is_named_with_both_sizes(monkeypatch):
    monkeypatch.setenv("WIESEL_LANG", "en")
    with pytest.raises(BadValue, match="size = '4 x 9' is not possible: with its margin at least 9 x 9 pixels"):
        output_size((4, 9), kernel_size=5, dilation=2, padding=(1, 0))


def test_a_torch_size_is_as_good_as_a_tuple():
    assert output_size(torch.zeros(6, 8).shape, 3) == (4, 6)
