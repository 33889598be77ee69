# lesson 07

# %% [markdown] lang="de"
# # Warum Tiefe schadete
#
# **Ziel.** Du trennst zwei Dinge, die oft in einen Topf geworfen werden: den **verschwindenden Gradienten** (das Signal kommt vorne nicht an) und
# die **Degradation** (das Signal kommt an, und trotzdem lernt das tiefere Netz schlechter, auch auf den Trainingsbildern).

# %% [markdown] lang="en"
# # Why depth hurt
#
# **Goal.** You separate two things that are often thrown together: the **vanishing gradient** (the signal does not arrive at the front) and
# **degradation** (the signal arrives, and yet the deeper network learns less well, on the training pictures too).

# %%
import torch
from torch import nn

from wiesel import zoo
from wiesel.language import number, say
from wiesel.lessons.experiment import descend, sample
from wiesel.lessons.reader import answer, compare, finding, pick, prediction, scientific

pictures = sample(shrink=2)

# %% [markdown] lang="de"
# ## Zuerst deine Vorhersage
#
# Eine Sigmoidfunktion hat überall eine Steigung von höchstens 1/4. Zehn davon hintereinander (die Gewichte alle 1):

# %% [markdown] lang="en"
# ## First your prediction
#
# A sigmoid has a slope of at most 1/4 everywhere. Ten of them in a row (all weights 1):

# %%
guess = prediction(
    None,
    en="At most which part of the gradient is left, as 1 divided by how much?",
    de="Welcher Teil des Gradienten bleibt höchstens, als 1 geteilt durch wie viel?",
)

# %% [markdown] lang="de"
# ## Der Gradient verschwindet

# %% [markdown] lang="en"
# ## The gradient vanishes

# %%
values = torch.linspace(-6, 6, 1001, requires_grad=True)
torch.sigmoid(values).sum().backward()
steepest = float(values.grad.max())
start = torch.zeros(1, requires_grad=True)
signal = start
for _ in range(10):
    signal = torch.sigmoid(signal)
signal.backward()
left = float(start.grad)
finding(
    en=f"The steepest slope is {number(steepest, 3)}. Ten in a row leave at most {scientific(steepest**10)}, and in fact {scientific(left)}, "
    "for no two of them can be at their steepest at once.",
    de=f"Die grösste Steigung ist {number(steepest, 3)}. Zehn hintereinander lassen höchstens {scientific(steepest**10)}, tatsächlich "
    f"{scientific(left)}, denn keine zwei davon können zugleich an ihrer steilsten Stelle sein.",
)
compare(guess, 1 / steepest**10, 0)

# %% [markdown] lang="de"
# Jetzt in Netzen mit 20 und 56 Schichten. Gemessen wird, wie viel vom Gradienten hinter dem letzten Block vor dem ersten ankommt: mit Sigmoid, mit ReLU
# und sehr kleinen Anfangsgewichten, mit ReLU und den Anfangsgewichten nach He, mit ReLU und Batch-Norm (beide erklärt Lektion 9).

# %% [markdown] lang="en"
# Now in networks of 20 and 56 layers. Measured is how much of the gradient behind the last block arrives before the first: with sigmoids, with ReLU and
# very small initial weights, with ReLU and He's initial weights, with ReLU and batch norm (lesson 9 explains both).


# %%
def arriving(name: str) -> float:
    torch.manual_seed(0)
    network = zoo.build(name, classes=10, channels=1, size=14)
    kept = []
    for part in (network.features.stem, network.features.stage3):
        part.register_forward_hook(lambda _layer, _inputs, output: (output.retain_grad(), kept.append(output))[0])
    nn.functional.cross_entropy(network(pictures.pictures[:32]), pictures.labels[:32]).backward()
    entrance, leaving = (output.grad.norm() for output in kept)
    return float(entrance / leaving) if float(leaving) else 0.0


half = "width=0.5"
small_weights, he = say(en="relu, small weights", de="relu, kleine Gewichte"), "relu, He"
batch_norm = say(en="relu, batch norm", de="relu, Batch-Norm")
flow = {
    (depth, kind): arriving(f"plain{depth}:{half}{changes}")
    for depth in (20, 56)
    for kind, changes in {
        "sigmoid": ",norm=off,activation=sigmoid",
        small_weights: ",norm=off,init=normal:0.01",
        he: ",norm=off,init=he",
        batch_norm: "",
    }.items()
}
for (depth, kind), value in flow.items():
    print(f"{depth} {kind:<22} {scientific(value)}")
per_layer = {kind: flow[56, kind] ** (1 / 54) for kind in (he, batch_norm)}
finding(
    en=f"At 56 layers {scientific(flow[56, 'sigmoid'])} is left with sigmoids and {scientific(flow[56, small_weights])} with small weights (a 0 is "
    f"smaller than a float32 can be). With He's weights it is {scientific(flow[56, he])}, a factor of {number(per_layer[he], 2)} per layer. With "
    f"batch norm nothing vanishes: at the start the gradient even grows, {number(per_layer[batch_norm], 2)} times per layer.",
    de=f"Bei 56 Schichten bleibt mit Sigmoid {scientific(flow[56, 'sigmoid'])}, mit kleinen Gewichten {scientific(flow[56, small_weights])} (0 heisst: "
    f"kleiner als die kleinste Zahl von float32). Nach He ist es {scientific(flow[56, he])}, ein Faktor von {number(per_layer[he], 2)} je Schicht. Mit "
    f"Batch-Norm verschwindet nichts: Am Anfang wächst der Gradient sogar, auf das {number(per_layer[batch_norm], 2)}-Fache je Schicht.",
)

# %% [markdown] lang="de"
# ## Und trotzdem: Degradation
#
# Dieselben schlichten Netze mit Batch-Norm, ohne verschwindenden Gradienten. Verglichen wird der Verlust auf den **Trainingsbildern**: Ist er beim
# tieferen Netz höher, so ist es keine Überanpassung. Daneben das tiefe Netz mit Abkürzungen (Shortcuts).

# %% [markdown] lang="en"
# ## And yet: degradation
#
# The same plain networks with batch norm, without a vanishing gradient. Compared is the loss on the **training pictures**: if it is higher for the
# deeper network, that is no overfitting. Beside them the deep network with shortcuts.

# %%
small = sample(shrink=4)  # 7x7 pixels: depth is the question here, not detail
steps = pick(60, 600)
ends = {}
for name in ("plain20", "plain56", "resnet56"):
    torch.manual_seed(0)
    network = zoo.build(f"{name}:{half}", classes=10, channels=1, size=8)
    losses = descend(network, small.pictures, small.labels, steps=steps, rate=0.1)
    ends[name] = sum(losses[-5:]) / 5
    print(f"{name:>9}  {number(losses[0], 2)} -> {number(ends[name], 2)}")
finding(
    en=f"After {steps} steps the training loss is {number(ends['plain20'], 2)} with 20 plain layers, {number(ends['plain56'], 2)} with 56, and "
    f"{number(ends['resnet56'], 2)} with 56 and shortcuts. The deeper plain network could imitate the shallower one, by identities in 36 layers; "
    "descent does not find them.",
    de=f"Nach {steps} Schritten ist der Trainingsverlust {number(ends['plain20'], 2)} bei 20 schlichten Schichten, {number(ends['plain56'], 2)} bei 56 und "
    f"{number(ends['resnet56'], 2)} bei 56 mit Abkürzungen. Das tiefere schlichte Netz könnte das flachere nachahmen, mit Identitäten in 36 "
    "Schichten; der Abstieg findet sie nicht.",
)

# %% [markdown] lang="de"
# ## Aufgaben
#
# 1. Was bleibt höchstens nach drei Sigmoidfunktionen?
# 2. Welches Wort passt: Der Trainingsfehler des tieferen Netzes ist höher, seine Gradienten sind gesund. `"degradation"`, `"overfitting"` oder
#    `"vanishing"`?
# 3. Welche Steigung hat ReLU, wo sie nicht null ist?

# %% [markdown] lang="en"
# ## Exercises
#
# 1. What is left at most after three sigmoids?
# 2. Which word fits: the training error of the deeper network is higher, its gradients are healthy. `"degradation"`, `"overfitting"` or
#    `"vanishing"`?
# 3. Which slope has ReLU where it is not zero?

# %%
answer_1 = answer_2 = answer_3 = None

answer("1", answer_1, 0.25**3)
answer("2", answer_2, "degradation")
answer("3", answer_3, 1)

# %% [markdown] lang="de"
# ## Was gelten muss

# %% [markdown] lang="en"
# ## What must hold

# %%
assert abs(steepest - 0.25) < 1e-4
assert left < steepest**10
assert flow[56, "sigmoid"] < 1e-6
assert flow[56, small_weights] < 1e-6
assert flow[56, batch_norm] > 1
assert 0.8 < per_layer[he] < 1.1
assert ends["plain56"] > ends["plain20"] + 0.5
assert ends["resnet56"] < ends["plain56"] - 0.5
