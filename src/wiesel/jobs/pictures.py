"""The pictures that a recipe names, as many as it wants."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from wiesel import images
from wiesel.images import DataSet
from wiesel.recipe import DataChoice


def load(choice: DataChoice, data_dir: Path | str | None) -> DataSet:
    """Decoded, with the splits of their source, before any division. Raises as `wiesel.images.load` does.

    Where the recipe wants few pictures of a source without a test split, this split has been made: it shall not shrink with them.
    """
    whole = images.load(
        choice.source, data_dir=data_dir, size=choice.size, channels=choice.channels, fit=choice.fit, unreadable=choice.unreadable
    )
    if choice.subset and whole.test is None:
        divided, _ = images.divide(whole, validation=None, test=choice.test, seed=choice.split_seed)
        whole = replace(divided, warnings=whole.warnings)  # its copies are counted when the rest is divided
    return images.subset(whole, choice.subset, seed=choice.split_seed)
