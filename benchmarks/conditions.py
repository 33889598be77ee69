"""Where and with what a benchmark ran, and its results as files: one JSON, and Markdown beside it.

A long benchmark keeps every finished part (a cell) in a file of its own at once. Started again, it takes what is there and goes on.
"""

from __future__ import annotations

import json
import os
import platform
import statistics
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import torch

from wiesel.runs.provenance import commit_of, cores, cpu_model, version

PROJECT = Path(__file__).parents[1]
RESULTS = PROJECT / "benchmarks" / "results"
"""Finished results, which `pareto.py` plots."""
CELLS = PROJECT / "runs" / "benchmarks"
PACKAGES = ("wiesel", "torch", "torchvision", "pytorch-lightning", "numpy", "pillow")


def conditions() -> dict[str, Any]:
    """Machine, versions, commit, threads and time of right now."""
    return {
        "machine": {"cpu": cpu_model(), "cores": cores(), "architecture": platform.machine(), "platform": platform.platform()},
        "threads": torch.get_num_threads(),
        "python": platform.python_version(),
        "versions": {name: found for name in PACKAGES if (found := version(name))},
        "commit": commit_of(PROJECT),
        "load": round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None,
        "time": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def in_words(where: dict[str, Any]) -> str:
    """One line for below a table."""
    versions = ", ".join(f"{name} {number}" for name, number in where["versions"].items())
    machine = where["machine"]
    return (
        f"{machine['cpu']}, {machine['cores']} cores, {where['threads']} threads; Python {where['python']}, {versions}; "
        f"commit {(where['commit'] or 'unknown')[:12]}; {where['time']}"
    )


def cell(path: Path, work: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """What `work` finds, with its conditions; from `path`, if it was done before."""
    if path.is_file():
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return found
    where = conditions()
    found = {**work(), "conditions": where}
    write_json(path, found)
    return found


def changed(cells: Sequence[dict[str, Any]]) -> str:
    """A sentence if the cells were not all made by the same commit, versions, threads and machine; else empty."""
    for name in ("commit", "versions", "threads", "machine"):
        kinds = {json.dumps(one["conditions"][name], sort_keys=True) for one in cells}
        if len(kinds) > 1:
            return f"Caution: the parts were measured with different {name}: {', '.join(sorted(kinds))}."
    return ""


def write_json(path: Path, content: dict[str, Any]) -> None:
    write_text(path, json.dumps(content, indent=1) + "\n")


def write_text(path: Path, text: str) -> None:
    """All or nothing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(path.name + ".part")
    beside.write_text(text, encoding="utf-8")
    beside.replace(path)


def median_and_range(values: Sequence[float], form: str = ",.0f") -> str:
    """`12 (11 to 14)`"""
    return f"{statistics.median(values):{form}} ({min(values):{form}} to {max(values):{form}})"


def mean_and_spread(values: Sequence[float], form: str = ".2f") -> str:
    """`93.81 +- 0.12, n = 3`: mean and standard deviation over seeds."""
    spread = f" ± {statistics.stdev(values):{form}}" if len(values) > 1 else ""
    return f"{statistics.mean(values):{form}}{spread} (n = {len(values)})"
