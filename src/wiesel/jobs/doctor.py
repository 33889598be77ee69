"""What this machine has and can do: the facts that explain a slow run or a missing feature."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import platform
import shutil
from typing import Any

from wiesel.images.dataset import place_in_words
from wiesel.language import grouped, number, say

EXTRAS = {"sklearn": ("sklearn", "wiesel.Classifier inside scikit-learn's tools")}


def doctor() -> dict[str, Any]:
    """Versions, processor, threads, memory, the chosen precision with its measurement, how fast this machine computes (about three
    seconds), caches, data sets, optional packages.
    """
    import torch

    from wiesel import images
    from wiesel.images.cache import cache_folder
    from wiesel.training.precision import choose, has_bf16, processor
    from wiesel.training.threads import usable_cores
    from wiesel.training.throughput import throughput

    torch.set_num_threads(usable_cores())
    choice = choose(cache_folder() / "precision.json")
    speed = throughput(choice.precision)
    free = shutil.disk_usage(_existing(cache_folder())).free
    return {
        "wiesel": importlib.metadata.version("wiesel"),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "lightning": importlib.metadata.version("pytorch-lightning"),
        "system": platform.platform(),
        "processor": processor(),
        "cores": usable_cores(),
        "memory_bytes": _memory(),
        "accelerator": "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else None,
        "bf16_instructions": has_bf16(),
        "precision": choice.precision,
        "precision_reason": choice.reason,
        "precision_ratio": choice.ratio,
        "gflops": {
            "convolution": round(speed.convolution / 1e9),
            "matrix_product": round(speed.matrix_product / 1e9),
            "training_step": round(speed.step / 1e9),
        },
        "training_step_share": round(speed.share, 2),
        "resnet18_pictures_per_second": round(speed.pictures),
        "cache": str(cache_folder()),
        "cache_free_bytes": free,
        "data": {entry.name: entry.found for entry in images.named()},
        "extras": {name: importlib.util.find_spec(module) is not None for name, (module, _) in EXTRAS.items()},
    }


GERMAN = {
    "system": "System",
    "processor": "Prozessor",
    "cores": "Kerne",
    "memory_bytes": "Arbeitsspeicher (Bytes)",
    "accelerator": "Beschleuniger",
    "bf16_instructions": "bfloat16-Befehle",
    "precision": "Zahlenformat",
    "precision_reason": "Grund dafür",
    "gflops": "Milliarden Rechenschritte je Sekunde",
    "convolution": "Faltung",
    "matrix_product": "Matrixprodukt",
    "training_step": "Trainingsschritt",
    "training_step_share": "Anteil des Trainingsschritts",
    "resnet18_pictures_per_second": "ResNet-18, Bilder je Sekunde",
    "cache": "Zwischenspeicher",
    "cache_free_bytes": "dort frei (Bytes)",
    "data": "Datensätze",
    "extras": "Zusätze",
}
"""What the facts are called; in English by the names that programs know."""


def text(facts: dict[str, Any]) -> str:
    """The facts for reading, in the reader's language."""
    from wiesel.training.precision import precision_in_words

    told = {**facts, "precision_reason": precision_in_words(facts["precision_ratio"])}
    del told["precision_ratio"]
    titles = {name: _title(name) for name in told}
    width = max(map(len, titles.values()))
    return "\n".join(f"{titles[name]:<{width}}  {_in_words(value)}" for name, value in told.items())


def _title(name: str) -> str:
    return say(en=name, de=GERMAN.get(name, name))


def _in_words(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{_title(name)}: {_in_words(one)}" for name, one in value.items())
    if value is None:
        return say(en="none", de="nicht da")
    if isinstance(value, bool):
        return say(en="yes", de="ja") if value else say(en="no", de="nein")
    if isinstance(value, float):
        return number(value, 2)
    return grouped(value) if isinstance(value, int) else place_in_words(value)


def _memory() -> int | None:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (ValueError, OSError, AttributeError):
        return None


def _existing(path: Any) -> Any:
    while not path.exists():
        path = path.parent
    return path
