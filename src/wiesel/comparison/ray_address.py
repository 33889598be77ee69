"""Is there a Ray cluster at this address, and a Ray here to reach it with? Found out in seconds, without loading Ray."""

from __future__ import annotations

import importlib.util
import os
import re
import socket

from wiesel.errors import BadValue, RayMissing, RayUnreachable
from wiesel.language import say

LEAST = (2, 54)
"""Older versions have holes that were closed there."""
PATIENCE = 5
"""Seconds for an address to answer."""


def reachable(address: str) -> bool:
    """What can be found out before anything is loaded. Whether the head there listens on 127.0.0.1 only, as far as this is known.

    Raises:
        RayMissing, BadValue, RayUnreachable: there is no Ray here or one that is too old; this is no address; nothing or something else answers there.
    """
    required()
    return address not in ("local", "auto") and _reached(*_host_and_port(address))


def required() -> None:
    """Raises RayMissing."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        have = version("ray") if importlib.util.find_spec("ray") is not None else ""
    except PackageNotFoundError:
        have = ""
    if tuple(int(part) for part in re.findall(r"\d+", have)[:2]) < LEAST:
        raise RayMissing(
            have=say(en=f"{have} is installed", de=f"installiert ist {have}")
            if have
            else say(en="it is not installed", de="es ist nicht installiert")
        )


def _host_and_port(address: str) -> tuple[str, int]:
    host, _, port = address.rpartition(":")
    if not host or "/" in host or not port.isdecimal() or not 0 < int(port) < 65536:
        known = say(en="'local', 'auto', or HOST:PORT of the head node", de="'local', 'auto' oder HOST:PORT des Hauptknotens")
        raise BadValue(setting="ray", value=address, expected=known)
    return host.strip("[]"), int(port)


def _reached(host: str, port: int) -> bool:
    """Whether the head that answers there listens on 127.0.0.1 only. Ray itself would try for minutes where none answers."""
    try:
        with socket.create_connection((host, port), timeout=PATIENCE) as line:
            if os.environ.get("RAY_USE_TLS") != "1":
                line.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0\0\0\4\0\0\0\0\0")  # HTTP/2, and settings: none
                if line.recv(9)[3:4] != b"\4":  # settings in return
                    raise OSError(
                        say(en="what answers is no head of a Ray cluster", de="was antwortet, ist kein Hauptknoten von Ray")
                    )
            near = str(line.getpeername()[0]).startswith("127.")
    except OSError as error:
        raise RayUnreachable(address=f"{host}:{port}", reason=error.strerror or str(error)) from error
    return near and not _reached_from_outside(port)


def _reached_from_outside(port: int) -> bool:
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.connect(("192.0.2.1", 9))  # sends nothing; chooses the address that others would see
            own = str(probe.getsockname()[0])
        with socket.create_connection((own, port), timeout=PATIENCE):
            return not own.startswith("127.")
    except OSError:
        return False
