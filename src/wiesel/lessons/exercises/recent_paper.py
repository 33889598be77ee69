# exercise: recent_paper
# level: advanced

# %% [markdown] lang="de"
# # Eine neuere Arbeit
#
# Wähle eine Arbeit zu CNNs (etwa ConvNeXt oder NFNet; `wiesel models` nennt zu jedem Netz die Arbeit), sieh dir das Netz mit `wiesel inspect` an und
# schreib auf, was du verstanden hast. Diesen Text liest ein Mensch; geprüft wird nur, dass das Netz, von dem du sprichst, die Zahlen hat, die du nennst.

# %% [markdown] lang="en"
# # A more recent paper
#
# Choose a paper on CNNs (ConvNeXt or NFNet, say; `wiesel models` names the paper of each network), look at the network with `wiesel inspect` and
# write down what you understood. A human reads this text; checked is only that the network you speak of has the numbers you give.

# %%
model = None  # "convnext_tiny"
parameters = None  # millions, one digit after the point
largest_kernel = None  # side in pixels of the largest convolution

summary = """
"""

opinion = """
"""
