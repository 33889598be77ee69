"""`python -m wiesel.images.helper SOURCE`: a process that visits files for another one. Started by `crew.py`, never by a person.

What to visit comes on standard input, what was found goes to standard output, until the input ends.
"""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path

import msgspec

from wiesel.images.crew import Request, receive, send
from wiesel.images.decoding import quiet
from wiesel.images.listing import Entry, Listing, list_zip


def main(source: Path) -> None:
    decoder = msgspec.msgpack.Decoder(Request)
    with (
        Listing(source.resolve()) if source.is_dir() else list_zip(source) as listing,
        quiet(),
        contextlib.suppress(EOFError, BrokenPipeError),
    ):
        while True:
            request = decoder.decode(receive(sys.stdin.buffer))
            send(
                sys.stdout.buffer,
                msgspec.msgpack.encode([request.visit(listing, Entry(*entry, stamp=0)) for entry in request.entries]),
            )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
