"""A file from the network, or nothing: the final name appears only after size and sha256 matched."""

from __future__ import annotations

import hashlib
import http.client
import os
import ssl
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Sequence
from pathlib import Path

from filelock import FileLock

Progress = Callable[[str, int, int], None]
"""Called with file name, bytes so far, bytes in all."""

SLOWEST = 16 * 1024
"""Bytes per second on average below which a download is given up, after a minute's grace."""


class DownloadFailed(Exception):
    """No mirror gave the file. The text says, per mirror, why."""


def download(
    urls: Sequence[str],
    target: Path,
    *,
    size: int,
    sha256: str,
    timeout: float = 30.0,
    progress: Progress | None = None,
    context: ssl.SSLContext | None = None,
    plain_on_this_machine: bool = False,
) -> Path:
    """Fetch `target` from the first of `urls` that serves exactly these bytes.

    Written to `target` + ".part" and renamed at the end, one process at a time; whatever goes wrong, nothing stays under the final
    name that was not checked. Only https, also after redirects.

    Args:
        size: bytes of the file; a server that announces or sends another number is left.
        timeout: seconds without any answer.
        context: certificates to trust; by default those of the system.
        plain_on_this_machine: also allow http to 127.0.0.1 (for tests).

    Raises:
        DownloadFailed: says for each URL what happened.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(target.name + ".part")
    with FileLock(target.with_name(f".{target.name}.lock")):
        if target.is_file() and matches(target, size=size, sha256=sha256):
            return target  # another process was faster
        failures = []
        try:
            for url in urls:
                try:
                    _stream(url, part, size, sha256, timeout, progress, context, plain_on_this_machine)
                except (OSError, http.client.HTTPException, ValueError) as error:
                    failures.append(f"{urllib.parse.urlsplit(url).hostname}: {_why(error)}")
                else:
                    part.replace(target)
                    return target
        finally:
            part.unlink(missing_ok=True)
    raise DownloadFailed("; ".join(failures) or "no address")


def matches(path: Path, *, size: int, sha256: str) -> bool:
    """Whether the file has this size and this sha256."""
    if path.stat().st_size != size:
        return False
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest() == sha256


def _stream(
    url: str,
    part: Path,
    size: int,
    sha256: str,
    timeout: float,
    progress: Progress | None,
    context: ssl.SSLContext | None,
    plain: bool,
) -> None:
    _refuse_plain(url, plain)
    opener = urllib.request.build_opener(
        _CheckedRedirects(plain), urllib.request.HTTPSHandler(context=context or ssl.create_default_context())
    )
    request = urllib.request.Request(url, headers={"User-Agent": "wiesel", "Accept-Encoding": "identity"})
    deadline = time.monotonic() + 60 + size / SLOWEST
    total, seen = hashlib.sha256(), 0
    with opener.open(request, timeout=timeout) as answer, part.open("wb") as file:
        announced = answer.headers.get("Content-Length")
        if announced is not None and announced != str(size):
            raise ValueError(f"announces {announced} bytes instead of {size}")
        while chunk := answer.read1(min(1 << 18, size + 1 - seen)):  # what is there: a drip must not hide from the deadline
            file.write(chunk)
            total.update(chunk)
            seen += len(chunk)
            if seen > size:
                raise ValueError(f"sends more than {size} bytes")
            if time.monotonic() > deadline:
                raise ValueError(f"too slow ({seen} of {size} bytes)")
            if progress is not None:
                progress(part.name.removesuffix(".part"), seen, size)
        file.flush()
        os.fsync(file.fileno())
    if seen != size:
        raise ValueError(f"sent {seen} of {size} bytes")
    if total.hexdigest() != sha256:
        raise ValueError("sent other bytes (sha256 differs)")


class _CheckedRedirects(urllib.request.HTTPRedirectHandler):
    max_redirections = 5

    def __init__(self, plain: bool) -> None:
        self.plain = plain

    def redirect_request(self, req, fp, code, msg, headers, newurl):  # type: ignore[no-untyped-def]
        _refuse_plain(newurl, self.plain)
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _refuse_plain(url: str, plain_on_this_machine: bool) -> None:
    parts = urllib.parse.urlsplit(url)
    if parts.scheme == "https" or (plain_on_this_machine and parts.scheme == "http" and parts.hostname == "127.0.0.1"):
        return
    raise ValueError(f"refused, not https: {parts.scheme}://{parts.hostname}")


def _why(error: Exception) -> str:
    if isinstance(error, urllib.error.HTTPError):
        error.close()
        return f"HTTP {error.code}"
    reason = error.reason if isinstance(error, urllib.error.URLError) else error
    return str(reason) or type(reason).__name__
