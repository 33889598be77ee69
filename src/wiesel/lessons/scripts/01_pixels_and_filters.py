# lesson 01

# %% [markdown] lang="de"
# # Pixel und Filter
#
# **Ziel.** Ein Bild ist eine Tabelle von Zahlen, ein Filter eine kleine. Du wendest die fünf klassischen Filter auf echte Bilder an und siehst an
# Zahlen, was jeder durchlässt, und warum man dabei nicht bei ganzen Zahlen von 0 bis 255 bleiben darf.
#
# Die Bilder sind aus Fashion-MNIST: Kleider und Schuhe in zehn Klassen, 28x28 Pixel, Grau von 0 (schwarz) bis 255 (weiss). Gedruckt wird ein
# Ausschnitt einer Hose: zwölf Zeilen, jede zweite Spalte.

# %% [markdown] lang="en"
# # Pixels and filters
#
# **Goal.** A picture is a table of numbers, a filter a small one. You apply the five classic filters to real pictures and see in numbers what each
# lets through, and why one must not stay with whole numbers from 0 to 255.
#
# The pictures are of Fashion-MNIST: clothes and shoes in ten classes, 28x28 pixels, grey from 0 (black) to 255 (white). Printed is a part of a
# pair of trousers: twelve rows, every second column.

# %%
import numpy as np
from scipy.signal import correlate2d

from wiesel import images, teaching
from wiesel.language import grouped, number, say
from wiesel.lessons.reader import answer, compare, finding, prediction, show
from wiesel.teaching.kernels import FIVE, SOBEL_X, SOBEL_Y

data = images.load("fashion-mnist-sample")
trousers = data.test.pixels[0, :, :, 0]
counts = grouped(len(data.train)), grouped(len(data.test))
print(
    say(
        en=f"{len(data.classes)} classes, {counts[0]} pictures for training, {counts[1]} for testing",
        de=f"{len(data.classes)} Klassen, {counts[0]} Bilder zum Trainieren, {counts[1]} zum Testen",
    )
)
print(trousers[8:20, 2:26:2])

# %% [markdown] lang="de"
# ## Zuerst deine Vorhersage
#
# Ein Filter gleitet über das Bild. An jeder Stelle wird jedes Gewicht mit dem Pixel darunter multipliziert; die Summe ist die Antwort (Lektion 2
# rechnet es vor). Der Sobel-Filter `[[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]]` zieht so die linke von der rechten Seite ab. Seine Antwort kann also
# negativ sein.

# %% [markdown] lang="en"
# ## First your prediction
#
# A filter slides over the picture. At each position every weight is multiplied by the pixel under it; the sum is the response (lesson 2 does it
# step by step). The Sobel filter `[[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]]` thus subtracts the left side from the right one. So its response may be
# negative.

# %%
guess = prediction(
    None,
    en="Which share of the Sobel responses that are not zero is negative, in %?",
    de="Welcher Anteil der Sobel-Antworten, die nicht null sind, ist negativ, in %?",
)

# %% [markdown] lang="de"
# ## Fünf Filter auf einem Bild
#
# Erst das gezeichnete Bild, das mitgeliefert ist (oder deines: eine Datei, ein Array), dann eines aus Fashion-MNIST.

# %% [markdown] lang="en"
# ## Five filters on one picture
#
# First the drawn picture that comes along (or yours: a file, an array), then one of Fashion-MNIST.

# %%
show(teaching.show_filter_effects(size=96))
show(teaching.show_filter_effects(trousers / 255))

# %% [markdown] lang="de"
# ## Was die Summe der Gewichte sagt
#
# Auf einer gleichmässig grauen Fläche antwortet ein Filter mit der Summe seiner Gewichte mal dem Grau.

# %% [markdown] lang="en"
# ## What the sum of the weights says
#
# On an even grey, a filter responds with the sum of its weights times the grey.

# %%
sums = {}
for name, weights in FIVE.items():
    sums[name] = float(weights.sum())
    flat = float(correlate2d(np.full((5, 5), 0.5), weights, mode="valid")[0, 0])
    print(f"{name:<9} {number(sums[name], 2):>6}   {number(0.5, 1)} -> {number(flat, 2):>5}")
keeping = [name for name, total in sums.items() if abs(total - 1) < 1e-9]
silent = [name for name, total in sums.items() if abs(total) < 1e-9]
finding(
    en=f"{', '.join(keeping)} keep the brightness (sum 1); {', '.join(silent)} are silent on even areas (sum 0) and see differences only.",
    de=f"{', '.join(keeping)} erhalten die Helligkeit (Summe 1); {', '.join(silent)} schweigen auf gleichmässigen Flächen (Summe 0) und sehen nur "
    "Unterschiede.",
)

# %% [markdown] lang="de"
# ## Das Vorzeichen
#
# 200 Testbilder, Sobel in Gleitkommazahlen, daneben dasselbe, als wären nur 0 bis 255 erlaubt.

# %% [markdown] lang="en"
# ## The sign
#
# 200 test pictures, Sobel in floating point, beside it the same as if only 0 to 255 were allowed.

# %%
pictures = data.test.pixels[:200, :, :, 0].astype(float)
responses = np.stack([correlate2d(picture, SOBEL_X, mode="valid") for picture in pictures])
present = responses != 0
negative = 100 * float((responses[present] < 0).mean())
lost = 100 * float(1 - np.clip(responses, 0, 255).sum() / np.abs(responses).sum())
finding(
    en=f"{number(negative, 1)} % of the responses are negative: every object has a left and a right edge. Cut to 0..255, {number(lost, 1)} % of "
    "all edge strength is gone: all that is negative, and what exceeds 255.",
    de=f"{number(negative, 1)} % der Antworten sind negativ: Jedes Ding hat eine linke und eine rechte Kante. Auf 0..255 beschnitten sind "
    f"{number(lost, 1)} % aller Kantenstärke weg: alles Negative, und was über 255 hinausgeht.",
)
compare(guess, negative, 1)

# %% [markdown] lang="de"
# ## Senkrecht oder waagrecht?
#
# Sobel X antwortet auf senkrechte Kanten, Sobel Y auf waagrechte. Welche Kleider haben mehr davon?

# %% [markdown] lang="en"
# ## Upright or level?
#
# Sobel X responds to upright edges, Sobel Y to level ones. Which clothes have more of them?

# %%
upright = {}
for label, name in enumerate(data.classes):
    some = data.test.pixels[data.test.labels == label][:30, :, :, 0].astype(float)
    strength = [sum(np.abs(correlate2d(one, weights, mode="valid")).sum() for one in some) for weights in (SOBEL_X, SOBEL_Y)]
    upright[name] = float(strength[0] / strength[1])
    print(f"{name:<12} {number(upright[name], 2)}")
most, least = max(upright, key=upright.get), min(upright, key=upright.get)
finding(
    en=f"{most} has {number(upright[most], 1)} times as much upright as level edge, {least} {number(upright[least], 1)} times. Two filters, and the "
    "classes begin to part.",
    de=f"{most} hat {number(upright[most], 1)}-mal so viel senkrechte wie waagrechte Kante, {least} {number(upright[least], 1)}-mal. Zwei Filter, und die "
    "Klassen beginnen sich zu trennen.",
)

# %% [markdown] lang="de"
# ## Aufgaben
#
# 1. Welche Summe hat der Filter `[[0, -1, 0], [-1, 4, -1], [0, -1, 0]]`?
# 2. Was macht er aus einer Fläche mit Grau 100?
# 3. Schreibe einen 3x3-Filter als Liste von Listen, der das Bild um ein Pixel nach rechts schiebt. (Er wird so aufgelegt, wie er dasteht.)

# %% [markdown] lang="en"
# ## Exercises
#
# 1. Which sum has the filter `[[0, -1, 0], [-1, 4, -1], [0, -1, 0]]`?
# 2. What does it make of an area with grey 100?
# 3. Write a 3x3 filter as a list of lists that moves the picture one pixel to the right. (It is laid on the picture as it is written.)

# %%
answer_1 = answer_2 = answer_3 = None

answer("1", answer_1, 0)
answer("2", answer_2, 0)
answer(
    "3",
    answer_3,
    lambda weights: np.array_equal(correlate2d(trousers.astype(float), np.array(weights), mode="same")[:, 1:], trousers[:, :-1]),
)

# %% [markdown] lang="de"
# ## Was gelten muss

# %% [markdown] lang="en"
# ## What must hold

# %%
assert keeping == ["gaussian", "sharpen", "emboss"]
assert silent == ["edge", "sobel_x"]
assert 20 < negative < 80
assert lost > 20
assert upright["Trouser"] > 1
assert np.array_equal(SOBEL_Y, SOBEL_X.T)
