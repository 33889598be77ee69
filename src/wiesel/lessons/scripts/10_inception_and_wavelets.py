# lesson 10

# %% [markdown] lang="de"
# # Inception und Wavelets
#
# **Ziel.** Du zählst, was die 1x1-Faltungen im Inception-Modul sparen, und prüfst an Zahlen, wie weit der Vergleich mit Wavelets trägt.

# %% [markdown] lang="en"
# # Inception and wavelets
#
# **Goal.** You count what the 1x1 convolutions in the Inception module save, and check in numbers how far the comparison with wavelets goes.

# %%
import matplotlib.pyplot as plt
import numpy as np
import torch
from torch import nn

from wiesel import images, teaching, zoo
from wiesel.analysis import cost
from wiesel.language import grouped, number, say
from wiesel.lessons.experiment import descend, sample
from wiesel.lessons.reader import answer, compare, finding, pick, prediction, scientific, show
from wiesel.teaching.frequency import frequency_response

# %% [markdown] lang="de"
# ## Zuerst deine Vorhersage
#
# Ein Modul mit 192 Kanälen hinein: Zweige mit 1x1 (64), 3x3 (128) und 5x5 (32) und ein Pooling (32). Vor den grossen Kernen verringern
# 1x1-Faltungen die Kanäle auf 96 und 16.

# %% [markdown] lang="en"
# ## First your prediction
#
# A module with 192 channels in: branches with 1x1 (64), 3x3 (128), 5x5 (32) and a pooling (32). Before the large kernels, 1x1 convolutions
# reduce the channels to 96 and 16.

# %%
guess = prediction(
    None,
    en="How many times as many multiply-adds would it need without these reductions?",
    de="Wievielmal so viele Multiplikationen bräuchte es ohne diese Verringerungen?",
)


# %%
class Inception(nn.Module):
    """The module of GoogLeNet; `reduce` False leaves out the 1x1 convolutions before the large kernels."""

    def __init__(
        self, channels_in: int, one: int, to_three: int, three: int, to_five: int, five: int, pooled: int, reduce: bool = True
    ):
        super().__init__()
        self.one = nn.Conv2d(channels_in, one, 1)
        self.three = self._branch(channels_in, to_three, three, 3, reduce)
        self.five = self._branch(channels_in, to_five, five, 5, reduce)
        self.pooled = nn.Sequential(nn.MaxPool2d(3, 1, 1), nn.Conv2d(channels_in, pooled, 1))

    @staticmethod
    def _branch(channels_in: int, reduced: int, out: int, kernel: int, reduce: bool) -> nn.Sequential:
        if not reduce:
            return nn.Sequential(nn.Conv2d(channels_in, out, kernel, padding=kernel // 2))
        return nn.Sequential(nn.Conv2d(channels_in, reduced, 1), nn.ReLU(), nn.Conv2d(reduced, out, kernel, padding=kernel // 2))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.cat([torch.relu(branch(x)) for branch in (self.one, self.three, self.five, self.pooled)], 1)


torch.manual_seed(0)
plan = (64, 96, 128, 16, 32, 32)
shape = tuple(Inception(3, *plan)(torch.randn(1, 3, 28, 28)).shape)
reduced, full = (cost(Inception(192, *plan, reduce=way), (192, 28, 28)) for way in (True, False))
ratio = full.macs / reduced.macs
finding(
    en=f"From 3 channels of 28x28 it makes {shape}: 64 + 128 + 32 + 32 channels. With 192 channels in, the reductions bring {grouped(full.macs)} multiply-adds "
    f"down to {grouped(reduced.macs)}: {number(ratio, 1)} times fewer.",
    de=f"Aus 3 Kanälen von 28x28 macht es {shape}: 64 + 128 + 32 + 32 Kanäle. Bei 192 Kanälen hinein bringen die Verringerungen {grouped(full.macs)} "
    f"Multiplikationen auf {grouped(reduced.macs)}: {number(ratio, 1)}-mal weniger.",
)
compare(guess, ratio, 1)

# %% [markdown] lang="de"
# ## Faktorisieren
#
# Inception-v2 und -v3 ersetzen 5x5 durch zwei 3x3, und 3x3 durch 1x3 und 3x1.

# %% [markdown] lang="en"
# ## Factorising
#
# Inception-v2 and -v3 replace 5x5 by two 3x3, and 3x3 by 1x3 and 3x1.

# %%
c = 64


def weights(*kernels: tuple[int, int]) -> int:
    return sum(nn.Conv2d(c, c, kernel, bias=False).weight.numel() for kernel in kernels)


five_saved = 1 - weights((3, 3), (3, 3)) / weights((5, 5))
three_saved = 1 - weights((1, 3), (3, 1)) / weights((3, 3))
finding(
    en=f"Two 3x3 save {number(100 * five_saved, 0)} % of a 5x5, 1x3 and 3x1 save {number(100 * three_saved, 0)} % of a 3x3.",
    de=f"Zwei 3x3 sparen {number(100 * five_saved, 0)} % einer 5x5, 1x3 und 3x1 sparen {number(100 * three_saved, 0)} % einer 3x3.",
)

# %% [markdown] lang="de"
# ## Wavelets: Bänder, und nichts geht verloren
#
# Die Haar-Wavelets teilen ein Bild in Mittel und drei Arten Unterschiede, und das Mittel noch einmal ebenso. Jedes Band hat seinen Bereich an
# Frequenzen, und zusammen sind sie das Bild.

# %% [markdown] lang="en"
# ## Wavelets: bands, and nothing is lost
#
# Haar's wavelets split a picture into means and three kinds of differences, and the means again. Each band has its range of frequencies, and
# together they are the picture.


# %%
def haar(picture: np.ndarray) -> tuple[np.ndarray, list[np.ndarray]]:
    a, b, c, d = picture[::2, ::2], picture[::2, 1::2], picture[1::2, ::2], picture[1::2, 1::2]
    return (a + b + c + d) / 2, [(a - b + c - d) / 2, (a + b - c - d) / 2, (a - b - c + d) / 2]


def back(mean: np.ndarray, details: list[np.ndarray]) -> np.ndarray:
    h, v, d = details
    picture = np.zeros((2 * mean.shape[0], 2 * mean.shape[1]))
    picture[::2, ::2], picture[::2, 1::2] = (mean + h + v + d) / 2, (mean - h + v - d) / 2
    picture[1::2, ::2], picture[1::2, 1::2] = (mean + h - v - d) / 2, (mean - h - v + d) / 2
    return picture


trousers = images.load("fashion-mnist-sample").test.pixels[0, :, :, 0] / 255
fine_mean, fine = haar(trousers)
coarse_mean, coarse = haar(fine_mean)
rebuilt = back(back(coarse_mean, coarse), fine)
lost = float(np.abs(rebuilt - trousers).max())
energy = [float(sum((band**2).sum() for band in bands) / (trousers**2).sum()) for bands in (fine, coarse, [coarse_mean])]
figure, axes = plt.subplots(2, 4, figsize=(8, 4))
for axis, band, name in zip(axes[0], [trousers, *fine], ("", "|", "-", "x"), strict=True):
    axis.imshow(band, cmap="gray" if not name else "PuOr", vmin=0 if not name else -1, vmax=1)
    axis.set_title(f"14 px {name}" if name else say(en="picture", de="Bild"), fontsize=8)
for axis, band, name in zip(axes[1], [coarse_mean / 4, *coarse], ("", "|", "-", "x"), strict=True):
    axis.imshow(band, cmap="gray" if not name else "PuOr", vmin=0 if not name else -2, vmax=1 if not name else 2)
    axis.set_title(f"7 px {name}" if name else say(en="mean, 7 px", de="Mittel, 7 px"), fontsize=8)
for axis in axes.flat:
    axis.axis("off")
figure.tight_layout()
show(
    figure,
    en=f"a pair of trousers and its Haar bands; {number(100 * energy[2], 0)} % of the energy lie in the coarsest mean",
    de=f"eine Hose und ihre Haar-Bänder; {number(100 * energy[2], 0)} % der Energie liegen im gröbsten Mittel",
)
finding(
    en=f"Energy: {number(100 * energy[0], 1)} % in the fine differences, {number(100 * energy[1], 1)} % in the coarse, {number(100 * energy[2], 1)} % in the mean, "
    f"together {number(100 * sum(energy), 1)} %. Put together again, no pixel differs by more than {scientific(lost)}.",
    de=f"Energie: {number(100 * energy[0], 1)} % in den feinen Unterschieden, {number(100 * energy[1], 1)} % in den groben, {number(100 * energy[2], 1)} % im Mittel, "
    f"zusammen {number(100 * sum(energy), 1)} %. Wieder zusammengesetzt weicht kein Pixel um mehr als {scientific(lost)} ab.",
)

# %% [markdown] lang="de"
# ## Sind die Zweige von Inception solche Bänder?
#
# Man liest, 1x1 erfasse hohe Frequenzen, 3x3 mittlere und 5x5 tiefe. Das lässt sich messen: Ein kleines Netz mit drei Zweigen lernt an echten
# Bildern; dann der mittlere Frequenzgang der Filter jedes Zweigs. Angegeben ist der Schwerpunkt: bei welcher Frequenz die Mitte der Energie liegt.

# %% [markdown] lang="en"
# ## Are the branches of Inception such bands?
#
# One reads that 1x1 captures high frequencies, 3x3 middle ones and 5x5 low ones. That can be measured: a small network with three branches learns
# on real pictures; then the mean frequency response of the filters of each branch. Given is the centroid: at which frequency the middle of
# the energy lies.

# %%
pictures = sample(shrink=2)
torch.manual_seed(0)


class Branches(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.branches = nn.ModuleList(nn.Conv2d(1, 8, kernel, padding=kernel // 2) for kernel in (1, 3, 5))
        self.head = nn.Sequential(nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(24 * 49, 10))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(torch.cat([branch(x) for branch in self.branches], 1))


network = Branches()
losses = descend(network, pictures.pictures, pictures.labels, steps=pick(60, 1000))


def centroid(kernels: np.ndarray) -> float:
    """Mean distance from frequency 0, weighted by energy, in parts of π."""
    responses = [frequency_response(kernel) for kernel in kernels]
    energy = sum(response.magnitude**2 for response in responses)
    wy, wx = np.meshgrid(responses[0].frequencies, responses[0].frequencies, indexing="ij")
    return float((energy * np.hypot(wy, wx)).sum() / energy.sum() / np.pi)


centres = {
    f"{k}x{k}": centroid(branch.weight.detach().numpy()[:, 0]) for k, branch in zip((1, 3, 5), network.branches, strict=True)
}
flat = float(np.ptp(frequency_response(network.branches[0].weight.detach().numpy()[0, 0]).magnitude))
finding(
    en=f"Centroids: {', '.join(f'{name} {number(value, 2)} π' for name, value in centres.items())}. But the response of a 1x1 is flat (uneven by {scientific(flat)}): it "
    "prefers no frequency, and its centroid is just the middle of all frequencies. Larger kernels can choose; nothing obliges a 5x5 to choose low ones. "
    "And unlike wavelets, the branches overlap and keep no account of the energy.",
    de=f"Schwerpunkte: {', '.join(f'{name} {number(value, 2)} π' for name, value in centres.items())}. Doch der Frequenzgang einer 1x1 ist flach (uneben um {scientific(flat)}): "
    "Sie zieht keine Frequenz vor, ihr Schwerpunkt ist bloss die Mitte aller Frequenzen. Grössere Kerne können wählen; nichts zwingt eine 5x5 zu tiefen. "
    "Und anders als Wavelets überlappen die Zweige und führen über die Energie nicht Buch.",
)

# %% [markdown] lang="de"
# Dasselbe als Bild, mit dem ganzen Modul und schärfer trennenden Wavelets:

# %% [markdown] lang="en"
# The same as a figure, with the whole module and wavelets that divide more sharply:

# %%
show(teaching.inception_and_wavelets())

# %% [markdown] lang="de"
# ## Und ganz aussen: Xception
#
# Ort und Kanäle ganz getrennt: erst eine 3x3 für jeden Kanal allein (tiefenweise), dann eine 1x1 über alle Kanäle.

# %% [markdown] lang="en"
# ## And at the far end: Xception
#
# Space and channels wholly apart: first a 3x3 for each channel alone (depthwise), then a 1x1 over all channels.

# %%
separable = 9 * 64 + 64 * 128
ordinary = 9 * 64 * 128
with torch.device("meta"):
    googlenet = cost(zoo.build("googlenet", classes=1000, channels=3, size=224), (3, 224, 224))
finding(
    en=f"From 64 to 128 channels, depthwise separable: {grouped(separable)} weights instead of {grouped(ordinary)}, {number(ordinary / separable, 1)} times fewer. All of "
    f"GoogLeNet has {grouped(googlenet.parameters)}.",
    de=f"Von 64 auf 128 Kanäle, tiefenweise getrennt: {grouped(separable)} statt {grouped(ordinary)} Gewichte, {number(ordinary / separable, 1)}-mal weniger. Ganz "
    f"GoogLeNet hat {grouped(googlenet.parameters)}.",
)

# %% [markdown] lang="de"
# ## Aufgaben
#
# 1. Wie viele Kanäle gibt das Modul mit dem Plan (64, 96, 128, 16, 32, 32) aus?
# 2. Wie viele Gewichte (ohne Bias) hat eine 1x1-Faltung von 192 auf 16 Kanäle?
# 3. Wie viele Zahlen geben zwei Stufen Haar aus einem Bild von 28x28 zusammen?

# %% [markdown] lang="en"
# ## Exercises
#
# 1. How many channels does the module with the plan (64, 96, 128, 16, 32, 32) put out?
# 2. How many weights (without biases) has a 1x1 convolution from 192 to 16 channels?
# 3. How many numbers do two levels of Haar give of a picture of 28x28 together?

# %%
answer_1 = answer_2 = answer_3 = None

answer("1", answer_1, shape[1])
answer("2", answer_2, 192 * 16)
answer("3", answer_3, trousers.size)

# %% [markdown] lang="de"
# ## Was gelten muss

# %% [markdown] lang="en"
# ## What must hold

# %%
assert shape == (1, 256, 28, 28)
assert ratio > 2
assert abs(five_saved - 7 / 25) < 1e-12
assert abs(three_saved - 1 / 3) < 1e-12
assert lost < 1e-12
assert abs(sum(energy) - 1) < 1e-9
assert flat < 1e-12
assert losses[-1] < losses[0]
