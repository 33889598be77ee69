"""Several challengers against one baseline: the more are tried, the better the luckiest looks.

Holm's step-down rule for m chances p_(1) <= … <= p_(m): the smallest must be below alpha/m, the next below alpha/(m - 1), and so on;
the first that is not ends it. At most alpha of all such families contain a false "differs", whatever the dependence.

Source: Holm 1979, Scandinavian Journal of Statistics 6(2), 65-70.
"""

from __future__ import annotations

from collections.abc import Sequence


def holm(chances: Sequence[float], alpha: float) -> tuple[bool, ...]:
    """Which of them are told apart from the baseline, in the order given.

    >>> holm([0.01, 0.04, 0.03, 0.005], 0.05)
    (True, False, False, True)
    """
    order = sorted(range(len(chances)), key=lambda index: chances[index])
    found = [False] * len(chances)
    for rank, index in enumerate(order):
        if not chances[index] < alpha / (len(chances) - rank):
            break
        found[index] = True
    return tuple(found)
