"""What this machine has and can do: the facts that explain a slow run or a missing feature."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import platform
import shutil
from typing import Any

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


def _memory() -> int | None:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (ValueError, OSError, AttributeError):
        return None


def _existing(path: Any) -> Any:
    while not path.exists():
        path = path.parent
    return path
