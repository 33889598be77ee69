"""The numbers of the animation against torch's convolution, and what the three kinds of file contain."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from wiesel.errors import BadValue, NotAPicture, NoVideo
from wiesel.teaching import create_conv_animation, visualize_convolution_step
from wiesel.teaching.animation import Animation
from wiesel.teaching.sliding import sliding

SIX = np.arange(1, 37).reshape(6, 6)


@pytest.fixture(scope="module")
def animation() -> Animation:
    return create_conv_animation(SIX, [[1, 0], [0, -2]], stride=2, padding=1, language="en")


sides = st.integers(1, 3)


@settings(max_examples=40)
@given(
    st.integers(4, 9),
    st.integers(4, 9),
    sides,
    sides,
    sides,
    sides,
    st.integers(0, 2),
    st.integers(0, 2),
    st.integers(1, 2),
    st.data(),
)
def test_every_position_is_torchs(
    h: int, w: int, kh: int, kw: int, sy: int, sx: int, py: int, px: int, d: int, data: st.DataObject
) -> None:
    random = np.random.default_rng(data.draw(st.integers(0, 99)))
    image, kernel = random.integers(-9, 10, (h, w)), random.integers(-3, 4, (kh, kw))
    made = sliding(image, kernel, (sy, sx), (py, px), d if d * (max(kh, kw) - 1) < 4 else 1)
    expected = torch.nn.functional.conv2d(
        torch.from_numpy(image)[None, None].double(),
        torch.from_numpy(kernel)[None, None].double(),
        stride=(sy, sx),
        padding=(py, px),
        dilation=made.place.dilation,
    )[0, 0]
    np.testing.assert_array_equal(made.output, expected.numpy())
    assert made.size == tuple(expected.shape)


def test_the_numbers_of_one_step_by_hand(animation: Animation) -> None:
    # the window at output row 1, column 1 lies over 8 9 / 14 15
    step = animation.made.step(1 * 4 + 1)
    assert (step.row, step.column) == (1, 1)
    assert step.values.tolist() == [[8, 9], [14, 15]]
    assert step.products.tolist() == [[8, 0], [0, -30]]
    assert step.result == -22
    assert "8 × 1 + 9 × 0 + 14 × 0 + 15 × (−2) = −22" in animation.text
    corner = animation.made.step(0)
    assert corner.inside.tolist() == [[False, False], [False, True]]
    assert corner.result == -2


def test_the_page_carries_all_steps_and_reaches_for_nothing_outside(animation: Animation, tmp_path: Path) -> None:
    page = animation.save(tmp_path / "animation.html").read_text("utf-8")
    data = json.loads(re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.S)[1])
    assert len(data["steps"]) == animation.made.steps == 16
    ids = set(re.findall(r'id="([pko]\d+-\d+)"', page))
    assert {cell for step in data["steps"] for cell in [*step["cells"], step["out"]]} <= ids
    assert not re.search(r"https?://|//cdn|@import|url\(", page)
    assert "default-src 'none'" in page
    assert '<html lang="en">' in page
    for name in ("first", "back", "play", "next", "last"):
        assert f'<button type="button" id="{name}"' in page
    assert page.count('class="padding"') == 8 * 8 - 6 * 6
    assert "⌊(6 + 2 · 1 − 1 · (2 − 1) − 1) / 2⌋ + 1 = 4" in page


def test_in_a_notebook_it_stands_in_a_frame_of_its_own_with_its_finding(animation: Animation) -> None:
    shown = animation._repr_html_()
    assert shown.startswith("<iframe")
    assert 'sandbox="allow-scripts"' in shown
    assert "<script" not in shown  # it is inside the attribute, escaped
    assert "16 positions" in shown


def test_a_gif_has_one_frame_per_position(animation: Animation, tmp_path: Path) -> None:
    with Image.open(animation.save(tmp_path / "animation.gif", seconds=0.5)) as gif:
        assert gif.n_frames == 16
        assert gif.info["duration"] == 500
        assert gif.info["loop"] == 0
        first = np.asarray(gif.convert("RGB"))
        gif.seek(15)
        assert gif.info["duration"] == 1500
        assert (np.asarray(gif.convert("RGB")) != first).any()


def test_a_video_needs_ffmpeg_and_says_so(animation: Animation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if shutil.which("ffmpeg"):
        data = animation.save(tmp_path / "animation.mp4").read_bytes()
        assert data[4:8] == b"ftyp"
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(NoVideo, match=r"\.gif"):
        animation.save(tmp_path / "animation.mp4")


def test_german_has_german_words_and_commas() -> None:
    made = create_conv_animation([[0.5, 0.25], [1, 0]], [[1]], language="de")
    assert "0,50 × 1,00 = 0,50" in made.text
    assert "Abspielen" in made.body
    assert "Faltung" in made.alt_text


@pytest.mark.parametrize(
    ("image", "kernel", "geometry"),
    [
        (np.zeros((40, 40)), None, {}),
        (np.zeros((20, 20)), None, {"padding": 3}),
        (SIX, np.zeros((7, 7)), {}),
        (SIX, None, {"stride": 0}),
        (SIX, None, {"dilation": 3}),
        (SIX, "sobel", {}),
    ],
)
def test_what_does_not_fit_or_could_not_be_read_is_refused(image: np.ndarray, kernel: object, geometry: dict[str, int]) -> None:
    with pytest.raises(BadValue):
        create_conv_animation(image, kernel, **geometry)


def test_not_a_number_is_refused() -> None:
    with pytest.raises(NotAPicture):
        create_conv_animation(np.full((4, 4), np.nan))


def test_one_step_as_a_figure() -> None:
    sheet = visualize_convolution_step(SIX, [[1, 0], [0, -2]], 1, 1, stride=2, padding=1, language="en")
    assert "8 × 1 + 9 × 0 + 14 × 0 + 15 × (−2) = −22" in sheet.alt_text
    assert "padding" not in sheet.alt_text
    assert "3 of the values are padding" in visualize_convolution_step(SIX, [[1, 0], [0, -2]], padding=1, language="en").alt_text
    products = sheet.axes[1]
    assert {text.get_text() for text in products.texts} == {"8 × 1\n= 8", "9 × 0\n= 0", "14 × 0\n= 0", "15 × −2\n= −30"}
    with pytest.raises(BadValue):
        visualize_convolution_step(SIX, row=4)
