"""One decoder for training, evaluation and prediction: file bytes -> uint8 (H, W, C).

What is declared here, and the same everywhere:
- A file is what its first bytes say, whatever its name. JPEG, PNG, WebP, BMP, GIF, TIFF, PPM/PGM/PBM; AVIF where Pillow has it.
- The EXIF orientation is applied. Of an animation or a multi-page file the first picture counts. Colour profiles are not applied.
- Transparency is composed over an even grey (`BACKGROUND`), before any resizing, so hidden colours never show.
- 16-bit grey is divided by 257, so 65535 becomes 255 and a 16-bit ramp keeps 256 levels. 32-bit integers are read the same way if
  they fit 16 bits, floats if they lie in 0..1; others are refused, for nobody knows their range. 16-bit colour keeps its high byte.
- Colour becomes grey as 0.299 R + 0.587 G + 0.114 B (ITU-R 601).
- Resizing is Pillow's bilinear filter, which widens with the reduction and so removes what the small picture cannot show. BOX would
  show blocks when enlarging, LANCZOS rings at edges.
- Refused with a reason: damaged or truncated files, and pictures above `PIXEL_LIMIT`, these from the header alone.
"""

from __future__ import annotations

import io
import re
import struct
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import BinaryIO, Literal

import msgspec
import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError, features

from wiesel.errors import Undecodable
from wiesel.images import plain_jpeg
from wiesel.images.dataset import Reason

Fit = Literal["crop", "pad", "squash"]

Size = int | tuple[int, int] | None

BACKGROUND = 128
"""Grey level behind transparent pixels and beside padded pictures."""

PIXEL_LIMIT = 89_000_000
"""Width x height of the largest picture that is decoded; just below the size from which Pillow itself suspects an attack."""

SCAN_LIMIT = 200
"""Passes of a progressive JPEG. Encoders write about 10; a small file with thousands keeps a processor busy for minutes."""

_LATE_EXIF = 256
"""Side in pixels up to which a PNG is searched for EXIF behind its pixels; beyond, the header would cost as much as reading the whole file."""

SNIFF = 32
"""Bytes that `kind` needs."""


def kind(start: bytes) -> str | None:
    """Pillow's name of the format that begins with these (at least `SNIFF`, or all) bytes; `None` if it is none of ours."""
    if start.startswith(b"\xff\xd8\xff"):
        return "JPEG"
    if start.startswith(b"\x89PNG\r\n\x1a\n"):
        return "PNG"
    if start.startswith((b"GIF87a", b"GIF89a")):
        return "GIF"
    if start[:4] == b"RIFF" and start[8:12] == b"WEBP":
        return "WEBP"
    if start[:4] in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"):
        return "TIFF"
    if start[:2] == b"BM" and start[14:18] in _BMP_HEADERS:
        return "BMP"
    if start[4:8] == b"ftyp" and start[8:12] in (b"avif", b"avis"):
        return "AVIF" if features.check("avif") else None
    if re.match(rb"P[1-6]\s+(#|\d)", start):
        return "PPM"
    return None


_BMP_HEADERS = tuple(struct.pack("<I", size) for size in (12, 40, 52, 56, 64, 108, 124))


class Header(msgspec.Struct, frozen=True, gc=False):
    """What a file says before its pixels are decoded. `width` and `height` are those of the upright picture (of a large PNG, only if its
    orientation stands before the pixels)."""

    format: str
    mode: str
    width: int
    height: int
    grey: bool


def header(file: bytes | BinaryIO, *, name: str = "picture") -> Header:
    """Read only the header.

    Raises:
        Undecodable: not a picture, damaged, or larger than `PIXEL_LIMIT`.
    """
    with _refusing(name):
        return _header(_opened(io.BytesIO(file) if isinstance(file, bytes) else file))


def header_and_picture(data: bytes, *, channels: int, wanted: Callable[[Header], bool]) -> tuple[Header, NDArray[np.uint8] | None]:
    """Both from one opening, which takes longer than decoding a small picture: the header, and the picture (H, W, C) as `decode` gives it
    at its own size, or `None` if it is not `wanted` or its pixels cannot be decoded.

    Args:
        channels: 1 or 3; 0 for those that the picture has.

    Raises:
        Undecodable: as `header`.
    """
    if (plain := _plain_header(data)) is not None:
        if not wanted(plain):
            return plain, None
        own = plain_jpeg.pixels(data, 1 if plain.grey else 3)
        if own is not None:
            return plain, refit(own[None], channels=channels or own.shape[2], size=None, fit="crop")[0]
    with _refusing("picture"):
        image = _opened(io.BytesIO(data))
        found = _header(image)
    if not wanted(found):
        return found, None
    try:
        with _refusing("picture"):
            return found, _decoded(image, data, channels or (1 if found.grey else 3), None, "crop", BACKGROUND)
    except Undecodable:
        return found, None


def decode(
    data: bytes,
    *,
    channels: int,
    size: Size,
    fit: Fit = "crop",
    background: int = BACKGROUND,
    name: str = "picture",
) -> NDArray[np.uint8]:
    """The picture in these file bytes as (H, W, C).

    Args:
        channels: 1 (grey) or 3 (red, green, blue).
        size: (height, width) of the result; one number for a square; `None` for the picture's own size.
        fit: what happens to a picture of another shape: "crop" keeps the centre, "pad" keeps all of it between bars of
            `background`, "squash" keeps all of it and distorts.
        background: grey level, 0 to 255.
        name: how the error calls the picture.

    Raises:
        Undecodable: not a picture, damaged, truncated, too large, or with values of unknown range.
    """
    with _refusing(name):
        return _decoded(_opened(io.BytesIO(data)), data, channels, size, fit, background)


def refit(pixels: NDArray[np.uint8], *, channels: int, size: Size, fit: Fit, background: int = BACKGROUND) -> NDArray[np.uint8]:
    """Decoded pictures (N, H, W, C) brought to other channels or another size, by the rules of `decode`."""
    count, height, width, own = pixels.shape
    target = (height, width) if size is None else _pair(size)
    if own == channels and target == (height, width):
        return pixels
    made = np.empty((count, *target, channels), np.uint8)
    for i, picture in enumerate(pixels):
        image = Image.fromarray(picture[:, :, 0] if own == 1 else picture)
        if own != channels:
            image = image.convert("L" if channels == 1 else "RGB")
        made[i] = _array(_fitted(image, target, fit, background))
    return made


def _plain_header(data: bytes) -> Header | None:
    if (shape := plain_jpeg.shape(data)) is None or shape[0] * shape[1] > PIXEL_LIMIT:
        return None
    height, width, channels = shape
    return Header("JPEG", "L" if channels == 1 else "RGB", width, height, grey=channels == 1)


def _opened(file: BinaryIO) -> Image.Image:
    start = file.read(SNIFF)
    file.seek(0)
    if not start:
        raise _Refused(en="the file is empty", de="die Datei ist leer")
    format = kind(start)
    if format is None:
        raise _Refused(
            en=f"its content is no JPEG, PNG, WebP, AVIF, BMP, GIF, TIFF or PPM (it begins with {start[:8]!r})",
            de=f"der Inhalt ist kein JPEG, PNG, WebP, AVIF, BMP, GIF, TIFF oder PPM (er beginnt mit {start[:8]!r})",
        )
    image = Image.open(file, formats=(format,))
    width, height = image.size
    if width * height > PIXEL_LIMIT:
        raise _too_large(width * height)
    if format == "PNG" and "exif" not in image.info and max(width, height) <= _LATE_EXIF:
        image.info["exif"] = _late_exif(file)
    return image


def _late_exif(file: BinaryIO) -> bytes | None:
    """EXIF that a PNG has behind its pixels, as it may. Pillow meets it only when it decodes them; the header should know it as well."""
    place = file.tell()
    file.seek(len(b"\x89PNG\r\n\x1a\n"))
    exif = None
    while exif is None and len(start := file.read(8)) == 8 and start[4:] != b"IEND":
        length = int.from_bytes(start[:4], "big")
        if start[4:] == b"eXIf":
            exif = file.read(length)
        else:
            file.seek(length + 4, io.SEEK_CUR)  # the checksum
    file.seek(place)
    return exif


def _header(image: Image.Image) -> Header:
    width, height = image.size
    if image.format != "TIFF" and _orientation(image) >= 5:  # Pillow turns TIFF itself, and reports the turned size
        width, height = height, width
    return Header(str(image.format), image.mode, width, height, _is_grey(image))


def _decoded(image: Image.Image, data: bytes, channels: int, size: Size, fit: Fit, background: int) -> NDArray[np.uint8]:
    if image.format in ("JPEG", "MPO"):
        _refuse_many_scans(data)
        if size is not None:  # decodes at 1/2, 1/4 or 1/8 while both sides stay at least twice the target: much faster
            image.draft(None, (2 * max(_pair(size)),) * 2)
    image.load()
    if image.format == "PNG" and b"IEND\xaeB`\x82" not in data:  # Pillow is content as soon as it has the last row
        raise _Refused(en="cut short (the end mark is missing)", de="abgeschnitten (das Ende fehlt)")
    return _array(_fitted(_plain(_upright(image), data, channels, background), size, fit, background))


def _refuse_many_scans(data: bytes) -> None:
    if data.count(_SCAN) > SCAN_LIMIT and (scans := _scans(data)) > SCAN_LIMIT:
        raise _Refused(en=f"{scans} JPEG passes, an attack or a defect", de=f"{scans} JPEG-Durchgänge, ein Angriff oder ein Defekt")


def _scans(data: bytes) -> int:
    """Passes of the first picture, from marker to marker: behind its end a telephone may keep a film, where any bytes occur."""
    at = scans = 0
    while (marker := _MARKER.search(data, at)) and marker[0] != b"\xff\xd9":
        scans += marker[0] == _SCAN
        at = marker.end() + int.from_bytes(data[marker.end() : marker.end() + 2], "big")
    return scans


_SCAN = b"\xff\xda"

_MARKER = re.compile(rb"\xff[^\x00\x01\xd0-\xd8\xff]")
"""Those that a length follows, and the end of the picture; not the zero and the restarts that stand within pixels."""


def _upright(image: Image.Image) -> Image.Image:
    turn = _TURNS.get(_orientation(image)) if image.format != "TIFF" else None
    return image if turn is None else image.transpose(turn)


_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def _orientation(image: Image.Image) -> int:
    """EXIF orientation 1..8 (1: upright, also where the tag is missing or damaged).

    Read here, not by Pillow's `getexif`, which takes longer than decoding a small picture and stumbles over damaged tags.
    """
    exif = image.info.get("exif")
    if not isinstance(exif, bytes):
        return 1
    tiff = exif.removeprefix(b"Exif\0\0")
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(tiff[:4])
    if order is None or len(tiff) < 10:
        return 1
    at = int(struct.unpack_from(order + "I", tiff, 4)[0])
    if at + 2 > len(tiff):
        return 1
    entries = int(struct.unpack_from(order + "H", tiff, at)[0])
    for place in range(at + 2, min(at + 2 + 12 * entries, len(tiff) - 11), 12):
        tag, form, _, value = struct.unpack_from(order + "HHIH", tiff, place)
        if tag == 0x0112:
            return int(value) if form == 3 and 1 <= value <= 8 else 1
    return 1


def _is_grey(image: Image.Image) -> bool:
    if image.mode in ("P", "PA"):
        if image.palette is None:
            return False
        palette = np.frombuffer(bytes(image.palette.palette), np.uint8)
        entry = len(image.palette.rawmode or image.palette.mode)
        if image.palette.rawmode == "RGB;L":  # TIFF keeps all reds, then all greens, then all blues
            bands = palette.reshape(3, -1)
        else:
            bands = palette[: len(palette) // entry * entry].reshape(-1, entry).T[:3]
        return bool((bands[0] == bands[1]).all() and (bands[1] == bands[2]).all())
    return image.mode in ("1", "L", "LA", "La", "I", "F") or image.mode.startswith("I;16")


def _plain(image: Image.Image, data: bytes, channels: int, background: int) -> Image.Image:
    """Any mode -> "L" or "RGB", 8 bits, opaque."""
    if image.mode in ("I", "F") or image.mode.startswith("I;16"):
        image = _eight_bits(image, background)
    elif image.has_transparency_data:
        key = image.info.get("transparency")
        depth = data[24] if data.startswith(b"\x89PNG") else 8  # Pillow brings the pixels to 8 bits, but not the key
        if isinstance(key, tuple) and depth == 16:
            image.info["transparency"] = tuple(value >> 8 for value in key)
        elif isinstance(key, int) and image.mode == "L":
            image.info["transparency"] = key * 255 // (2**depth - 1)
        over = Image.new("RGBA", image.size, (background, background, background, 255))
        over.alpha_composite(image.convert("LA").convert("RGBA") if image.mode == "La" else image.convert("RGBA"))
        image = over.convert("RGB")
    target = "L" if channels == 1 else "RGB"
    if image.mode == target:
        return image
    if target == "L" and image.mode in ("CMYK", "YCbCr", "HSV", "P"):
        image = image.convert("RGB")
    return image.convert(target)


_PHOTOMETRIC = 262
"""TIFF's tag for what the numbers mean."""


def _eight_bits(image: Image.Image, background: int) -> Image.Image:
    values = np.asarray(image)
    if image.mode == "F":
        if not (np.isfinite(values).all() and values.min() >= 0 and values.max() <= 1):
            raise _Refused(en="float values outside 0..1, range unknown", de="Gleitkommawerte ausserhalb 0..1, Bereich unbekannt")
        grey = np.rint(values * 255)
    else:
        if values.min() < 0 or values.max() > 65535:
            raise _Refused(en="integers outside 16 bits, range unknown", de="Ganzzahlen ausserhalb 16 Bit, Bereich unbekannt")
        grey = (values.astype(np.uint32) + 128) // 257
        key = image.info.get("transparency")
        if isinstance(key, int):
            grey[values == key] = background
    if getattr(image, "tag_v2", {}).get(_PHOTOMETRIC) == 0:  # white is zero: Pillow turns TIFF of 8 bits over, and no other
        grey = 255 - grey
    return Image.fromarray(grey.astype(np.uint8))


def _pair(size: int | tuple[int, int]) -> tuple[int, int]:
    return (size, size) if isinstance(size, int) else size


def _fitted(image: Image.Image, size: Size, fit: Fit, background: int) -> Image.Image:
    if size is None or image.size == (_pair(size)[1], _pair(size)[0]):
        return image
    (height, width), (own_width, own_height) = _pair(size), image.size
    filter = Image.Resampling.BILINEAR
    if fit == "crop":
        scale = max(width / own_width, height / own_height)
        left, top = (own_width - width / scale) / 2, (own_height - height / scale) / 2
        box = (max(0.0, left), max(0.0, top), min(own_width, own_width - left), min(own_height, own_height - top))
        return image.resize((width, height), filter, box=box, reducing_gap=3.0)
    if fit == "squash":
        return image.resize((width, height), filter, reducing_gap=3.0)
    scale = min(width / own_width, height / own_height)
    inner = (max(1, round(own_width * scale)), max(1, round(own_height * scale)))
    padded = Image.new(image.mode, (width, height), background if image.mode == "L" else (background,) * 3)
    padded.paste(image.resize(inner, filter, reducing_gap=3.0), ((width - inner[0]) // 2, (height - inner[1]) // 2))
    return padded


def _array(image: Image.Image) -> NDArray[np.uint8]:
    array = np.asarray(image)
    return array[:, :, None] if array.ndim == 2 else array


# --- what may go wrong -------------------------------------------------------------------------------------------------------


class _Refused(Exception):
    def __init__(self, *, en: str, de: str) -> None:
        self.reason = Reason(en, de)


def _too_large(pixels: int) -> _Refused:
    return _Refused(
        en=f"{pixels / 1e6:,.0f} million pixels, more than the allowed {PIXEL_LIMIT // 1_000_000} million",
        de=f"{pixels / 1e6:.0f} Millionen Pixel, mehr als die erlaubten {PIXEL_LIMIT // 1_000_000} Millionen",
    )


@contextmanager
def _refusing(name: str) -> Iterator[None]:
    """Whatever a hostile or damaged file makes Pillow raise becomes `Undecodable`; out of memory stays what it is."""
    try:
        with quiet():
            yield
    except _Refused as refused:
        raise Undecodable(name=name, reason=refused.reason) from None
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        large = Reason("more pixels than are allowed", "mehr Pixel als erlaubt")
        raise Undecodable(name=name, reason=large) from error
    except UnidentifiedImageError as error:  # which says an address in memory
        raise Undecodable(
            name=name, reason=Reason("damaged or cut short (its header)", "beschädigt oder abgeschnitten (der Kopf)")
        ) from error
    except MemoryError:
        raise
    except Exception as error:
        said = str(error).strip() or type(error).__name__
        damaged = Reason(f"damaged or cut short (Pillow: {said})", f"beschädigt oder abgeschnitten (Pillow: {said})")
        raise Undecodable(name=name, reason=damaged) from error


_quiet_lock = threading.Lock()
_quiet_depth = 0
_quiet_filters: warnings.catch_warnings[None] | None = None


@contextmanager
def quiet() -> Iterator[None]:
    """While anything in here decodes, Pillow's warnings about odd files are silent and its bomb warning is an error.

    Warning filters belong to the whole process, so simultaneous decodes in several threads share one change: the first sets it,
    the last takes it back. Only warnings from inside Pillow are touched.
    """
    global _quiet_depth, _quiet_filters
    with _quiet_lock:
        _quiet_depth += 1
        if _quiet_depth == 1:
            _quiet_filters = warnings.catch_warnings()
            _quiet_filters.__enter__()
            warnings.filterwarnings("ignore", module=r"PIL\.")
            warnings.filterwarnings("error", category=Image.DecompressionBombWarning)
    try:
        yield
    finally:
        with _quiet_lock:
            _quiet_depth -= 1
            if _quiet_depth == 0 and _quiet_filters is not None:
                _quiet_filters.__exit__(None, None, None)
                _quiet_filters = None
