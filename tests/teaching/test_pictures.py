"""Every way in for a picture, and every thing that is none."""

from __future__ import annotations

import http.server
import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from wiesel.errors import BadValue, NoSuchPicture, NotAPicture, PictureNotFetched, Undecodable
from wiesel.teaching.pictures import numbers, picture
from wiesel.teaching.scene import scene

MEANS = (0.5593405, 0.6311397, 0.6467284)
"""Of red, green and blue in the drawn scene."""
BYTES = np.random.default_rng(3).integers(0, 256, (6, 8, 3), np.uint8)


def png(pixels: np.ndarray) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, format="png")
    return file.getvalue()


def test_the_drawn_scene_is_the_same_every_time_and_stays_within_its_range() -> None:
    drawn = scene()
    assert drawn.shape == (128, 128, 3)
    assert drawn.min() >= 0
    assert drawn.max() <= 1
    assert drawn.mean((0, 1)) == pytest.approx(MEANS, abs=1e-6)
    with pytest.raises(ValueError, match="read-only"):
        drawn[0, 0] = 0
    picture()[0, 0] = 0.5  # what a caller gets is the caller's
    assert picture(colour=True) is not picture(colour=True)


def test_the_drawn_scene_has_edges_in_all_directions_and_fine_stripes() -> None:
    grey = picture()
    down, across = np.gradient(grey)
    strong = np.hypot(down, across) > 0.05
    directions = np.histogram(np.arctan2(down, across)[strong], bins=16, range=(-np.pi, np.pi))[0]
    assert (directions > 0).all()
    assert np.abs(grey).std() > 0.15
    waves = np.abs(np.fft.rfft(grey[120] - grey[120].mean()))
    assert waves[20:40].max() > 0.2 * waves.max()  # waves of 3 to 6 pixels in the water


@pytest.mark.parametrize(
    "given",
    [
        BYTES,
        BYTES / 255,
        np.moveaxis(BYTES, -1, 0),
        BYTES.astype(np.int64)[None],
        torch.from_numpy(np.moveaxis(BYTES, -1, 0).copy()),
        torch.from_numpy(np.moveaxis(BYTES, -1, 0).copy())[None] / 255,
        Image.fromarray(BYTES),
        BYTES.tolist(),
    ],
    ids=["bytes", "floats", "channels first", "batch of one", "tensor", "batch tensor", "Pillow", "lists"],
)
def test_the_same_picture_in_any_clothes_comes_out_the_same(given: object) -> None:
    np.testing.assert_allclose(picture(given, colour=True), BYTES / 255, atol=1e-7)
    np.testing.assert_allclose(picture(given), BYTES @ np.array([0.299, 0.587, 0.114]) / 255, atol=1e-7)


def test_grey_goes_in_and_out_as_two_axes() -> None:
    grey = np.eye(4, 5)
    assert picture(grey).shape == (4, 5)
    assert picture(grey, colour=True).shape == (4, 5, 3)
    np.testing.assert_array_equal(picture(torch.eye(4, 5)[None, None]), grey)
    np.testing.assert_array_equal(picture(grey.astype(bool)), grey)
    assert picture(torch.rand(3, 5, 3)).shape == (5, 3)  # a tensor's channels come first, even where both ends are 3


def test_a_file_is_read_and_reduced_to_its_middle_square(tmp_path: Path) -> None:
    pixels = np.zeros((8, 16, 3), np.uint8)
    pixels[:, 2:14] = 200
    path = tmp_path / "band.png"
    path.write_bytes(png(pixels))
    np.testing.assert_allclose(picture(path), pixels[:, :, 0] / 255, atol=1e-12)
    np.testing.assert_allclose(picture(str(path), size=4), np.full((4, 4), 200 / 255), atol=1e-6)
    np.testing.assert_allclose(picture(pixels, size=4), np.full((4, 4), 200 / 255), atol=1e-6)


def test_whole_floats_above_one_are_0_to_255_as_integers_are() -> None:
    numbers = np.arange(1, 37).reshape(6, 6)
    np.testing.assert_array_equal(picture(numbers.astype(np.float32)), numbers / 255)
    np.testing.assert_array_equal(picture(numbers), numbers / 255)
    np.testing.assert_array_equal(picture(np.eye(3)), np.eye(3))  # 0 and 1 are black and white


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (np.full((4, 4), np.nan), "16 values are NaN"),
        (np.array([[0.5, np.inf]]), "1 values are NaN or infinite"),
        (torch.tensor([[0.1, float("nan")]]), "NaN"),
        (np.full((4, 4), 3.5), "from 3.5 to 3.5"),
        (np.full((4, 4), 256.0), "256"),
        (np.full((4, 4), -0.2), "from -0.2"),
        (np.full((4, 4), 256), "256"),
        (np.zeros((2, 4, 4)), "shape (2, 4, 4)"),
        (np.zeros((4, 0)), "shape (4, 0)"),
        (np.zeros(7), "shape (7,)"),
        ([[1, 2], [3]], "no table of numbers"),
        (object(), "no table of numbers (object)"),
        (np.array([["a", "b"]]), "no table of numbers"),
        ({"pixels": 1}, "no table of numbers (dict)"),
    ],
)
def test_what_is_no_picture_is_refused_in_one_sentence(given: object, said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WIESEL_LANG", "en")
    with pytest.raises(NotAPicture) as refused:
        picture(given)
    assert said in str(refused.value)
    assert "(H, W)" in str(refused.value)  # and what would be one


def test_files_that_are_missing_or_no_pictures_are_refused(tmp_path: Path) -> None:
    with pytest.raises(NoSuchPicture):
        picture(tmp_path / "nothing.png")
    with pytest.raises(NoSuchPicture):
        picture(tmp_path)
    letter = tmp_path / "letter.png"
    letter.write_text("Dear Sir or Madam")
    with pytest.raises(Undecodable):
        picture(letter)
    with pytest.raises(BadValue):
        picture(size=0)


def test_numbers_may_be_anything_finite_but_need_two_axes() -> None:
    np.testing.assert_array_equal(numbers([[1, -300], [2, 5]]), [[1, -300], [2, 5]])
    for bad in (np.zeros((2, 2, 2)), [1, 2], [[np.nan]], np.zeros((0, 3))):
        with pytest.raises(NotAPicture):
            numbers(bad)


# --- the network -----------------------------------------------------------------------------------------------------------------


class Gallery(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        if self.path in ("/moved", "/downgraded"):
            self.send_response(302)
            self.send_header("Location", "/cat.png" if self.path == "/moved" else "http://127.0.0.1:1/cat.png")
            self.end_headers()
            return
        if self.path != "/cat.png":
            self.send_error(404)
            return
        self.send_response(200)
        self.end_headers()
        self.wfile.write(png(BYTES))

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def gallery(https: Callable[[type[Gallery]], str]) -> str:
    return https(Gallery)


def test_an_https_address_is_fetched_also_when_it_moved(gallery: str) -> None:
    np.testing.assert_allclose(picture(f"{gallery}/cat.png", colour=True), BYTES / 255)
    np.testing.assert_allclose(picture(f"{gallery}/moved", colour=True), BYTES / 255)


def test_what_does_not_come_says_how_to_pass_a_file(gallery: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WIESEL_LANG", "en")
    for url, why in (
        (f"{gallery}/dog.png", "HTTP 404"),
        (f"{gallery}/downgraded", "http"),
        ("http://127.0.0.1:1/cat.png", "unknown url type: http"),
        ("https://127.0.0.1:1/cat.png", "refused"),
    ):
        with pytest.raises(PictureNotFetched) as failed:
            picture(url)
        assert why in str(failed.value)
        assert "give the path of the file" in str(failed.value)
