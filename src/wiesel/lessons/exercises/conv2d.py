# exercise: conv2d
# level: applied

# %% [markdown] lang="de"
# # Faltung und Max-Pooling selbst schreiben
#
# Schreibe die Definition als Programm, ohne `torch.nn.Conv2d`, `torch.nn.functional.conv2d` oder Verwandte. Schleifen sind gut; wer es
# schneller will, schneidet alle Fenster aus und macht ein Matrixprodukt daraus.
#
# Prüfen: `wiesel lesson check conv2d.py`. Geprüft wird an zufälligen Grössen, Schrittweiten und Rändern.

# %% [markdown] lang="en"
# # Write convolution and max-pooling yourself
#
# Write the definition as a program, without `torch.nn.Conv2d`, `torch.nn.functional.conv2d` and their like. Loops are fine; if you want it
# faster, cut out all windows and make one matrix product of them.
#
# Check with: `wiesel lesson check conv2d.py`. It tries random sizes, strides and margins.

# %%
import torch
from torch import Tensor

# %% [markdown] lang="de"
# `pictures` ist (B, C_ein, H, W), `weight` (C_aus, C_ein, kh, kw), `bias` (C_aus,); heraus kommt (B, C_aus, H', W').

# %% [markdown] lang="en"
# `pictures` is (B, C_in, H, W), `weight` (C_out, C_in, kh, kw), `bias` (C_out,); the result is (B, C_out, H', W').


# %%
def conv2d(pictures: Tensor, weight: Tensor, bias: Tensor, stride: int = 1, padding: int = 0) -> Tensor:
    raise NotImplementedError


def max_pool2d(pictures: Tensor, size: int, stride: int) -> Tensor:
    raise NotImplementedError


# %% [markdown] lang="de"
# Und wie gross wird die Ausgabe? Eine Formel für eine Seite, ganzzahlig.

# %% [markdown] lang="en"
# And how large is the output? A formula for one side, in whole numbers.


# %%
def output_size(side: int, kernel: int, stride: int, padding: int) -> int:
    raise NotImplementedError
