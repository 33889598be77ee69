"""How sure a network may be (room `uncertainty`)."""

from __future__ import annotations

from wiesel.errors.tree import MissingError, PicturesError, RunError, TrainingError, UsageError


class TooFewForSets(RunError):
    """Conformal sets: `have` and `needed` calibration pictures, `level` in percent, `whose` (` of class 3`, or empty)."""

    en = (
        "For sets that contain the truth in {level} % of cases, at least {needed} calibration pictures{whose} are needed; there are {have}. "
        "Keep more pictures for validation (--validation), or ask for a lower level."
    )
    de = (
        "Für Mengen, die in {level} % der Fälle die Wahrheit enthalten, braucht es mindestens {needed} Kalibrierungsbilder{whose}; vorhanden: {have}. "
        "Behalte mehr Bilder zur Validierung (--validation), oder verlange weniger."
    )


class TooFewMembers(UsageError):
    """`have` members of an ensemble."""

    en = "An ensemble needs at least two runs; there is {have}. Train the same network with another --seed."
    de = "Ein Ensemble braucht mindestens zwei Läufe, hier ist es {have}. Trainiere dasselbe Netz mit einem anderen --seed."


class OtherPictures(UsageError):
    """Members of an ensemble answered different pictures: `number` of the run, `first` and `other` (sizes), `difference`."""

    en = (
        "Run {number} did not answer the same pictures as run 1: {first} against {other}{difference}. Its test pictures may be the other's "
        "training pictures, so they make no ensemble. Train all members on the same data with the same --split-seed."
    )
    de = (
        "Lauf {number} hat nicht dieselben Bilder beantwortet wie Lauf 1: {first} gegen {other}{difference}. Seine Testbilder sind vielleicht "
        "die Trainingsbilder des anderen; so entsteht kein Ensemble. Trainiere alle mit denselben Daten und demselben --split-seed."
    )


class OtherClasses(UsageError):
    """`run` and `first` of an ensemble."""

    en = "{run!s} does not know the same classes as {first!s}, so the two cannot answer together. Train both on the same data."
    de = "{run!s} kennt nicht dieselben Klassen wie {first!s}; gemeinsam antworten können sie nicht. Trainiere beide mit denselben Daten."


class NotCalibrated(RunError):
    """`run` (quoted for a shell)."""

    en = "{run} has not been calibrated, so no error rate can be promised. Run `wiesel evaluate {run}` once, then ask again."
    de = "{run} ist nicht kalibriert, eine Fehlerrate lässt sich so nicht versprechen. Rufe einmal `wiesel evaluate {run}` auf und frage dann erneut."


class NoFeatures(UsageError):
    """`architecture`."""

    en = (
        "{architecture} does not end in a linear layer, so there are no features on which another head could stand. "
        "Take a run of another network, for example resnet18."
    )
    de = (
        "{architecture} endet nicht in einer linearen Schicht; es gibt also keine Merkmale, auf denen ein anderer Kopf stehen könnte. "
        "Nimm einen Lauf eines anderen Netzes, zum Beispiel resnet18."
    )


class NoDropout(UsageError):
    """`architecture`."""

    en = "{architecture} has no dropout, so its passes would all be equal. State a rate for dropout before the last layer."
    de = "{architecture} hat kein Dropout, alle Durchgänge wären gleich. Gib eine Rate für Dropout vor der letzten Schicht an."


class TooFewOfAClass(PicturesError):
    """`name` of the class, `have`, `wanted`."""

    en = "{name!r} has {have} training {have:picture|pictures}, {wanted} were asked for. Ask for at most {have} with --labels-per-class."
    de = "{name!r} hat {have} {have:Trainingsbild|Trainingsbilder}, verlangt sind {wanted}. Verlange mit --labels-per-class höchstens {have}."


class GaussianProcessesMissing(MissingError):
    en = "Deep kernel learning needs GPyTorch, which is not installed. `pip install 'wiesel[gp]'`"
    de = "Deep Kernel Learning braucht GPyTorch, das nicht installiert ist. `pip install 'wiesel[gp]'`"


class HeadDiverged(TrainingError):
    """`kind`, `attempts`."""

    en = (
        "The {kind} head still diverged at attempt {attempts}, at a rate halved each time. "
        "The features may be constant or of wildly different sizes; look at the run's own accuracy first."
    )
    de = (
        "Der Kopf {kind} ist auch beim {attempts}. Versuch divergiert, mit jedes Mal halbierter Lernrate. "
        "Vielleicht sind die Merkmale konstant oder ganz verschieden gross; sieh zuerst die Genauigkeit des Laufs an."
    )
