"""The plans that come with wiesel: the experiments of the texts, each small enough for a laptop, and each with a large form `[full]`."""

from __future__ import annotations

from functools import cache
from importlib import resources

from wiesel.comparison.plan import Plan, from_toml

PLANS = resources.files("wiesel.comparison") / "plans"


@cache
def names() -> tuple[str, ...]:
    return tuple(sorted(entry.name.removesuffix(".toml") for entry in PLANS.iterdir() if entry.name.endswith(".toml")))


def named(name: str, *, full: bool = False) -> Plan:
    """The plan called `name`, one of `names()`."""
    return from_toml((PLANS / f"{name}.toml").read_text(encoding="utf-8"), where=f"{name}.toml", full=full)
