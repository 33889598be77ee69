"""Looking inside a network (rooms `analysis`, `explanation`)."""

from __future__ import annotations

from wiesel.errors.tree import UsageError


class LayerNotFound(UsageError):
    """`layer`, `nearest` (from `nearest`)."""

    en = "This network has no layer {layer!r}.{nearest} `wiesel inspect` lists them all."
    de = "Dieses Netz hat keine Schicht {layer!r}.{nearest} `wiesel inspect` zeigt alle."


class AmbiguousLayer(UsageError):
    """`layer`, `names` (as a phrase)"""

    en = "Several layers are called {layer!r}: {names}. Write more of the name."
    de = "Mehrere Schichten heissen {layer!r}: {names}. Schreibe mehr vom Namen."


class NotOneTensor(UsageError):
    """`layer`, `found` (type of its output)."""

    en = "Layer {layer!r} puts out a {found}, not one tensor. Record the layers inside it."
    de = "Die Schicht {layer!r} gibt ein {found} aus, nicht einen einzelnen Tensor. Zeichne die Schichten in ihr auf."


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
    de = "Welches Netz? Nenne eines (`wiesel models` zeigt alle), einen Lauf, ein Rezept, oder verlange --table chapter."


class NoForwardPass(UsageError):
    """`path`"""

    en = "{path} holds weights, but not what is done with them. Name the network or the run folder that they belong to."
    de = "{path} enthält Gewichte, aber nicht, was mit ihnen geschieht. Nenne das Netz oder den Lauf, zu dem sie gehören."


class CannotExplain(UsageError):
    """`type`: of a layer without a rule."""

    en = "There is no calculation for a layer of type {type}; there is one for convolutions, pooling, linear layers and norms."
    de = "Für eine Schicht vom Typ {type} gibt es keine Rechnung; es gibt sie für Faltungen, Pooling, lineare Schichten und Normen."


class NoMap(UsageError):
    """`layer`, `found` (shape of its output, or how often it was called)."""

    en = "Layer {layer!r} gives no map (pictures, channels, rows, columns) that could be looked at: {found}. Choose a layer before it."
    de = "Die Schicht {layer!r} liefert keine Karte (Bilder, Kanäle, Zeilen, Spalten) zum Ansehen: {found}. Wähle eine Schicht davor."


class SeveralCalls(UsageError):
    """`layer`, `count`."""

    en = "Layer {layer!r} was called {count} times, so it has no single output. `calls({layer!r})` gives all of them in order."
    de = "Die Schicht {layer!r} wurde {count}-mal aufgerufen und hat darum nicht eine Ausgabe. `calls({layer!r})` gibt alle der Reihe nach."


class WhichCall(UsageError):
    """`layer`, `count`: a layer that is called several times, so that a number must say which call is meant."""

    en = "Layer {layer!r} is called {count} times. Write {layer}@1 for its first call, up to {layer}@{count}."
    de = "Die Schicht {layer!r} wird {count}-mal aufgerufen. Schreibe {layer}@1 für den ersten Aufruf, bis {layer}@{count}."


class NoMapAnywhere(UsageError):
    en = "No layer of this network puts out a map with places. Use occlusion or integrated_gradients, which need none."
    de = "Keine Schicht dieses Netzes liefert eine Karte mit Orten. Nimm occlusion oder integrated_gradients, die keine brauchen."


class NotPartOfScore(UsageError):
    """`layer`"""

    en = "The score of the class does not depend on the output of {layer!r} (nothing flows back to it). Choose another layer."
    de = (
        "Der Wert der Klasse hängt nicht von der Ausgabe von {layer!r} ab (kein Gradient kommt dort an). Wähle eine andere Schicht."
    )


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
        "Berechne ihn ausserhalb von `torch.no_grad()`, aus Parametern mit requires_grad=True."
    )
