"""What one file of a source says and shows: the two visits that a first pass pays it.

`Look` reads the header, and of a small picture the pixels too; `Read` decodes into a given shape. Of what they find there is one per
file, so it is hidden from Python's collector (`gc=False`), which would walk over all of them again and again.
"""

from __future__ import annotations

import hashlib
import os

import msgspec
import numpy as np

from wiesel.errors import Undecodable
from wiesel.images.dataset import Reason
from wiesel.images.decoding import SNIFF, Fit, Header, decode, header, header_and_picture, kind
from wiesel.images.listing import FILE_LIMIT, TOO_LONG, Entry, Listing

# fmt: off
SUFFIXES = frozenset((
    ".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff", ".ppm", ".pgm", ".pbm", ".pnm", ".avif",
    ".heic", ".heif", ".jp2", ".jxl", ".ico",
))
# fmt: on
"""Names that claim to be a picture. One that is none, or of a format that is not read, counts as unreadable."""

NO_PICTURE = Reason("no picture", "kein Bild")

LARGEST_OWN_SIZE = 96
"""Pictures that all have one size are left at it up to this side; otherwise they are brought to this size."""

_AT_ONCE = 1 << 16
"""Bytes of a file that may hold a small picture."""


class Picture(msgspec.Struct, frozen=True, gc=False):
    pixels: bytes
    """(H, W, C), uint8"""
    channels: int
    sha256: bytes
    """Of the file."""


class Head(msgspec.Struct, frozen=True, gc=False):
    """What the first look at a file says: a header, or why there is none. `candidate`: its name or its content says picture."""

    header: Header | None
    reason: Reason
    candidate: bool
    picture: Picture | None = None
    """At its own size, if it is small and was wanted."""

    def shows(self, shape: tuple[int, int, int]) -> bool:
        """Whether the picture is there, in this shape (H, W, C)."""
        if self.picture is None or self.header is None:
            return False
        return (self.header.height, self.header.width, self.picture.channels) == shape


class Look(msgspec.Struct, frozen=True):
    """The header; and with `pixels` the picture too, with `channels` (0: as many as it has), if it is a square of `size` pixels, or for 0
    if neither side is longer than `LARGEST_OWN_SIZE`."""

    pixels: bool = False
    channels: int = 0
    size: int = 0

    def __call__(self, listing: Listing, entry: Entry) -> Head:
        claims = suffix(entry.path) in SUFFIXES
        if entry.size > FILE_LIMIT:
            return Head(None, TOO_LONG if claims else NO_PICTURE, claims)
        try:
            if self.pixels and entry.size <= _AT_ONCE:
                return self._all_of_it(listing.read(entry), claims)
            with listing.open(entry) as file:
                start = file.read(SNIFF)
                if kind(start) is None and not claims:
                    return Head(None, NO_PICTURE, False)
                file.seek(0)
                return Head(header(file), NO_PICTURE, True)
        except Undecodable as error:
            return Head(None, error.reason, True)
        except MemoryError:
            raise
        except Exception as error:  # the archive or the disc: whatever it is, it is this file's reason
            return Head(None, _unreachable(error), claims)

    def _wants(self, found: Header) -> bool:
        if self.size:
            return found.width == found.height == self.size
        return max(found.width, found.height) <= LARGEST_OWN_SIZE

    def _all_of_it(self, data: bytes, claims: bool) -> Head:
        if kind(data[:SNIFF]) is None and not claims:
            return Head(None, NO_PICTURE, False)
        found, pixels = header_and_picture(data, channels=self.channels, wanted=self._wants)
        if pixels is None or pixels.shape[:2] != (found.height, found.width):  # `Read` says why
            return Head(found, NO_PICTURE, True)
        return Head(found, NO_PICTURE, True, Picture(pixels.tobytes(), pixels.shape[2], hashlib.sha256(data).digest()))


class Read(msgspec.Struct, frozen=True):
    """The picture in this shape (H, W, C), resized as `fit` says if `resize`; or why not."""

    shape: tuple[int, int, int]
    resize: bool
    fit: Fit

    def __call__(self, listing: Listing, entry: Entry) -> Picture | Reason:
        try:
            data = listing.read(entry)
            picture = decode(data, channels=self.shape[2], size=self.shape[:2] if self.resize else None, fit=self.fit)
        except Undecodable as error:
            reason: Reason = error.reason
            return reason
        except MemoryError:
            raise
        except Exception as error:
            return _unreachable(error)
        if picture.shape != self.shape:
            return Reason("its size is not the one in its header", "die Grösse ist nicht die im Kopf")
        return Picture(np.ascontiguousarray(picture).tobytes(), self.shape[2], hashlib.sha256(data).digest())


def suffix(path: str) -> str:
    return os.path.splitext(path)[1].lower()  # noqa: PTH122 (60,000 of them, and Path is ten times slower)


def _unreachable(error: Exception) -> Reason:
    said = str(error) or type(error).__name__
    return Reason(f"cannot be read ({said})", f"nicht lesbar ({said})")
