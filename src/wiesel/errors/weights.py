"""Weights from elsewhere, and trainings that begin with them (rooms `zoo`, `training`)."""

from __future__ import annotations

from wiesel.errors.tree import MissingError, TrainingError, UsageError, WeightsError


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
        "Baue das Netz mit so vielen Klassen und Kanälen und für dieselbe Grösse, wofür die Gewichte gemacht wurden."
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
        "Wenn du ihrer Herkunft traust, wandle sie selbst um:\n"
        "    import torch, safetensors.torch\n"
        "    safetensors.torch.save_file({{k: v.clone().contiguous() for k, v in torch.load({source}, weights_only=True).items()}}, {target})"
    )


class DamagedWeights(WeightsError):
    """`path`, `cause`."""

    en = "{path} cannot be read as weights ({cause}). Expected is a whole .safetensors file; fetch it again."
    de = "{path} lässt sich nicht als Gewichte lesen ({cause}). Erwartet wird eine ganze .safetensors-Datei; hole sie neu."


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
    de = "{name} taugt nicht für Bilder von {image} ({cause}). Das Netz ist für {own} gemacht: wähle eine andere Grösse oder ein anderes Netz."


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
    de = "{name} endet nicht mit einer linearen Schicht, also gibt es keinen Kopf, der sich allein anpassen liesse. Nimm --mode finetune."


class StartChanged(TrainingError):
    """`title`, `run`, `then`, `now` (hashes)."""

    en = (
        "The weights {title} are not those that {run} began with ({now:.12}… instead of {then:.12}…), so it cannot go on. Bring the old ones "
        "back, or start a new run."
    )
    de = (
        "Die Gewichte {title} sind nicht die, mit denen {run} begann ({now:.12}… statt {then:.12}…); der Lauf kann nicht weitergehen. "
        "Stelle die alten wieder her oder beginne einen neuen Lauf."
    )
