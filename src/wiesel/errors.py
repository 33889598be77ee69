"""Everything that can go wrong because of a user's input or machine, as one tree.

    WieselError                     exit code 1: it could not be done
    ├── UsageError                  exit code 2: the question was wrong (name, flag, value)
    ├── MissingError                exit code 4: data or an optional package is not there
    ├── PicturesError               exit code 1: the pictures cannot be used as they are
    ├── RunError                    exit code 1: a run folder cannot be written or read
    ├── TrainingError               exit code 1: training had to stop
    └── WeightsError                exit code 1: these weights do not fit, or are not read

Each class keeps its facts as attributes and writes its own sentence, in German or English: what happened, with which value, and
what to do next. A `WieselError` never reaches a person as a traceback; any other exception is our bug and does.
"""

from __future__ import annotations

from typing import Any, ClassVar

from wiesel.language import language


class WieselError(Exception):
    """Base of the tree. `en` and `de` are templates over the facts given as keywords.

    >>> class TooCold(WieselError):
    ...     en = de = "{degrees} °C is too cold. Wait for spring."
    >>> str(TooCold(degrees=-3))
    '-3 °C is too cold. Wait for spring.'
    """

    exit_code: ClassVar[int] = 1
    en: ClassVar[str] = ""
    de: ClassVar[str] = ""

    def __init__(self, **facts: Any) -> None:
        super().__init__()
        self.facts = facts

    def __getattr__(self, name: str) -> Any:
        facts = self.__dict__.get("facts", {})
        if name in facts:
            return facts[name]
        raise AttributeError(name)

    def __str__(self) -> str:
        return (self.de if language() == "de" else self.en).format(**self.facts)

    def __reduce__(self) -> Any:  # keyword-only construction, so the default pickling protocol would lose the facts
        return _rebuild, (type(self), self.facts)


def _rebuild(kind: type[WieselError], facts: dict[str, Any]) -> WieselError:
    return kind(**facts)


class UsageError(WieselError):
    exit_code = 2


class MissingError(WieselError):
    exit_code = 4


class PicturesError(WieselError):
    pass


class RunError(WieselError):
    pass


class TrainingError(WieselError):
    pass


class WeightsError(WieselError):
    pass


# --- names, flags, values ------------------------------------------------------------------------------------------------


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


# --- pictures (room `images`) --------------------------------------------------------------------------------------------


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
    en = "{path} contains no pictures ({files} other files). Expected: one folder per class, with pictures in it."
    de = "{path} enthält keine Bilder ({files} andere Dateien). Erwartet wird ein Ordner je Klasse mit Bildern darin."


class NoClassFolders(PicturesError):
    en = "The {count} pictures of {path} lie in no class folder. Put them into one folder per class: {path}/cat/1.jpg, {path}/dog/2.jpg."
    de = (
        "Die {count} Bilder von {path} liegen in keinem Klassenordner. "
        "Lege sie in einen Ordner je Klasse: {path}/katze/1.jpg, {path}/hund/2.jpg."
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
        "Repair or delete them, or allow more with data.unreadable. `wiesel data check` lists all."
    )
    de = (
        "{count} von {total} Bildern in {path} sind nicht lesbar, mehr als die erlaubten {allowed:.1%}: {first}. "
        "Repariere oder lösche sie, oder erlaube mehr mit data.unreadable. `wiesel data check` zeigt alle."
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
    en = "{have} pictures are too few to divide into {parts}: at least {needed} are needed. Add pictures or ask for smaller parts."
    de = "{have} Bilder sind zu wenige zum Aufteilen in {parts}: nötig sind mindestens {needed}. Ergänze Bilder oder verlange kleinere Teile."


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


# --- networks (room `zoo`) -----------------------------------------------------------------------------------------------


class PictureTooSmall(UsageError):
    """Facts: `height`, `width`, `needed_height`, `needed_width`, in pixels."""

    en = (
        "{height} x {width} pixels are too few for this network: it needs at least {needed_height} x {needed_width}. "
        "Enlarge the pictures, or build the network for their size."
    )
    de = (
        "{height} x {width} Pixel sind zu wenig für dieses Netz: es braucht mindestens {needed_height} x {needed_width}. "
        "Vergrössern Sie die Bilder, oder bauen Sie das Netz für ihre Grösse."
    )


class UnknownChange(UsageError):
    """`name`, `nearest` (from `nearest`), `known` (all of them, as a phrase)."""

    en = "There is no change called {name!r}.{nearest} Possible are: {known}."
    de = "Eine Änderung namens {name!r} gibt es nicht.{nearest} Möglich sind: {known}."


class BadChange(UsageError, ValueError):
    """`change` (as it was asked for), `reason` (a text that speaks the reader's language)."""

    en = "The change {change!r} is not possible: {reason}."
    de = "Die Änderung {change!r} ist nicht möglich: {reason}."


# --- weights from elsewhere (room `zoo`) ---------------------------------------------------------------------------------


class MissingWeight(WeightsError):
    """`name`: as the other side calls it; `count` of all that are missing; `nearest` among those that nobody wants."""

    en = "The weights lack {name!r} ({count} missing).{nearest} They belong to another network, or to another version of it."
    de = "Den Gewichten fehlt {name!r} ({count} fehlen).{nearest} Sie gehören zu einem anderen Netz oder zu einer anderen Fassung davon."


class UnexpectedWeight(WeightsError):
    """`name`, `count` of all that the network does not have, `nearest` among those it has."""

    en = "The weights hold {name!r}, which the network does not have ({count} too many).{nearest} They belong to another network."
    de = "Die Gewichte enthalten {name!r}, das es im Netz nicht gibt ({count} zu viel).{nearest} Sie gehören zu einem anderen Netz."


class WrongShape(WeightsError):
    """`name`, `found` and `expected` (shapes as texts)."""

    en = (
        "The weight {name!r} is {found}, and the network needs {expected}. "
        "Build the network with as many classes and channels and for the same size as the weights were made for."
    )
    de = (
        "Das Gewicht {name!r} ist {found}, das Netz braucht {expected}. "
        "Bauen Sie das Netz mit so vielen Klassen und Kanälen und für dieselbe Grösse, wofür die Gewichte gemacht wurden."
    )


class NoSuchWeights(MissingError):
    en = "There is no weights file {path}."
    de = "Es gibt keine Gewichtsdatei {path}."


class PickledWeights(WeightsError):
    """`path`; `source` and `target` as Python texts."""

    en = (
        "{path} is a pickle, which can run any program when it is read; it was not read. If you trust whoever made it, convert it yourself:\n"
        "    import torch, safetensors.torch\n"
        "    safetensors.torch.save_file({{k: v.clone().contiguous() for k, v in torch.load({source}, weights_only=True).items()}}, {target})"
    )
    de = (
        "{path} ist ein Pickle, das beim Lesen jedes beliebige Programm ausführen kann; die Datei wurde nicht gelesen. "
        "Wenn Sie ihrer Herkunft trauen, wandeln Sie sie selbst um:\n"
        "    import torch, safetensors.torch\n"
        "    safetensors.torch.save_file({{k: v.clone().contiguous() for k, v in torch.load({source}, weights_only=True).items()}}, {target})"
    )


class DamagedWeights(WeightsError):
    """`path`, `cause`."""

    en = "{path} cannot be read as weights ({cause}). Expected is a whole .safetensors file; fetch it again."
    de = "{path} lässt sich nicht als Gewichte lesen ({cause}). Erwartet wird eine ganze .safetensors-Datei; holen Sie sie neu."


class NoPretrained(UsageError):
    """`name`, `nearest`."""

    en = "There are no published weights for {name!r}.{nearest} `wiesel models --pretrained` lists what can be loaded."
    de = "Für {name!r} gibt es keine veröffentlichten Gewichte.{nearest} `wiesel models --pretrained` zeigt, was geladen werden kann."


class WeightsNotHere(MissingError):
    """`name`, `why`, `remedy` (how the advice begins, in the reader's language), `file`, `url`, `folder`."""

    en = "The weights of {name} are not on this machine and could not be fetched ({why}). {remedy} {url} into {folder} as {file}."
    de = (
        "Die Gewichte von {name} sind nicht auf diesem Rechner und waren nicht zu holen ({why}). "
        "{remedy} {url} als {file} nach {folder}."
    )


class LibraryMissing(MissingError):
    """`name` of the network, `library`."""

    en = "{name} comes with {library}, which is not installed. `pip install {library}`"
    de = "{name} kommt mit {library}, das nicht installiert ist. `pip install {library}`"


class CannotBuild(UsageError):
    """A network of another library that does not work as it was asked for: `name`, `image` (C x H x W), `own` (its own), `cause`."""

    en = "{name} does not work on pictures of {image} ({cause}). It is made for {own}: choose another size, or another network."
    de = "{name} taugt nicht für Bilder von {image} ({cause}). Das Netz ist für {own} gemacht: wählen Sie eine andere Grösse oder ein anderes Netz."


# --- beginning with weights from elsewhere (transfer) --------------------------------------------------------------------


class OtherArchitecture(WeightsError):
    """`title` of the weights, `name` of the network, `difference` (the first), `fits` (advice, or empty)."""

    en = "The weights {title} are not those of {name}: {difference}.{fits}"
    de = "Die Gewichte {title} sind nicht die von {name}: {difference}.{fits}"


class OtherHead(UsageError):
    """`title` of the weights; `theirs` and `ours`, as phrases."""

    en = "The head of {title} cannot be kept: it tells {theirs} apart, the pictures have {ours}. Without --keep-head it is replaced by a new one."
    de = (
        "Der Kopf von {title} lässt sich nicht behalten: er unterscheidet {theirs}, die Bilder haben {ours}. "
        "Ohne --keep-head wird er durch einen neuen ersetzt."
    )


class NoSuchStart(UsageError):
    """`name` of what was asked for."""

    en = (
        "--pretrained {name} is no weights file and no run folder. Possible are imagenet, torchvision, timm, timm:NAME, torchvision:NAME, "
        "a .safetensors file, or the folder of a finished run."
    )
    de = (
        "--pretrained {name} ist weder eine Gewichtsdatei noch der Ordner eines Laufs. Möglich sind imagenet, torchvision, timm, timm:NAME, "
        "torchvision:NAME, eine .safetensors-Datei oder der Ordner eines fertigen Laufs."
    )


class NoLinearHead(UsageError):
    """`name` of a network whose logits do not come out of a linear layer."""

    en = "{name} does not end with a linear layer, so there is no head to fit alone. Use --mode finetune."
    de = "{name} endet nicht mit einer linearen Schicht, also gibt es keinen Kopf, der sich allein anpassen liesse. Nehmen Sie --mode finetune."


class StartChanged(TrainingError):
    """`title`, `run`, `then`, `now` (hashes)."""

    en = (
        "The weights {title} are not those that {run} began with ({now:.12}… instead of {then:.12}…), so it cannot go on. Bring the old ones "
        "back, or start a new run."
    )
    de = (
        "Die Gewichte {title} sind nicht die, mit denen {run} begann ({now:.12}… statt {then:.12}…); der Lauf kann nicht weitergehen. "
        "Stellen Sie die alten wieder her oder beginnen Sie einen neuen Lauf."
    )


# --- run folders (room `runs`) -------------------------------------------------------------------------------------------


class CannotSave(RunError):
    """The machine refused to write: disc full, read-only, no permission, defect. `needed`, `free` in bytes; `run` as in a shell."""

    en = (
        "{path!r} could not be written: {reason} ({needed:,} bytes needed, {free:,} free). What was saved before is untouched, "
        "the previous checkpoint is intact; free space and `wiesel train --resume {run}`."
    )
    de = (
        "{path!r} konnte nicht geschrieben werden: {reason} ({needed:,} Bytes nötig, {free:,} frei). Was vorher gespeichert war, "
        "ist unberührt, der letzte Checkpoint ist intakt; Platz schaffen und `wiesel train --resume {run}`."
    )


class FolderTaken(RunError):
    en = "{path!r} already exists{holds}. Nothing was changed. Choose another place{resume}."
    de = "{path!r} gibt es schon{holds}. Nichts wurde verändert. Einen anderen Ort wählen{resume}."


class NotARun(RunError):
    en = "{path!r} is not a run folder: {reason}.{nearest} `wiesel train` makes one."
    de = "{path!r} ist kein Run-Ordner: {reason}.{nearest} `wiesel train` legt einen an."


class RunBusy(RunError):
    en = "{path!r} is being written by process {pid} on {host} since {since}. Wait until it ends, or stop it."
    de = "{path!r} wird gerade beschrieben: Prozess {pid} auf {host} seit {since}. Warten, bis er endet, oder ihn beenden."


class Damaged(RunError):
    """`names`: the files that are missing or other than their manifest says; `files`: the same as a phrase with the reasons."""

    en = "{folder!r} is damaged: {files}. Nothing was changed. Restore these files from a copy, or train again."
    de = "{folder!r} ist beschädigt: {files}. Nichts wurde verändert. Diese Dateien aus einer Kopie holen oder neu trainieren."


class NoIntactCheckpoint(RunError):
    en = (
        "{run!r} holds {count} checkpoint(s), and none is intact ({names}). Nothing was changed, and nothing starts over by "
        "itself. Restore one from a copy, or train anew into another folder with `--output DIR`."
    )
    de = (
        "{run!r} enthält {count} Checkpoint(s), und keiner ist intakt ({names}). Nichts wurde verändert, und nichts beginnt "
        "von selbst von vorn. Einen aus einer Kopie zurückholen oder mit `--output DIR` in einen anderen Ordner neu trainieren."
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


# --- training ------------------------------------------------------------------------------------------------------------


class NotFinite(TrainingError):
    en = (
        "Step {step} gave a loss or gradient that is not a number, first in layer {layer} (training pictures {ids}). The weights were "
        "not changed and the last checkpoint stands. Try a lower --rate, or --precision fp32."
    )
    de = (
        "Schritt {step} ergab einen Verlust oder Gradienten, der keine Zahl ist, zuerst in Schicht {layer} (Trainingsbilder {ids}). Die "
        "Gewichte wurden nicht verändert, der letzte Speicherpunkt gilt. Versuchen Sie eine kleinere --rate oder --precision fp32."
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
        "Der Speicher dieses Rechners reicht nicht: {reason}. Schliessen Sie andere Programme oder nehmen Sie kleinere Bilder (--size) "
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
        "Speicherpunkt ist alles gespeichert; weiter mit: wiesel train --resume {run}"
    )


class NothingToResume(TrainingError):
    en = "{run} holds no checkpoint yet. Start again without --resume, with another --output."
    de = "{run} enthält noch keinen Speicherpunkt. Beginnen Sie ohne --resume neu, mit einem anderen --output."


class DataChanged(TrainingError):
    en = (
        "The pictures of {source} are not those that {run} was trained on ({now}… instead of {then}…), so it cannot go on. Bring the old "
        "pictures back, or start a new run."
    )
    de = (
        "Die Bilder von {source} sind nicht die, mit denen {run} trainiert wurde ({now}… statt {then}…); der Lauf kann nicht weitergehen. "
        "Stellen Sie die alten Bilder wieder her oder beginnen Sie einen neuen Lauf."
    )


# --- looking inside a network (room `analysis`) --------------------------------------------------------------------------


class LayerNotFound(UsageError):
    """`layer`, `nearest` (from `nearest`)."""

    en = "This network has no layer {layer!r}.{nearest} `wiesel inspect` lists them all."
    de = "Dieses Netz hat keine Schicht {layer!r}.{nearest} `wiesel inspect` zeigt alle."


class AmbiguousLayer(UsageError):
    """`layer`, `names` (as a phrase)"""

    en = "Several layers are called {layer!r}: {names}. Write more of the name."
    de = "Mehrere Schichten heissen {layer!r}: {names}. Schreiben Sie mehr vom Namen."


class NotOneTensor(UsageError):
    """`layer`, `found` (type of its output)."""

    en = "Layer {layer!r} puts out a {found}, not one tensor. Record the layers inside it."
    de = "Die Schicht {layer!r} gibt ein {found} aus, nicht einen einzelnen Tensor. Zeichnen Sie die Schichten in ihr auf."


class ForwardFailed(UsageError):
    """`image`, `layer`, `operation`, `shapes` (of what went in), `message` (PyTorch's own, first line)."""

    en = (
        "The network cannot take a picture of {image}: {operation} in {layer} failed on {shapes}: {message}. "
        "Another size or number of channels may fit."
    )
    de = (
        "Das Netz kann ein Bild von {image} nicht verarbeiten: {operation} in {layer} scheitert an {shapes}: {message}. "
        "Vielleicht passt eine andere Grösse oder Zahl von Kanälen."
    )


class NothingToInspect(UsageError):
    en = "Which network? Name one (`wiesel models` lists them), a run folder, a recipe, or ask for --table chapter."
    de = "Welches Netz? Nennen Sie eines (`wiesel models` zeigt alle), einen Lauf, ein Rezept, oder verlangen Sie --table chapter."


class NoForwardPass(UsageError):
    """`path`"""

    en = "{path} holds weights, but not what is done with them. Name the network or the run folder that they belong to."
    de = "{path} enthält Gewichte, aber nicht, was mit ihnen geschieht. Nennen Sie das Netz oder den Lauf, zu dem sie gehören."


class CannotExplain(UsageError):
    """`type`: of a layer without a rule."""

    en = "There is no calculation for a layer of type {type}; there is one for convolutions, pooling, linear layers and norms."
    de = "Für eine Schicht vom Typ {type} gibt es keine Rechnung; es gibt sie für Faltungen, Pooling, lineare Schichten und Normen."


class NoMap(UsageError):
    """`layer`, `found` (shape of its output, or how often it was called)."""

    en = "Layer {layer!r} gives no map (pictures, channels, rows, columns) that could be looked at: {found}. Choose a layer before it."
    de = "Die Schicht {layer!r} liefert keine Karte (Bilder, Kanäle, Zeilen, Spalten) zum Ansehen: {found}. Wählen Sie eine Schicht davor."


class SeveralCalls(UsageError):
    """`layer`, `count`."""

    en = "Layer {layer!r} was called {count} times, so it has no single output. `calls({layer!r})` gives all of them in order."
    de = "Die Schicht {layer!r} wurde {count}-mal aufgerufen und hat darum nicht eine Ausgabe. `calls({layer!r})` gibt alle der Reihe nach."


class WhichCall(UsageError):
    """`layer`, `count`: a layer that is called several times, so that a number must say which call is meant."""

    en = "Layer {layer!r} is called {count} times. Write {layer}@1 for its first call, up to {layer}@{count}."
    de = "Die Schicht {layer!r} wird {count}-mal aufgerufen. Schreiben Sie {layer}@1 für den ersten Aufruf, bis {layer}@{count}."


class NoMapAnywhere(UsageError):
    en = "No layer of this network puts out a map with places. Use occlusion or integrated_gradients, which need none."
    de = "Keine Schicht dieses Netzes liefert eine Karte mit Orten. Nehmen Sie occlusion oder integrated_gradients, die keine brauchen."


class NotPartOfScore(UsageError):
    """`layer`"""

    en = "The score of the class does not depend on the output of {layer!r} (nothing flows back to it). Choose another layer."
    de = "Der Wert der Klasse hängt nicht von der Ausgabe von {layer!r} ab (kein Gradient kommt dort an). Wählen Sie eine andere Schicht."


class ClassOutside(UsageError):
    """`target`, `classes` (their number), `last`."""

    en = "There is no class {target}: the network has {classes}, numbered 0 to {last}."
    de = "Es gibt keine Klasse {target}: Das Netz hat {classes}, nummeriert von 0 bis {last}."


class UnknownClassName(UsageError):
    """`name`, `nearest`, `known` (the names as a phrase)."""

    en = "The run knows no class {name!r}.{nearest} Its classes: {known}."
    de = "Der Lauf kennt keine Klasse {name!r}.{nearest} Seine Klassen: {known}."


class NoGradients(UsageError):
    """A tensor that keeps no way back."""

    en = (
        "This tensor was computed without gradients, so there is no way back to draw. "
        "Compute it outside `torch.no_grad()`, from parameters with requires_grad=True."
    )
    de = (
        "Dieser Tensor wurde ohne Gradienten berechnet; es gibt keinen Rückweg zu zeichnen. "
        "Berechnen Sie ihn ausserhalb von `torch.no_grad()`, aus Parametern mit requires_grad=True."
    )


# --- evaluation and reports ----------------------------------------------------------------------------------------------


class NotFitted(UsageError, ValueError, AttributeError):
    """Also a ValueError and an AttributeError, as scikit-learn's own NotFittedError is."""

    en = "This {name} has not been fitted yet; call fit first."
    de = "Dieser {name} wurde noch nicht angepasst; rufen Sie zuerst fit auf."


class NoSuchPicture(UsageError):
    en = "There is no picture {path!s}."
    de = "Es gibt kein Bild {path!s}."


class NothingToMeasure(RunError):
    """`where`: which predictions."""

    en = "{where}: there is no picture to measure. Choose a split that has pictures."
    de = "{where}: Es gibt kein Bild zu messen. Wählen Sie einen Split, der Bilder enthält."


class UnfitArray(RunError):
    """`where`, `array` (its name), `found` and `expected`, both as dtype and shape."""

    en = "{where}: {array} is {found}, expected {expected}. Make the predictions again from the trained run."
    de = "{where}: {array} ist {found}, erwartet wird {expected}. Erstellen Sie die Vorhersagen neu aus dem trainierten Lauf."


class LogitNotFinite(RunError):
    """`where`, `row` (picture), `column` (class), `value`, `count` of all such numbers."""

    en = (
        "{where}: logits[{row}, {column}] is {value} ({count} such numbers in all), so nothing can be measured. "
        "The training diverged (lower the rate) or the file is damaged (make the predictions again)."
    )
    de = (
        "{where}: logits[{row}, {column}] ist {value} (insgesamt {count} solche Zahlen), damit lässt sich nichts messen. "
        "Das Training ist divergiert (wählen Sie eine kleinere Lernrate), oder die Datei ist beschädigt (erstellen Sie die Vorhersagen neu)."
    )


class LabelOutside(RunError):
    """`where`, `row`, `value`, `classes` (how many there are)."""

    en = "{where}: labels[{row}] is {value}, but the {classes} classes are numbered from 0. Use the classes of the training run."
    de = "{where}: labels[{row}] ist {value}, die {classes} Klassen zählen aber ab 0. Verwenden Sie die Klassen des Trainingslaufs."


class NoPredictions(RunError):
    """`path`."""

    en = "{path}: there are no predictions. `wiesel evaluate` on the run makes them."
    de = "{path}: Es gibt keine Vorhersagen. `wiesel evaluate` für den Lauf erstellt sie."


class DamagedPredictions(RunError):
    """`path`, `cause` (what the reader said)."""

    en = "{path} cannot be read as predictions ({cause}). Delete it and run `wiesel evaluate` on the run again."
    de = "{path} lässt sich nicht als Vorhersagen lesen ({cause}). Löschen Sie die Datei und rufen Sie `wiesel evaluate` für den Lauf erneut auf."


class DamagedEvaluation(RunError):
    """`cause` (what the reader said, with the place in the JSON)."""

    en = "This is not an evaluation that this version can read ({cause}). Run `wiesel evaluate` on the run again."
    de = "Diese Auswertung kann diese Version nicht lesen ({cause}). Rufen Sie `wiesel evaluate` für den Lauf erneut auf."


# --- comparing (room `comparison`) ---------------------------------------------------------------------------------------


class TooFewRuns(UsageError):
    """`name` of the arm, `have`, `needed`."""

    en = "{name!r} has {have} run(s); {needed} of each arm are needed before anything can be said. Train it with more seeds."
    de = "{name!r} hat {have} Lauf/Läufe; bevor sich etwas sagen lässt, braucht es {needed} je Arm. Trainieren Sie mit weiteren Startwerten."


class OtherTestPictures(UsageError):
    """`name` of the arm, `have` and `expected` numbers of test pictures."""

    en = (
        "{name!r} answered other test pictures than the runs before it ({have} against {expected}): arms can only be compared on the same ones. "
        "Evaluate it on the others' test set."
    )
    de = (
        "{name!r} hat andere Testbilder beantwortet als die Läufe vorher ({have} gegen {expected}): vergleichbar sind Arme nur auf denselben. "
        "Werten Sie ihn auf dem Testsatz der anderen aus."
    )


class OtherRuns(UsageError):
    """Runs on other divisions: `name`, `baseline`."""

    en = (
        "{name!r} and {baseline!r} ran on different divisions of the pictures and cannot be paired. Train both with the same seeds."
    )
    de = (
        "{name!r} und {baseline!r} liefen auf verschiedenen Aufteilungen der Bilder und lassen sich nicht paaren. "
        "Trainieren Sie beide mit denselben Startwerten."
    )


class OtherPicturesThanPlanned(PicturesError):
    """The pictures changed between two sittings of a comparison: `folder`, `then`, `now` (fingerprints)."""

    en = (
        "The pictures are no longer those with which {folder} began (fingerprint {then:.12}…, now {now:.12}…). "
        "Bring them back, or begin a new comparison with --output."
    )
    de = (
        "Die Bilder sind nicht mehr die, mit denen {folder} begann (Fingerabdruck {then:.12}…, jetzt {now:.12}…). "
        "Stellen Sie sie wieder her, oder beginnen Sie mit --output einen neuen Vergleich."
    )


class CellsFailed(RunError):
    """`cells` (their names, joined), `count`, `log` (the log of the first), `said` (its last line), `command`."""

    en = (
        "{count} run(s) failed and are not replaced by others: {cells}. The last line of {log} is: {said}. "
        "When its cause is gone, go on with: {command}"
    )
    de = (
        "{count} Lauf/Läufe sind gescheitert und werden nicht durch andere ersetzt: {cells}. Die letzte Zeile von {log} lautet: {said}. "
        "Ist die Ursache behoben, weiter mit: {command}"
    )


class RayMissing(MissingError):
    """`have`: what is there instead, as a clause."""

    en = "--ray needs Ray 2.54 or newer; {have}. `pip install wiesel[ray]`"
    de = "--ray braucht Ray ab 2.54; {have}. `pip install wiesel[ray]`"


class RayUnreachable(MissingError):
    """`address`, `reason`."""

    en = (
        "No Ray cluster can be used at {address}: {reason}. Start one with `ray start --head` and give HOST:PORT of that head node, "
        "or start the comparison on a node of the cluster, with the cluster's token (RAY_AUTH_MODE=token) if it has one. "
        "`--ray local` needs no cluster."
    )
    de = (
        "Bei {address} ist kein Ray-Cluster zu benutzen: {reason}. Starten Sie einen mit `ray start --head` und geben Sie HOST:PORT dieses "
        "Hauptknotens an, oder starten Sie den Vergleich auf einem Knoten des Clusters, mit dessen Token (RAY_AUTH_MODE=token), falls er "
        "eines hat. `--ray local` braucht keinen Cluster."
    )


class RayNotFresh(UsageError):
    en = (
        "Ray was loaded into this process before it could be told to listen on 127.0.0.1 only. "
        "Start the comparison in a process of its own: `wiesel compare ... --ray local`"
    )
    de = (
        "Ray wurde in diesen Prozess geladen, bevor ihm gesagt war, nur auf 127.0.0.1 zu hören. "
        "Starten Sie den Vergleich in einem eigenen Prozess: `wiesel compare ... --ray local`"
    )


class NoPlan(UsageError):
    """`name`, `nearest` (from `nearest`), `known` (names of the plans that come with wiesel)."""

    en = "There is no plan {name!r}.{nearest} Give a file (TOML), or one of these: {known}."
    de = "Einen Plan {name!r} gibt es nicht.{nearest} Geben Sie eine Datei (TOML) an oder einen von diesen: {known}."


class NoComparison(RunError):
    """`path`, `nearest` (from `nearest`)."""

    en = "{path} holds no comparison.json.{nearest} Start or continue a comparison with `wiesel compare`."
    de = "{path} enthält keine comparison.json.{nearest} Beginnen oder beenden Sie einen Vergleich mit `wiesel compare`."


# --- how sure (room `uncertainty`) ---------------------------------------------------------------------------------------


class TooFewForSets(RunError):
    """Conformal sets: `have` and `needed` calibration pictures, `level` in percent, `whose` (` of class 3`, or empty)."""

    en = (
        "For sets that contain the truth in {level} % of cases, at least {needed} calibration pictures{whose} are needed; there are {have}. "
        "Keep more pictures for validation (--validation), or ask for a lower level."
    )
    de = (
        "Für Mengen, die in {level} % der Fälle die Wahrheit enthalten, braucht es mindestens {needed} Kalibrierungsbilder{whose}; vorhanden: {have}. "
        "Behalten Sie mehr Bilder zur Validierung (--validation), oder verlangen Sie weniger."
    )


class TooFewMembers(UsageError):
    """`have` members of an ensemble."""

    en = "An ensemble needs at least two runs; there is {have}. Train the same network with another --seed."
    de = "Ein Ensemble braucht mindestens zwei Läufe, hier ist es {have}. Trainieren Sie dasselbe Netz mit einem anderen --seed."


class OtherPictures(UsageError):
    """Members of an ensemble answered different pictures: `number` of the run, `first` and `other` (sizes), `difference`."""

    en = (
        "Run {number} did not answer the same pictures as run 1: {first} against {other}{difference}. Its test pictures may be the other's "
        "training pictures, so they make no ensemble. Train all members on the same data with the same --split-seed."
    )
    de = (
        "Lauf {number} hat nicht dieselben Bilder beantwortet wie Lauf 1: {first} gegen {other}{difference}. Seine Testbilder sind vielleicht "
        "die Trainingsbilder des anderen; so entsteht kein Ensemble. Trainieren Sie alle mit denselben Daten und demselben --split-seed."
    )


class OtherClasses(UsageError):
    """`run` and `first` of an ensemble."""

    en = "{run!s} does not know the same classes as {first!s}, so the two cannot answer together. Train both on the same data."
    de = "{run!s} kennt nicht dieselben Klassen wie {first!s}; gemeinsam antworten können sie nicht. Trainieren Sie beide mit denselben Daten."


class NotCalibrated(RunError):
    """`run` (quoted for a shell)."""

    en = "{run} has not been calibrated, so no error rate can be promised. Run `wiesel evaluate {run}` once, then ask again."
    de = "{run} ist nicht kalibriert, eine Fehlerrate lässt sich so nicht versprechen. Rufen Sie einmal `wiesel evaluate {run}` auf und fragen Sie dann erneut."


class NoFeatures(UsageError):
    """`architecture`."""

    en = (
        "{architecture} does not end in a linear layer, so there are no features on which another head could stand. "
        "Take a run of another network, for example resnet18."
    )
    de = (
        "{architecture} endet nicht in einer linearen Schicht; es gibt also keine Merkmale, auf denen ein anderer Kopf stehen könnte. "
        "Nehmen Sie einen Lauf eines anderen Netzes, zum Beispiel resnet18."
    )


class NoDropout(UsageError):
    """`architecture`."""

    en = "{architecture} has no dropout, so its passes would all be equal. State a rate for dropout before the last layer."
    de = (
        "{architecture} hat kein Dropout, alle Durchgänge wären gleich. Geben Sie eine Rate für Dropout vor der letzten Schicht an."
    )


class TooFewOfAClass(PicturesError):
    """`name` of the class, `have`, `wanted`."""

    en = "{name!r} has {have} training picture(s), {wanted} were asked for. Ask for at most {have} with --labels-per-class."
    de = "{name!r} hat {have} Trainingsbild(er), verlangt sind {wanted}. Verlangen Sie mit --labels-per-class höchstens {have}."


class GaussianProcessesMissing(MissingError):
    en = "Deep kernel learning needs GPyTorch, which is not installed. `pip install wiesel[gp]`"
    de = "Deep Kernel Learning braucht GPyTorch, das nicht installiert ist. `pip install wiesel[gp]`"


class HeadDiverged(TrainingError):
    """`kind`, `attempts`."""

    en = (
        "The {kind} head still diverged at attempt {attempts}, at a rate halved each time. "
        "The features may be constant or of wildly different sizes; look at the run's own accuracy first."
    )
    de = (
        "Der Kopf {kind} ist auch beim {attempts}. Versuch divergiert, mit jedes Mal halbierter Lernrate. "
        "Vielleicht sind die Merkmale konstant oder ganz verschieden gross; sehen Sie zuerst die Genauigkeit des Laufs an."
    )


# --- lessons (room `lessons`) ---------------------------------------------------------------------------------------------


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


class LessonThere(UsageError):
    en = "{path} is there already and stays as it is. Rename it, or give another place with -o."
    de = "{path} gibt es schon und bleibt, wie es ist. Benenne die Datei um oder gib mit -o einen anderen Ort an."


# --- teaching ------------------------------------------------------------------------------------------------------------


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

    en = "This figure needs {library}, which is not installed. `pip install wiesel[teaching]`"
    de = "Für diese Abbildung braucht es {library}, das nicht installiert ist. `pip install wiesel[teaching]`"


class NoVideo(MissingError):
    """`path`, `why`."""

    en = "{path} cannot be written: {why}. Install ffmpeg, or save as .gif or .html, which need nothing."
    de = "{path} ist nicht zu schreiben: {why}. Installiere ffmpeg, oder speichere als .gif oder .html; beides braucht nichts."


def nearest(name: str, known: list[str]) -> str:
    """` Nearest: a, b.` for an error sentence, or an empty string when nothing is near."""
    import difflib

    near = difflib.get_close_matches(name.lower(), known, n=3, cutoff=0.5)
    label = "Am nächsten" if language() == "de" else "Nearest"
    return f" {label}: {', '.join(near)}." if near else ""
