"""What is decoded without Pillow has Pillow's header and Pillow's pixels; and what Pillow refuses is refused."""

from __future__ import annotations

import io
import random

import numpy as np
import pytest
from PIL import Image

from wiesel.errors import Undecodable
from wiesel.images import plain_jpeg
from wiesel.images.decoding import decode, header, header_and_picture


def jpeg(size: tuple[int, int] = (32, 32), mode: str = "RGB", seed: int = 0, **options: object) -> bytes:
    pixels = np.random.default_rng(seed).integers(0, 256, (8, 8, 3), np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).resize(size, Image.Resampling.BICUBIC).convert(mode).save(file, "JPEG", **options)
    return file.getvalue()


def turned() -> bytes:
    exif = Image.Exif()
    exif[0x0112] = 6
    return jpeg((40, 24), exif=exif)


def everything(data: bytes, channels: int) -> object:
    """Header and pixels, or the refusal in words."""
    try:
        found, pixels = header_and_picture(data, channels=channels, wanted=lambda head: head.width * head.height < 10**5)
    except Undecodable as error:
        return str(error)
    return found, None if pixels is None else (pixels.shape, pixels.tobytes())


@pytest.fixture
def by_pillow(monkeypatch):
    """The same with Pillow alone."""

    def found(data: bytes, channels: int) -> object:
        with monkeypatch.context() as patch:
            patch.setattr(plain_jpeg, "shape", lambda _: None)
            return everything(data, channels)

    return found


@pytest.mark.parametrize("channels", [0, 1, 3])
@pytest.mark.parametrize("subsampling", [0, 1, 2])
@pytest.mark.parametrize("size", [(32, 32), (31, 17), (1, 1), (7, 96)])
@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_pixels_and_header_are_pillows(mode, size, subsampling, channels, by_pillow):
    for quality in (5, 75, 100):
        data = jpeg(size, mode, quality=quality, subsampling=subsampling)
        assert plain_jpeg.shape(data) == (size[1], size[0], len(mode))
        own = np.asarray(Image.open(io.BytesIO(data)))
        np.testing.assert_array_equal(plain_jpeg.pixels(data, len(mode)).reshape(own.shape), own)
        assert everything(data, channels) == by_pillow(data, channels)
        assert header_and_picture(data, channels=0, wanted=lambda _: False) == (header(data), None)


@pytest.mark.parametrize(
    "data",
    [turned(), jpeg(progressive=True), jpeg(mode="CMYK"), b"", b"\xff\xd8\xff", jpeg()[:100], b"\x89PNG\r\n\x1a\n" + jpeg()],
    ids=["turned", "progressive", "CMYK", "empty", "first bytes", "no end of header", "another format"],
)
def test_what_is_not_plain_is_left_to_pillow(data):
    assert plain_jpeg.shape(data) is None


def test_a_turned_picture_stands_upright():
    found, pixels = header_and_picture(turned(), channels=3, wanted=lambda _: True)
    assert (found.width, found.height) == (24, 40)
    np.testing.assert_array_equal(pixels, decode(turned(), channels=3, size=None))


def test_damaged_files_are_what_pillow_makes_of_them(by_pillow):
    """1,500 files with wrong, missing and additional bytes."""
    chance = random.Random(0)
    whole = [jpeg(seed=seed, subsampling=seed % 3, mode="L" if seed % 5 == 0 else "RGB") for seed in range(20)]
    for _ in range(1500):
        data = bytearray(chance.choice(whole))
        at = chance.randrange(len(data))
        what = chance.choice(("other bytes", "cut short", "gap", "more"))
        if what == "other bytes":
            data[at : at + 3] = chance.randbytes(len(data[at : at + 3]))
        elif what == "cut short":
            del data[at:]
        elif what == "gap":
            del data[at : at + chance.randrange(1, 9)]
        else:
            data[at:at] = chance.randbytes(chance.randrange(1, 9))
        assert everything(bytes(data), 0) == by_pillow(bytes(data), 0), (what, at)
