# lesson 05

# %% [markdown] lang="de"
# # LeNet aus eigenen Teilen
#
# **Ziel.** Ein Netz, das Ziffern liest, aus einer Faltung und einem Pooling, die du Zeile für Zeile lesen kannst: `wiesel.scratch` ruft keine
# fertige Faltung auf. Am Ende weisst du, dass darin nichts verborgen ist, und was es an Zeit kostet.

# %% [markdown] lang="en"
# # LeNet from parts of our own
#
# **Goal.** A network that reads digits, out of a convolution and a pooling that you can read line by line: `wiesel.scratch` calls no
# ready-made convolution. At the end you know that nothing is hidden in it, and what it costs in time.

# %%
import time

import matplotlib.pyplot as plt
import torch
from torch import nn

from wiesel import scratch
from wiesel.language import number, say
from wiesel.lessons.experiment import accuracy, descend, sample
from wiesel.lessons.reader import answer, compare, finding, pick, prediction, scientific, show

# %% [markdown] lang="de"
# ## Zuerst deine Vorhersage
#
# Die Ziffern haben 8x8 Pixel. Das Netz sieht jede von 1200 Ziffern etwa siebenmal, in der langen Form 37-mal.

# %% [markdown] lang="en"
# ## First your prediction
#
# The digits have 8x8 pixels. The network sees each of 1200 digits about seven times, in the long form 37 times.

# %%
guess = prediction(
    None,
    en="What share of 500 digits that it has never seen will it read rightly, in %?",
    de="Welchen Anteil von 500 nie gesehenen Ziffern liest es richtig, in %?",
)

# %% [markdown] lang="de"
# ## Die Teile
#
# Das Beispiel des Lehrtexts: die Zahlen 1 bis 36 als Bild von 6x6, eine Faltung mit zwei Filtern, ein Pooling.

# %% [markdown] lang="en"
# ## The parts
#
# The textbook's example: the numbers 1 to 36 as a picture of 6x6, a convolution with two filters, a pooling.

# %%
torch.manual_seed(0)
numbers = torch.arange(1.0, 37.0).reshape(1, 1, 6, 6)
convolution = scratch.SimpleConv2d(in_channels=1, out_channels=2, kernel_size=3, padding=1)
pooling = scratch.SimpleMaxPool2d(kernel_size=2)
convolved, pooled = convolution(numbers), pooling(numbers)
print(numbers.shape, convolved.shape, pooled.shape)
print(pooled[0, 0])
figure, axes = plt.subplots(1, 3, figsize=(9, 3.2))
names = [
    say(en="input", de="Eingabe"),
    say(en="first filter", de="erster Filter"),
    say(en="pooling of the input", de="Pooling der Eingabe"),
]
for axis, name, values in zip(axes, names, (numbers, convolved, pooled), strict=True):
    axis.imshow(values[0, 0].detach().numpy(), cmap="cividis")
    axis.set_title(f"{name}, {values.shape[2]}x{values.shape[3]}")
    axis.axis("off")
show(
    figure,
    en=f"the numbers 1 to 36, what the first filter makes of them, and the largest of each 2x2, up to {number(pooled.max().item(), 0)}",
    de=f"die Zahlen 1 bis 36, was der erste Filter daraus macht, und die grösste aus je 2x2, bis {number(pooled.max().item(), 0)}",
)

twin = nn.Conv2d(1, 2, 3, padding=1)
twin.load_state_dict(convolution.state_dict())
apart = float((twin(numbers) - convolved).abs().max().detach())
finding(
    en=f"With the same weights, torch's convolution gives the same numbers: the largest difference is {scientific(apart)}.",
    de=f"Mit denselben Gewichten gibt die Faltung von torch dieselben Zahlen: Die grösste Abweichung ist {scientific(apart)}.",
)

# %% [markdown] lang="de"
# Vier Wege zu demselben Ergebnis: die Definition als Schleife, ein Matrixprodukt (im2col), ein Produkt von Spektren (FFT) und
# Winograd (mehr Additionen, weniger Produkte).

# %% [markdown] lang="en"
# Four ways to one result: the definition as a loop, one matrix product (im2col), a product of spectra (FFT), and Winograd
# (more additions, fewer products).

# %%
picture = sample("digits", 1200, 500).pictures[:1]
seconds, results = {}, {}
for algorithm in ("loops", "im2col", "fft", "winograd"):
    layer = scratch.Conv2d(1, 4, 3, padding=1, algorithm=algorithm, generator=torch.Generator().manual_seed(1))
    times = []
    for _ in range(3):
        start = time.perf_counter()
        results[algorithm] = layer(picture).detach()
        times.append(time.perf_counter() - start)
    seconds[algorithm] = min(times)
    print(f"{algorithm:>9}  {number(1000 * seconds[algorithm], 3):>8} ms")
spread = max(float((result - results["loops"]).abs().max()) for result in results.values())
finding(
    en=f"All four agree to {scientific(spread)}. On this machine the loop took {number(seconds['loops'] / seconds['im2col'], 0)} times as long as im2col.",
    de=f"Alle vier stimmen auf {scientific(spread)} überein. Auf diesem Rechner brauchte die Schleife {number(seconds['loops'] / seconds['im2col'], 0)}-mal so "
    "lange wie im2col.",
)

# %% [markdown] lang="de"
# ## Das Netz
#
# LeNet für 8x8 Pixel: zwei Faltungen, zwei Poolings, zwei vollständig verbundene Schichten. Nur `nn.Linear` und `nn.ReLU` kommen von torch.

# %% [markdown] lang="en"
# ## The network
#
# LeNet for 8x8 pixels: two convolutions, two poolings, two fully connected layers. Only `nn.Linear` and `nn.ReLU` come from torch.


# %%
def lenet(parts) -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(
        parts.Conv2d(1, 6, 3, padding=1),
        nn.ReLU(),
        parts.MaxPool2d(2),
        parts.Conv2d(6, 16, 3, padding=1),
        nn.ReLU(),
        parts.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(16 * 2 * 2, 48),
        nn.ReLU(),
        nn.Linear(48, 10),
    )


digits = sample("digits", 1200, 500)
steps = pick(180, 900)
ours, theirs = lenet(scratch), lenet(nn)
start = time.perf_counter()
losses = descend(ours, digits.pictures, digits.labels, steps=steps)
took = time.perf_counter() - start
their_losses = descend(theirs, digits.pictures, digits.labels, steps=steps)
right = accuracy(ours, digits.test_pictures, digits.test_labels)
first_step = abs(losses[0] - their_losses[0])
finding(
    en=f"{steps} steps, {number(took, 1)} s: the loss fell from {number(losses[0], 2)} to {number(losses[-1], 2)}; {number(100 * right, 1)} % of "
    f"{len(digits.test_labels)} unseen digits are right. With torch's layers the first loss differs by {scientific(first_step)}.",
    de=f"{steps} Schritte, {number(took, 1)} s: Der Verlust fiel von {number(losses[0], 2)} auf {number(losses[-1], 2)}; {number(100 * right, 1)} % "
    f"von {len(digits.test_labels)} nie gesehenen Ziffern sind richtig. Mit den Schichten von torch weicht der erste Verlust um {scientific(first_step)} ab.",
)
compare(guess, 100 * right, 1)

# %% [markdown] lang="de"
# ## Aufgaben
#
# 1. Der Verlust ist die Kreuzentropie, $-\ln p$ der wahren Klasse. Wie gross ist er, wenn das Netz noch rät (zehn Klassen)?
# 2. Was gibt `SimpleMaxPool2d(2)` links oben für das Bild der Zahlen 1 bis 36 aus?
# 3. Wie viele Parameter hat das Netz?

# %% [markdown] lang="en"
# ## Exercises
#
# 1. The loss is the cross-entropy, $-\ln p$ of the true class. How large is it while the network still guesses (ten classes)?
# 2. What does `SimpleMaxPool2d(2)` give at the top left for the picture of the numbers 1 to 36?
# 3. How many parameters has the network?

# %%
answer_1 = answer_2 = answer_3 = None

answer("1", answer_1, lambda loss: abs(loss - torch.log(torch.tensor(10.0)).item()) < 0.05)
answer("2", answer_2, pooled[0, 0, 0, 0].item())
answer("3", answer_3, sum(parameter.numel() for parameter in ours.parameters()))

# %% [markdown] lang="de"
# ## Was gelten muss

# %% [markdown] lang="en"
# ## What must hold

# %%
assert (tuple(numbers.shape), tuple(convolved.shape), tuple(pooled.shape)) == ((1, 1, 6, 6), (1, 2, 6, 6), (1, 1, 3, 3))
assert apart < 1e-5
assert spread < 1e-5
assert first_step < 1e-4
assert abs(losses[0] - 2.303) < 0.2
assert right > 0.85
