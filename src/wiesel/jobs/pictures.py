"""The pictures that a recipe names, as many as it wants."""

from __future__ import annotations

from pathlib import Path

from wiesel import images
from wiesel.images import DataSet
from wiesel.recipe import DataChoice


def load(choice: DataChoice, data_dir: Path | str | None) -> DataSet:
    """Decoded, with the splits of their source, before any division. Raises as `wiesel.images.load` does."""
    whole = images.load(
        choice.source, data_dir=data_dir, size=choice.size, channels=choice.channels, fit=choice.fit, unreadable=choice.unreadable
    )
    return images.subset(whole, choice.subset, seed=choice.split_seed)
