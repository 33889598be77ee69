# exercise: filter_effects
# level: basic

# %% [markdown] lang="de"
# # Was jeder Filter tut
#
# Sieh dir `wiesel.teaching.show_filter_effects()` und `wiesel.teaching.plot_frequency_response(...)` an. Ordne dann jedem Filter zu, was er
# durchlässt, und baue selbst drei. Geprüft wird gegen den gerechneten Frequenzgang.
#
# `low-pass` Tiefpass, `high-pass` Hochpass, `band-pass` Bandpass (die zwei letzten sperren gleichmässiges Grau); `high-emphasis`, `band-emphasis`:
# Grau geht durch, hohe oder mittlere Wellen werden betont.

# %% [markdown] lang="en"
# # What each filter does
#
# Look at `wiesel.teaching.show_filter_effects()` and `wiesel.teaching.plot_frequency_response(...)`. Then say for each filter what it lets through,
# and build three yourself. The answers are checked against the computed frequency response.
#
# A `high-pass` and a `band-pass` stop even grey; with `high-emphasis` and `band-emphasis` grey passes, and high or middle waves are raised.

# %%
# "low-pass", "high-pass", "band-pass", "high-emphasis" or "band-emphasis"
kinds = {"gaussian": None, "sharpen": None, "edge": None, "emboss": None, "sobel_x": None}

# %% [markdown] lang="de"
# 3x3, als Liste von Listen: ein Weichzeichner, der die Helligkeit erhält; einer, der waagrechte Kanten findet; einer, der nichts tut.
# In `description` mit eigenen Worten: Was macht jeder der fünf aus einem Bild?

# %% [markdown] lang="en"
# 3x3, as lists of lists: a blur that keeps the brightness; one that finds level edges; one that does nothing.
# In `description`, in your own words: what does each of the five do to a picture?

# %%
blur = None
level_edges = None
nothing = None

description = """
"""
