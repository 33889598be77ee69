"""How many more runs would probably settle it, or whether no number of runs will.

After R runs per arm the estimate is D, with the run part sigma²/R and the fixed part V of its variance. What will the estimate be after
R' runs? The fixed part stays as it is (the test pictures are the same), the runs bring news:

    D' ~ D + sqrt(sigma² (1/R - 1/R')) t_nu         when the runs are continued
    D' ~ D + sqrt(sigma² (1/R + 1/R')) t_nu         when R' fresh runs are made and the old ones are set aside

The interval will then reach h' = t_{nu', 1 - alpha'/2} sqrt(sigma²/R' + V) to both sides, and it will settle the question if |D'| > h'
(they differ) or |D'| < delta - h' (practically the same). The smallest R' that does so with a chance of at least 80 % is the answer.
Few runs know sigma poorly, so the answer is a range: for the sigma that is only exceeded in 20 % and the one that is exceeded in 80 % of
cases (after 3 runs each 0.8 to 1.6 times the estimate, after 10 runs 0.9 to 1.2 times). For R' without end, h' = z sqrt(V): if
the chance stays below 20 % even then, the test set is too small and more runs will not help.

This is a planning figure for the future, not a statement about the runs that were made. It holds on average over true differences; if the
arms are exactly equal, it promises a little too much. The usual power formula puts D in the place of the true difference and so ignores
how far D will still move: it would call a test set too small where endless runs settle the question in two cases of three.

Source: Spiegelhalter, Freedman & Blackburn 1986, Controlled Clinical Trials 7(1), 8-17 (predictive power).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from scipy.special import chdtri, stdtr

from wiesel.comparison.difference import Difference, degrees_of_freedom, least_variance, quantile
from wiesel.comparison.looks import Look, schedule
from wiesel.comparison.rules import Rules

ENOUGH = 0.8
HOPELESS = 0.2
MOST = 30
"""Runs per arm beyond which nobody is sent."""


@dataclass(frozen=True)
class Outlook:
    """What lies ahead of an undecided comparison."""

    more: tuple[int, int] | None
    """Runs per arm that would probably settle it, from - to; None: more than 30, or no number."""
    sure: bool
    """Even the upper end suffices with a chance of at least 80 %; else it is where the plan ends."""
    fresh: bool
    """The plan's looks do not suffice: these runs belong to a new plan, with fresh seeds, and the old ones do not count in it."""
    limit: float
    """Chance that an endless number of runs would settle it, 0..1."""
    images: int | None
    """Test pictures with which an endless number of runs would settle any difference; None where the present ones do, where it
    cannot be known, or where the division is drawn anew."""

    @property
    def hopeless(self) -> bool:
        return self.limit < HOPELESS


def outlook(found: Difference, *, margin: float, rules: Rules, look: Look, images: int | None, share: float = 1.0) -> Outlook:
    """`images`: test pictures; `share`: 1/m where m challengers share the error."""
    total = sum(rules.alphas) * share
    limit = chance_to_settle(found, None, alpha=total, margin=margin)
    reach = quantile(1 - total / 2, math.inf) * math.sqrt(found.fixed_part)
    # At the floor of `difference` hardly any picture told the arms apart, and how many more would is anybody's guess.
    at_floor = images is not None and found.standard_error**2 <= least_variance(images) * (1 + 1e-9)
    wanted = None if images is None or at_floor or reach <= margin / 2 else math.ceil(images * (2 * reach / margin) ** 2)
    later = [(one.runs, one.alpha * share) for one in schedule(rules) if one.number > look.number]
    scales = _doubt(found)
    first, last = (_soonest(found, later, scale, margin, fresh=False) for scale in scales)
    if first is not None:
        end = last if last is not None else later[-1][0]
        return Outlook((first - look.runs, end - look.runs), last is not None, False, limit, wanted)
    again = [(runs, total) for runs in range(rules.looks[0], MOST + 1)]  # a plan with a single look
    first, last = (_soonest(found, again, scale, margin, fresh=True) for scale in scales)
    more = None if first is None else (first, last or MOST)
    return Outlook(more, last is not None, True, limit, wanted)


def _doubt(found: Difference) -> tuple[float, float]:
    """Factors on the spread of single runs: its estimate has a chi-square distribution, here with the degrees of both arms together."""
    degrees = found.runs[0] - 1 if found.by_division else sum(found.runs) - 2
    return math.sqrt(degrees / chdtri(degrees, 0.2)), math.sqrt(degrees / chdtri(degrees, 0.8))


def _soonest(found: Difference, looks: list[tuple[int, float]], scale: float, margin: float, *, fresh: bool) -> int | None:
    """Runs of the first of `looks` (runs, alpha) that settles it with a good chance."""
    for runs, alpha in looks:
        if chance_to_settle(found, runs, alpha=alpha, margin=margin, scale=scale, fresh=fresh) >= ENOUGH:
            return runs
    return None


def chance_to_settle(
    found: Difference, runs: int | None, *, alpha: float, margin: float, scale: float = 1.0, fresh: bool = False
) -> float:
    """That the interval will settle the question after `runs` runs per arm in all (None: endless), 0..1.

    `scale` multiplies the spread of the runs by a factor, for how poorly it is known.
    """
    before = scale**2 * found.run_part
    one_run = scale**2 * sum(found.run_variances)
    fixed = found.fixed_part * (scale**2 if found.by_division else 1.0)
    after = one_run / runs if runs else 0.0
    spread = math.sqrt(max(0.0, before + after if fresh else before - after))
    if runs is None:
        future = math.inf
    elif found.by_division:
        future = float(runs - 1)
    else:
        small, large = found.run_variances
        future = degrees_of_freedom((scale**2 * small, scale**2 * large), (runs, runs), fixed)
    reach = quantile(1 - alpha / 2, future) * math.sqrt(after + fixed)
    known = found.degrees if found.by_division else degrees_of_freedom(found.run_variances, found.runs)

    def below(value: float) -> float:
        if not spread:
            return float(found.value < value)
        return float(stdtr(min(known, 1e9), (value - found.value) / spread))

    apart = below(-reach) + 1 - below(reach)
    same = max(0.0, below(margin - reach) - below(reach - margin)) if reach < margin else 0.0
    # An interval that lies above zero and below the margin is both; it is counted once.
    both = max(0.0, below(margin - reach) - below(reach)) + max(0.0, below(-reach) - below(reach - margin))
    return min(1.0, apart + same - (both if reach < margin else 0.0))
