"""Recipes to start from, by name.

standard    any network of the zoo, as `Recipe` has it
fast        our own small network: the most accuracy per second (docs/speed.md has what each of its settings is worth)
"""

from __future__ import annotations

from typing import Literal

from wiesel.recipe import Augmentation, Recipe, Training

Preset = Literal["standard", "fast"]

PRESETS: dict[Preset, Recipe] = {
    "standard": Recipe(),
    "fast": Recipe(
        architecture="wiesel_m",
        augmentation=Augmentation(alternate=True, shift=1),
        training=Training(
            epochs=10,
            batch=256,
            optimiser="muon",
            momentum=0.6,
            decay=0.0,
            schedule="linear",
            warmup=0.0,
            label_smoothing=0.2,
        ),
    ),
}
