"""How often a random run of one arm beats a random run of the other: what a person who trains once will see.

Over all R_A x R_B pairs of runs, ties as one half: the Mann-Whitney statistic divided by the number of pairs.

Source: Mann & Whitney 1947, Ann. Math. Stat. 18(1), 50-60; the 0.75 that many ask of it: Bouthillier et al. 2021, arXiv:2103.03098.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike


def chance_to_beat(challenger: ArrayLike, baseline: ArrayLike) -> float:
    """0..1 from the accuracies of the runs, shapes (R_B,) and (R_A,).

    >>> chance_to_beat([0.94, 0.93], [0.92, 0.93])
    0.875
    """
    gaps = np.subtract.outer(np.asarray(challenger, np.float64), np.asarray(baseline, np.float64))
    return float(((gaps > 0) + 0.5 * (gaps == 0)).mean())
