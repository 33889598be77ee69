# lesson 13

# %% [markdown] lang="de"
# # Übungsblatt, Aufgabe 2: ändern und messen, (a) bis (l)
#
# **Ziel.** Zwölf Änderungen an einem kleinen Netz, jede mit einer Messung, und bei jeder die Frage, ob der gemessene Unterschied am Netz liegt
# oder am Zufall.

# %% [markdown] lang="en"
# # The lab sheet, task 2: change and measure, (a) to (l)
#
# **Goal.** Twelve changes to a small network, each with a measurement, and with each the question whether the measured difference is due to
# the network or to chance.

# %%
import time

import matplotlib.pyplot as plt
import numpy as np
import torch
from torch import nn

from wiesel import comparison, teaching, zoo
from wiesel.analysis import cost, recording
from wiesel.language import grouped, language, number, say
from wiesel.lessons.experiment import accuracy, descend, sample
from wiesel.lessons.reader import answer, compare, finding, pick, prediction, show

pictures = sample(train=800, test=500, shrink=2)
IMAGE = (1, 14, 14)
STEPS = pick(48, 480)  # 48 steps of 50 are three epochs of 800 pictures


def base(seed: int = 0) -> nn.Sequential:
    torch.manual_seed(seed)
    return nn.Sequential(
        nn.Conv2d(1, 16, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(16, 32, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(32 * 3 * 3, 10),
    )


def learned(network: nn.Module, steps: int = STEPS, seed: int = 0) -> float:
    """Accuracy on the test pictures after training."""
    descend(network, pictures.pictures, pictures.labels, steps=steps, seed=seed)
    return accuracy(network, pictures.test_pictures, pictures.test_labels)


# %% [markdown] lang="de"
# ## Zuerst deine Vorhersage

# %% [markdown] lang="en"
# ## First your prediction

# %%
guess = prediction(
    None,
    en="By how many points do two trainings of the same network differ, if only the random numbers are others?",
    de="Um wie viele Punkte unterscheiden sich zwei Trainings desselben Netzes, wenn nur die Zufallszahlen andere sind?",
)

# %% [markdown] lang="de"
# ## (a) Mehr Epochen

# %% [markdown] lang="en"
# ## (a) More epochs

# %%
by_epochs = {epochs: learned(base(), steps=16 * epochs) for epochs in pick((1, 3, 6), (1, 3, 6, 12, 24, 48))}
first, *_, last = by_epochs
finding(
    en=f"{first} epoch: {number(100 * by_epochs[first], 1)} %, {last} epochs: {number(100 * by_epochs[last], 1)} %.",
    de=f"{first} Epoche: {number(100 * by_epochs[first], 1)} %, {last} Epochen: {number(100 * by_epochs[last], 1)} %.",
)

# %% [markdown] lang="de"
# ## (b) Sigmoid in einigen Schichten, (c) in allen auf einfache Weise
#
# Eine Änderung ist Text: `activation=sigmoid@1` für die Schicht namens 1, ohne `@` für alle. Das Netz, das man hineingibt, bleibt, wie es ist.

# %% [markdown] lang="en"
# ## (b) Sigmoid in some layers, (c) in all of them, the simple way
#
# A change is text: `activation=sigmoid@1` for the layer called 1, without `@` for all. The network that is given stays as it is.

# %%
some, every = (zoo.change(base(), f"activation=sigmoid{where}", image=IMAGE) for where in ("@1", ""))
print(some.sentence(), every.sentence(), sep="\n")
with_relu, with_some, with_all = learned(base()), learned(some.network), learned(every.network)
finding(
    en=f"ReLU everywhere {number(100 * with_relu, 1)} %, one sigmoid {number(100 * with_some, 1)} %, all sigmoid {number(100 * with_all, 1)} %, "
    "after the same few steps.",
    de=f"Überall ReLU {number(100 * with_relu, 1)} %, ein Sigmoid {number(100 * with_some, 1)} %, alles Sigmoid {number(100 * with_all, 1)} %, "
    "nach denselben wenigen Schritten.",
)

# %% [markdown] lang="de"
# ## (d) Was die Pooling-Schichten ausgeben

# %% [markdown] lang="en"
# ## (d) What the pooling layers put out

# %%
network = base()
learned(network)
pools = [name for name, layer in network.named_modules() if isinstance(layer, nn.MaxPool2d)]
with recording(network, *pools) as recorded, torch.no_grad():
    network(pictures.test_pictures[:1])
figure, axes = plt.subplots(len(pools), 8, figsize=(8, 2.4))
for row, name in zip(axes, pools, strict=True):
    top = float(recorded[name].max())
    for axis, channel in zip(row, recorded[name][0], strict=False):
        axis.imshow(channel.numpy(), cmap="cividis", vmin=0, vmax=top)  # one scale per layer: a dark map is a weak one
        axis.axis("off")
figure.tight_layout()
shapes = [tuple(recorded[name].shape[1:]) for name in pools]
show(
    figure,
    en=f"eight channels of the two pooling layers, {shapes[0][1]} and {shapes[1][1]} px wide, one scale per layer",
    de=f"acht Kanäle der beiden Pooling-Schichten, {shapes[0][1]} und {shapes[1][1]} px breit, eine Skala je Schicht",
)
silent = [float((recorded[name].amax((2, 3)) == 0).float().mean()) for name in pools]
finding(
    en=f"The poolings put out {shapes[0]} and {shapes[1]}; {number(100 * silent[0], 0)} % and {number(100 * silent[1], 0)} % of the channels are "
    "silent on this picture.",
    de=f"Die Poolings geben {shapes[0]} und {shapes[1]} aus; {number(100 * silent[0], 0)} % und {number(100 * silent[1], 0)} % der Kanäle schweigen bei "
    "diesem Bild.",
)

# %% [markdown] lang="de"
# ## (e) Stride statt Pooling: Ist der Unterschied einer?
#
# Ein Lauf je Netz sagt nichts: Auch zwei Läufe **desselben** Netzes unterscheiden sich. Also mehrere Läufe von beiden, dieselben Testbilder, und
# ein Urteil, das beide Zufälle kennt, den des Trainings und den der Bilder.

# %% [markdown] lang="en"
# ## (e) Stride instead of pooling: is the difference one?
#
# One run per network says nothing: two runs of the **same** network differ too. So several runs of both, the same test pictures, and a verdict
# that knows both chances, that of training and that of the pictures.

# %%
runs = pick(3, 10)
strided = zoo.change(base(), "pooling=stride", image=IMAGE)
print(strided.sentence())
right, seconds = {}, {}
for name in ("max-pooling", "stride"):
    rows, took = [], []
    for seed in range(runs):
        one = base(seed)
        if name == "stride":
            one = zoo.change(one, "pooling=stride", image=IMAGE).network
        start = time.perf_counter()
        learned(one, seed=seed)
        took.append(time.perf_counter() - start)
        with torch.no_grad():
            rows.append((one(pictures.test_pictures).argmax(1) == pictures.test_labels).numpy())
    right[name], seconds[name] = np.array(rows), took
spread = 100 * float(np.ptp(right["max-pooling"].mean(1)))
arms = tuple(comparison.arm(name, right[name], seconds=seconds[name]) for name in right)
judged = comparison.judge(
    comparison.Outcomes(arms, labels=pictures.test_labels.numpy(), classes=pictures.classes), comparison.Rules()
)
verdict = comparison.sentence(judged, reader=language())
finding(
    en=f"{runs} runs of the same network lie {number(spread, 1)} points apart. The verdict on the two: {verdict}",
    de=f"{runs} Läufe desselben Netzes liegen {number(spread, 1)} Punkte auseinander. Das Urteil über die beiden: {verdict}",
)
compare(guess, spread, 1)

# %% [markdown] lang="de"
# ## (f) Vor- und Nachteile, in Zahlen

# %% [markdown] lang="en"
# ## (f) For and against, in numbers

# %%
pooled_cost, strided_cost = cost(base(), IMAGE), cost(strided.network, IMAGE)


def moves(network: nn.Module) -> float:
    """Mean change of the logits when the picture moves by one pixel, relative to the distance between two pictures."""
    with torch.no_grad():
        there, moved = network(pictures.test_pictures), network(torch.roll(pictures.test_pictures, 1, dims=3))
    return float((moved - there).norm(dim=1).mean() / (there[1:] - there[:-1]).norm(dim=1).mean())


stride_network = zoo.change(base(), "pooling=stride", image=IMAGE).network
learned(stride_network)
show(teaching.compare_pooling(pictures.test_pictures[0, 0].numpy() * pictures.deviation + pictures.mean))
shift = {"max-pooling": moves(network), "stride": moves(stride_network)}
finding(
    en=f"The stride needs {number(pooled_cost.macs / strided_cost.macs, 1)} times fewer multiply-adds ({grouped(strided_cost.macs)} against "
    f"{grouped(pooled_cost.macs)}) with as many parameters ({grouped(strided_cost.parameters)}). A shift by one pixel moves the answer by "
    f"{number(shift['max-pooling'], 2)} with pooling and {number(shift['stride'], 2)} with stride.",
    de=f"Der Stride braucht {number(pooled_cost.macs / strided_cost.macs, 1)}-mal weniger Multiplikationen ({grouped(strided_cost.macs)} gegen "
    f"{grouped(pooled_cost.macs)}) bei gleich vielen Parametern ({grouped(strided_cost.parameters)}). Ein Pixel Verschiebung bewegt die Antwort mit "
    f"Pooling um {number(shift['max-pooling'], 2)}, mit Stride um {number(shift['stride'], 2)}.",
)

# %% [markdown] lang="de"
# ## (g) Kern, Breite: Zeit gegen Genauigkeit, (h) Schichten dazu und weg

# %% [markdown] lang="en"
# ## (g) Kernel, width: time against accuracy, (h) layers more and fewer


# %%
def deeper() -> nn.Sequential:
    layers = list(base())
    return nn.Sequential(
        *layers[:5], nn.Conv2d(32, 32, 3, padding=1), nn.ReLU(), *layers[5:7], nn.Linear(288, 64), nn.ReLU(), nn.Linear(64, 10)
    )


def shallower() -> nn.Sequential:
    return nn.Sequential(*list(base())[:3], nn.Flatten(), nn.Linear(16 * 7 * 7, 10))


designs = {
    say(en="as it is", de="wie es ist"): base(),
    "kernel=5": zoo.change(base(), "kernel=5", image=IMAGE).network,
    "width=0.5": zoo.change(base(), "width=0.5", image=IMAGE).network,
    "width=2": zoo.change(base(), "width=2", image=IMAGE).network,
    say(en="one convolution and one linear layer more", de="eine Faltung und eine lineare Schicht mehr"): deeper(),
    say(en="one convolution fewer", de="eine Faltung weniger"): shallower(),
}
table = {}
for name, one in designs.items():
    start = time.perf_counter()
    share = learned(one)
    table[name] = (cost(one, IMAGE).parameters, cost(one, IMAGE).macs, time.perf_counter() - start, share)
    print(
        f"{name:<44} {grouped(table[name][0]):>8} {grouped(table[name][1]):>10} {number(table[name][2], 2):>6} s {number(100 * share, 1):>5} %"
    )
fastest, dearest = min(table, key=lambda name: table[name][1]), max(table, key=lambda name: table[name][1])
finding(
    en=f"«{dearest}» needs {number(table[dearest][1] / table[fastest][1], 1)} times the multiply-adds of «{fastest}»; accuracies {number(100 * table[dearest][3], 1)} % and "
    f"{number(100 * table[fastest][3], 1)} %, one run each: see (e).",
    de=f"«{dearest}» braucht {number(table[dearest][1] / table[fastest][1], 1)}-mal so viele Multiplikationen wie «{fastest}»; Genauigkeiten "
    f"{number(100 * table[dearest][3], 1)} % und {number(100 * table[fastest][3], 1)} %, je ein Lauf: siehe (e).",
)

# %% [markdown] lang="de"
# ## (i) Das einfachste Netz, das noch gut ist
#
# Gut heisst hier: mindestens 90 % der Genauigkeit des Ausgangsnetzes. Immer kleiner, bis es nicht mehr reicht.

# %% [markdown] lang="en"
# ## (i) The simplest network that is still good
#
# Good means here: at least 90 % of the accuracy of the network we began with. Smaller and smaller, until it is not enough.


# %%
def tiny(channels: int) -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(1, channels, 3, stride=2), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(channels * 9, 10))


good = 0.9 * with_relu
simple = {channels: (sum(p.numel() for p in tiny(channels).parameters()), learned(tiny(channels))) for channels in (16, 8, 4, 2, 1)}
for channels, (parameters, share) in simple.items():
    print(f"{channels:>3}  {parameters:>6}  {number(100 * share, 1):>5} %")
enough = [channels for channels, (_, share) in simple.items() if share >= good]
smallest = min(enough, default=max(simple))
finding(
    en=f"Wanted are at least {number(100 * good, 1)} %. "
    + (
        f"{smallest} filters are enough: {simple[smallest][0]} parameters, {number(100 * simple[smallest][1], 1)} %."
        if enough
        else f"None of these reaches it; the best has {number(100 * max(share for _, share in simple.values()), 1)} %."
    ),
    de=f"Gesucht sind mindestens {number(100 * good, 1)} %. "
    + (
        f"{smallest} Filter genügen: {simple[smallest][0]} Parameter, {number(100 * simple[smallest][1], 1)} %."
        if enough
        else f"Keines erreicht es; das beste hat {number(100 * max(share for _, share in simple.values()), 1)} %."
    ),
)

# %% [markdown] lang="de"
# ## (j) Ein Zweig daneben

# %% [markdown] lang="en"
# ## (j) A branch beside

# %%
branched = zoo.change(base(), "branch=parallel:3x3", image=IMAGE)
print(branched.sentence())
with_branch = learned(branched.network)
finding(
    en=f"With a parallel convolution: {grouped(branched.parameters[1])} instead of {grouped(branched.parameters[0])} parameters, {number(100 * with_branch, 1)} %.",
    de=f"Mit einer parallelen Faltung: {grouped(branched.parameters[1])} statt {grouped(branched.parameters[0])} Parameter, {number(100 * with_branch, 1)} %.",
)

# %% [markdown] lang="de"
# ## (k) Die Klasse als One-Hot und als ganze Zahl

# %% [markdown] lang="en"
# ## (k) The class as one-hot and as an integer

# %%
answering = zoo.change(network, "head=onehot", image=IMAGE).network.eval()
with torch.no_grad():
    said = answering(pictures.test_pictures[:4])
    expected = network.eval()(pictures.test_pictures[:4]).argmax(1)
print(type(said).__name__, [(name, tuple(value.shape)) for name, value in zip(("onehot", "index", "logits"), said, strict=False)])
onehot, index = said[0], said[1]
finding(
    en=f"Four pictures: classes {index.tolist()}, one-hot rows with {onehot.sum(1).tolist()} ones each. Nobody has to call argmax.",
    de=f"Vier Bilder: Klassen {index.tolist()}, One-Hot-Zeilen mit je {onehot.sum(1).tolist()} Einsen. Niemand muss argmax aufrufen.",
)

# %% [markdown] lang="de"
# ## (l) Erkläre einem Freund, wie ein CNN funktioniert
#
# Hier ein Anfang mit Zahlen aus diesem Netz; deine Fassung: `wiesel lesson open lab_sheet_2`.

# %% [markdown] lang="en"
# ## (l) Explain to a friend how a CNN works
#
# Here is a beginning with numbers from this network; your version: `wiesel lesson open lab_sheet_2`.

# %%
with torch.no_grad():
    maps = network[0](pictures.test_pictures[:1])[0]
    strongest = int(maps.amax((1, 2)).argmax())
    row, column = divmod(int(maps[strongest].argmax()), maps.shape[2])
    logits = network(pictures.test_pictures[:1])[0]
best, second = logits.topk(2).indices.tolist()
explained = finding(
    en=f"Each of {network[0].out_channels} little stencils of 3x3 slides over the picture and says everywhere how well it fits; stencil {strongest} fits best at "
    f"row {row}, column {column}. The next layer looks for patterns of patterns. At the end ten sums remain, one per class: {pictures.classes[best]} has "
    f"{number(float(logits[best]), 1)}, {pictures.classes[second]} {number(float(logits[second]), 1)}; the largest wins. Nobody wrote the stencils: they were changed a "
    "little after each mistake.",
    de=f"Jede von {network[0].out_channels} kleinen Schablonen von 3x3 gleitet über das Bild und sagt überall, wie gut sie passt; Schablone {strongest} passt am besten in "
    f"Zeile {row}, Spalte {column}. Die nächste Schicht sucht Muster aus Mustern. Am Ende bleiben zehn Summen, eine je Klasse: {pictures.classes[best]} hat "
    f"{number(float(logits[best]), 1)}, {pictures.classes[second]} {number(float(logits[second]), 1)}; die grösste gewinnt. Niemand hat die Schablonen geschrieben: "
    "Sie wurden nach jedem Fehler ein wenig geändert.",
)

# %% [markdown] lang="de"
# ## Aufgaben
#
# 1. Welche Änderung macht alle Aktivierungen zu GELU? (ein Text wie oben)
# 2. Wie viele Parameter hat das Ausgangsnetz?
# 3. Wie viele Multiplikationen spart `stride=2` in einer Faltung höchstens, als Faktor?

# %% [markdown] lang="en"
# ## Exercises
#
# 1. Which change makes all activations GELU? (a text as above)
# 2. How many parameters has the network we began with?
# 3. By which factor can `stride=2` at most reduce the multiply-adds of a convolution?

# %%
answer_1 = answer_2 = answer_3 = None

answer(
    "1",
    answer_1,
    lambda text: sum(isinstance(layer, nn.GELU) for layer in zoo.change(base(), text, image=IMAGE).network.modules()) == 2,
)
answer("2", answer_2, pooled_cost.parameters)
answer("3", answer_3, 4)

# %% [markdown] lang="de"
# ## Was gelten muss

# %% [markdown] lang="en"
# ## What must hold

# %%
assert by_epochs[last] > by_epochs[first]
assert (len(some.layers), len(every.layers)) == (1, 2)
assert sum(isinstance(layer, nn.Sigmoid) for layer in every.network.modules()) == 2
assert shapes == [(16, 7, 7), (32, 3, 3)]
assert not any(isinstance(layer, nn.MaxPool2d) for layer in strided.network.modules())
assert strided_cost.parameters == pooled_cost.parameters
assert strided_cost.macs < pooled_cost.macs
assert judged.findings
assert len(table) == 6
assert branched.parameters[1] > branched.parameters[0]
assert index.tolist() == expected.tolist()
assert onehot.argmax(1).tolist() == expected.tolist()
assert str(network[0].out_channels) in explained
