# exercise: lab_sheet_2
# level: lab sheet

# %% [markdown] lang="de"
# # Übungsblatt, Aufgabe 2, (a) bis (l)
#
# Wo ein Lauf gefragt ist, trag seinen Ordner ein; wo eine Funktion gefragt ist, schreib sie für **jedes** Netz aus torch-Modulen. Was offen bleibt,
# schadet nicht. Die Kommentare im Code sind englisch; auf Deutsch:
#
# * (a) zwei Läufe desselben Netzes, der zweite mit mehr Epochen: Hat es genützt?
# * (b) ein Lauf mit Sigmoid in einigen Schichten
# * (c) jedes `nn.ReLU`, wie tief es auch steckt, durch `new()` ersetzen
# * (d) was jedes `nn.MaxPool2d` ausgab, in der Reihenfolge der Aufrufe
# * (e) der Ordner eines Vergleichs (`wiesel compare`): Pooling gegen Stride; (f) was spricht für Stride, was dagegen?
# * (g) drei Läufe oder mehr, die sich in Kern, Breite oder Tiefe unterscheiden
# * (h) ein tieferes Netz (mindestens vier Faltungen, zwei lineare Schichten) und ein flacheres (je eine)
# * (i) ein Lauf: mindestens 80 % auf fashion-mnist-sample mit weniger als 20 000 Parametern
# * (j) zwei Faltungen nebeneinander, die dieselbe Eingabe sehen; vor der linearen Schicht kommen beide Ergebnisse zusammen
# * (k) um ein beliebiges Netz herum: gibt den One-Hot-Vektor und die ganze Zahl der Klasse
# * (l) erkläre einem Freund, wie ein CNN funktioniert

# %% [markdown] lang="en"
# # The lab sheet, task 2, (a) to (l)
#
# Where a run is asked for, enter its folder; where a function is asked for, write it for **any** network of torch modules. What stays open does no
# harm.

# %%
from torch import Tensor, nn

# (a) two runs of the same network, the second with more epochs; did it help?
fewer_epochs = None
more_epochs = None

# (b) a run with sigmoid in some layers: wiesel train --change activation=sigmoid@features.stage1
some_sigmoid = None


# (c)
def with_activation(network: nn.Module, new: type[nn.Module]) -> nn.Module:
    """Every `nn.ReLU` in it, however deep, replaced by `new()`."""
    raise NotImplementedError


# (d)
def pooling_outputs(network: nn.Module, pictures: Tensor) -> list[Tensor]:
    """What each `nn.MaxPool2d` put out, in the order in which they were called."""
    raise NotImplementedError


# (e) the folder of a comparison: wiesel compare NETWORK NETWORK:pooling=stride
stride_comparison = None

# (f) what speaks for stride, what against it?
for_and_against = """
"""

# (g) three runs or more that differ in kernel, width or depth: wiesel train --change width=0.5 …
sizes = []


# (h)
def deeper() -> nn.Module:
    """(B, 1, 28, 28) -> (B, 10), at least four convolutions and two linear layers."""
    raise NotImplementedError


def shallower() -> nn.Module:
    """The same with exactly one convolution and one linear layer."""
    raise NotImplementedError


# (i) a run: at least 80 % on fashion-mnist-sample with fewer than 20 000 parameters
simplest = None


# (j)
class Parallel(nn.Module):
    """A convolution and another one beside it that sees the same input; both results joined before the linear layer."""

    def __init__(self) -> None:
        super().__init__()
        raise NotImplementedError

    def forward(self, x: Tensor) -> Tensor:
        """(B, 1, 28, 28) -> (B, 10)"""
        raise NotImplementedError


# (k)
class Answering(nn.Module):
    """Around any network with logits (B, K): gives the one-hot vector (B, K) and the integer (B,)."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        raise NotImplementedError

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        raise NotImplementedError


# (l) explain to a friend how a CNN works
to_a_friend = """
"""
