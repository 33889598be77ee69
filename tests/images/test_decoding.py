"""The zoo: every file here is made by the test, so that what must come out is known."""

from __future__ import annotations

import contextlib
import io
import struct
import threading
import time
import warnings
import zlib

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, features

from wiesel.errors import Undecodable
from wiesel.images import decoding
from wiesel.images.decoding import BACKGROUND, decode, header, header_and_picture, kind, refit

LOSSLESS = ("PNG", "BMP", "TIFF", "PPM", "GIF", "WEBP")


def saved(image: Image.Image, format: str = "PNG", **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, format, **options)
    return file.getvalue()


def noise(height: int, width: int, seed: int = 0) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)


def smooth(height: int, width: int) -> NDArray[np.uint8]:
    """A picture that JPEG keeps nearly exactly, without any symmetry."""
    rows, columns = np.mgrid[0:height, 0:width]
    return np.stack([rows * 200 / height, columns * 200 / width, 100 + rows * 0 + columns * 50 / width], axis=2).astype(np.uint8)


def rgb(data: bytes) -> NDArray[np.uint8]:
    return decode(data, channels=3, size=None)


def grey(data: bytes) -> NDArray[np.uint8]:
    return decode(data, channels=1, size=None)[..., 0]


def png_chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def raw_png(width: int, height: int, depth: int, colour: int, rows: bytes, *chunks: tuple[bytes, bytes]) -> bytes:
    """A PNG from its parts: `rows` uncompressed, each with its filter byte."""
    parts = [
        (b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)),
        *chunks,
        (b"IDAT", zlib.compress(rows)),
        (b"IEND", b""),
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(png_chunk(*part) for part in parts)


# --- formats and modes -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("format", ["PNG", "BMP", "TIFF", "PPM"])
def test_lossless_formats_give_back_every_pixel(format):
    pixels = noise(7, 5)
    np.testing.assert_array_equal(rgb(saved(Image.fromarray(pixels), format)), pixels)


def test_lossless_webp_gives_back_every_pixel():
    pixels = noise(7, 5)
    np.testing.assert_array_equal(rgb(saved(Image.fromarray(pixels), "WEBP", lossless=True)), pixels)


@pytest.mark.skipif(not features.check("avif"), reason="this Pillow reads no AVIF")
def test_avif_is_read():
    pixels = smooth(64, 48)
    found = rgb(saved(Image.fromarray(pixels), "AVIF", quality=95))
    assert found.shape == (64, 48, 3)
    assert np.abs(found.astype(int) - pixels).mean() < 4


def test_colour_becomes_grey_by_the_weights_of_itu_601():
    pixels = noise(6, 6)
    expected = pixels @ np.array([0.299, 0.587, 0.114])
    assert np.abs(grey(saved(Image.fromarray(pixels))) - expected).max() <= 1


def test_grey_becomes_colour_by_repetition():
    pixels = noise(4, 5)[..., 0]
    found = rgb(saved(Image.fromarray(pixels)))
    np.testing.assert_array_equal(found, np.repeat(pixels[..., None], 3, axis=2))


@pytest.mark.parametrize("format", ["PNG", "TIFF", "PPM"])
def test_a_16_bit_ramp_keeps_its_256_levels(format):
    ramp = np.arange(65536, dtype=np.uint16).reshape(256, 256)
    found = grey(saved(Image.fromarray(ramp), format))
    np.testing.assert_array_equal(found, np.rint(ramp / 257).astype(np.uint8))
    assert len(np.unique(found)) == 256


def test_a_big_endian_16_bit_tiff_is_the_same_picture():
    ramp = np.arange(65536, dtype=">u2").reshape(256, 256)
    image = Image.frombytes("I;16B", (256, 256), ramp.tobytes())
    found = grey(saved(image, "TIFF"))
    np.testing.assert_array_equal(found, np.rint(ramp / 257).astype(np.uint8))


@pytest.mark.parametrize("mode", ["L", "I;16", "F"])
def test_a_tiff_whose_zero_is_white_is_no_negative(mode):
    values = {
        "L": np.array([[0, 1, 255]], np.uint8),
        "I;16": np.array([[0, 257, 65535]], np.uint16),
        "F": np.array([[0, 1 / 255, 1]], np.float32),
    }[mode]
    data = saved(Image.fromarray(values), "TIFF")
    photometric = struct.pack("<HHII", 262, 3, 1, 1)  # 1: black is zero
    assert data.count(photometric) == 1
    np.testing.assert_array_equal(grey(data), [[0, 1, 255]])
    np.testing.assert_array_equal(grey(data.replace(photometric, struct.pack("<HHII", 262, 3, 1, 0))), [[255, 254, 0]])


def test_32_bit_integers_are_read_as_16_bit_values_if_they_fit_and_refused_otherwise():
    fits = np.array([[0, 257, 65535]], np.int32)
    np.testing.assert_array_equal(grey(saved(Image.fromarray(fits), "TIFF")), [[0, 1, 255]])
    with pytest.raises(Undecodable, match="integers outside 16 bits"):
        grey(saved(Image.fromarray(np.array([[-1, 70_000]], np.int32)), "TIFF"))


def test_floats_are_read_between_0_and_1_and_refused_otherwise():
    np.testing.assert_array_equal(grey(saved(Image.fromarray(np.array([[0, 0.5, 1]], np.float32)), "TIFF")), [[0, 128, 255]])
    for wrong in ([0, 200], [-0.1, 0.5], [np.nan, 0.5]):
        with pytest.raises(Undecodable, match=r"float values outside 0\.\.1"):
            grey(saved(Image.fromarray(np.array([wrong], np.float32)), "TIFF"))


def test_one_bit_pictures_become_black_and_white():
    bits = np.array([[True, False, True]])
    for format in ("PNG", "TIFF", "PPM", "BMP"):
        np.testing.assert_array_equal(grey(saved(Image.fromarray(bits), format)), [[255, 0, 255]])


def test_palette_pictures_show_the_colours_of_their_palette():
    colours = np.array([[[255, 0, 0], [0, 255, 0]], [[0, 0, 255], [9, 8, 7]]], np.uint8)
    for format in ("PNG", "GIF", "BMP", "TIFF"):
        image = Image.fromarray(colours).quantize(4, dither=Image.Dither.NONE)
        np.testing.assert_array_equal(rgb(saved(image, format)), np.asarray(image.convert("RGB")))


def test_cmyk_becomes_colour_not_a_negative():
    pixels = np.zeros((16, 16, 3), np.uint8)
    pixels[:, 8:] = (250, 200, 20)
    for format in ("TIFF", "JPEG"):
        found = rgb(saved(Image.fromarray(pixels).convert("CMYK"), format))
        assert np.abs(found.astype(int) - pixels).max() < 12


def test_a_progressive_jpeg_is_read():
    pixels = smooth(40, 30)
    found = rgb(saved(Image.fromarray(pixels), "JPEG", quality=95, progressive=True))
    assert np.abs(found.astype(int) - pixels).max() < 8


def test_of_an_animation_the_first_picture_counts():
    frames = [Image.new("RGB", (4, 4), colour) for colour in ((255, 0, 0), (0, 255, 0), (0, 0, 255))]
    for format in ("GIF", "PNG", "WEBP", "TIFF"):
        data = saved(frames[0], format, save_all=True, append_images=frames[1:], **({"lossless": True} if format == "WEBP" else {}))
        assert (rgb(data) == (255, 0, 0)).all(), format


# --- transparency ------------------------------------------------------------------------------------------------------------

HIDDEN = (255, 0, 0)


def _transparent() -> list[tuple[str, bytes]]:
    """Left half: fully transparent, its hidden colour red (or white). Right half: opaque (0, 0, 255) or dark grey."""
    rgba = np.zeros((4, 8, 4), np.uint8)
    rgba[:, :4] = (*HIDDEN, 0)
    rgba[:, 4:] = (0, 0, 255, 255)
    la = np.zeros((4, 8, 2), np.uint8)
    la[:, :4] = (255, 0)
    la[:, 4:] = (60, 255)
    palette = Image.new("P", (8, 4))
    palette.putpalette([*HIDDEN, 0, 0, 255])
    palette.paste(1, (4, 0, 8, 4))
    key = Image.fromarray(rgba[..., :3])
    grey_key = Image.fromarray(la[..., 0])
    wide = b"".join(b"\0" + struct.pack(">3H", 65535, 257, 3) * 4 + struct.pack(">3H", 0, 0, 65535) * 4 for _ in range(4))
    four = b"".join(b"\0" + bytes([0x77, 0x77, 0x22, 0x22]) for _ in range(4))
    two = b"".join(b"\0" + bytes([0b10101010, 0b01010101]) for _ in range(4))
    deep = b"".join(b"\0" + struct.pack(">8H", 65000, 65000, 65000, 65000, 9999, 9999, 9999, 9999) for _ in range(4))
    return [
        ("RGBA png", saved(Image.fromarray(rgba))),
        ("RGBA webp", saved(Image.fromarray(rgba), "WEBP", lossless=True, exact=True)),
        ("RGBA tiff", saved(Image.fromarray(rgba), "TIFF")),
        ("LA png", saved(Image.fromarray(la))),
        ("palette png, one entry", saved(palette, "PNG", transparency=0)),
        ("palette png, a table", saved(palette, "PNG", transparency=bytes([0, 255]))),
        ("palette gif", saved(palette, "GIF", transparency=0)),
        ("colour key png", saved(key, "PNG", transparency=HIDDEN)),
        ("grey key png", saved(grey_key, "PNG", transparency=255)),
        ("2-bit grey key png", raw_png(8, 4, 2, 0, two, (b"tRNS", struct.pack(">H", 2)))),
        ("4-bit grey key png", raw_png(8, 4, 4, 0, four, (b"tRNS", struct.pack(">H", 7)))),
        ("16-bit colour key png", raw_png(8, 4, 16, 2, wide, (b"tRNS", struct.pack(">3H", 65535, 257, 3)))),
        ("16-bit grey key png", raw_png(8, 4, 16, 0, deep, (b"tRNS", struct.pack(">H", 65000)))),
    ]


@pytest.mark.parametrize(("_", "data"), _transparent(), ids=[name for name, _ in _transparent()])
@pytest.mark.parametrize("channels", [1, 3])
def test_a_transparent_pixel_shows_the_background_and_never_its_hidden_colour(_, data, channels):
    for background in (BACKGROUND, 0, 255):
        found = decode(data, channels=channels, size=None, background=background)
        assert (found[:, :4] == background).all()
        assert (found[:, 4:] != background).any()


def test_hidden_colours_do_not_bleed_in_when_the_picture_is_scaled():
    pixels = np.zeros((40, 40, 4), np.uint8)
    pixels[:, :20] = (255, 0, 0, 0)
    pixels[:, 20:] = (BACKGROUND,) * 3 + (255,)
    assert (decode(saved(Image.fromarray(pixels)), channels=3, size=10) == BACKGROUND).all()


# --- orientation -------------------------------------------------------------------------------------------------------------


def _stored(pixels: NDArray[np.uint8], orientation: int) -> NDArray[np.uint8]:
    """How a camera held at this orientation stores the upright picture (EXIF 2.3, tag 0x0112: position of row 0 and column 0)."""
    return {
        1: pixels,
        2: pixels[:, ::-1],
        3: pixels[::-1, ::-1],
        4: pixels[::-1],
        5: pixels.transpose(1, 0, 2),
        6: pixels.transpose(1, 0, 2)[::-1],
        7: pixels.transpose(1, 0, 2)[::-1, ::-1],
        8: pixels.transpose(1, 0, 2)[:, ::-1],
    }[orientation]


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("format", ["PNG", "TIFF", "WEBP", "JPEG"])
def test_every_exif_orientation_shows_the_upright_picture(orientation, format):
    upright = smooth(24, 40)
    exif = Image.Exif()
    exif[0x0112] = orientation
    options = {"WEBP": {"lossless": True}, "JPEG": {"quality": 100, "subsampling": 0}}.get(format, {})
    data = saved(Image.fromarray(np.ascontiguousarray(_stored(upright, orientation))), format, exif=exif, **options)
    expected = rgb(saved(Image.fromarray(upright), format, **options)).astype(int)
    found = rgb(data)
    assert found.shape == upright.shape
    assert np.abs(found - expected).max() <= (3 if format == "JPEG" else 0)  # rounding of the transposed blocks
    assert (header(data).height, header(data).width) == upright.shape[:2]


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("shape", [(24, 40), (24, 400)])
def test_a_png_may_have_its_orientation_behind_the_pixels(orientation, shape):
    upright = smooth(*shape)
    data = saved(Image.fromarray(np.ascontiguousarray(_stored(upright, orientation))), "PNG")
    exif = b"MM\0*\0\0\0\x08" + struct.pack(">HHHIHHI", 1, 0x0112, 3, 1, orientation, 0, 0)
    end = png_chunk(b"IEND", b"")
    data = data.removesuffix(end) + png_chunk(b"tEXt", b"Comment\0here") + png_chunk(b"eXIf", exif) + end
    np.testing.assert_array_equal(rgb(data), upright)
    if max(shape) < 256:
        assert (header(data).height, header(data).width) == shape
        both = header_and_picture(data, channels=3, wanted=lambda _: True)
        assert (both[0].height, both[0].width) == shape
        np.testing.assert_array_equal(both[1], upright)


def test_orientation_is_right_also_when_the_jpeg_is_decoded_at_a_reduced_size():
    upright = smooth(400, 640)
    whole = decode(saved(Image.fromarray(upright)), channels=3, size=20, fit="squash")
    for orientation in range(1, 9):
        exif = Image.Exif()
        exif[0x0112] = orientation
        data = saved(Image.fromarray(np.ascontiguousarray(_stored(upright, orientation))), "JPEG", exif=exif, quality=95)
        assert np.abs(decode(data, channels=3, size=20, fit="squash").astype(int) - whole).max() <= 4


def test_a_damaged_orientation_tag_counts_as_upright():
    pixels = smooth(8, 12)
    for exif in (
        b"",
        b"Exif\0\0",
        b"Exif\0\0II*\0\xff\xff\xff\xff",
        b"Exif\0\0MM\0*\0\0\0\x08\xff\xff" + b"\0" * 5,
        b"nonsense" * 9,
    ):
        data = saved(Image.fromarray(pixels), "PNG", exif=exif) if exif else saved(Image.fromarray(pixels))
        np.testing.assert_array_equal(rgb(data), pixels)


# --- size --------------------------------------------------------------------------------------------------------------------


def test_crop_keeps_the_centre_pad_keeps_all_squash_distorts():
    pixels = np.zeros((10, 30, 3), np.uint8)
    pixels[:, 10:20] = 200  # the centre square
    data = saved(Image.fromarray(pixels))
    assert (decode(data, channels=1, size=10, fit="crop") == 200).all()
    padded = decode(data, channels=1, size=30, fit="pad", background=7)[..., 0]
    assert (padded[:10] == 7).all()
    assert (padded[20:] == 7).all()
    np.testing.assert_array_equal(padded[10:20], pixels[..., 0])
    squashed = decode(data, channels=1, size=30, fit="squash")[..., 0]
    assert (squashed[:, 14] == 200).all()
    assert (squashed[:, 2] == 0).all()


def test_a_size_may_be_a_rectangle():
    data = saved(Image.fromarray(smooth(50, 70)))
    for fit in ("crop", "pad", "squash"):
        assert decode(data, channels=3, size=(12, 20), fit=fit).shape == (12, 20, 3)
    np.testing.assert_array_equal(decode(data, channels=3, size=(50, 70)), smooth(50, 70))


def test_a_reduced_picture_is_the_mean_of_what_it_stands_for():
    checkerboard = np.indices((256, 256)).sum(axis=0) % 2 * 255
    found = decode(saved(Image.fromarray(checkerboard.astype(np.uint8))), channels=1, size=16)
    assert np.abs(found.astype(int) - 127.5).max() <= 1.5  # without antialiasing: 0 or 255


def test_reduced_jpeg_decoding_keeps_all_that_the_small_picture_can_show():
    rng = np.random.default_rng(0)
    detail = Image.fromarray(rng.integers(0, 256, (100, 100), np.uint8)).resize((800, 800), Image.Resampling.BICUBIC)
    data = saved(detail, "JPEG", quality=95)
    whole = refit(rgb(data)[None], channels=3, size=96, fit="crop")[0]
    assert np.abs(decode(data, channels=3, size=96).astype(int) - whole).mean() < 4


def test_reduced_jpeg_decoding_agrees_with_reducing_the_whole():
    pixels = smooth(600, 800)
    data = saved(Image.fromarray(pixels), "JPEG", quality=95)
    whole = refit(rgb(data)[None], channels=3, size=32, fit="crop")[0]
    assert np.abs(decode(data, channels=3, size=32).astype(int) - whole).max() <= 3


def test_refit_does_what_decode_does():
    pixels = noise(20, 30)
    data = saved(Image.fromarray(pixels))
    for channels in (1, 3):
        for size in (None, 8, (10, 12)):
            for fit in ("crop", "pad", "squash"):
                expected = decode(data, channels=channels, size=size, fit=fit)
                np.testing.assert_array_equal(refit(pixels[None], channels=channels, size=size, fit=fit)[0], expected)


# --- header ------------------------------------------------------------------------------------------------------------------


def test_the_header_tells_grey_from_colour_also_in_palettes():
    grey_ramp = Image.fromarray(np.tile(np.arange(0, 250, 50, dtype=np.uint8), (4, 1)))
    colours = Image.fromarray(noise(6, 6))
    for format in ("PNG", "BMP", "TIFF"):
        assert header(saved(grey_ramp, format)).grey
        assert not header(saved(colours, format)).grey
        assert not header(saved(colours.quantize(8), format)).grey
    almost = Image.new("P", (4, 4))
    almost.putpalette([0, 0, 0, 90, 90, 90])
    for format in ("PNG", "BMP", "TIFF", "GIF"):
        assert header(saved(almost, format)).grey, format
    assert header(saved(Image.fromarray(np.zeros((3, 3), np.uint16)))).grey


def test_the_content_decides_not_the_name():
    assert kind(saved(Image.new("RGB", (2, 2)), "JPEG")) == "JPEG"
    for other in (
        b"%PDF-1.7",
        b"%!PS-Adobe-3.0 EPSF-3.0",
        b"8BPS\0\1" + b"\0" * 30,
        b"<svg xmlns=",
        b"<html>",
        b"BMW is a car, not a picture file",
    ):
        assert kind(other) is None
    assert kind(b"P1 is where the review starts, not a bitmap") is None


# --- refused -----------------------------------------------------------------------------------------------------------------


def test_a_decompression_bomb_is_refused_from_its_header_at_once():
    row = b"\0" * (1 + 3000)
    png = raw_png(24_000, 24_000, 1, 0, row * 100)
    gif = (
        b"GIF89a"
        + struct.pack("<HH", 60_000, 60_000)
        + b"\0\0\0"
        + b","
        + struct.pack("<HHHH", 0, 0, 60_000, 60_000)
        + b"\0\x02\0;"
    )
    tiff = saved(Image.new("1", (8, 8)), "TIFF").replace(struct.pack("<HHII", 256, 4, 1, 8), struct.pack("<HHII", 256, 4, 1, 10**6))
    tiff = tiff.replace(struct.pack("<HHII", 257, 4, 1, 8), struct.pack("<HHII", 257, 4, 1, 10**6))
    barely = raw_png(10_000, 9_000, 1, 0, row)  # 90 million: Pillow alone would only warn
    with warnings.catch_warnings(record=True) as leaked:
        warnings.simplefilter("always")
        for data in (png, gif, tiff, barely):
            start = time.process_time()
            for attempt in (header, rgb):
                with pytest.raises(Undecodable, match="pixels"):
                    attempt(data)
            assert time.process_time() - start < 1
    assert leaked == []


def test_the_limit_is_ours_also_where_pillows_is_switched_off(monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", None)
    with pytest.raises(Undecodable, match="90 million pixels, more than the allowed 89 million"):
        rgb(raw_png(10_000, 9_000, 1, 0, b"\0" * 1251))


def test_a_jpeg_with_thousands_of_passes_is_refused():
    data = saved(Image.fromarray(smooth(64, 64)), "JPEG", progressive=True)
    at = data.index(b"\xff\xda")
    bomb = data[:-2] + data[at:-2] * 100 + b"\xff\xd9"
    with pytest.raises(Undecodable, match="JPEG passes"):
        rgb(bomb)


def test_bytes_that_look_like_passes_are_none_behind_the_picture_or_within_a_note():
    progressive = saved(Image.fromarray(smooth(64, 64)), "JPEG", progressive=True, quality=95)
    film = b"\xff\xda\0\x08" * 5000
    note = b"\xff\xec" + struct.pack(">H", 2 + 60_000) + (b"\xff\xda" * 30_000)
    expected = rgb(progressive)
    np.testing.assert_array_equal(rgb(progressive + film), expected)
    np.testing.assert_array_equal(rgb(progressive[:2] + note + progressive[2:] + film), expected)


def test_thousands_of_passes_are_refused_also_between_notes_and_before_a_film():
    data = saved(Image.fromarray(smooth(64, 64)), "JPEG", progressive=True)
    at = data.index(b"\xff\xda")
    passes = (b"\xff\xec\0\x04\xff\xd9" + b"\xff\xff" + data[at:-2]) * 100  # the note's content reads like an end
    with pytest.raises(Undecodable, match="JPEG passes"):
        rgb(data[:-2] + passes + b"\xff\xd9" + b"\xff\xda" * 10)
    start = time.process_time()
    with pytest.raises(Undecodable, match="JPEG passes"):
        rgb(data[:-2] + data[at:-2] * 20_000 + b"\xff\xd9")
    assert time.process_time() - start < 5


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "PPM"])
def test_a_truncated_file_is_refused_wherever_it_ends(format):
    data = saved(Image.fromarray(noise(24, 24)), format)
    assert rgb(data).shape == (24, 24, 3)
    harmless = 2 if format == "GIF" else 0  # the end marks of GIF; all pixels are there
    ends = sorted({*range(64), *range(64, len(data) - harmless, 7), *range(max(64, len(data) - 40), len(data) - harmless)})
    survived = []
    for end in ends:
        try:
            rgb(data[:end])
            survived.append(end)
        except Undecodable:
            pass
    assert survived == []


def test_the_reason_is_told_in_the_readers_language(monkeypatch):
    with pytest.raises(Undecodable, match=r"^cat\.jpg cannot be used as a picture: the file is empty\.$"):
        decode(b"", channels=3, size=None, name="cat.jpg")
    monkeypatch.setenv("WIESEL_LANG", "de")
    with pytest.raises(Undecodable, match=r"^cat\.jpg ist als Bild nicht brauchbar: die Datei ist leer\.$"):
        decode(b"", channels=3, size=None, name="cat.jpg")


def test_random_damage_is_either_decoded_or_refused_never_anything_else():
    rng = np.random.default_rng(1)
    for format in ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "PPM"):
        whole = bytearray(saved(Image.fromarray(noise(16, 16)), format))
        for _ in range(60):
            data = bytearray(whole)
            for at in rng.integers(0, len(data), 3):
                data[at] = rng.integers(0, 256)
            for attempt in (header, rgb):
                with contextlib.suppress(Undecodable):
                    attempt(bytes(data))


# --- no trace ----------------------------------------------------------------------------------------------------------------


def test_warning_filters_are_as_before_also_after_decoding_in_many_threads():
    before = list(warnings.filters)
    good, bad = saved(Image.fromarray(noise(8, 8))), b"\x89PNG\r\n\x1a\n nothing"

    def work() -> None:
        for data in (good, bad) * 50:
            with contextlib.suppress(Undecodable):
                rgb(data)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert list(warnings.filters) == before
    assert decoding._quiet_depth == 0


def test_what_pillow_is_set_to_elsewhere_stays_as_it_is():
    before = Image.MAX_IMAGE_PIXELS
    rgb(saved(Image.fromarray(noise(8, 8))))
    assert before == Image.MAX_IMAGE_PIXELS
