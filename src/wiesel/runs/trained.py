"""Run folder -> network, ready to use. All of it comes from the folder, and every byte is compared with the manifest first."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import nn

from wiesel.errors import WrongWeights
from wiesel.language import grouped, say
from wiesel.recipe import Recipe
from wiesel.runs.checkpoints import tensors
from wiesel.runs.documents import parse_classes, parse_mapping, parse_recipe
from wiesel.runs.folder import RunFolder

if TYPE_CHECKING:
    from wiesel.batches.preprocessing import Preprocessing


@dataclass(frozen=True)
class Trained:
    """A network with all that belongs to it. `network` is in evaluation mode, on the CPU; its outputs are as in `classes`."""

    network: nn.Module
    preprocessing: Preprocessing
    classes: tuple[str, ...]
    recipe: Recipe
    run: RunFolder

    def _repr_html_(self) -> str:
        """A small table for notebooks, in the reader's language."""
        facts = {
            say(en="network", de="Netz"): self.recipe.architecture,
            say(en="input", de="Eingabe"): " x ".join(map(str, self.preprocessing.image)),
            say(en="classes", de="Klassen"): ", ".join(self.classes),
            say(en="parameters", de="Parameter"): grouped(sum(p.numel() for p in self.network.parameters())),
            say(en="run", de="Lauf"): str(self.run.path),
        }
        return "<table>" + "".join(f"<tr><th>{escape(k)}</th><td>{escape(v)}</td></tr>" for k, v in facts.items()) + "</table>"


def load(run: RunFolder | Path | str) -> Trained:
    """The trained network of a run.

    Raises:
        NotARun: there is no run there; names the nearest.
        NotTrained: training did not end yet.
        Damaged: names every file that is missing or altered.
        UnknownModel, BadValue: the recipe names what this version does not know.
        WrongWeights: the weights belong to another network.
    """
    from wiesel import zoo
    from wiesel.batches.preprocessing import Preprocessing

    folder = run if isinstance(run, RunFolder) else RunFolder.open(run)
    sealed = folder.read_sealed()
    recipe = parse_recipe(sealed["recipe.toml"], folder.recipe)
    classes = parse_classes(sealed["classes.json"], folder.classes)
    preprocessing = Preprocessing.from_json(parse_mapping(sealed["preprocessing.json"], folder.preprocessing))
    with torch.random.fork_rng(devices=[]):  # the random start of the weights is not kept, and must not change the caller's draws
        network = zoo.of_recipe(recipe, classes=len(classes), image=preprocessing.image)
    weights = tensors(sealed["weights.safetensors"], folder.weights)
    if difference := _difference(network.state_dict(), weights):
        raise WrongWeights(path=str(folder.path), architecture=recipe.architecture, classes=len(classes), difference=difference)
    network.load_state_dict(weights, strict=True)
    return Trained(network.eval(), preprocessing, classes, recipe, folder)


def _difference(expected: dict[str, torch.Tensor], found: dict[str, torch.Tensor]) -> str:
    """The first tensor that is missing, too many, or of another shape or type; empty if there is none."""
    for name in sorted(expected.keys() | found.keys()):
        if name not in found:
            return say(en=f"{name!r} is missing", de=f"{name!r} fehlt")
        if name not in expected:
            return say(en=f"{name!r} is not in the network", de=f"{name!r} gibt es im Netz nicht")
        if expected[name].shape != found[name].shape:
            wanted, got = tuple(expected[name].shape), tuple(found[name].shape)
            return say(en=f"{name!r} has shape {got} instead of {wanted}", de=f"{name!r} hat die Form {got} statt {wanted}")
        if expected[name].dtype != found[name].dtype:
            return say(
                en=f"{name!r} is {found[name].dtype} instead of {expected[name].dtype}",
                de=f"{name!r} ist {found[name].dtype} statt {expected[name].dtype}",
            )
    return ""
