"""Networks that cannot be built or changed so (room `zoo`)."""

from __future__ import annotations

from wiesel.errors.tree import UsageError


class PictureTooSmall(UsageError):
    """Facts: `height`, `width`, `needed_height`, `needed_width`, in pixels."""

    en = (
        "{height} x {width} pixels are too few for this network: it needs at least {needed_height} x {needed_width}. "
        "Enlarge the pictures, or build the network for their size."
    )
    de = (
        "{height} x {width} Pixel sind zu wenig für dieses Netz: es braucht mindestens {needed_height} x {needed_width}. "
        "Vergrössere die Bilder, oder baue das Netz für ihre Grösse."
    )


class UnknownChange(UsageError):
    """`name`, `nearest` (from `nearest`), `known` (all of them, as a phrase)."""

    en = "There is no change called {name!r}.{nearest} Possible are: {known}."
    de = "Eine Änderung namens {name!r} gibt es nicht.{nearest} Möglich sind: {known}."


class BadChange(UsageError, ValueError):
    """`change` (as it was asked for), `reason` (a text that speaks the reader's language)."""

    en = "The change {change!r} is not possible: {reason}."
    de = "Die Änderung {change!r} ist nicht möglich: {reason}."
