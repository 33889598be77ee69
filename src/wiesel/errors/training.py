"""Trainings that have to stop (room `training`)."""

from __future__ import annotations

from wiesel.errors.tree import TrainingError, WieselError


class NotFinite(TrainingError):
    en = (
        "Step {step} gave a loss or gradient that is not a number, first in layer {layer} (training pictures {ids}). The weights were "
        "not changed and the last checkpoint stands. Try a lower --lr, or --precision fp32."
    )
    de = (
        "Schritt {step} ergab einen Verlust oder Gradienten, der keine Zahl ist, zuerst in Schicht {layer} (Trainingsbilder {ids}). Die "
        "Gewichte wurden nicht verändert, der letzte Checkpoint gilt. Versuche eine kleinere --lr oder --precision fp32."
    )


class OutOfMemory(TrainingError):
    """`batch` pictures per step were asked for, `fits` would fit (0: not even two); `advice`: a sentence in the reader's language."""

    en = (
        "Memory ran out with {batch} pictures per step. {advice} What {run} holds stands: `wiesel train --resume {run}` goes on where there "
        "is more memory."
    )
    de = (
        "Der Speicher reichte nicht für {batch} Bilder je Schritt. {advice} Was {run} enthält, gilt weiter: `wiesel train --resume {run}` "
        "macht dort weiter, wo mehr Speicher ist."
    )


class NoMemory(WieselError):
    """Anywhere else: `reason` is what the allocator said."""

    en = "This machine's memory does not suffice: {reason}. Close other programs, or take smaller pictures (--size) or a smaller network."
    de = (
        "Der Speicher dieses Rechners reicht nicht: {reason}. Schliesse andere Programme oder nimm kleinere Bilder (--size) "
        "oder ein kleineres Netz."
    )


class HelperFailed(TrainingError):
    """One of several training processes ended: its `number` `of` all, `pid`, exit `code` and, in brackets or empty, `reason`."""

    en = (
        "Training process {number} of {of} (pid {pid}) ended with code {code}{reason}, so the others were ended too. Up to the last checkpoint all is "
        "saved; go on with: wiesel train --resume {run}"
    )
    de = (
        "Trainingsprozess {number} von {of} (PID {pid}) endete mit Code {code}{reason}; darum wurden auch die anderen beendet. Bis zum letzten "
        "Checkpoint ist alles gespeichert; weiter mit: wiesel train --resume {run}"
    )


class NothingToResume(TrainingError):
    en = "{run} holds no checkpoint yet. Start again without --resume, with another --output."
    de = "{run} enthält noch keinen Checkpoint. Beginne ohne --resume neu, mit einem anderen --output."


class DataChanged(TrainingError):
    en = (
        "The pictures of {source} are not those that {run} was trained on (fingerprint {now}… instead of {then}…), and this needs them. "
        "Bring the old pictures back, or train a new run."
    )
    de = (
        "Die Bilder von {source} sind nicht die, mit denen {run} trainiert wurde (Fingerabdruck {now}… statt {then}…), und hier braucht "
        "es sie. Stelle die alten Bilder wieder her oder trainiere einen neuen Lauf."
    )
