# exercise: recent_paper
# level: advanced

# %% [markdown] lang="de"
# # Eine neuere Arbeit
#
# Wähle eine Arbeit zu CNNs (etwa ConvNeXt oder NFNet; `wiesel models` nennt zu jedem Netz die Arbeit), sieh dir das Netz mit `wiesel inspect` an und
# schreib auf, was du verstanden hast. Diesen Text liest ein Mensch; geprüft wird nur, dass das Netz,
# von dem du sprichst, von 2019 oder neuer ist und die Zahlen hat, die du nennst.
#
# * `model`: sein Name in wiesel
# * `parameters`: seine Parameter in Millionen, eine Stelle nach dem Punkt
# * `largest_kernel`: die Seite seiner grössten Faltung in Pixeln
# * `summary`, `opinion`: worum es geht, und was du davon hältst

# %% [markdown] lang="en"
# # A more recent paper
#
# Choose a paper on CNNs (ConvNeXt or NFNet, say; `wiesel models` names the paper of each network), look at the network with `wiesel inspect` and
# write down what you understood. A human reads this text; checked is only that the network you speak of is of 2019 or later and has
# the numbers you give.

# %%
model = None  # "convnext_tiny"
parameters = None  # millions, one digit after the point
largest_kernel = None  # side in pixels of the largest convolution

summary = """
"""

opinion = """
"""
