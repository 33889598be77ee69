"""Looking before the end, and paying for it.

Who looks after every run and stops at the first good news is wrong far more often than he says: with Welch's test at 5 % after every
seed from 2 to 10 in 16 % of cases. So a plan names its looks and gives each a share alpha_k of the error. Whatever the dependence
between looks, the chance that any of them errs is at most the sum of the shares (Bonferroni's inequality), so that all intervals
that a plan ever shows hold together with 1 - sum(alpha_k).

Source: Bonferroni's inequality as in Dunn 1961, J. Am. Stat. Assoc. 56(293), 52-64; staged error shares as in Lan & DeMets 1983,
Biometrika 70(3), 659-663.
"""

from __future__ import annotations

from dataclasses import dataclass

from wiesel.comparison.rules import Rules


@dataclass(frozen=True)
class Look:
    number: int
    """1, 2, …"""
    runs: int
    """Per arm."""
    alpha: float
    """Share of the error."""
    last: bool


def schedule(rules: Rules) -> tuple[Look, ...]:
    """The looks that take place.

    >>> [(look.runs, round(look.alpha, 3)) for look in schedule(Rules(cap=7))]
    [(3, 0.01), (5, 0.015), (7, 0.025)]
    >>> [(look.runs, round(look.alpha, 3)) for look in schedule(Rules(cap=4))]
    [(3, 0.01), (4, 0.04)]
    """
    early = [(runs, alpha) for runs, alpha in zip(rules.looks, rules.alphas, strict=True) if runs < rules.cap]
    rest = round(sum(rules.alphas) - sum(alpha for _, alpha in early), 12)  # 0.025, not 0.025000000000000005
    return tuple(
        Look(number, runs, alpha, last=runs == rules.cap)
        for number, (runs, alpha) in enumerate([*early, (rules.cap, rest)], start=1)
    )


def reached(rules: Rules, runs: int) -> Look | None:
    """The latest look for which every arm has its runs; None before the first. Runs beyond it wait for the next look."""
    return next((look for look in reversed(schedule(rules)) if look.runs <= runs), None)
