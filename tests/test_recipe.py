"""Recipes on disk."""

from __future__ import annotations

import dataclasses
import tomllib

from wiesel.recipe import Recipe, from_toml, to_toml


def test_a_recipe_that_left_things_out_is_written_back_whole() -> None:
    """Else a later version with other defaults would repeat another run."""
    read = from_toml('architecture = "lenet5"\n[training]\nepochs = 2\n')
    written = tomllib.loads(to_toml(read))
    assert written["training"]["optimiser"] == "adamw"
    assert written["training"].keys() == {field.name for field in dataclasses.fields(read.training)}
    assert written.keys() == {field.name for field in dataclasses.fields(Recipe)}
    assert from_toml(to_toml(read)) == read
