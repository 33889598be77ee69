# lesson 06

# %% [markdown] lang="de"
# # VGG: kleiner, tiefer, abstrakter
#
# **Ziel.** Du siehst an Zahlen, was von Stufe zu Stufe geschieht: Karten werden kleiner, Kanäle mehr, die Klasse tritt hervor, und zuletzt tritt
# der genaue Ort zurück. Und du findest heraus, wo die 138 Millionen Parameter von VGG-16 wirklich sitzen.

# %% [markdown] lang="en"
# # VGG: smaller, deeper, more abstract
#
# **Goal.** You see in numbers what happens from stage to stage: maps shrink, channels multiply, the class comes forward, and in the end the
# exact place recedes. And you find out where the 138 million parameters of VGG-16 really sit.

# %%
import matplotlib.pyplot as plt
import torch
from torch import nn

from wiesel import teaching, zoo
from wiesel.analysis import cost, recording, stages
from wiesel.language import grouped, number, say
from wiesel.lessons.experiment import accuracy, descend, sample
from wiesel.lessons.reader import answer, compare, finding, pick, prediction, show

# %% [markdown] lang="de"
# ## Zuerst deine Vorhersage
#
# VGG-16 hat 13 Faltungen und 3 vollständig verbundene Schichten.

# %% [markdown] lang="en"
# ## First your prediction
#
# VGG-16 has 13 convolutions and 3 fully connected layers.

# %%
guess = prediction(
    None,
    en="What share of its parameters sits in the 3 fully connected layers, in %?",
    de="Welcher Anteil der Parameter sitzt in den 3 vollständig verbundenen Schichten, in %?",
)

# %% [markdown] lang="de"
# ## Der Bauplan, gezählt
#
# Je Stufe: die Form der Ausgabe, die Parameter, die Multiplikationen mit Addition. Diese sind die Arbeit, die ein Bild macht.

# %% [markdown] lang="en"
# ## The plan, counted
#
# For each stage: the shape of its output, the parameters, the multiply-adds. These are the work that a picture makes.

# %%
with torch.device("meta"):
    vgg16 = zoo.build("vgg16", classes=1000, channels=3, size=224)
table = cost(vgg16, (3, 224, 224))
plan = stages(vgg16, (3, 224, 224), table)
for stage in plan:
    print(f"{stage.label:>8}  {stage.output!s:<18} {grouped(stage.parameters):>12}  {grouped(stage.macs):>15}")

convolutions = [layer for layer in table.layers if layer.type == "Conv2d"]
connected = [layer for layer in table.layers if layer.type == "Linear"]
share = 100 * sum(layer.parameters for layer in connected) / table.parameters
work = 100 * sum(layer.macs for layer in connected) / table.macs
finding(
    en=f"{len(convolutions)} convolutions and {len(connected)} connected layers. The connected ones hold {number(share, 1)} % of "
    f"{grouped(table.parameters)} parameters and do {number(work, 1)} % of the work.",
    de=f"{len(convolutions)} Faltungen und {len(connected)} verbundene Schichten. Die verbundenen halten {number(share, 1)} % der "
    f"{grouped(table.parameters)} Parameter und tun {number(work, 1)} % der Arbeit.",
)
compare(guess, share, 1)

with torch.device("meta"):
    deep = cost(zoo.build("resnet152", classes=1000, channels=3, size=224), (3, 224, 224)).parameters
finding(
    en=f"So many parameters do not come from many layers: ResNet-152 has {number(table.parameters / deep, 1)} times fewer.",
    de=f"So viele Parameter kommen nicht von vielen Schichten: ResNet-152 hat {number(table.parameters / deep, 1)}-mal weniger.",
)

# %% [markdown] lang="de"
# ## Warum lauter 3x3?

# %% [markdown] lang="en"
# ## Why nothing but 3x3?

# %%
channels = 64
two_small, one_large = 2 * 9 * channels**2, 25 * channels**2
finding(
    en=f"Two 3x3 convolutions see 5x5 pixels, as one 5x5 does, with {grouped(two_small)} weights instead of {grouped(one_large)} "
    f"({number(100 * (1 - two_small / one_large), 0)} % fewer) and a ReLU more.",
    de=f"Zwei 3x3-Faltungen sehen 5x5 Pixel wie eine 5x5, mit {grouped(two_small)} statt {grouped(one_large)} Gewichten "
    f"({number(100 * (1 - two_small / one_large), 0)} % weniger) und einem ReLU mehr.",
)

# %% [markdown] lang="de"
# ## Abstraktion messen
#
# Ein kleines VGG wird kurz an echten Bildern trainiert. Dann zwei Fragen an jede Stufe:
#
# * **Wie nah ist die Klasse?** Jede Klasse bekommt ihren Mittelpunkt unter den Ausgaben der Stufe (aus dem Training); wie viele Testbilder
#   liegen beim richtigen am nächsten?
# * **Wie wichtig ist der Ort?** Um wie viel ändert sich die Ausgabe, wenn das Bild um ein Pixel verschoben wird, gemessen daran, wie
#   verschieden zwei beliebige Bilder sind?

# %% [markdown] lang="en"
# ## Measuring abstraction
#
# A small VGG is trained briefly on real pictures. Then two questions to each stage:
#
# * **How near is the class?** Each class gets its centre among the stage's outputs (of training pictures); how many test pictures lie
#   nearest to the right one?
# * **How much does the place matter?** By how much does the output change when the picture moves by one pixel, relative to how different
#   two arbitrary pictures are?

# %%
pictures = sample(shrink=2)
torch.manual_seed(0)


def stage(channels_in: int, channels_out: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(channels_in, channels_out, 3, padding=1),
        nn.BatchNorm2d(channels_out),
        nn.ReLU(),
        nn.Conv2d(channels_out, channels_out, 3, padding=1),
        nn.BatchNorm2d(channels_out),
        nn.ReLU(),
        nn.MaxPool2d(2),
    )


network = nn.Sequential(stage(1, 16), stage(16, 32), stage(32, 64), nn.Flatten(), nn.Linear(64, 10))
descend(network, pictures.pictures, pictures.labels, steps=pick(80, 800))
right = accuracy(network, pictures.test_pictures, pictures.test_labels)

show(teaching.learned_filters(network))
names = ["0", "1", "2"]


def outputs(some: torch.Tensor) -> list[torch.Tensor]:
    with recording(network, *names) as recorded, torch.no_grad():
        network(some)
    return [some, *(recorded[name] for name in names)]


train, test = outputs(pictures.pictures), outputs(pictures.test_pictures)
moved = outputs(torch.roll(pictures.test_pictures, 1, dims=3))
near, placed = [], []
for of_train, of_test, of_moved in zip(train, test, moved, strict=True):
    flat, flat_test = of_train.flatten(1), of_test.flatten(1)
    centres = torch.stack([flat[pictures.labels == c].mean(0) for c in range(10)])
    near.append(float((torch.cdist(flat_test, centres).argmin(1) == pictures.test_labels).float().mean()))
    apart = (flat_test[1:] - flat_test[:-1]).norm(dim=1).mean()
    placed.append(float((of_moved - of_test).flatten(1).norm(dim=1).mean() / apart))
for name, some, n, p in zip(
    (say(en="pixels", de="Pixel"), *(f"{say(en='stage', de='Stufe')} {i}" for i in (1, 2, 3))), test, near, placed, strict=True
):
    print(f"{name:>8}  {tuple(some.shape[1:])!s:<14} {number(100 * n, 1):>5} %  {number(p, 2)}")

figure, (left, middle) = plt.subplots(1, 2, figsize=(8, 3))
left.plot(range(4), [100 * n for n in near], "o-", color="#0072b2")
left.set(
    xlabel=say(en="stage (0: pixels)", de="Stufe (0: Pixel)"),
    ylabel="%",
    title=say(en="nearest centre is right", de="nächster Mittelpunkt richtig"),
)
middle.plot(range(4), placed, "s--", color="#d55e00")
middle.set(
    xlabel=say(en="stage (0: pixels)", de="Stufe (0: Pixel)"),
    title=say(en="change by one pixel's shift", de="Änderung bei 1 Pixel Verschiebung"),
)
for axis in (left, middle):
    axis.set_xticks(range(4))
figure.tight_layout()
show(
    figure,
    en=f"the nearest centre is right for {number(100 * near[0], 0)} % of the pictures by pixels and {number(100 * near[-1], 0)} % after the last stage",
    de=f"der nächste Mittelpunkt ist nach Pixeln für {number(100 * near[0], 0)} % der Bilder richtig, nach der letzten Stufe für {number(100 * near[-1], 0)} %",
)
finding(
    en=f"By pixels the nearest centre is right for {number(100 * near[0], 1)} %, after the last stage for {number(100 * near[-1], 1)} % (the network: "
    f"{number(100 * right, 1)} %). A shift by one pixel changes the pixels by {number(placed[0], 2)} of the distance between two pictures, the last "
    f"stage by {number(placed[-1], 2)}: less, but not nothing. «Independent of the position» would be 0.",
    de=f"Nach Pixeln ist der nächste Mittelpunkt für {number(100 * near[0], 1)} % richtig, nach der letzten Stufe für {number(100 * near[-1], 1)} % (das "
    f"Netz: {number(100 * right, 1)} %). Ein Pixel Verschiebung ändert die Pixel um {number(placed[0], 2)} des Abstands zweier Bilder, die letzte "
    f"Stufe um {number(placed[-1], 2)}: weniger, aber nicht nichts. «Unabhängig von der Position» wäre 0.",
)

# %% [markdown] lang="de"
# ## Aufgaben
#
# 1. Welche Seitenlänge haben die Karten von VGG-16 nach der fünften Stufe?
# 2. Wie viele Zahlen sind das über alle Kanäle?
# 3. Wie viele 3x3-Faltungen ersetzen eine 7x7?

# %% [markdown] lang="en"
# ## Exercises
#
# 1. Which side have the maps of VGG-16 after the fifth stage?
# 2. How many numbers are that over all channels?
# 3. How many 3x3 convolutions replace one 7x7?

# %%
answer_1 = answer_2 = answer_3 = None

answer("1", answer_1, 224 // 2**5)
answer("2", answer_2, 512 * (224 // 2**5) ** 2)
answer("3", answer_3, (7 - 1) // 2)

# %% [markdown] lang="de"
# ## Was gelten muss

# %% [markdown] lang="en"
# ## What must hold

# %%
assert table.parameters == 138_357_544
assert (len(convolutions), len(connected)) == (13, 3)
assert 89 < share < 90
assert near[-1] > near[0]
assert 0 < placed[-1] < placed[0]
assert right > 0.6
