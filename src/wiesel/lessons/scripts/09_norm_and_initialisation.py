# lesson 09

# %% [markdown] lang="de"
# # Batch-Norm und Anfangsgewichte
#
# **Ziel.** Du verfolgst die Grösse des Signals durch 20 Schichten, vorwärts und rückwärts, für vier Arten zu beginnen, und siehst, was
# Batch-Norm daran ändert und was sie kostet.

# %% [markdown] lang="en"
# # Batch norm and initial weights
#
# **Goal.** You follow the size of the signal through 20 layers, forwards and backwards, for four ways to begin, and see what batch norm
# changes about it and what it costs.

# %%
import matplotlib.pyplot as plt
import torch
from torch import nn

from wiesel import teaching, zoo
from wiesel.language import number, say
from wiesel.lessons.experiment import descend, sample
from wiesel.lessons.reader import answer, compare, finding, pick, prediction, scientific, short, show

pictures, small = sample(shrink=2), sample(shrink=4)

# %% [markdown] lang="de"
# ## Zuerst deine Vorhersage
#
# Eine 3x3-Faltung mit 16 Kanälen hinein addiert 144 Produkte. Die Eingaben haben die Streuung (Standardabweichung) 1, die Gewichte N(0; 0,01²).

# %% [markdown] lang="en"
# ## First your prediction
#
# A 3x3 convolution with 16 channels in adds up 144 products. The inputs have (standard) deviation 1, the weights are N(0, 0.01²).

# %%
guess = prediction(None, en="Which deviation has the output of one layer?", de="Welche Streuung hat die Ausgabe einer Schicht?")

# %%
torch.manual_seed(0)
weights = torch.randn(64, 16, 3, 3) * 0.01
spread = float(nn.functional.conv2d(torch.randn(8, 16, 14, 14), weights).std())
rule = 0.01 * 144**0.5
finding(
    en=f"Measured {number(spread, 3)}; the rule σ·√n says {number(rule, 3)}. To keep 1 through a ReLU, which halves the mean square, the weights "
    f"need the deviation √(2/144) = {number((2 / 144) ** 0.5, 3)}: that is He's rule.",
    de=f"Gemessen {number(spread, 3)}; die Regel σ·√n sagt {number(rule, 3)}. Damit das Signal trotz ReLU, das sein mittleres Quadrat halbiert, bei 1 "
    f"bleibt, brauchen die Gewichte die Streuung √(2/144) = {number((2 / 144) ** 0.5, 3)}: Das ist die Regel von He.",
)
compare(guess, spread, 3)

# %% [markdown] lang="de"
# ## Durch 20 Schichten
#
# Ein schlichtes Netz ohne Norm und ohne Abkürzungen (Shortcuts), echte Bilder, und nach jeder Faltung: Streuung der Ausgabe und Grösse ihres Gradienten. He
# nimmt die Varianz $2/n$, mit $n$ = Kernfläche mal Kanäle hinein (oder hinaus, für den Rückweg); Xavier nimmt $2/(n_{ein} + n_{aus})$.

# %% [markdown] lang="en"
# ## Through 20 layers
#
# A plain network without norms and shortcuts, real pictures, and after each convolution: deviation of its output and size of its gradient.
# He takes the variance $2/n$, with $n$ = area of the kernel times channels in (or out, for the way back); Xavier takes $2/(n_{in} + n_{out})$.


# %%
def profile(name: str) -> tuple[list[float], list[float]]:
    """After each convolution, from front to back: deviation of the output, norm of the loss's gradient there."""
    torch.manual_seed(0)
    network = zoo.build(name, classes=10, channels=1, size=14)
    kept = []
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d):
            layer.register_forward_hook(lambda _layer, _inputs, output: (output.retain_grad(), kept.append(output))[0])
    nn.functional.cross_entropy(network(pictures.pictures[:32]), pictures.labels[:32]).backward()
    return [float(output.detach().std()) for output in kept], [float(output.grad.norm()) for output in kept]


ways = {
    say(en="N(0, 0.01²)", de="N(0; 0,01²)"): ",norm=off,init=normal:0.01",
    "Xavier": ",norm=off,init=xavier",
    "He": ",norm=off,init=he",
    say(en="batch norm", de="Batch-Norm"): ",init=normal:0.01",
}
profiles = {way: profile(f"plain20:width=0.5{changes}") for way, changes in ways.items()}
figure, axes = plt.subplots(1, 2, figsize=(9, 3.4))
for (way, sizes), style in zip(profiles.items(), ("o-", "s--", "^-.", "d:"), strict=True):
    for axis, size in zip(axes, sizes, strict=True):
        axis.semilogy(range(1, len(size) + 1), [value or float("nan") for value in size], style, label=way, markersize=3)
axes[0].set(title=say(en="deviation of the output", de="Streuung der Ausgabe"), xlabel=say(en="convolution", de="Faltung"))
axes[1].set(title=say(en="norm of the gradient", de="Norm des Gradienten"), xlabel=say(en="convolution", de="Faltung"))
axes[0].legend(fontsize=8)
figure.tight_layout()
change = {way: sizes[0][-1] / sizes[0][0] for way, sizes in profiles.items()}
names = list(ways)
show(
    figure,
    en=f"with small weights the signal falls to {scientific(change[names[0]])} of its size, with He's only to {number(change[names[2]], 2)}",
    de=f"mit kleinen Gewichten fällt das Signal auf {scientific(change[names[0]])} seiner Grösse, nach He nur auf {number(change[names[2]], 2)}",
)
finding(
    en=f"From the first to the last convolution the signal changes by a factor of {scientific(change[names[0]])} (N(0, 0.01²)), "
    f"{scientific(change[names[1]])} (Xavier), {scientific(change[names[2]])} (He), {scientific(change[names[3]])} (N(0, 0.01²) with batch norm). "
    "Xavier is made for odd functions such as tanh: with ReLU it loses a part in every layer.",
    de=f"Von der ersten zur letzten Faltung ändert sich das Signal um den Faktor {scientific(change[names[0]])} (N(0; 0,01²)), "
    f"{scientific(change[names[1]])} (Xavier), {scientific(change[names[2]])} (He), {scientific(change[names[3]])} (N(0; 0,01²) mit Batch-Norm). "
    "Xavier ist für ungerade Funktionen wie tanh gemacht: Mit ReLU verliert es in jeder Schicht einen Teil.",
)

# %% [markdown] lang="de"
# Alle Mittel auf einem Blatt, bei 20 und 56 Schichten (nur in der langen Form, es dauert eine Minute):

# %% [markdown] lang="en"
# All cures on one sheet, at 20 and 56 layers (in the long form only, it takes a minute):

# %%
if not short():
    show(teaching.gradient_flow_figure())

# %% [markdown] lang="de"
# ## Beschleunigt das das Lernen?
#
# Ohne Norm ist die Lernrate kleiner (0,02 statt 0,1), damit nichts auseinanderläuft, und die kurze Form macht nur 50 Schritte: Ein gesundes Signal
# am Anfang ist noch kein schnelles Lernen. `WIESEL_LESSON=full` macht 300.

# %% [markdown] lang="en"
# ## Does it speed up learning?
#
# Without a norm the rate is lower (0.02 instead of 0.1), so that nothing diverges, and the short form takes 50 steps only: a healthy signal at the
# start is not yet fast learning. `WIESEL_LESSON=full` takes 300.

# %%
steps = pick(50, 300)
ends = {}
for way, changes in ways.items():
    torch.manual_seed(0)
    network = zoo.build(f"plain20:width=0.5{changes}", classes=10, channels=1, size=8)
    losses = descend(network, small.pictures, small.labels, steps=steps, rate=0.1 if "norm=off" not in changes else 0.02)
    ends[way] = sum(losses[-5:]) / 5
    print(f"{way:<12} {number(losses[0], 3)} -> {number(ends[way], 3)}")
finding(
    en=f"After {steps} steps: {number(ends[names[0]], 2)} with small weights (ln 10 = 2.30 is guessing), {number(ends[names[2]], 2)} with He's, "
    f"{number(ends[names[3]], 2)} with batch norm, although that one began with the small weights.",
    de=f"Nach {steps} Schritten: {number(ends[names[0]], 2)} mit kleinen Gewichten (ln 10 = 2,30 ist Raten), {number(ends[names[2]], 2)} nach He, "
    f"{number(ends[names[3]], 2)} mit Batch-Norm, obwohl diese mit den kleinen Gewichten begann.",
)

# %% [markdown] lang="de"
# ## Was Batch-Norm kostet
#
# Im Training hängt die Ausgabe eines Bildes von den anderen im Stapel ab; in der Auswertung nicht. Und ein Bias vor ihr bewirkt nichts.

# %% [markdown] lang="en"
# ## What batch norm costs
#
# In training, the output of a picture depends on the others in its batch; in evaluation it does not. And a bias before it does nothing.

# %%
torch.manual_seed(0)
layers = nn.Sequential(nn.Conv2d(1, 8, 3), nn.BatchNorm2d(8))
one, others, rest = pictures.pictures[:1], pictures.pictures[1:8], pictures.pictures[100:107]
with torch.no_grad():
    layers.train()
    depends = float((layers(torch.cat([one, others]))[0] - layers(torch.cat([one, rest]))[0]).abs().max())
    layers.eval()
    fixed = float((layers(torch.cat([one, others]))[0] - layers(torch.cat([one, rest]))[0]).abs().max())
layers.train()
loss = nn.functional.cross_entropy(layers(pictures.pictures[:32]).mean((2, 3)), pictures.labels[:32] % 8)
layers.zero_grad()
loss.backward()
of_bias = float(layers[0].bias.grad.abs().max())
finding(
    en=f"Other neighbours move the output by up to {number(depends, 3)} in training and by {scientific(fixed)} in evaluation. The gradient of the bias "
    f"before the norm is {scientific(of_bias)}: the norm subtracts it again.",
    de=f"Andere Nachbarn verschieben die Ausgabe im Training um bis zu {number(depends, 3)}, in der Auswertung um {scientific(fixed)}. Der Gradient des "
    f"Bias vor der Norm ist {scientific(of_bias)}: Die Norm zieht ihn wieder ab.",
)

# %% [markdown] lang="de"
# ## Aufgaben
#
# 1. Wie viele lernbare Zahlen hat eine Batch-Norm auf 64 Kanälen?
# 2. Welche Varianz gibt He einer 3x3-Faltung mit 64 Kanälen hinaus (Zählung nach Ausgängen)?
# 3. Welche Varianz gibt Xavier bei 100 Eingängen und 50 Ausgängen?

# %% [markdown] lang="en"
# ## Exercises
#
# 1. How many learnable numbers has a batch norm over 64 channels?
# 2. Which variance does He give a 3x3 convolution with 64 channels out (counting by outputs)?
# 3. Which variance does Xavier give for 100 inputs and 50 outputs?

# %%
answer_1 = answer_2 = answer_3 = None

answer("1", answer_1, sum(parameter.numel() for parameter in nn.BatchNorm2d(64).parameters()))
answer("2", answer_2, 2 / (9 * 64))
answer("3", answer_3, 2 / 150)

# %% [markdown] lang="de"
# ## Was gelten muss

# %% [markdown] lang="en"
# ## What must hold

# %%
assert abs(spread / rule - 1) < 0.05
assert change[names[0]] < 1e-10
assert change[names[0]] < change[names[1]] < change[names[2]]
assert 0.05 < change[names[2]] < 20
assert abs(ends[names[0]] - 2.303) < 0.05
assert ends[names[3]] < ends[names[0]]
assert fixed < 1e-5 < depends
assert of_bias < 1e-6
