# exercise: compound_scaling
# level: advanced

# %% [markdown] lang="de"
# # Gemeinsame Skalierung
#
# 1. `grid`: alle Tripel (α, β, γ) von 1 bis und mit `highest` in Schritten von `step`, für die |α β² γ² - 2| <= tolerance ist.
# 2. `scaled`: Tiefe, Breite und Auflösung für ein φ; Schichten aufgerundet, Kanäle zum nächstgelegenen Vielfachen von 8, Pixel zur
#    nächstgelegenen ganzen Zahl.
# 3. Warum gerade α·β²·γ²? Leite es her.

# %% [markdown] lang="en"
# # Compound scaling
#
# 1. All (α, β, γ) of a grid that meet α·β²·γ² ≈ 2.
# 2. Depth, width and resolution for a φ, rounded as said below.
# 3. Why α·β²·γ² of all things? Derive it.


# %%
def grid(step: float, highest: float, tolerance: float) -> list[tuple[float, float, float]]:
    """All triples from 1 to `highest` (included) in steps of `step` with |α β² γ² - 2| <= tolerance."""
    raise NotImplementedError


def scaled(
    phi: float, depth: int, width: int, side: int, alpha: float = 1.2, beta: float = 1.1, gamma: float = 1.15
) -> tuple[int, int, int]:
    """(layers rounded up, channels rounded to the nearest multiple of 8, pixels rounded to the nearest whole number)."""
    raise NotImplementedError


derivation = """
"""
