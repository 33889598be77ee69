"""What a run was made with, so that its numbers can be understood and repeated: versions, machine, threads, seeds, data, command.

Nothing personal and nothing secret goes in: of the environment only what `ENVIRONMENT` lists, no host or user name, and no
password that stood in an address of the command line.
"""

from __future__ import annotations

import os
import platform
import re
import shlex
from collections.abc import Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

from wiesel.runs.events import now

PACKAGES = ("wiesel", "torch", "pytorch-lightning", "numpy", "pillow", "safetensors", "msgspec")

ENVIRONMENT = (
    "OMP_NUM_THREADS",
    "MKL_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "KMP_AFFINITY",
    "OMP_PROC_BIND",
    "MALLOC_ARENA_MAX",
    "ONEDNN_MAX_CPU_ISA",
    "ATEN_CPU_CAPABILITY",
    "CUBLAS_WORKSPACE_CONFIG",
    "CUDA_VISIBLE_DEVICES",
    "PYTHONHASHSEED",
    "WIESEL_LANG",
)
"""Variables that change results or speed. A variable that is not listed is not recorded."""


def provenance(
    *, seeds: Mapping[str, int], threads: int, precision: str, fingerprint: str, command: Sequence[str], started: str | None = None
) -> dict[str, Any]:
    """The record for provenance.json.

    `seeds`: what each is for -> seed. `fingerprint`: of the data (`DataSet.fingerprint`). `command`: the words that repeat the
    run, for example `["wiesel", "train", "recipe.toml"]`. `started`: ISO time; by default now.
    """
    return {
        "started": started or now(),
        "command": shlex.join(without_passwords(word) for word in command),
        "python": platform.python_version(),
        "versions": {name: version(name) for name in PACKAGES},
        "commit": commit_of(Path(__file__).parents[3]),
        "platform": platform.platform(),
        "machine": {"cpu": cpu_model(), "cores": cores(), "architecture": platform.machine()},
        "threads": threads,
        "precision": precision,
        "seeds": dict(seeds),
        "data": fingerprint,
        "environment": {name: os.environ[name] for name in ENVIRONMENT if name in os.environ},
    }


def version(package: str) -> str | None:
    """From the package's metadata, without importing it; None if it is not installed."""
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def cpu_model() -> str:
    """As the maker calls it, where the system says so."""
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        text = ""
    named = re.search(r"^model name\s*:\s*(.+)$", text, re.MULTILINE)
    return named[1].strip() if named else platform.processor() or platform.machine()


def cores() -> int:
    """How many this process may use, which in a container is often fewer than the machine has."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def commit_of(checkout: Path) -> str | None:
    """The commit that HEAD of a git checkout of this package names; None if `checkout` is none (the package was installed)."""
    try:
        if not (checkout / "src" / "wiesel").is_dir():  # else the .git of a stranger, around a virtual environment
            return None
        git = checkout / ".git"
        if git.is_file():  # a worktree: "gitdir: /elsewhere/.git/worktrees/name"
            git = checkout / git.read_text(encoding="utf-8").removeprefix("gitdir:").strip()
        head = (git / "HEAD").read_text(encoding="utf-8").strip()
        if not head.startswith("ref:"):
            return _commit(head)
        reference = head.removeprefix("ref:").strip()
        common = git / (git / "commondir").read_text(encoding="utf-8").strip() if (git / "commondir").is_file() else git
        if (common / reference).is_file():
            return _commit((common / reference).read_text(encoding="utf-8").strip())
        packed = (common / "packed-refs").read_text(encoding="utf-8")
        return next((_commit(line.split()[0]) for line in packed.splitlines() if line.endswith(" " + reference)), None)
    except (OSError, ValueError):
        return None


def without_passwords(word: str) -> str:
    """`https://user:secret@host/x` -> `https://…@host/x`."""
    return re.sub(r"(?<=://)[^/\s@]+@", "…@", word)


def _commit(text: str) -> str | None:
    return text if re.fullmatch(r"[0-9a-f]{40}|[0-9a-f]{64}", text) else None
