# lesson 11

# %% [markdown] lang="de"
# # EfficientNet: alles zugleich vergrössern
#
# **Ziel.** Du misst, was Tiefe, Breite und Auflösung kosten, suchst selbst die drei Faktoren der gemeinsamen Skalierung, und zählst die Tabelle des
# Lehrtexts nach.

# %% [markdown] lang="en"
# # EfficientNet: growing everything at once
#
# **Goal.** You measure what depth, width and resolution cost, search the three factors of compound scaling yourself, and count the textbook's table
# again.

# %%
import math

import torch
from torch import nn

from wiesel import zoo
from wiesel.analysis import cost
from wiesel.jobs import chapter
from wiesel.language import grouped, number, say
from wiesel.lessons.experiment import accuracy, descend, sample
from wiesel.lessons.reader import answer, compare, finding, pick, prediction

# %% [markdown] lang="de"
# ## Zuerst deine Vorhersage

# %% [markdown] lang="en"
# ## First your prediction

# %%
guess = prediction(
    None,
    en="Twice the width (twice as many channels everywhere): how many times the multiply-adds?",
    de="Doppelte Breite (überall doppelt so viele Kanäle): wievielmal so viele Multiplikationen?",
)

# %% [markdown] lang="de"
# ## Was jede Richtung kostet

# %% [markdown] lang="en"
# ## What each direction costs


# %%
def network(depth: int = 2, width: int = 16) -> nn.Sequential:
    """Two stages of `depth` convolutions each, with `width` and twice as many channels."""
    layers: list[nn.Module] = []
    channels = 1
    for out in (width, 2 * width):
        for _ in range(depth):
            layers += [nn.Conv2d(channels, out, 3, padding=1), nn.BatchNorm2d(out), nn.ReLU()]
            channels = out
        layers.append(nn.MaxPool2d(2))
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, 10))


def macs(depth: int = 8, width: int = 32, side: int = 28) -> int:
    return cost(network(depth, width), (1, side, side)).macs


growth = {"depth": macs(depth=16) / macs(), "width": macs(width=64) / macs(), "resolution": macs(side=56) / macs()}
finding(
    en=f"Twice the depth costs {number(growth['depth'], 2)} times, twice the width {number(growth['width'], 2)} times, twice the resolution {number(growth['resolution'], 2)} times: "
    "about d, w², r².",
    de=f"Doppelte Tiefe kostet das {number(growth['depth'], 2)}-Fache, doppelte Breite das {number(growth['width'], 2)}-Fache, doppelte Auflösung das "
    f"{number(growth['resolution'], 2)}-Fache: ungefähr d, w², r².",
)
compare(guess, growth["width"])

# %% [markdown] lang="de"
# ## Drei Faktoren, eine Bedingung
#
# Das Netz wird α^φ-mal so tief, β^φ-mal so breit, sein Bild γ^φ-mal so gross. Gesucht sind α, β, γ ≥ 1 mit α·β²·γ² ≈ 2: Dann verdoppelt jeder Schritt
# von φ die Arbeit. Alle auf einem Raster von 0,05, die auf 5 % genau sind:

# %% [markdown] lang="en"
# ## Three factors, one condition
#
# The network becomes α^φ times as deep, β^φ times as wide, its picture γ^φ times as large. Wanted are α, β, γ ≥ 1 with α·β²·γ² ≈ 2: then each step of
# φ doubles the work. All on a grid of 0.05 that are within 5 %:

# %%
steps = [1 + 0.05 * i for i in range(21)]
candidates = [(a, b, c) for a in steps for b in steps for c in steps if abs(a * b**2 * c**2 / 2 - 1) <= 0.05]
paper = (1.2, 1.1, 1.15)
product = paper[0] * paper[1] ** 2 * paper[2] ** 2
near_paper = any(all(abs(x - y) < 1e-9 for x, y in zip(one, paper, strict=True)) for one in candidates)
finding(
    en=f"{len(candidates)} triples. The paper's (1.2, 1.1, 1.15) gives {number(product, 3)} and {'is' if near_paper else 'is not'} among them; over seven steps of φ that is "
    f"{number(product**7, 0)} and not {2**7} times the work.",
    de=f"{len(candidates)} Tripel. Das der Arbeit, (1,2; 1,1; 1,15), ergibt {number(product, 3)} und ist {'darunter' if near_paper else 'nicht darunter'}; über sieben Schritte von φ sind "
    f"das {number(product**7, 0)}-mal und nicht {2**7}-mal so viel Arbeit.",
)

# %% [markdown] lang="de"
# ## Eine kleine Suche an echten Bildern
#
# Alle vier kosten das 1,9- bis 2,5-Fache des Ausgangsnetzes: tiefer, breiter, schärfer (mehr Pixel), von allem etwas. Kurz trainiert, je ein Lauf.

# %% [markdown] lang="en"
# ## A small search on real pictures
#
# All four cost 1.9 to 2.5 times the network we begin with: deeper, wider, sharper (more pixels), some of each. Trained briefly, one run each.

# %%
pictures = sample(train=600, test=400)


def sized(some: torch.Tensor, side: int) -> torch.Tensor:
    return nn.functional.interpolate(some, size=side, mode="area")


designs = {
    "1x": (2, 8, 12),
    say(en="deeper", de="tiefer"): (4, 8, 12),
    say(en="wider", de="breiter"): (2, 12, 12),
    say(en="sharper", de="schärfer"): (2, 8, 17),
    say(en="some of each", de="von allem etwas"): (3, 8, 14),
}
found = {}
for name, (depth, width, side) in designs.items():
    torch.manual_seed(0)
    one = network(depth, width)
    descend(one, sized(pictures.pictures, side), pictures.labels, steps=pick(40, 500), rate=0.1)
    found[name] = (
        cost(one, (1, side, side)).macs,
        accuracy(one, sized(pictures.test_pictures, side), pictures.test_labels),
    )
    print(f"{name:<15} {grouped(found[name][0]):>9}  {number(100 * found[name][1], 1):>5} %")
best = max(list(found)[1:], key=lambda name: found[name][1])
luck = 100 * math.sqrt(found[best][1] * (1 - found[best][1]) / len(pictures.test_labels))
finding(
    en=f"Here «{best}» came out highest, {number(100 * (found[best][1] - found['1x'][1]), 1)} points above the beginning. One run on {len(pictures.test_labels)} pictures "
    f"has a standard error of {number(luck, 1)} points: a search worth its name needs more runs (`wiesel compare`).",
    de=f"Hier lag «{best}» vorn, {number(100 * (found[best][1] - found['1x'][1]), 1)} Punkte über dem Anfang. Ein Lauf auf {len(pictures.test_labels)} Bildern hat einen "
    f"Standardfehler von {number(luck, 1)} Punkten: Eine Suche, die den Namen verdient, braucht mehr Läufe (`wiesel compare`).",
)

# %% [markdown] lang="de"
# ## MBConv: was macht ihn billig, was teuer?
#
# Der Block von EfficientNet: eine 1x1 auf sechsmal so viele Kanäle, eine 3x3 für jeden Kanal allein (tiefenweise), eine 1x1 zurück.

# %% [markdown] lang="en"
# ## MBConv: what makes it cheap, what makes it dear?
#
# The block of EfficientNet: a 1x1 to six times as many channels, a 3x3 for each channel alone (depthwise), a 1x1 back.

# %%
channels = 32


def mbconv(expansion: int) -> nn.Sequential:
    inner = channels * expansion
    return nn.Sequential(
        nn.Conv2d(channels, inner, 1, bias=False),
        nn.Conv2d(inner, inner, 3, padding=1, groups=inner, bias=False),
        nn.Conv2d(inner, channels, 1, bias=False),
    )


separable = cost(
    nn.Sequential(
        nn.Conv2d(channels, channels, 3, padding=1, groups=channels, bias=False), nn.Conv2d(channels, channels, 1, bias=False)
    ),
    (channels, 14, 14),
)
ordinary = cost(nn.Sequential(nn.Conv2d(channels, channels, 3, padding=1, bias=False)), (channels, 14, 14))
expanded = {expansion: cost(mbconv(expansion), (channels, 14, 14)).macs for expansion in (1, 6)}
with torch.device("meta"):
    b0 = zoo.build("efficientnet_b0", classes=1000, channels=3, size=224)
kernels = sorted({layer.kernel_size[0] for layer in b0.modules() if isinstance(layer, nn.Conv2d) and layer.groups > 1})
activations = sorted({type(layer).__name__ for layer in b0.modules() if isinstance(layer, (nn.ReLU, nn.ReLU6, nn.SiLU))})
finding(
    en=f"Depthwise and 1x1 instead of an ordinary 3x3: {number(ordinary.macs / separable.macs, 1)} times fewer multiply-adds. The expansion by 6 makes the block dearer again, "
    f"{number(expanded[6] / expanded[1], 1)} times. B0's depthwise kernels are {kernels}, its activation is {', '.join(activations)}, not ReLU6.",
    de=f"Tiefenweise und 1x1 statt einer gewöhnlichen 3x3: {number(ordinary.macs / separable.macs, 1)}-mal weniger Multiplikationen. Die Erweiterung um 6 macht den Block wieder "
    f"teurer, {number(expanded[6] / expanded[1], 1)}-mal. Die tiefenweisen Kerne von B0 sind {kernels}, seine Aktivierung ist {', '.join(activations)}, nicht ReLU6.",
)

# %% [markdown] lang="de"
# ## Die Tabelle des Lehrtexts, nachgezählt
#
# Parameter und Multiplikationen werden an den Netzen gezählt, Genauigkeiten mit den Arbeiten verglichen. Gedruckt wird, was nicht
# stimmt: links die Zahl des Lehrtexts, rechts die richtige. Ganz: `wiesel inspect --table chapter`.

# %% [markdown] lang="en"
# ## The textbook's table, counted again
#
# Parameters and multiply-adds are counted on the networks, accuracies compared with the papers. Printed is what is not
# right: on the left the textbook's number, on the right the right one. In full: `wiesel inspect --table chapter`.

# %%
claims = chapter.table()
wrong = [claim for claim in claims if not claim.right]
for claim in wrong:
    told, counted = (text.replace(".", say(en=".", de=",")) for text in (claim.chapter, f"{claim.truth:.4g}"))
    print(f"{claim.network:<17} {claim.what:<22} {told:>6}  {counted}")
finding(
    en=f"{len(claims) - len(wrong)} of {len(claims)} numbers are right as printed.",
    de=f"{len(claims) - len(wrong)} von {len(claims)} Zahlen stimmen, wie sie gedruckt sind.",
)

# %% [markdown] lang="de"
# ## Aufgaben
#
# 1. Wie viel Arbeit kostet d = 2, w = 1,5, r = 1, gemessen am Ausgangsnetz?
# 2. Welches β ≥ 1 erfüllt mit α = γ = 1 die Bedingung genau?
# 3. Wie viele Gewichte (ohne Bias) hat die tiefenweise 3x3-Faltung auf 192 Kanälen?

# %% [markdown] lang="en"
# ## Exercises
#
# 1. How much work do d = 2, w = 1.5, r = 1 cost, relative to the network we begin with?
# 2. Which β ≥ 1 meets the condition exactly with α = γ = 1?
# 3. How many weights (without biases) has the depthwise 3x3 convolution on 192 channels?

# %%
answer_1 = answer_2 = answer_3 = None

answer("1", answer_1, 2 * 1.5**2)
answer("2", answer_2, math.sqrt(2))
answer("3", answer_3, 9 * 192)

# %% [markdown] lang="de"
# ## Was gelten muss

# %% [markdown] lang="en"
# ## What must hold

# %%
assert 1.9 < growth["depth"] < 2.2
assert 3.8 < growth["width"] <= 4
assert 3.9 < growth["resolution"] < 4.01
assert near_paper
assert len(claims) == 32
assert len(wrong) == 10
assert kernels == [3, 5]
assert activations == ["SiLU"]
assert expanded[6] > 5 * expanded[1]
assert all(1.6 < found[name][0] / found["1x"][0] < 2.6 for name in list(found)[1:])
assert 2.9 < math.log2(zoo.find("efficientnet_b3").macs / zoo.find("efficientnet_b0").macs) + 1 < 3.5
