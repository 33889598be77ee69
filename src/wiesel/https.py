"""Addresses that begin with https, and nothing else, also after a redirect."""

from __future__ import annotations

import urllib.request


def opener() -> urllib.request.OpenerDirector:
    """Opens https addresses, through the system's proxy if there is one. It has no handler for anything else, so a redirect to plain
    http, or to a file, ends in `urllib.error.URLError`."""
    made = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler(),
        urllib.request.UnknownHandler(),
        urllib.request.HTTPSHandler(),
        urllib.request.HTTPDefaultErrorHandler(),
        urllib.request.HTTPRedirectHandler(),
        urllib.request.HTTPErrorProcessor(),
    ):
        made.add_handler(handler)
    return made
