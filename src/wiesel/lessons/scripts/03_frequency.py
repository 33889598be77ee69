# lesson 03

# %% [markdown] lang="de"
# # Frequenz: was ein Filter durchlässt
#
# **Ziel.** Du siehst jeden Filter als das, was er mit Wellen tut, prüfst das Faltungstheorem bis auf die Rundung genau und findest heraus, was eine
# 1x1-Faltung mit Frequenzen macht.

# %% [markdown] lang="en"
# # Frequency: what a filter lets through
#
# **Goal.** You see each filter as what it does to waves, check the convolution theorem down to rounding, and find out what a 1x1
# convolution does to frequencies.

# %%
import numpy as np

from wiesel import images, teaching
from wiesel.language import number, say
from wiesel.lessons.reader import answer, compare, finding, prediction, scientific, show
from wiesel.teaching.frequency import frequency_response, kind
from wiesel.teaching.kernels import CLASSIC, gaussian
from wiesel.teaching.theorem import both_ways

trousers = images.load("fashion-mnist-sample").test.pixels[0, :, :, 0] / 255

# %% [markdown] lang="de"
# ## Zuerst deine Vorhersage
#
# Sobel X unterdrückt gleichmässiges Grau. Lässt er dafür die feinste Welle am besten durch, die Pixel tragen können (schwarz, weiss, schwarz, …)?

# %% [markdown] lang="en"
# ## First your prediction
#
# Sobel X suppresses even grey. Does it let through best the finest wave that pixels can carry (black, white, black, …)?

# %%
guess = prediction(
    None,
    en='Is Sobel "low-pass", "high-pass" or "band-pass"?',
    de='Ist Sobel "low-pass" (Tiefpass), "high-pass" (Hochpass) oder "band-pass" (Bandpass)?',
)

# %% [markdown] lang="de"
# ## Der Frequenzgang
#
# Er sagt für jede Welle, auf das Wievielfache der Filter sie bringt. Frequenz 0 ist gleichmässiges Grau, π die feinste Welle (ein Pixel schwarz, eines
# weiss). Gedruckt: die Antwort bei 0, die grösste, und die grösste bei den feinsten Wellen. Ein Tiefpass ist bei 0 am stärksten; Hoch- und Bandpass
# sperren 0 und sind bei den feinsten oder bei mittleren Wellen am stärksten; `high-emphasis` und `band-emphasis` lassen 0 durch und heben hohe
# oder mittlere Wellen hervor.

# %% [markdown] lang="en"
# ## The frequency response
#
# It says for each wave by which factor the filter multiplies it. Frequency 0 is even grey, π the finest wave (one pixel black, one white). Printed:
# the response at 0, the largest, and the largest at the finest waves. A low-pass is strongest at 0; high-pass and band-pass stop 0 and are
# strongest at the finest or at middle waves; `high-emphasis` and `band-emphasis` let 0 through and raise high or middle waves.

# %%
show(teaching.plot_frequency_response("sobel_x"))
show(teaching.plot_frequency_response("gaussian"))
kinds = {}
for name in ("gaussian", "sharpen", "edge", "emboss", "sobel_x", "laplace"):
    response = frequency_response(CLASSIC[name])
    kinds[name] = kind(CLASSIC[name])
    print(
        f"{name:<9} {kinds[name]:<14} 0: {number(response.zero, 2):>6}   {say(en='peak', de='Gipfel')} {number(response.peak[0], 2):>6}   "
        f"{say(en='finest', de='feinste')} {number(max(response.nyquist), 2):>6}"
    )
sobel = frequency_response("sobel_x")
height, wy, wx = sobel.peak
finding(
    en=f"Sobel passes nothing at 0 ({number(abs(sobel.zero), 1)}) and nothing at the finest wave along x ({number(sobel.nyquist[0], 1)}); its peak of "
    f"{number(height, 1)} lies at {number(wx / np.pi, 2)} π. It is a {kinds['sobel_x']} filter.",
    de=f"Sobel lässt bei 0 nichts durch ({number(abs(sobel.zero), 1)}) und bei der feinsten Welle längs x auch nichts ({number(sobel.nyquist[0], 1)}); sein "
    f"Gipfel von {number(height, 1)} liegt bei {number(wx / np.pi, 2)} π. Er ist ein Bandpass ({kinds['sobel_x']}).",
)
compare(guess, kinds["sobel_x"])

# %% [markdown] lang="de"
# ## Die Phase, richtig gezählt
#
# Die Phase sagt, wie weit ein Filter eine Welle verschiebt. Eine FFT des Kerns zählt von seiner **Ecke** aus; dann sieht jeder Filter aus, als
# verschöbe er das Bild. Von der Mitte aus gezählt haben symmetrische Kerne nur die Phasen 0 und π.

# %% [markdown] lang="en"
# ## The phase, counted rightly
#
# The phase says how far a filter shifts a wave. An FFT of the kernel counts from its **corner**; then every filter looks as if it shifted the
# picture. Counted from the middle, symmetric kernels have no phases but 0 and π.

# %%
cornered = np.angle(np.fft.fft2(gaussian(3, 1.0), s=(256, 256)))
centred = frequency_response("gaussian").phase
worst = float(np.nanmax(np.minimum(np.abs(centred), np.pi - np.abs(centred))))  # distance from 0 and from π
finding(
    en=f"The Gaussian's phase runs over {number(np.ptp(cornered) / np.pi, 2)} π counted from the corner; counted from the middle it is 0 or π, off by {scientific(worst)}.",
    de=f"Die Phase des Gauss-Filters läuft von der Ecke gezählt über {number(np.ptp(cornered) / np.pi, 2)} π; von der Mitte gezählt ist sie 0 oder π, bis auf {scientific(worst)}.",
)

# %% [markdown] lang="de"
# ## Das Faltungstheorem
#
# Falten im Raum ist Multiplizieren der Spektren. Genau das wird hier nachgerechnet, an einem echten Bild: einmal als Ring
# (rechts vom rechten Rand beginnt wieder der linke), einmal mit Nullen aufgefüllt.

# %% [markdown] lang="en"
# ## The convolution theorem
#
# Convolving in space is multiplying spectra. That is what is checked here, on a real picture: once as a ring (right of the
# right edge the left one begins again), once padded with zeros.

# %%
show(teaching.convolution_theorem(trousers, "sobel_x"))
checked = both_ways(trousers, CLASSIC["sobel_x"])
inside = float(np.abs(checked.border[1:-1, 1:-1]).max())
drawn = teaching.picture(size=64)  # has something at its border, unlike the trousers
around = both_ways(np.asarray(drawn, dtype=float), CLASSIC["sobel_x"])
edge = float(np.abs(around.border).max())
finding(
    en=f"Space and FFT differ by {scientific(checked.difference)}. Ring and zeros differ at the border only: on the drawn picture by up to {number(edge, 2)}, "
    f"inside by {scientific(inside)}.",
    de=f"Raum und FFT weichen um {scientific(checked.difference)} ab. Ring und Nullen unterscheiden sich nur am Rand: beim gezeichneten Bild um bis zu "
    f"{number(edge, 2)}, innen um {scientific(inside)}.",
)

# %% [markdown] lang="de"
# ## 1x1: alle Frequenzen gleich
#
# Eine 1x1-Faltung mischt Kanäle. Was sie mit Wellen tut, ist schnell gesagt:

# %% [markdown] lang="en"
# ## 1x1: all frequencies alike
#
# A 1x1 convolution mixes channels. What it does to waves is quickly said:

# %%
show(teaching.one_by_one())
flat = frequency_response([[0.7]])
unevenness = float(np.ptp(flat.magnitude))
finding(
    en=f"Its response is {number(float(flat.magnitude.mean()), 1)} everywhere, uneven by {scientific(unevenness)}: it prefers no frequency, high or low.",
    de=f"Ihr Frequenzgang ist überall {number(float(flat.magnitude.mean()), 1)}, uneben um {scientific(unevenness)}: Sie zieht keine Frequenz vor, weder "
    "hohe noch tiefe.",
)

# %% [markdown] lang="de"
# ## Aufgaben
#
# 1. Welchen Wert hat der Frequenzgang des Mittelwertfilters bei der Frequenz 0?
# 2. Und der des Kantenfilters (8 in der Mitte, sonst -1) bei (π, 0)?
# 3. Welche Art Filter ist `laplace`, als Wort wie oben?

# %% [markdown] lang="en"
# ## Exercises
#
# 1. Which value has the response of the mean filter at frequency 0?
# 2. And that of the edge filter (8 in the middle, else -1) at (π, 0)?
# 3. Which kind of filter is `laplace`, as a word like above?

# %%
answer_1 = answer_2 = answer_3 = None

answer("1", answer_1, frequency_response("mean").zero)
answer("2", answer_2, abs(frequency_response("edge").at(np.pi, 0)))
answer("3", answer_3, kinds["laplace"])

# %% [markdown] lang="de"
# ## Was gelten muss

# %% [markdown] lang="en"
# ## What must hold

# %%
assert abs(abs(sobel.at(0, np.pi / 2)) - 8) < 1e-9
assert abs(sobel.zero) < 1e-12
assert abs(abs(frequency_response("edge").at(np.pi, 0)) - 12) < 1e-9
assert kinds["sobel_x"] == "band-pass"
assert kinds["gaussian"] == "low-pass"
assert worst < 1e-9
assert np.ptp(cornered) > 1
assert checked.difference < 1e-5
assert inside < 1e-9 < edge
assert unevenness < 1e-12
