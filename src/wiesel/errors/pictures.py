"""Pictures, and folders and archives of them (room `images`)."""

from __future__ import annotations

from wiesel.errors.tree import MissingError, PicturesError


class Undecodable(PicturesError):
    """One file that is no usable picture: `name`, `reason` (a text that speaks the reader's language)."""

    en = "{name} cannot be used as a picture: {reason}."
    de = "{name} ist als Bild nicht brauchbar: {reason}."


class FolderMissing(MissingError):
    en = "There is no folder or .zip file {path}. Check the path; `wiesel data list` shows the data sets that have a name."
    de = (
        "Es gibt weder einen Ordner noch eine .zip-Datei {path}. Prüfe den Pfad; `wiesel data list` zeigt die Datensätze mit Namen."
    )


class EmptyFolder(PicturesError):
    en = "{path} contains no pictures ({files} other {files:file|files}). Expected: one folder per class, with pictures in it."
    de = "{path} enthält keine Bilder ({files} andere {files:Datei|Dateien}). Erwartet wird ein Ordner je Klasse mit Bildern darin."


class NoClassFolders(PicturesError):
    en = (
        "The {count} {count:picture|pictures} of {path} {count:lies|lie} in no class folder. "
        "Put {count:it|them} into one folder per class: {path}/cat/1.jpg, {path}/dog/2.jpg."
    )
    de = (
        "{count:Das|Die} {count} {count:Bild|Bilder} von {path} {count:liegt|liegen} in keinem Klassenordner. "
        "Lege {count:es|sie} in einen Ordner je Klasse: {path}/katze/1.jpg, {path}/hund/2.jpg."
    )


class OneClass(PicturesError):
    en = "{path} has only one class, {name!r}. A classifier needs at least two class folders."
    de = "{path} hat nur eine Klasse, {name!r}. Ein Klassifikator braucht mindestens zwei Klassenordner."


class EmptyClass(PicturesError):
    en = "The class folder {name!r} of {path} has no usable picture. Add pictures or delete the folder."
    de = "Der Klassenordner {name!r} von {path} hat kein brauchbares Bild. Lege Bilder hinein oder lösche den Ordner."


class UnknownClass(PicturesError):
    en = "The {split} split of {path} has the class {name!r}, which the training split lacks (it has {known}). Rename or remove that folder."
    de = (
        "Die Aufteilung {split} von {path} hat die Klasse {name!r}, die dem Training fehlt (dort gibt es {known}). "
        "Benenne den Ordner um oder entferne ihn."
    )


class NoTrainingSplit(PicturesError):
    en = "{path} has {found} but no train folder. Add train/<class>/… or remove the split folders."
    de = "{path} hat {found}, aber keinen Ordner train. Ergänze train/<Klasse>/… oder entferne die Ordner der Aufteilung."


class SplitTwice(PicturesError):
    en = "{path} has two folders for the same split: {first!r} and {second!r}. Merge them or rename one."
    de = "{path} hat zwei Ordner für dieselbe Aufteilung: {first!r} und {second!r}. Vereinige sie oder benenne einen um."


class TooManyUnreadable(PicturesError):
    en = (
        "{count} of {total} pictures in {path} cannot be read, more than the allowed {allowed:.1%}: {first}. "
        "Repair or delete them, or allow a larger share with --unreadable (in Python: unreadable). `wiesel data check` lists all."
    )
    de = (
        "{count} von {total} Bildern in {path} {count:ist|sind} nicht lesbar, mehr als die erlaubten {allowed:.1%}: {first}. "
        "Repariere oder lösche sie, oder erlaube einen grösseren Anteil mit --unreadable (in Python: unreadable). `wiesel data check` zeigt alle."
    )


class BadArchive(PicturesError):
    """A .zip file that is damaged or that no careful program should read: `path`, `reason`."""

    en = "{path} is not read: {reason}."
    de = "{path} wird nicht gelesen: {reason}."


class BadArrayFile(PicturesError):
    """A file of a known array format (IDX, CIFAR binary, digits) with wrong content: `path`, `reason`."""

    en = "{path} is damaged or of another kind: {reason}. Delete it and fetch it again."
    de = "{path} ist beschädigt oder von anderer Art: {reason}. Lösche die Datei und hole sie neu."


class BadArrays(PicturesError):
    """Arrays in memory that are no labelled pictures: `reason`."""

    en = "These arrays are no labelled pictures: {reason}."
    de = "Diese Arrays sind keine Bilder mit Etiketten: {reason}."


class TooFewPictures(PicturesError):
    en = "{have} {have:picture is|pictures are} too few to divide into {parts}: at least {needed} are needed. Add pictures or ask for smaller parts."
    de = (
        "{have} {have:Bild ist zu wenig|Bilder sind zu wenige} zum Aufteilen in {parts}: nötig sind mindestens {needed}. "
        "Ergänze Bilder oder verlange kleinere Teile."
    )


class OtherData(PicturesError):
    en = "This division belongs to other pictures (fingerprint {expected:.12}…, here {found:.12}…): something was added, changed or renamed."
    de = (
        "Diese Aufteilung gehört zu anderen Bildern (Fingerabdruck {expected:.12}…, hier {found:.12}…): "
        "etwas kam hinzu, wurde geändert oder umbenannt."
    )


class NoRoom(PicturesError):
    en = "The decoded pictures need {needed} MB in {path}, where {free} MB are free. Make room, choose a smaller size, or set WIESEL_CACHE."
    de = "Die dekodierten Bilder brauchen {needed} MB in {path}, frei sind {free} MB. Schaffe Platz, wähle kleinere Bilder oder setze WIESEL_CACHE."


class NotFetched(MissingError):
    """A named data set that is nowhere and could not be downloaded: `name`, `why`, `files`, `folder`."""

    en = "The data set {name} is not on this machine and could not be fetched ({why}). Put {files} into {folder} and try again."
    de = "Der Datensatz {name} ist nicht auf diesem Rechner und war nicht zu holen ({why}). Lege {files} nach {folder} und versuche es erneut."


class DigitsMissing(MissingError):
    en = "The digits come with scikit-learn, which is not installed. `pip install scikit-learn`"
    de = "Die Ziffern kommen mit scikit-learn, das nicht installiert ist. `pip install scikit-learn`"
