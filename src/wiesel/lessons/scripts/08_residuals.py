# lesson 08

# %% [markdown] lang="de"
# # Residuen: der Eingang geht am Block vorbei
#
# **Ziel.** Du siehst an einem Netz, das läuft, was die Addition `out + shortcut(x)` ändert: am Anfang, im Gradienten und nach einigen
# Schritten Training. Und du zählst, ob sie wirklich keine Parameter kostet.

# %% [markdown] lang="en"
# # Residuals: the input goes past the block
#
# **Goal.** You see on a network that runs what the addition `out + shortcut(x)` changes: at the start, in the gradient, and after some
# steps of training. And you count whether it really costs no parameters.

# %%
import torch
from torch import nn

from wiesel import teaching, zoo
from wiesel.analysis import cost, recording, stages
from wiesel.language import grouped, number
from wiesel.lessons.experiment import accuracy, descend, sample
from wiesel.lessons.reader import answer, compare, finding, pick, prediction, scientific, show

pictures, small = sample(shrink=2), sample(shrink=4)  # 14x14 and 7x7 pixels: less work

# %% [markdown] lang="de"
# ## Zuerst deine Vorhersage
#
# ResNet-18 mit 1000 Klassen für Farbbilder; daneben dasselbe Netz ohne Abkürzungen (Shortcuts).

# %% [markdown] lang="en"
# ## First your prediction
#
# ResNet-18 with 1000 classes for colour pictures; beside it the same network without shortcuts.

# %%
guess = prediction(
    None,
    en="How many parameters does ResNet-18 have more than its plain twin?",
    de="Wie viele Parameter hat ResNet-18 mehr als sein schlichter Zwilling?",
)

# %% [markdown] lang="de"
# ## Was die Abkürzungen kosten

# %% [markdown] lang="en"
# ## What the shortcuts cost

# %%
with torch.device("meta"):
    residual = cost(zoo.build("resnet18", classes=1000, channels=3, size=224), (3, 224, 224))
    plain = cost(zoo.build("plain18", classes=1000, channels=3, size=224), (3, 224, 224))
    found = [
        block
        for stage in stages(zoo.build("resnet18", classes=1000, channels=3, size=224), (3, 224, 224))
        for block in stage.blocks
    ]
extra = residual.parameters - plain.parameters
kinds = {kind: sum(block.skip == kind for block in found) for kind in ("identity", "projection")}
finding(
    en=f"{kinds['identity']} of {len(found)} shortcuts are the input itself and cost nothing; {kinds['projection']} change the number of channels "
    f"and are 1x1 convolutions with a norm: {grouped(extra)} parameters more ({number(100 * extra / plain.parameters, 1)} %), "
    f"{number(100 * (residual.macs / plain.macs - 1), 1)} % more multiply-adds. So «no additional parameters» holds for identities only.",
    de=f"{kinds['identity']} von {len(found)} Abkürzungen sind der Eingang selbst und kosten nichts; {kinds['projection']} ändern die Zahl der "
    f"Kanäle und sind 1x1-Faltungen mit Norm: {grouped(extra)} Parameter mehr ({number(100 * extra / plain.parameters, 1)} %), "
    f"{number(100 * (residual.macs / plain.macs - 1), 1)} % mehr Multiplikationen. «Keine zusätzlichen Parameter» gilt also nur für Identitäten.",
)
compare(guess, extra, 0)

# %% [markdown] lang="de"
# Und woher kommen die Zahlen in den Namen? Gezählt werden Schichten mit Gewichten auf dem Weg durch die Blöcke, also ohne die Projektionen.

# %% [markdown] lang="en"
# And where do the numbers in the names come from? Counted are layers with weights on the way through the blocks, so without the projections.


# %%
def deep(name: str) -> int:
    with torch.device("meta"):
        layers = zoo.build(name, classes=1000, channels=3, size=224).named_modules()
    return sum(isinstance(layer, (nn.Conv2d, nn.Linear)) and "shortcut" not in name for name, layer in layers)


depth = {"resnet18": 1 + 2 * sum([2, 2, 2, 2]) + 1, "resnet50": 1 + 3 * sum([3, 4, 6, 3]) + 1}
finding(
    en=f"ResNet-18: 1 + 2·(2 + 2 + 2 + 2) + 1 = {depth['resnet18']}, counted {deep('resnet18')}. ResNet-50, with three convolutions a block: "
    f"1 + 3·(3 + 4 + 6 + 3) + 1 = {depth['resnet50']}, counted {deep('resnet50')}.",
    de=f"ResNet-18: 1 + 2·(2 + 2 + 2 + 2) + 1 = {depth['resnet18']}, gezählt {deep('resnet18')}. ResNet-50, mit drei Faltungen je Block: "
    f"1 + 3·(3 + 4 + 6 + 3) + 1 = {depth['resnet50']}, gezählt {deep('resnet50')}.",
)

# %% [markdown] lang="de"
# ## Am Anfang ist ein Residualblock die Identität
#
# Steht der Faktor γ der letzten Norm eines Blocks auf null, gibt der Block zuerst aus, was er bekommt (nach ReLU). Ein schlichter Block kann das nicht.

# %% [markdown] lang="en"
# ## At the start a residual block is the identity
#
# With the factor γ of a block's last norm at zero, the block first puts out what it gets (after ReLU). A plain block cannot.

# %%
torch.manual_seed(0)
network = zoo.build("resnet20", classes=10, channels=1, size=14)
torch.manual_seed(0)
twin = zoo.build("resnet20:residual=off", classes=10, channels=1, size=14)
moved = {}
for name, one in (("residual", network), ("plain", twin)):
    with recording(one, "features.stage1.block2", "features.stage1.block3") as recorded, torch.no_grad():
        one(pictures.pictures[:50])
    before, after = recorded["features.stage1.block2"], recorded["features.stage1.block3"]
    moved[name] = float((after - before).norm() / before.norm().clamp(min=1e-12))
finding(
    en=f"Relative to its input, the residual block changes it by {number(moved['residual'], 3)}, the plain one by {number(moved['plain'], 3)}.",
    de=f"Gemessen an seinem Eingang ändert der Residualblock diesen um {number(moved['residual'], 3)}, der schlichte um {number(moved['plain'], 3)}.",
)

# %% [markdown] lang="de"
# ## Der Gradient
#
# Wie viel vom Gradienten hinter dem letzten Block kommt vor dem ersten an? Ohne Norm und mit kleinen Anfangsgewichten, damit nichts
# anderes hilft.

# %% [markdown] lang="en"
# ## The gradient
#
# How much of the gradient behind the last block arrives before the first? Without norms and with small initial weights, so that nothing
# else helps.


# %%
def arriving(name: str) -> float:
    """Norm of the gradient at the blocks' entrance, divided by that at their exit."""
    torch.manual_seed(0)
    one = zoo.build(name, classes=10, channels=1, size=14)
    kept = []
    for part in (one.features.stem, one.features.stage3):
        part.register_forward_hook(lambda _layer, _inputs, output: (output.retain_grad(), kept.append(output))[0])
    nn.functional.cross_entropy(one(pictures.pictures[:50]), pictures.labels[:50]).backward()
    entrance, leaving = (output.grad.norm() for output in kept)
    return float(entrance / leaving)


flow = {name: arriving(f"{name}:norm=off,init=normal:0.01") for name in ("resnet20", "plain20")}
finding(
    en=f"Of the gradient behind the blocks, {scientific(flow['resnet20'])} times as much arrives in front with shortcuts, {scientific(flow['plain20'])} times "
    "without. The way past the blocks carries it.",
    de=f"Vom Gradienten hinter den Blöcken kommt vorne mit Abkürzungen das {scientific(flow['resnet20'])}-Fache an, ohne sie das {scientific(flow['plain20'])}-Fache. "
    "Der Weg an den Blöcken vorbei trägt ihn.",
)

# %% [markdown] lang="de"
# ## Und nach einigen Schritten?
#
# Ein Lauf je Netz zeigt, wie es gemeint ist; ob ein Unterschied echt ist, sagt erst `wiesel compare` mit mehreren Läufen.

# %% [markdown] lang="en"
# ## And after some steps?
#
# One run per network shows what is meant; whether a difference is real, only `wiesel compare` with several runs can say.

# %%
steps = pick(60, 600)
learned, trained = {}, {}
for name in ("resnet20", "plain20"):
    torch.manual_seed(0)
    one = zoo.build(name, classes=10, channels=1, size=8)
    losses = descend(one, small.pictures, small.labels, steps=steps, rate=0.1)
    trained[name] = one
    learned[name] = (losses[0], sum(losses[-4:]) / 4, accuracy(one, small.test_pictures, small.test_labels))
    print(f"{name:>9}  {number(losses[0], 2)} -> {number(learned[name][1], 2)}   {number(100 * learned[name][2], 1)} %")
finding(
    en=f"After {steps} steps the training loss is {number(learned['resnet20'][1], 2)} with shortcuts and {number(learned['plain20'][1], 2)} without, "
    "at 20 layers and with batch norm. One run each is no verdict, and at this depth the plain network still learns: lesson 7 goes deeper.",
    de=f"Nach {steps} Schritten ist der Trainingsverlust {number(learned['resnet20'][1], 2)} mit Abkürzungen und {number(learned['plain20'][1], 2)} ohne, "
    "bei 20 Schichten und mit Batch-Norm. Je ein Lauf ist kein Urteil, und so tief lernt auch das schlichte Netz noch: Lektion 7 geht tiefer.",
)

# %% [markdown] lang="de"
# ## Was die Blöcke ausgeben
#
# Stufe um Stufe, an einem Testbild, mit dem eben trainierten Netz; und die Namen, unter denen die neun Karten von ResNet-18 in anderen Texten stehen.

# %% [markdown] lang="en"
# ## What the blocks put out
#
# Stage by stage, on a test picture, with the network just trained; and the names under which the nine maps of ResNet-18 stand in other texts.

# %%
show(teaching.visualize_features(trained["resnet20"].eval(), small.test_pictures[0]))
large = teaching.feature_maps(zoo.build("resnet18", classes=10, channels=1, size=28), torch.zeros(1, 28, 28), names="torchvision")
numbers = {name: values.shape[1] * values.shape[2] * values.shape[3] for name, values in large.items()}
for name, values in large.items():
    print(f"{name:<9} {tuple(values.shape[1:])}")
finding(
    en=f"{len(large)} maps; from {next(iter(large))} to {list(large)[-1]} a picture goes from {grouped(numbers['conv1'])} numbers to {grouped(numbers['layer4_1'])}.",
    de=f"{len(large)} Karten; von {next(iter(large))} bis {list(large)[-1]} wird ein Bild von {grouped(numbers['conv1'])} Zahlen zu {grouped(numbers['layer4_1'])}.",
)

# %% [markdown] lang="de"
# ## Aufgaben
#
# 1. Wie viele Abkürzungen von ResNet-18 sind Projektionen?
# 2. Wie viele Schichten mit Gewichten hat ein Netz aus [3, 4, 23, 3] Flaschenhalsblöcken (ohne Projektionen)?
# 3. Ein Block gibt $x + F(x)$ aus, und die Ableitung von $F$ ist 0,01. Welche Ableitung hat der Block?

# %% [markdown] lang="en"
# ## Exercises
#
# 1. How many shortcuts of ResNet-18 are projections?
# 2. How many layers with weights has a network of [3, 4, 23, 3] bottleneck blocks (without projections)?
# 3. A block puts out $x + F(x)$, and the derivative of $F$ is 0.01. What is the derivative of the block?

# %%
answer_1 = answer_2 = answer_3 = None

answer("1", answer_1, kinds["projection"])
answer("2", answer_2, 1 + 3 * sum([3, 4, 23, 3]) + 1)
answer("3", answer_3, 1 + 0.01)

# %% [markdown] lang="de"
# ## Was gelten muss

# %% [markdown] lang="en"
# ## What must hold

# %%
assert residual.parameters == 11_689_512
assert extra == sum(64 * 2**i * 64 * 2 ** (i + 1) + 2 * 64 * 2 ** (i + 1) for i in range(3))
assert kinds == {"identity": 5, "projection": 3}
assert depth == {name: deep(name) for name in depth} == {"resnet18": 18, "resnet50": 50}
assert moved["residual"] < 1e-6 < moved["plain"]
assert flow["resnet20"] > 100 * flow["plain20"]
assert learned["resnet20"][1] < learned["resnet20"][0]
assert list(large) == ["conv1", *(f"layer{stage}_{block}" for stage in (1, 2, 3, 4) for block in (0, 1))]
