"""Lessons, drawings and animations (rooms `lessons`, `teaching`)."""

from __future__ import annotations

from wiesel.errors.tree import MissingError, UsageError


class UnknownLesson(UsageError):
    en = "There is no lesson or exercise {name!r}.{nearest} `wiesel lesson list` shows all."
    de = "Es gibt keine Lektion oder Aufgabe {name!r}.{nearest} `wiesel lesson list` zeigt alle."


class NoExercise(UsageError):
    """A file that cannot be checked: `path`."""

    en = "{path} is no exercise: `# exercise: NAME` is missing at its head. A lesson checks itself when run; `wiesel lesson open NAME` makes an exercise."
    de = "{path} ist keine Aufgabe: oben fehlt `# exercise: NAME`. Lektionen prüfen sich selbst beim Laufen; `wiesel lesson open NAME` legt eine Aufgabe an."


class NoLearnersFile(MissingError):
    en = "There is no file {path}. `wiesel lesson open NAME` makes one."
    de = "Es gibt keine Datei {path}. `wiesel lesson open NAME` legt eine an."


class NotUtf8(UsageError):
    en = "{path} is not saved as UTF-8, which Python expects. Save it as UTF-8; every editor can."
    de = "{path} ist nicht als UTF-8 gespeichert, wie Python es erwartet. Speichere die Datei als UTF-8; jeder Editor kann das."


class LessonThere(UsageError):
    en = "{path} is there already and stays as it is. Rename it, or give another place with -o."
    de = "{path} gibt es schon und bleibt, wie es ist. Benenne die Datei um oder gib mit -o einen anderen Ort an."


class NotAPicture(UsageError, ValueError):
    """Something given as a picture that is none: `what` (its type, shape or values, in the reader's language)."""

    en = "This is not a picture: {what}. Give a file, an array of shape (H, W), (H, W, 3) or (3, H, W) with values 0..255 or 0..1, or nothing."
    de = "Das ist kein Bild: {what}. Gib eine Datei, ein Array der Form (H, W), (H, W, 3) oder (3, H, W) mit Werten 0..255 oder 0..1, oder nichts."


class PictureNotFetched(MissingError):
    """A picture from the network that did not come: `url`, `why`."""

    en = "The picture {url} could not be fetched ({why}). Save it with a browser and give the path of the file instead."
    de = "Das Bild {url} war nicht zu holen ({why}). Speichere es mit einem Browser und gib stattdessen den Pfad der Datei an."


class TeachingLibraryMissing(MissingError):
    """`library`"""

    en = "This figure needs {library}, which is not installed. `pip install 'wiesel[teaching]'`"
    de = "Für diese Abbildung braucht es {library}, das nicht installiert ist. `pip install 'wiesel[teaching]'`"


class NoVideo(MissingError):
    """`path`, `why`."""

    en = "{path} cannot be written: {why}. Install ffmpeg, or save as .gif or .html, which need nothing."
    de = "{path} ist nicht zu schreiben: {why}. Installiere ffmpeg, oder speichere als .gif oder .html; beides braucht nichts."
