# lesson 14

# %% [markdown] lang="de"
# # Ein Wort, fünf Bedeutungen: Kernel
#
# **Ziel.** Du rechnest mit vier Dingen, die alle Kern heissen, auf denselben echten Ziffern, und kannst danach sagen, was sie verbindet und was nicht.
# (Das fünfte, der Kern des Betriebssystems, hat mit den anderen nur den Namen gemein.)

# %% [markdown] lang="en"
# # One word, five meanings: kernel
#
# **Goal.** You compute with four things that are all called kernel, on the same real digits, and can say afterwards what joins them and what does not.
# (The fifth, the kernel of the operating system, shares only its name with the others.)

# %%
import platform

import matplotlib.pyplot as plt
import numpy as np
from scipy.integrate import trapezoid
from scipy.linalg import null_space
from scipy.signal import correlate2d

from wiesel import images, teaching
from wiesel.language import number, say
from wiesel.lessons.reader import answer, compare, finding, prediction, scientific, show
from wiesel.teaching.kernels import SOBEL_X

data = images.load("digits")
some = np.isin(data.train.labels, (0, 1))
digits = data.train.pixels[some, :, :, 0].astype(float) / 255
labels = data.train.labels[some]
print(len(digits), data.classes[:2], digits.shape[1:])

# %% [markdown] lang="de"
# ## Zuerst deine Vorhersage

# %% [markdown] lang="en"
# ## First your prediction

# %%
guess = prediction(
    None,
    en="The area under the kernel of a density estimate: which number?",
    de="Die Fläche unter dem Kern einer Dichteschätzung: welche Zahl?",
)

# %% [markdown] lang="de"
# ## 1. Kern einer Faltung: eine kleine Tabelle, die über das Bild gleitet
#
# Er macht aus jeder Ziffer zwei Zahlen: wie viel senkrechte und wie viel waagrechte Kante. Diese zwei Zahlen sind die Daten für alles Weitere.

# %% [markdown] lang="en"
# ## 1. Kernel of a convolution: a small table that slides over the picture
#
# It makes two numbers of each digit: how much upright and how much level edge. These two numbers are the data for all that follows.

# %%
points = np.array([[np.abs(correlate2d(d, k, mode="valid")).mean() for k in (SOBEL_X, SOBEL_X.T)] for d in digits])
points = (points - points.mean(0)) / points.std(0)
centres = [f"({number(x, 2)}; {number(y, 2)})" for x, y in (points[labels == c].mean(0) for c in (0, 1))]
train, test = slice(0, 200), slice(200, None)
finding(
    en=f"{len(points)} digits as points: zeros lie at {centres[0]} on average, ones at {centres[1]}.",
    de=f"{len(points)} Ziffern als Punkte: Nullen liegen im Mittel bei {centres[0]}, Einsen bei {centres[1]}.",
)

# %% [markdown] lang="de"
# ## 2. Kernfunktion: wie ähnlich sind zwei Punkte?
#
# $k(x, y) = e^{-\lVert x-y\rVert^2 / 2}$. Damit das ein Skalarprodukt in irgendeinem Raum ist, muss die Tabelle aller Ähnlichkeiten positiv semidefinit
# sein. Die Klassifikation hier ist Kern-Ridge-Regression, die Verwandte der Support-Vektor-Maschine, die sich in zwei Zeilen lösen lässt.

# %% [markdown] lang="en"
# ## 2. Kernel function: how alike are two points?
#
# $k(x, y) = e^{-\lVert x-y\rVert^2 / 2}$. For this to be an inner product in some space, the table of all similarities must be positive semidefinite.
# The classification here is kernel ridge regression, the relative of the support vector machine that is solved in two lines.


# %%
def similarity(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    return np.exp(-((first[:, None] - second[None]) ** 2).sum(2) / 2)


gram = similarity(points[train], points[train])
lowest = float(np.linalg.eigvalsh(gram).min())
coefficients = np.linalg.solve(gram + 0.1 * np.eye(200), 2.0 * labels[train] - 1)
right = float(((similarity(points[test], points[train]) @ coefficients > 0) == (labels[test] == 1)).mean())
finding(
    en=f"The lowest eigenvalue of the {gram.shape[0]}x{gram.shape[1]} similarities is {scientific(lowest)}: not negative beyond rounding. {number(100 * right, 1)} % of "
    f"{len(points) - 200} unseen digits are right, from two numbers each.",
    de=f"Der kleinste Eigenwert der {gram.shape[0]}x{gram.shape[1]} Ähnlichkeiten ist {scientific(lowest)}: bis auf Rundung nicht negativ. {number(100 * right, 1)} % von "
    f"{len(points) - 200} nie gesehenen Ziffern sind richtig, aus je zwei Zahlen.",
)

# %% [markdown] lang="de"
# ## 3. Kern einer Dichteschätzung: ein Hügel auf jedem Punkt
#
# Er ist nirgends negativ, symmetrisch, und seine **Fläche** ist 1; sein Wert in der Mitte ist es nicht.

# %% [markdown] lang="en"
# ## 3. Kernel of a density estimate: a hill on each point
#
# It is nowhere negative, symmetric, and its **area** is 1; its value in the middle is not.

# %%
axis = np.linspace(-8, 8, 4001)


def hill(x: np.ndarray) -> np.ndarray:
    return np.exp(-(x**2) / 2) / np.sqrt(2 * np.pi)


area, top = float(trapezoid(hill(axis), axis)), float(hill(np.zeros(1))[0])
width = 0.3
density = {c: hill((axis[:, None] - points[labels == c, 0]) / width).mean(1) / width for c in (0, 1)}
areas = [float(trapezoid(one, axis)) for one in density.values()]
finding(
    en=f"The kernel's area is {number(area, 4)}, its highest value {number(top, 4)}. The estimated densities of both digits have areas {number(areas[0], 4)} and {number(areas[1], 4)}.",
    de=f"Die Fläche des Kerns ist {number(area, 4)}, sein höchster Wert {number(top, 4)}. Die geschätzten Dichten beider Ziffern haben die Flächen {number(areas[0], 4)} und {number(areas[1], 4)}.",
)
compare(guess, area)

# %% [markdown] lang="de"
# ## 4. Kern einer linearen Abbildung: was auf null geht
#
# Die Sobel-Faltung ist eine lineare Abbildung von 64 Pixeln auf 36 Zahlen, also eine Matrix. Ihr Kern (Nullraum) sind die Bilder, auf denen sie schweigt.

# %% [markdown] lang="en"
# ## 4. Kernel of a linear map: what goes to zero
#
# The Sobel convolution is a linear map of 64 pixels to 36 numbers, that is, a matrix. Its kernel (null space) are the pictures on which it is silent.

# %%
matrix = np.stack([correlate2d(one.reshape(8, 8), SOBEL_X, mode="valid").ravel() for one in np.eye(64)], axis=1)
silent = null_space(matrix)
stripes = np.repeat(np.arange(8.0), 8)  # level stripes: each row even
answers = {"stripes": float(np.abs(matrix @ stripes).max()), "digit": float(np.abs(matrix @ digits[0].ravel()).max())}
kept = digits[0].ravel() @ silent
share = float((kept**2).sum() / (digits[0] ** 2).sum())
finding(
    en=f"The matrix is {matrix.shape[0]}x{matrix.shape[1]} with rank {64 - silent.shape[1]}; its kernel has {silent.shape[1]} dimensions. Level stripes lie in it "
    f"(largest answer {scientific(answers['stripes'])}); of the first digit {number(100 * share, 0)} % of the energy do: that much Sobel cannot see.",
    de=f"Die Matrix ist {matrix.shape[0]}x{matrix.shape[1]} mit Rang {64 - silent.shape[1]}; ihr Kern hat {silent.shape[1]} Dimensionen. Waagrechte Streifen liegen darin "
    f"(grösste Antwort {scientific(answers['stripes'])}); von der ersten Ziffer liegen {number(100 * share, 0)} % der Energie darin: So viel sieht Sobel nicht.",
)

# %% [markdown] lang="de"
# ## Alle vier auf einem Blatt

# %% [markdown] lang="en"
# ## All four on one sheet

# %%
figure, axes = plt.subplots(1, 4, figsize=(12, 3))
axes[0].imshow(correlate2d(digits[0], SOBEL_X, mode="valid"), cmap="PuOr")
axes[0].set_title(say(en="convolution", de="Faltung"))
grid = np.stack(np.meshgrid(np.linspace(-3, 3, 60), np.linspace(-3, 3, 60)), -1).reshape(-1, 2)
axes[1].contourf(
    np.linspace(-3, 3, 60),
    np.linspace(-3, 3, 60),
    (similarity(grid, points[train]) @ coefficients).reshape(60, 60),
    levels=[-9, 0, 9],
    colors=["#cfe3f2", "#fbe0c4"],
)
for c, mark in ((0, "o"), (1, "x")):
    axes[1].plot(*points[labels == c].T, mark, markersize=3, color=("#0072b2", "#d55e00")[c])
    axes[2].plot(axis, density[c], ("-", "--")[c], color=("#0072b2", "#d55e00")[c])
axes[1].set_title(say(en="similarity", de="Ähnlichkeit"))
axes[2].set(xlim=(-4, 4), title=say(en="density", de="Dichte"))
axes[3].imshow(silent[:, 0].reshape(8, 8), cmap="PuOr")
axes[3].set_title(say(en="null space", de="Nullraum"))
figure.tight_layout()
show(
    figure,
    en=f"Sobel response of a zero; border between zeros and ones ({number(100 * right, 0)} % right); densities; one of {silent.shape[1]} pictures that Sobel does not see",
    de=f"Sobel-Antwort einer Null; Grenze zwischen Nullen und Einsen ({number(100 * right, 0)} % richtig); Dichten; eines von {silent.shape[1]} Bildern, die Sobel nicht sieht",
)
show(teaching.four_kernels())  # the same with a support vector machine, on points that reach into each other
print("5.", platform.system(), platform.release())

# %% [markdown] lang="de"
# ## Aufgaben
#
# 1. Welchen Wert hat $k(x, x)$ für den RBF-Kern?
# 2. Wie viele Dimensionen hat der Kern einer Matrix 36x64 mit Rang 36?
# 3. Welcher der vier Kerne wird in einem CNN aus Daten gelernt: `"convolution"`, `"similarity"`, `"density"` oder `"null space"`?

# %% [markdown] lang="en"
# ## Exercises
#
# 1. Which value has $k(x, x)$ for the RBF kernel?
# 2. How many dimensions has the kernel of a matrix 36x64 with rank 36?
# 3. Which of the four kernels is learned from data in a CNN: `"convolution"`, `"similarity"`, `"density"` or `"null space"`?

# %%
answer_1 = answer_2 = answer_3 = None

answer("1", answer_1, 1)
answer("2", answer_2, 64 - 36)
answer("3", answer_3, "convolution")

# %% [markdown] lang="de"
# ## Was gelten muss

# %% [markdown] lang="en"
# ## What must hold

# %%
assert lowest > -1e-9
assert right > 0.7
assert abs(area - 1) < 1e-6
assert top < 0.5
assert all(abs(one - 1) < 1e-3 for one in areas)
assert silent.shape[1] == 64 - np.linalg.matrix_rank(matrix) == 28
assert answers["stripes"] < 1e-9 < answers["digit"]
