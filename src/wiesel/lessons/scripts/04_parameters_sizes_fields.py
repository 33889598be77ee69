# lesson 04

# %% [markdown] lang="de"
# # Parameter, Grössen, rezeptives Feld
#
# **Ziel.** Du rechnest von Hand aus, wie viele Parameter eine Schicht hat, wie gross ihre Ausgabe ist und wie viel vom Bild eine Stelle
# dieser Ausgabe sehen kann, und prüfst alle drei Rechnungen an einem Netz, das läuft.

# %% [markdown] lang="en"
# # Parameters, sizes, receptive field
#
# **Goal.** You work out by hand how many parameters a layer has, how large its output is, and how much of the picture one position of
# that output can see, and you check all three against a network that runs.

# %%
import torch
from torch import nn

import wiesel
from wiesel import scratch, zoo
from wiesel.analysis import arithmetic, cost
from wiesel.jobs.chapter import ChapterBlock, worked_examples
from wiesel.language import grouped, number
from wiesel.lessons.experiment import sample
from wiesel.lessons.reader import answer, compare, finding, prediction
from wiesel.scratch.geometry import output_size

# %% [markdown] lang="de"
# ## Zuerst deine Vorhersage
#
# Eine Faltung mit einem 3x3-Kern, ein Kanal hinein, einer hinaus: wenige Zahlen, wie gross das Bild auch ist. Eine vollständig verbundene Schicht
# verbindet jedes Pixel mit jedem. Schreibe statt `None` deine Zahl hin, bevor du weiterliest.

# %% [markdown] lang="en"
# ## First your prediction
#
# A convolution with one 3x3 kernel, one channel in, one out: a few numbers, however large the picture. A fully connected layer joins every
# pixel to every pixel. Put your number in place of `None` before you read on.

# %%
guess = prediction(
    None,
    en="How many times as many parameters has the fully connected layer, for 32x32 pixels?",
    de="Wievielmal so viele Parameter hat die vollständig verbundene Schicht bei 32x32 Pixeln?",
)

# %% [markdown] lang="de"
# ## Geteilte Gewichte
#
# Beide Schichten werden gebaut und ihre Parameter gezählt, nicht ausgerechnet. (Über 64 Pixel hinaus passt die vollständig verbundene kaum mehr in
# den Speicher; auf dem Gerät `meta` hat sie nur eine Form.)

# %% [markdown] lang="en"
# ## Shared weights
#
# Both layers are built and their parameters counted, not computed. (Beyond 64 pixels the fully connected one hardly fits into memory; on the
# `meta` device it has a shape only.)


# %%
def counted(layer: nn.Module) -> int:
    return sum(parameter.numel() for parameter in layer.parameters())


ratios = {}
for side in (8, 16, 32, 64, 128):
    with torch.device("meta"):
        shared, connected = counted(nn.Conv2d(1, 1, 3, padding=1)), counted(nn.Linear(side**2, side**2))
    ratios[side] = connected / shared
    print(f"{side:>4} px  {shared:>4}  {grouped(connected):>12}  {grouped(round(ratios[side])):>12}")

saved = 100 * (1 - 1 / ratios[32])
finding(
    en=f"At 32 px the connected layer has {grouped(round(ratios[32]))} times as many; sharing saves {number(saved, 4)} %. "
    f"From 64 to 128 px the ratio grows {number(ratios[128] / ratios[64], 1)} times: with the fourth power of the side.",
    de=f"Bei 32 px hat die verbundene Schicht {grouped(round(ratios[32]))}-mal so viele; Teilen spart {number(saved, 4)} %. "
    f"Von 64 auf 128 px wächst das Verhältnis {number(ratios[128] / ratios[64], 1)}-fach: mit der vierten Potenz der Seite.",
)
compare(guess, ratios[32], 0)

# %% [markdown] lang="de"
# Das ist nicht ganz gerecht: Die verbundene Schicht könnte auch anderes. Gerechter ist der Vergleich mit einer Faltung, die an jeder
# Stelle **eigene** Gewichte hat (lokal verbunden): 64 Filter auf einem Farbbild von 32x32.

# %% [markdown] lang="en"
# That is not quite fair: the connected layer could do other things too. Fairer is a convolution with weights of its **own** at each
# position (locally connected): 64 filters on a colour picture of 32x32.

# %%
layer = nn.Conv2d(3, 64, 3, padding=1)
per_filter = layer.weight[0].numel()
own_everywhere = 32 * 32 * per_filter * 64
finding(
    en=f"Each filter has {per_filter} weights, the layer {grouped(counted(layer))} with its biases; with own weights everywhere it would "
    f"have {grouped(own_everywhere)} and biases.",
    de=f"Jeder Filter hat {per_filter} Gewichte, die Schicht mit Bias {grouped(counted(layer))}; mit eigenen Gewichten an jeder Stelle wären "
    f"es {grouped(own_everywhere)} und die Bias.",
)

# %% [markdown] lang="de"
# ## Fünf Rechnungen, Schritt für Schritt
#
# n ist die Seite der Eingabe, k der Kern, s die Schrittweite, d die Dilatation, p der Rand **beider** Seiten zusammen (`padding=1` gibt p = 2).

# %% [markdown] lang="en"
# ## Five calculations, step by step
#
# n is the side of the input, k the kernel, s the stride, d the dilation, p the margin of **both** sides together (`padding=1` gives p = 2).

# %%
for title, steps in worked_examples():
    print(title)
    for step in steps:
        print(f"    {step}")

# %% [markdown] lang="de"
# ## Grössen: rechnen, dann nachsehen
#
# Die Formel mit Abrunden und Dilatation wird gegen das geprüft, was eine wirkliche Faltung ausgibt, für alle kleinen Fälle.

# %% [markdown] lang="en"
# ## Sizes: compute, then look
#
# The formula with its floor and its dilation is checked against what a real convolution puts out, for all small cases.

# %%
cases = [
    (n, k, s, p, d)
    for n in (5, 6, 7, 28)
    for k in (1, 2, 3, 5)
    for s in (1, 2, 3)
    for p in (0, 1)
    for d in (1, 2)
    if d * (k - 1) + 1 <= n + 2 * p
]
agree = 0
for n, k, s, p, d in cases:
    real = nn.functional.conv2d(torch.zeros(1, 1, n, n), torch.zeros(1, 1, k, k), stride=s, padding=p, dilation=d).shape[2:]
    agree += tuple(real) == output_size(n, k, s, p, d)
without_floor = (32 - 3) / 2 + 1
finding(
    en=f"{agree} of {len(cases)} cases agree. Without the floor, 32 px with kernel 3 and stride 2 would give {number(without_floor, 1)} px; it is "
    f"{output_size(32, 3, 2)[0]}, and one line at the edge lies in no window.",
    de=f"{agree} von {len(cases)} Fällen stimmen. Ohne Abrunden gäben 32 px mit Kern 3 und Schrittweite 2 {number(without_floor, 1)} px; es "
    f"sind {output_size(32, 3, 2)[0]}, und eine Zeile am Rand liegt in keinem Fenster.",
)

# %% [markdown] lang="de"
# ## Das rezeptive Feld, gerechnet und gemessen
#
# Gerechnet: $r' = r + (k-1)\,d\,j$. Aus dem Feld $r$ vor einer Schicht wird $r'$ dahinter; $j$ ist das Produkt der bisherigen Schrittweiten.
# Gemessen: Nimm **eine** Stelle der Ausgabe und frage mit dem Gradienten, welche Pixel eines echten Bildes sie ändern können. Vier Faltungen, die
# zweite mit Schrittweite 2:

# %% [markdown] lang="en"
# ## The receptive field, computed and measured
#
# Computed: $r' = r + (k-1)\,d\,j$. The field $r$ before a layer becomes $r'$ behind it; $j$ is the product of the strides so far. Measured: take
# **one** position of the output and ask, with the gradient, which pixels of a real picture can change it. Four convolutions, the second with stride
# 2:

# %%
torch.manual_seed(0)
kernels, strides = (3, 3, 3, 3), (1, 2, 1, 1)
chain = nn.Sequential(
    *(nn.Conv2d(1 if i == 0 else 4, 4, k, s, padding=k // 2) for i, (k, s) in enumerate(zip(kernels, strides, strict=True)))
)

computed, jump = 1, 1
for k, s in zip(kernels, strides, strict=True):
    computed, jump = computed + (k - 1) * jump, jump * s

picture = sample().pictures[:1].clone().requires_grad_()
chain(picture)[0, :, 7, 7].sum().backward()
touched = picture.grad[0, 0] != 0
rows = torch.nonzero(touched.any(1)).flatten()
measured = int(rows.max() - rows.min() + 1)
finding(
    en=f"Computed {computed} px, measured {measured} px, rows {int(rows.min())} to {int(rows.max())} of {picture.shape[2]}.",
    de=f"Gerechnet {computed} px, gemessen {measured} px, Zeilen {int(rows.min())} bis {int(rows.max())} von {picture.shape[2]}.",
)

# %% [markdown] lang="de"
# Und in ResNet-18 auf Bildern von 28 Pixeln?

# %% [markdown] lang="en"
# And in ResNet-18 on pictures of 28 pixels?

# %%
inspection = wiesel.inspect("resnet18", image=(1, 28, 28))
beyond = inspection.exceeds
field = inspection.field(beyond)
finding(
    en=f"From {beyond.name} on, the field ({field.size[0]} px) is larger than the picture: values in the middle have all of it, and more layers only "
    "compute more with it. At the edge a field hangs over the picture, and still gains some layers long.",
    de=f"Ab {beyond.name} ist das Feld ({field.size[0]} px) grösser als das Bild: Werte in der Mitte haben alles davon, weitere Schichten rechnen "
    "nur mehr damit. Am Rand ragt ein Feld über das Bild hinaus und gewinnt noch einige Schichten lang.",
)

# %% [markdown] lang="de"
# ## Aufgaben
#
# 1. Wie viele Parameter hat `Conv2d(16, 32, 5)`?
# 2. Wie breit ist die Ausgabe von `Conv2d(…, 5, stride=2, padding=1)` auf 28 Pixeln?
# 3. Wie viele 3x3-Faltungen mit Schrittweite 1 braucht es für ein rezeptives Feld von 11 Pixeln?

# %% [markdown] lang="en"
# ## Exercises
#
# 1. How many parameters has `Conv2d(16, 32, 5)`?
# 2. How wide is the output of `Conv2d(…, 5, stride=2, padding=1)` on 28 pixels?
# 3. How many 3x3 convolutions of stride 1 make a receptive field of 11 pixels?

# %%
answer_1 = answer_2 = answer_3 = None

answer("1", answer_1, counted(nn.Conv2d(16, 32, 5)))
answer("2", answer_2, output_size(28, 5, 2, 1)[0])
answer("3", answer_3, lambda layers: 1 + 2 * layers == 11)

# %% [markdown] lang="de"
# ## Was gelten muss

# %% [markdown] lang="en"
# ## What must hold

# %%
assert [round(ratios[side], 1) for side in ratios] == [416.0, 6579.2, 104960.0, 1678131.2, 26845184.0]
assert f"{saved:.4f}" == "99.9990"
assert counted(layer) == 1_792
assert [steps[-1].result for title, steps in worked_examples() if title.startswith(("Conv2d(1,", "Conv2d(3,", "Basic"))] == [
    320,
    1_792,
    74_112,
]
assert counted(ChapterBlock()) == arithmetic.sums(ChapterBlock())[-1].result
assert agree == len(cases)
assert computed == measured == 13
assert beyond.name.startswith("features.stage3")
assert tuple(scratch.SimpleConv2d(1, 2, 3, padding=1)(torch.zeros(1, 1, 6, 6)).shape) == (1, 2, 6, 6)
assert cost(zoo.build("resnet18", classes=1000, channels=3, size=224), (3, 224, 224)).parameters == 11_689_512
