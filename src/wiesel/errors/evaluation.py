"""Evaluation and reports (rooms `evaluation`, `reports`)."""

from __future__ import annotations

from wiesel.errors.tree import RunError, UsageError


class NotFitted(UsageError, ValueError, AttributeError):
    """Also a ValueError and an AttributeError, as scikit-learn's own NotFittedError is."""

    en = "This {name} has not been fitted yet; call fit first."
    de = "Dieser {name} wurde noch nicht angepasst; rufe zuerst fit auf."


class NoSuchPicture(UsageError):
    en = "There is no picture {path!s}."
    de = "Es gibt kein Bild {path!s}."


class PictureIsFolder(UsageError):
    en = "{path!s} is a folder. Name picture files in it, such as {path!s}/*.jpg."
    de = "{path!s} ist ein Ordner. Nenne Bilddateien darin, etwa {path!s}/*.jpg."


class NothingToMeasure(RunError):
    """`where`: which predictions."""

    en = "{where}: there is no picture to measure. Choose a split that has pictures."
    de = "{where}: Es gibt kein Bild zu messen. Wähle einen Split, der Bilder enthält."


class UnfitArray(RunError):
    """`where`, `array` (its name), `found` and `expected`, both as dtype and shape."""

    en = "{where}: {array} is {found}, expected {expected}. Make the predictions again from the trained run."
    de = "{where}: {array} ist {found}, erwartet wird {expected}. Erstelle die Vorhersagen neu aus dem trainierten Lauf."


class LogitNotFinite(RunError):
    """`where`, `row` (picture), `column` (class), `value`, `count` of all such numbers."""

    en = (
        "{where}: logits[{row}, {column}] is {value} ({count} such numbers in all), so nothing can be measured. "
        "The training diverged (lower the rate) or the file is damaged (make the predictions again)."
    )
    de = (
        "{where}: logits[{row}, {column}] ist {value} (insgesamt {count} solche Zahlen), damit lässt sich nichts messen. "
        "Das Training ist divergiert (wähle eine kleinere Lernrate), oder die Datei ist beschädigt (erstelle die Vorhersagen neu)."
    )


class LabelOutside(RunError):
    """`where`, `row`, `value`, `classes` (how many there are)."""

    en = "{where}: labels[{row}] is {value}, but the {classes} classes are numbered from 0. Use the classes of the training run."
    de = "{where}: labels[{row}] ist {value}, die {classes} Klassen zählen aber ab 0. Verwende die Klassen des Trainingslaufs."


class NoPredictions(RunError):
    """`path`."""

    en = "{path}: there are no predictions. `wiesel evaluate` on the run makes them."
    de = "{path}: Es gibt keine Vorhersagen. `wiesel evaluate` für den Lauf erstellt sie."


class DamagedPredictions(RunError):
    """`path`, `cause` (what the reader said)."""

    en = "{path} cannot be read as predictions ({cause}). Delete it and run `wiesel evaluate` on the run again."
    de = "{path} lässt sich nicht als Vorhersagen lesen ({cause}). Lösche die Datei und rufe `wiesel evaluate` für den Lauf erneut auf."


class DamagedEvaluation(RunError):
    """`cause` (what the reader said, with the place in the JSON)."""

    en = "This is not an evaluation that this version can read ({cause}). Run `wiesel evaluate` on the run again."
    de = "Diese Auswertung kann diese Version nicht lesen ({cause}). Rufe `wiesel evaluate` für den Lauf erneut auf."
