"""Run folders (room `runs`)."""

from __future__ import annotations

from wiesel.errors.tree import RunError


class CannotSave(RunError):
    """The machine refused to write: disc full, read-only, no permission, defect. `needed`, `free` in bytes; `rest`: how a run goes on."""

    en = (
        "{path!r} could not be written: {reason} ({needed:,} bytes needed, {free:,} free). What was saved before is "
        "untouched{rest}."
    )
    de = (
        "{path!r} konnte nicht geschrieben werden: {reason} ({needed:,} Bytes nötig, {free:,} frei). Was vorher gespeichert war, "
        "ist unberührt{rest}."
    )


class FolderTaken(RunError):
    en = "{path!r} already exists{holds}. Nothing was changed. Choose another place{resume}."
    de = "{path!r} gibt es schon{holds}. Nichts wurde verändert. Einen anderen Ort wählen{resume}."


class NotARun(RunError):
    en = "{path!r} is not a run folder: {reason}.{nearest} `wiesel train` makes one."
    de = "{path!r} ist kein Ordner eines Laufs: {reason}.{nearest} `wiesel train` legt einen an."


class RunBusy(RunError):
    en = "{path!r} is being written by process {pid} on {host} since {since}. Wait until it ends, or stop it."
    de = "{path!r} wird gerade beschrieben: Prozess {pid} auf {host} seit {since}. Warten, bis er endet, oder ihn beenden."


class Damaged(RunError):
    """`names`: the files that are missing or other than their manifest says; `files`: the same as a phrase with the reasons."""

    en = "{folder!r} is damaged: {files}. Nothing was changed. Restore these files from a copy, or train again."
    de = "{folder!r} ist beschädigt: {files}. Nichts wurde verändert. Diese Dateien aus einer Kopie holen oder neu trainieren."


class NoIntactCheckpoint(RunError):
    en = (
        "{run!r} holds {count} {count:checkpoint, which is not|checkpoints, none of them} intact ({names}). "
        "Nothing was changed, and nothing starts over by itself. Restore one from a copy, or train anew into another folder with `--output DIR`."
    )
    de = (
        "{run!r} enthält {count} {count:Checkpoint, und er|Checkpoints, und keiner} ist {count:nicht |}intakt ({names}). "
        "Nichts wurde verändert, und nichts beginnt von selbst von vorn. "
        "Einen aus einer Kopie zurückholen oder mit `--output DIR` in einen anderen Ordner neu trainieren."
    )


class NonFiniteTensors(RunError):
    en = (
        "Step {step} was not saved: {names} contain NaN or infinity. What was saved before is intact. "
        "Lower the learning rate and `wiesel train --resume {run}`."
    )
    de = (
        "Schritt {step} wurde nicht gespeichert: {names} enthalten NaN oder Unendlich. Was vorher gespeichert war, ist intakt. "
        "Die Lernrate senken und `wiesel train --resume {run}`."
    )


class NotTrained(RunError):
    en = "{path!r} holds no finished network yet (state: {state}). `wiesel train --resume {run}` finishes it."
    de = "{path!r} enthält noch kein fertiges Netz (Zustand: {state}). `wiesel train --resume {run}` bringt es zu Ende."


class WrongWeights(RunError):
    en = (
        "The weights of {path!r} do not fit its recipe ({architecture}, {classes} classes): {difference}. "
        "Restore the folder from a copy, or train again."
    )
    de = (
        "Die Gewichte von {path!r} passen nicht zu ihrem Rezept ({architecture}, {classes} Klassen): {difference}. "
        "Den Ordner aus einer Kopie zurückholen oder neu trainieren."
    )
