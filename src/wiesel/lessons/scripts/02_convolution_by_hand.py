# lesson 02

# %% [markdown] lang="de"
# # Falten von Hand
#
# **Ziel.** Du rechnest einen einzigen Ausgabepixel selbst: neun Produkte, eine Summe. Dann das ganze Bild als Schleife, und du klärst, ob das, was
# Netze tun, überhaupt eine Faltung ist.

# %% [markdown] lang="en"
# # Convolution by hand
#
# **Goal.** You compute one single output pixel yourself: nine products, one sum. Then the whole picture as a loop, and you settle whether what
# networks do is a convolution at all.

# %%
import numpy as np
import torch
from scipy.signal import convolve2d, correlate2d

from wiesel import images, scratch, teaching
from wiesel.language import number
from wiesel.lessons.reader import answer, compare, finding, prediction, scientific, show
from wiesel.teaching.kernels import FIVE, SOBEL_X

trousers = images.load("fashion-mnist-sample").test.pixels[0, :, :, 0] / 255
row, column = 14, 6
patch = trousers[row : row + 3, column : column + 3]
print(patch.round(2))
print(SOBEL_X)

# %% [markdown] lang="de"
# ## Zuerst deine Vorhersage

# %% [markdown] lang="en"
# ## First your prediction

# %%
guess = prediction(
    None,
    en="The sum of the nine products of the two tables above: which number?",
    de="Die Summe der neun Produkte der beiden Tabellen oben: welche Zahl?",
)

# %% [markdown] lang="de"
# ## Neun Produkte

# %% [markdown] lang="en"
# ## Nine products

# %%
products = patch * SOBEL_X
by_hand = float(products.sum())
print(products.round(2))
show(teaching.visualize_convolution_step(trousers[12:18, 6:12], SOBEL_X, row=row - 12, column=column - 6))
finding(
    en=f"The products add up to {number(by_hand, 2)}: on the right it is {'brighter' if by_hand > 0 else 'darker'} than on the left.",
    de=f"Die Produkte ergeben {number(by_hand, 2)}: Rechts ist es {'heller' if by_hand > 0 else 'dunkler'} als links.",
)
compare(guess, by_hand)

# %% [markdown] lang="de"
# ## Das Fenster wandert
#
# Dieselbe Rechnung an jeder Stelle, als Animation, und als Schleife gegen drei andere, die unabhängig davon geschrieben sind.

# %% [markdown] lang="en"
# ## The window moves
#
# The same computation at every position, as an animation, and as a loop against three others that were written independently of it.

# %%
show(teaching.create_conv_animation(trousers[12:18, 6:12], SOBEL_X))

looped = np.zeros((26, 26))
for i in range(26):
    for j in range(26):
        looped[i, j] = (trousers[i : i + 3, j : j + 3] * SOBEL_X).sum()
layer = scratch.Conv2d(1, 1, 3, bias=False, algorithm="loops")
with torch.no_grad():
    layer.weight.copy_(torch.tensor(SOBEL_X)[None, None])
    ours = layer(torch.tensor(trousers, dtype=torch.float32)[None, None])[0, 0].numpy()
    torchs = torch.nn.functional.conv2d(torch.tensor(trousers)[None, None], torch.tensor(SOBEL_X)[None, None])[0, 0].numpy()
apart = max(float(np.abs(other - looped).max()) for other in (ours, torchs, correlate2d(trousers, SOBEL_X, mode="valid")))
finding(
    en=f"Loop, wiesel.scratch, torch and SciPy's correlation differ by at most {scientific(apart)}.",
    de=f"Schleife, wiesel.scratch, torch und die Korrelation von SciPy weichen um höchstens {scientific(apart)} ab.",
)

# %% [markdown] lang="de"
# ## Faltung oder Kreuzkorrelation?
#
# Die Mathematik dreht den Kern um 180°, bevor sie ihn schiebt: $\sum I(x-i, y-j)\,K(i,j)$. Netze drehen nicht: $\sum I(x+i, y+j)\,K(i,j)$. Lehrtexte
# nennen beides Faltung und schreiben mal die eine, mal die andere Formel hin.

# %% [markdown] lang="en"
# ## Convolution or cross-correlation?
#
# Mathematics turns the kernel by 180° before sliding it: $\sum I(x-i, y-j)\,K(i,j)$. Networks do not turn: $\sum I(x+i, y+j)\,K(i,j)$. Textbooks
# call both convolution and write now the one, now the other formula.

# %%
differ = {
    name: float(np.abs(convolve2d(trousers, k, mode="valid") - correlate2d(trousers, k, mode="valid")).max())
    for name, k in FIVE.items()
}
same = [name for name, value in differ.items() if value < 1e-9]
negated = float(np.abs(convolve2d(trousers, SOBEL_X, mode="valid") + correlate2d(trousers, SOBEL_X, mode="valid")).max())
finding(
    en=f"For {', '.join(same)} there is no difference: they look the same turned round. For Sobel the convolution is minus the correlation (up to "
    f"{scientific(negated)}). A network that learns its kernels does not mind; whoever copies a kernel from a book does.",
    de=f"Bei {', '.join(same)} gibt es keinen Unterschied: Sie sehen umgedreht gleich aus. Bei Sobel ist die Faltung das Negative der Korrelation (bis auf "
    f"{scientific(negated)}). Einem Netz, das seine Kerne lernt, ist das gleich; wer einen Kern aus einem Buch abschreibt, muss es wissen.",
)

# %% [markdown] lang="de"
# ## Aufgaben
#
# 1. Wie viele Fenster von 3x3 passen in 28x28 Pixel?
# 2. Wie viele Produkte sind das zusammen, für einen Filter?
# 3. Wie breit muss der Rand aus Nullen (Padding) auf jeder Seite sein, damit die Ausgabe einer 5x5-Faltung so gross ist wie die Eingabe?
#
# Selbst schreiben: `wiesel lesson open conv2d`.

# %% [markdown] lang="en"
# ## Exercises
#
# 1. How many windows of 3x3 fit into 28x28 pixels?
# 2. How many products are that together, for one filter?
# 3. How wide must the margin of zeros (padding) be on each side for the output of a 5x5 convolution to be as large as its input?
#
# Write it yourself: `wiesel lesson open conv2d`.

# %%
answer_1 = answer_2 = answer_3 = None

answer("1", answer_1, looped.size)
answer("2", answer_2, looped.size * 9)
answer("3", answer_3, (5 - 1) // 2)

# %% [markdown] lang="de"
# ## Was gelten muss

# %% [markdown] lang="en"
# ## What must hold

# %%
assert abs(by_hand - looped[row, column]) < 1e-12
assert apart < 1e-5
assert same == ["gaussian", "sharpen", "edge"]
assert negated < 1e-12 < differ["sobel_x"]
