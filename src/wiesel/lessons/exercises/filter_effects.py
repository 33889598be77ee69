# exercise: filter_effects
# level: basic

# %% [markdown] lang="de"
# # Was jeder Filter tut
#
# Sieh dir `wiesel.teaching.show_filter_effects()` und `wiesel.teaching.plot_frequency_response(...)` an. Ordne dann jedem Filter zu, was er
# durchlässt, und baue selbst drei. Geprüft wird gegen den gerechneten Frequenzgang.

# %% [markdown] lang="en"
# # What each filter does
#
# Look at `wiesel.teaching.show_filter_effects()` and `wiesel.teaching.plot_frequency_response(...)`. Then say for each filter what it lets through,
# and build three yourself. The answers are checked against the computed frequency response.

# %%
# "low-pass", "high-pass", "band-pass", "high-emphasis" or "band-emphasis"
kinds = {"gaussian": None, "sharpen": None, "edge": None, "emboss": None, "sobel_x": None}

# %% [markdown] lang="de"
# 3x3, als Liste von Listen: ein Weichzeichner, der die Helligkeit erhält; einer, der waagrechte Kanten findet; einer, der nichts tut.

# %% [markdown] lang="en"
# 3x3, as lists of lists: a blur that keeps the brightness; one that finds level edges; one that does nothing.

# %%
blur = None
level_edges = None
nothing = None

description = """
"""
