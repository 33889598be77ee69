# exercise: lab_sheet_2
# level: lab sheet

# %% [markdown] lang="de"
# # Übungsblatt, Aufgabe 2, (a) bis (l)
#
# Wo ein Lauf gefragt ist, trag seinen Ordner ein; wo eine Funktion gefragt ist, schreib sie für **jedes** Netz aus torch-Modulen. Was offen bleibt, schadet
# nicht.

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

# (f)
for_and_against = """
"""

# (g) three runs or more that differ in kernel, width or depth: wiesel train --change width=0.5 …
sizes = []


# (h)
def deeper() -> nn.Module:
    """(B, 1, 28, 28) -> (B, 10), at least four convolutions and two linear layers."""
    raise NotImplementedError


def shallower() -> nn.Module:
    """The same with one convolution and one linear layer at most."""
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


# (l)
to_a_friend = """
"""
