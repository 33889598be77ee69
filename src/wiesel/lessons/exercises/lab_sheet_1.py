# exercise: lab_sheet_1
# level: lab sheet

# %% [markdown] lang="de"
# # Übungsblatt, Aufgabe 1
#
# (a) Wähle: hier oder Colab. (c) Trainiere mindestens fünf Epochen, zum Beispiel `wiesel train --model resnet18 --epochs 5`, und trag den Ordner des
# Laufs ein. (b) Zeichne das Netz: `wiesel inspect RUN --svg network.svg`. Der Rest steht im Bericht oder folgt aus `predictions/test.npz`:
#
# * (a) wo du trainierst, und warum dort
# * (d) die Namen der vier Klassen, die an den meisten Fehlern beteiligt sind
# * (e) der Name der Klasse mit dem höchsten F1, und was du aus Präzision, Recall und F1 liest
# * (f) zurück auf 0 bis 1, von (x - Mittelwert) / Standardabweichung
# * (g) aus Logits (N, K) Wahrscheinlichkeiten machen, auch bei Logits von 1000

# %% [markdown] lang="en"
# # The lab sheet, task 1
#
# (a) Choose: here or Colab. (c) Train for at least five epochs, for example `wiesel train --model resnet18 --epochs 5`, and enter the run's folder.
# (b) Draw the network: `wiesel inspect RUN --svg network.svg`. The rest stands in the report or follows from `predictions/test.npz`.

# %%
import numpy as np
from numpy.typing import NDArray

machine = """
"""  # (a) where you train, and why there

drawing = None  # (b) "network.svg"
run = None  # (c) "runs/fashion-mnist-sample-resnet18-1"

confused = None  # (d) the names of the four classes that take part in most errors: ["Shirt", …]

best_f1 = None  # (e) the name of the class with the highest F1
interpretation = """
"""  # what you read from precision, recall and F1


def denormalised(pictures: NDArray, mean: float, deviation: float) -> NDArray:
    """(f) Back to 0..1, from (x - mean) / deviation."""
    raise NotImplementedError


def softmax(logits: NDArray) -> NDArray:
    """(g) (N, K) logits to probabilities. Also for logits of 1000."""
    raise NotImplementedError
