"""Every recipe that is shipped can be read, and its network built for the pictures it is for."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from wiesel import recipe as recipes
from wiesel import zoo

FOLDER = Path(__file__).parents[2] / "recipes"


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.toml")), ids=lambda path: path.stem)
def test_a_recipe_describes_a_network_that_gives_logits(path: Path) -> None:
    recipe = recipes.read(path)
    side = recipe.data.size or 32
    with torch.device("meta"):
        network = zoo.of_recipe(recipe, classes=7, image=(3, side, side)).eval()
        assert network(torch.zeros(2, 3, side, side)).shape == (2, 7)
    assert f"recipes/{path.name}" in path.read_text(encoding="utf-8"), "the file says how it is run"
