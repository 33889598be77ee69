"""One way in for every picture that a lesson shows: a file, an array, an address on the network, or the drawn scene.

    picture()                                    # the drawn scene, (128, 128), grey, 0..1
    picture("cat.jpg", size=96)                  # a file, its middle square reduced to 96 x 96
    picture(array, colour=True)                  # (H, W, 3)
    picture("https://example.org/cat.jpg")       # fetched now, because you asked for it; https only, nothing is kept

Values come out as float64 from 0 (black) to 1 (white), whatever went in. Only a text that begins with https:// reaches for the network.
"""

from __future__ import annotations

import http.client
import math
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wiesel.errors import BadValue, NoSuchPicture, NotAPicture, PictureNotFetched
from wiesel.https import opener
from wiesel.images.decoding import decode
from wiesel.language import say
from wiesel.teaching.scene import scene

GREY = (0.299, 0.587, 0.114)
"""Shares of red, green and blue in grey (ITU-R 601), as everywhere in this package."""
LARGEST_DOWNLOAD = 30_000_000
SECONDS = 15.0

Picture = NDArray[np.float64]


def picture(source: Any = None, *, colour: bool = False, size: int | None = None) -> Picture:
    """A picture as (H, W), or as (H, W, 3) with `colour`; values 0 to 1.

    Args:
        source: None (the drawn scene), a path, an https address, a Pillow image, or anything NumPy understands, a torch tensor
            included: (H, W), (H, W, C), (C, H, W) or one of these with a leading 1; C is 1 or 3. Whole numbers are 0..255 (as
            floats if one of them is above 1), truth values 0 and 1, others 0..1.
        size: cut to the middle square and resize to `size` x `size` pixels; without it the picture keeps its size.

    Raises:
        NotAPicture: wrong type, shape or range; NaN or infinite values.
        NoSuchPicture, Undecodable: there is no such file, or it is not a picture.
        PictureNotFetched: the address did not answer, or not with a picture's worth of bytes.
    """
    if size is not None and (isinstance(size, bool) or not isinstance(size, int) or size < 1):
        raise BadValue(setting="size", value=size, expected=say(en="a whole number from 1 on", de="eine ganze Zahl ab 1"))
    values = _values(source, size)
    if values.shape[-1] == 1:
        return np.repeat(values, 3, axis=-1) if colour else values[:, :, 0]
    return values if colour else values @ np.array(GREY)


def caption(source: Any) -> tuple[str, str]:
    """How captions call a picture, in English and (dative) German: its file name, or what it is."""
    if source is None:
        return "the drawn scene", "der gezeichneten Szene"
    if isinstance(source, (str, Path)):
        name = str(source).rstrip("/").rsplit("/", 1)[-1]
        return name, name
    return "the given picture", "dem gegebenen Bild"


def numbers(source: Any, setting: str = "image") -> NDArray[np.float64]:
    """A table of any finite numbers, (H, W): for windows and sums done by hand, where values need not lie in 0..1.

    Raises:
        NotAPicture: not two axes, no numbers, or NaN and infinite ones among them.
    """
    values = _squeezed(_array(source))
    if values.ndim != 2 or 0 in values.shape:
        raise NotAPicture(what=say(en=f"{setting} of shape {values.shape}", de=f"{setting} der Form {values.shape}"))
    return values.astype(np.float64)


def _values(source: Any, size: int | None) -> Picture:
    """(H, W, 1 or 3), 0..1."""
    if source is None:
        return _resized(scene(), size).copy()
    if isinstance(source, str) and source.lower().startswith(("https://", "http://")):
        return _decoded(fetched(source), source, size)
    if isinstance(source, (str, Path)):
        path = Path(source).expanduser()
        if not path.is_file():
            raise NoSuchPicture(path=path)
        return _decoded(path.read_bytes(), path.name, size)
    return _resized(_from_array(source), size)


def _decoded(data: bytes, name: str, size: int | None) -> Picture:
    return decode(data, channels=3, size=size, name=name) / 255.0


def _from_array(source: Any) -> Picture:
    values = _squeezed(_array(source))
    if values.ndim == 2:
        values = values[:, :, None]
    elif values.ndim == 3 and values.shape[0] in (1, 3) and (values.shape[2] not in (1, 3) or _is_tensor(source)):
        values = np.moveaxis(values, 0, -1)
    if values.ndim != 3 or values.shape[2] not in (1, 3) or 0 in values.shape:
        raise NotAPicture(what=say(en=f"an array of shape {np.shape(source)}", de=f"ein Array der Form {np.shape(source)}"))
    low, high = float(values.min()), float(values.max())
    # Floats above 1 are 0..255 if all are whole; if not, they may be 0..1 with a little too much, which would turn black.
    whole = values.dtype.kind in "iu" or (high > 1 and bool((values == np.floor(values)).all()))
    if low < 0 or high > (255 if whole else 1):
        raise NotAPicture(
            what=say(
                en=f"values from {low:.4g} to {high:.4g} ({values.dtype})",
                de=f"Werte von {low:.4g} bis {high:.4g} ({values.dtype})",
            )
        )
    return values.astype(np.float64) / (255.0 if whole else 1.0)


def _array(source: Any) -> NDArray[Any]:
    """What the caller gave as finite numbers."""
    if _is_tensor(source):
        source = (
            source.detach().cpu().numpy() if source.dtype.is_floating_point is False else source.detach().cpu().double().numpy()
        )
    try:
        values = np.asarray(source)
    except ValueError:  # rows of different lengths
        raise _no_numbers(source) from None
    if values.dtype.kind not in "biuf":
        raise _no_numbers(source)
    if values.dtype.kind == "f" and not np.isfinite(values).all():
        count = int((~np.isfinite(values)).sum())
        raise NotAPicture(what=say(en=f"{count} values are NaN or infinite", de=f"{count} Werte sind NaN oder unendlich"))
    return values


def _no_numbers(source: Any) -> NotAPicture:
    kind = type(source).__name__
    return NotAPicture(what=say(en=f"no table of numbers ({kind})", de=f"keine Tabelle von Zahlen ({kind})"))


def _is_tensor(source: Any) -> bool:
    return type(source).__module__.partition(".")[0] == "torch" and hasattr(source, "detach")


def _squeezed(values: NDArray[Any]) -> NDArray[Any]:
    """Without the leading axes of length 1 that a batch of one has: down to two axes, or to (1 or 3, H, W)."""
    while values.ndim > 3 and values.shape[0] == 1:
        values = values[0]
    if values.ndim == 3 and values.shape[0] == 1:
        values = values[0]
    return values


def _resized(values: Picture, size: int | None) -> Picture:
    if size is None or values.shape[:2] == (size, size):
        return values
    from PIL import Image

    height, width = values.shape[:2]
    side = min(height, width)
    left, top = (width - side) / 2, (height - side) / 2
    box = (left, top, left + side, top + side)
    layers = [
        np.asarray(Image.fromarray(layer.astype(np.float32)).resize((size, size), Image.Resampling.BILINEAR, box=box))
        for layer in np.moveaxis(values, -1, 0)
    ]
    return np.clip(np.stack(layers, axis=-1).astype(np.float64), 0.0, 1.0)


def fetched(url: str) -> bytes:
    """The bytes behind an https address, redirects included.

    Raises:
        PictureNotFetched: no network, no such page, more than 30 MB, or not https.
    """
    try:
        answer = opener().open(urllib.request.Request(url, headers={"User-Agent": "wiesel"}), timeout=SECONDS)
        with answer:
            data: bytes = answer.read(LARGEST_DOWNLOAD + 1)
    except urllib.error.HTTPError as error:
        error.close()
        raise PictureNotFetched(url=url, why=f"HTTP {error.code}") from None
    except urllib.error.URLError as error:
        raise PictureNotFetched(url=url, why=str(error.reason)) from None
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise PictureNotFetched(url=url, why=str(error) or type(error).__name__) from None
    if len(data) > LARGEST_DOWNLOAD:
        megabytes = math.ceil(LARGEST_DOWNLOAD / 1e6)
        raise PictureNotFetched(url=url, why=say(en=f"more than {megabytes} MB", de=f"mehr als {megabytes} MB"))
    return data
