"""Names, flags and values that are not known or cannot be."""

from __future__ import annotations

from wiesel.errors.tree import UsageError


class UnknownModel(UsageError):
    en = "Unknown model {name!r}.{nearest} `wiesel models` lists all {count}."
    de = "Unbekanntes Modell {name!r}.{nearest} `wiesel models` zeigt alle {count}."


class UnknownForeignModel(UnknownModel):
    """A name that another library does not have: `name`, `library`, `nearest`, `count` of its networks."""

    en = "Unknown model {name!r}.{nearest} `wiesel models {library}:` lists all {count}."
    de = "Unbekanntes Modell {name!r}.{nearest} `wiesel models {library}:` zeigt alle {count}."


class UnknownData(UsageError):
    en = "There is no data set called {name!r} and no such folder or .zip file.{nearest} `wiesel data list` shows the named ones."
    de = "Es gibt weder einen Datensatz namens {name!r} noch einen solchen Ordner oder eine .zip-Datei.{nearest} `wiesel data list` zeigt die benannten."


class BadValue(UsageError, ValueError):
    """A setting outside its range: `setting`, `value`, `expected`."""

    en = "{setting} = {value!r} is not possible: {expected}."
    de = "{setting} = {value!r} ist nicht möglich: {expected}."


class UnknownSetting(UsageError):
    en = "Unknown setting {name!r} in {where}.{nearest}"
    de = "Unbekannte Einstellung {name!r} in {where}.{nearest}"


class NotAFile(UsageError):
    """Where a TOML file was to be read: `path`, `reason` (why not) and `hint` (a sentence, or empty)."""

    en = "{path!r} cannot be read: {reason}.{hint}"
    de = "{path!r} ist nicht zu lesen: {reason}.{hint}"
