# lesson 12

# %% [markdown] lang="de"
# # Übungsblatt, Aufgabe 1: ResNet mit PyTorch Lightning
#
# **Ziel.** Die sieben Teile (a) bis (g) des Übungsblatts, einer nach dem anderen, an einem Lauf, den du selbst machst. Die kurze Form trainiert
# ein kleines ResNet auf 1500 verkleinerten Bildern; `WIESEL_LESSON=full` nimmt ResNet-18 auf 9000 Bildern von 28x28 (einige Minuten).

# %% [markdown] lang="en"
# # The lab sheet, task 1: ResNet with PyTorch Lightning
#
# **Goal.** The seven parts (a) to (g) of the lab sheet, one after the other, on a run that you make yourself. The short form trains a small
# ResNet on 1500 small pictures; `WIESEL_LESSON=full` takes ResNet-18 on 9000 pictures of 28x28 (some minutes).

# %%
import os
import platform
import sys
import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import torch
from PIL import Image

import wiesel
from wiesel import images
from wiesel.analysis import draw, draw_autograd
from wiesel.batches import Preprocessing
from wiesel.evaluation.measures import softmax
from wiesel.evaluation.predictions import Predictions
from wiesel.language import language, number, say
from wiesel.lessons.reader import answer, compare, finding, pick, prediction, scientific, short, show
from wiesel.runs import trained

# %% [markdown] lang="de"
# ## Zuerst deine Vorhersage

# %% [markdown] lang="en"
# ## First your prediction

# %%
guess = prediction(
    None,
    en="Which class of Fashion-MNIST takes part in most mistakes? (T-shirt/top, Trouser, Pullover, Dress, Coat, Sandal, Shirt, Sneaker, Bag, Ankle boot)",
    de="Welche Klasse von Fashion-MNIST ist an den meisten Fehlern beteiligt? (T-shirt/top, Trouser, Pullover, Dress, Coat, Sandal, Shirt, Sneaker, "
    "Bag, Ankle boot)",
)

# %% [markdown] lang="de"
# ## (a) Hier oder auf Colab?
#
# Beides geht; ein Notebook mit `wiesel` läuft unverändert an beiden Orten. Genaueres sagt `wiesel doctor`.

# %% [markdown] lang="en"
# ## (a) Here or on Colab?
#
# Both work; a notebook with `wiesel` runs unchanged in both places. `wiesel doctor` says more.

# %%
print(
    platform.python_version(), torch.__version__, os.cpu_count(), "Colab" if "google.colab" in sys.modules else platform.machine()
)

# %% [markdown] lang="de"
# ## (c) Trainieren, fünf Epochen
#
# Lightning führt durch die Epochen; Bericht, Vorhersagen und Gewichte liegen danach im Ordner des Laufs. (Teil (b), das Bild des Netzes, kommt
# gleich danach: Er braucht das Netz.)

# %% [markdown] lang="en"
# ## (c) Training, five epochs
#
# Lightning leads through the epochs; report, predictions and weights lie in the run's folder afterwards. (Part (b), the drawing of the network,
# comes right after it: it needs the network.)

# %%
place = Path(tempfile.mkdtemp(prefix="lab-sheet-", dir="."))
data = images.load("fashion-mnist-sample")
if short():  # fewer and smaller pictures, in a folder as your own might be: folder/train/class/1.png
    for split, part, count in (("train", data.train, 1500), ("test", data.test, 300)):
        for i in range(count):
            file = place / "pictures" / split / data.classes[part.labels[i]].replace("/", " ") / f"{i}.png"
            file.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(part.pixels[i, :, :, 0]).resize((14, 14), Image.Resampling.BOX).save(file)
    data = images.load(place / "pictures")
source = place / "pictures" if short() else "fashion-mnist-sample"
model_name = pick("resnet20:depth=-2", "resnet18")
result = wiesel.train(model_name, source, epochs=5, output=place / "run", lang=language(), flip=True, threads=pick(1, 0))
print(result.sentence())
evaluation = result.evaluation
finding(
    en=f"After 5 epochs, {number(100 * evaluation.accuracy.value, 1)} % of {evaluation.n} test pictures are right; by the luck of the pictures it could "
    f"as well have been {number(100 * evaluation.accuracy.low, 1)} to {number(100 * evaluation.accuracy.high, 1)} % (95 % interval).",
    de=f"Nach 5 Epochen sind {number(100 * evaluation.accuracy.value, 1)} % von {evaluation.n} Testbildern richtig; durch den Zufall der Bilder hätten es "
    f"ebenso gut {number(100 * evaluation.accuracy.low, 1)} bis {number(100 * evaluation.accuracy.high, 1)} % sein können (95-%-Intervall).",
)

# %% [markdown] lang="de"
# ## (b) Das Netz als Bild
#
# Zweimal: die Rechnung vorwärts mit ihren Abkürzungen (Shortcuts), und der Graph, dem die Gradienten folgen.

# %% [markdown] lang="en"
# ## (b) The network as a drawing
#
# Twice: the forward computation with its shortcuts, and the graph that the gradients follow.

# %%
model = trained.load(wiesel.Run.open(result.run))
shape = (model.preprocessing.channels, model.preprocessing.height, model.preprocessing.width)
forwards = draw(model.network, shape)
backwards = draw_autograd(model.network(torch.zeros(1, *shape)), dict(model.network.named_parameters()))
for name, drawing in (("network.svg", forwards), ("gradients.svg", backwards)):
    (place / name).write_text(drawing, encoding="utf-8")
    print(place / name)

# %% [markdown] lang="de"
# ## (d) Konfusionsmatrix, und die vier am häufigsten verwechselten
#
# Gezählt wird für jede Klasse, an wie vielen Fehlern sie beteiligt ist: als das, was es war, oder als das, was gesagt wurde.

# %% [markdown] lang="en"
# ## (d) Confusion matrix, and the four confused most
#
# Counted is, for each class, in how many errors it takes part: as what it was, or as what was said.

# %%
matrix = evaluation.matrix
figure, axis = plt.subplots(figsize=(5, 4.6))
axis.imshow(np.log1p(matrix), cmap="cividis")
for row, counts in enumerate(matrix):
    for column, count in enumerate(counts):
        if count:
            axis.text(
                column, row, count, ha="center", va="center", fontsize=6, color="black" if count > matrix.max() ** 0.6 else "white"
            )
axis.set(
    xticks=range(10),
    yticks=range(10),
    yticklabels=evaluation.classes,
    xlabel=say(en="said", de="gesagt"),
    ylabel=say(en="was", de="war"),
)
axis.set_xticklabels(evaluation.classes, rotation=90)
figure.tight_layout()
four = [evaluation.classes[one.index] for one in evaluation.most_confused_classes]
pair = evaluation.mixed_pairs[0]
show(
    figure,
    en=f"confusion matrix; most errors involve {four[0]}",
    de=f"Konfusionsmatrix; an den meisten Fehlern ist {four[0]} beteiligt",
)
finding(
    en=f"Confused most: {', '.join(four)}. The pair mixed up most is {evaluation.classes[pair.first]} and {evaluation.classes[pair.second]} "
    f"({pair.there} and {pair.back} times).",
    de=f"Am häufigsten verwechselt: {', '.join(four)}. Das am meisten vertauschte Paar ist {evaluation.classes[pair.first]} und "
    f"{evaluation.classes[pair.second]} ({pair.there}- und {pair.back}-mal).",
)
compare(guess, four[0].replace(" top", "/top"))  # a folder cannot be called T-shirt/top

# %% [markdown] lang="de"
# ## (e) Präzision, Recall, F1

# %% [markdown] lang="en"
# ## (e) Precision, recall, F1

# %%
print(evaluation.classification_report())
best, worst = (choose(evaluation.per_class, key=lambda one: one.f1) for choose in (max, min))
finding(
    en=f"{best.name} is easiest (F1 {number(best.f1, 2)}), {worst.name} hardest (F1 {number(worst.f1, 2)}): of what is called {worst.name}, "
    f"{number(100 * worst.precision.value, 0)} % are, and of all {worst.name}, {number(100 * worst.recall.value, 0)} % are found.",
    de=f"{best.name} ist am leichtesten (F1 {number(best.f1, 2)}), {worst.name} am schwersten (F1 {number(worst.f1, 2)}): Was {worst.name} genannt wird, "
    f"ist es zu {number(100 * worst.precision.value, 0)} %, und von allen {worst.name} werden {number(100 * worst.recall.value, 0)} % gefunden.",
)

# %% [markdown] lang="de"
# ## (f) Die ersten 25 Testbilder, Normierung rückgängig
#
# Das Netz bekam $(x - \mu) / \sigma$. Zurück geht es mit $x\,\sigma + \mu$; die Probe: Es müssen wieder die ganzen Zahlen 0 bis 255 sein.

# %% [markdown] lang="en"
# ## (f) The first 25 test pictures, normalisation undone
#
# The network got $(x - \mu) / \sigma$. The way back is $x\,\sigma + \mu$; the test: these must be the whole numbers 0 to 255 again.

# %%
preprocessing: Preprocessing = model.preprocessing
order = np.arange(len(data.test))
if short():  # a folder is read class by class, so that the first 25 would all be boots: mixed
    order = np.random.default_rng(0).permutation(order)
first = data.test.pixels[order[:25], :, :, 0]
normalised = (first / 255 - preprocessing.mean[0]) / preprocessing.std[0]
back = 255 * (normalised * preprocessing.std[0] + preprocessing.mean[0])
figure, axes = plt.subplots(5, 5, figsize=(5, 5.6))
for axis, picture, label in zip(axes.flat, back, data.test.labels[order], strict=False):
    axis.imshow(picture, cmap="gray", vmin=0, vmax=255)
    axis.set_title(data.classes[label], fontsize=7)
    axis.axis("off")
figure.tight_layout()
lost = float(np.abs(back - first).max())
show(figure, en="25 test pictures with their classes", de="25 Testbilder mit ihren Klassen")
finding(
    en=f"Normalised they ran from {number(normalised.min(), 2)} to {number(normalised.max(), 2)}; undone, no pixel differs by more than {scientific(lost)}.",
    de=f"Normiert liefen sie von {number(normalised.min(), 2)} bis {number(normalised.max(), 2)}; zurückgerechnet weicht kein Pixel um mehr als {scientific(lost)} ab.",
)

# %% [markdown] lang="de"
# ## (g) Softmax der ersten sechs, logarithmisch
#
# Aus den Ausgaben $z$ des Netzes (Logits) werden Wahrscheinlichkeiten: $p_k = e^{z_k} / \sum_j e^{z_j}$.

# %% [markdown] lang="en"
# ## (g) Softmax of the first six, on a log axis
#
# The network's outputs $z$ (logits) become probabilities: $p_k = e^{z_k} / \sum_j e^{z_j}$.

# %%
predictions = Predictions.from_file(wiesel.Run.open(result.run).predictions("test"))
probabilities = softmax(predictions.logits[order[:6]])
heads = (say(en="shape", de="Form"), say(en="true class", de="wahre Klasse"), say(en="predicted class", de="vorhergesagte Klasse"))
print(f"{heads[0]:<12} {heads[1]:<14} {heads[2]}")
for true, said in zip(predictions.labels[order[:6]], probabilities.argmax(1), strict=True):
    print(f"{shape!s:<12} {data.classes[true]:<14} {data.classes[said]}")
figure, axes = plt.subplots(2, 3, figsize=(9, 5), sharey=True)
for axis, row, label in zip(axes.flat, probabilities, predictions.labels[order[:6]], strict=True):
    axis.bar(range(10), row, color=["#d55e00" if c == label else "#0072b2" for c in range(10)])
    axis.set_yscale("log")
    axis.set_xticks(range(10), data.classes, rotation=90, fontsize=6)
    axis.set_title(data.classes[label], fontsize=8)
figure.tight_layout()
sure = float(probabilities.max(1).mean())
show(
    figure,
    en=f"probabilities of six test pictures, log axis, the true class in orange; mean of the highest {number(sure, 2)}",
    de=f"Wahrscheinlichkeiten von sechs Testbildern, logarithmisch, die wahre Klasse orange; Mittel der höchsten {number(sure, 2)}",
)
smallest = float(probabilities.min())
finding(
    en=f"The highest probability is {number(sure, 2)} on average; the smallest bar of all is {scientific(smallest)}, which a linear axis would not show.",
    de=f"Die höchste Wahrscheinlichkeit ist im Mittel {number(sure, 2)}; der kleinste Balken ist {scientific(smallest)}, den eine lineare Achse nicht zeigen würde.",
)

# %% [markdown] lang="de"
# ## Aufgaben
#
# 1. Wie viele Testbilder wurden falsch benannt?
# 2. Wie gross ist die Summe aller Zellen der Konfusionsmatrix?
# 3. Wie gross ist F1 bei Präzision 0,5 und Recall 1?
#
# Dein eigener Lauf: `wiesel lesson open lab_sheet_1`.

# %% [markdown] lang="en"
# ## Exercises
#
# 1. How many test pictures were named wrongly?
# 2. What is the sum of all cells of the confusion matrix?
# 3. What is F1 for precision 0.5 and recall 1?
#
# Your own run: `wiesel lesson open lab_sheet_1`.

# %%
answer_1 = answer_2 = answer_3 = None

answer("1", answer_1, int(matrix.sum() - np.trace(matrix)))
answer("2", answer_2, int(matrix.sum()))
answer("3", answer_3, 2 * 0.5 * 1 / 1.5)

# %% [markdown] lang="de"
# ## Was gelten muss

# %% [markdown] lang="en"
# ## What must hold

# %%
assert result.recipe.training.epochs >= 5
assert forwards.lstrip().startswith("<")
assert backwards.lstrip().startswith("<")
assert len(four) == 4
assert matrix.sum() == evaluation.n == len(data.test)
assert evaluation.accuracy.value > 0.5
assert lost < 1e-9
assert np.allclose(probabilities.sum(1), 1)
assert result.report.exists()
