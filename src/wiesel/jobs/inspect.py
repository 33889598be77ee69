"""A network looked at without training it: its table, its sums, what each layer can see of the picture, its graph."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any, Literal

import torch
from torch import nn

from wiesel import recipe as recipes
from wiesel import zoo
from wiesel.analysis import arithmetic, drawing
from wiesel.analysis.arithmetic import Step
from wiesel.analysis.cost import Cost, blank, cost
from wiesel.analysis.ledger import Entry, ledger
from wiesel.analysis.receptive_field import Field, fields
from wiesel.analysis.tape import Tape, record
from wiesel.errors import AmbiguousLayer, BadValue, DamagedWeights, LayerNotFound, NoForwardPass, NoSuchWeights, nearest
from wiesel.language import say
from wiesel.runs import commit
from wiesel.runs.folder import RunFolder

FOREIGN_IMAGE = (3, 224, 224)  # of a foreign network that does not say what it is for


@dataclass(frozen=True)
class Inspection:
    """What was found out about one network."""

    name: str
    network: nn.Module
    """On the meta device: shapes without numbers."""
    tape: Tape
    cost: Cost
    entries: tuple[Entry, ...]
    fields: dict[int, Field]
    """By the value on the tape."""

    def field(self, entry: Entry) -> Field | None:
        return None if entry.value is None else self.fields.get(entry.value)

    @property
    def trainable(self) -> int:
        return sum(p.numel() for p in self.network.parameters() if p.requires_grad)

    @property
    def memory(self) -> int:
        """Bytes of all outputs for one picture in float32, if all are kept, as training does."""
        return sum(entry.bytes for entry in self.entries)

    @property
    def exceeds(self) -> Entry | None:
        """The first row whose receptive field is larger than the picture."""
        return next((entry for entry in self.entries if (field := self.field(entry)) is not None and field.exceeds), None)

    def explain(self, layer: str) -> list[Step]:
        """The calculation of one layer, or the sum of a block's; `layer` may be the end of a name, if only one ends so.

        Raises:
            LayerNotFound: no layer of that name; names the nearest.
            AmbiguousLayer: several names end so.
            CannotExplain: there is no rule for such a layer.
        """
        names = [name for name, _ in self.network.named_modules() if name]
        matching = [layer] if layer in names else [name for name in names if name.endswith(f".{layer}")]
        if len(matching) > 1:
            raise AmbiguousLayer(layer=layer, names=", ".join(matching[:5]) + (", …" if len(matching) > 5 else ""))
        if not matching:
            raise LayerNotFound(layer=layer, nearest=nearest(layer, names))
        module = self.network.get_submodule(matching[0])
        if any(True for _ in module.children()):
            return arithmetic.sums(module)
        calls = [call for call in self.tape.calls if call.module == matching[0] and call.inputs]
        if not calls:
            return arithmetic.weights(module)
        return arithmetic.explain(module, self.tape.values[calls[0].inputs[0]].shape[1:])

    def to_json(self) -> dict[str, Any]:
        """The keys that other programs may rely on, and more."""
        failure = self.tape.failure
        return {
            "name": self.name,
            "image": list(self.tape.image),
            "totals": {
                "parameters": self.cost.parameters,
                "trainable": self.trainable,
                "macs": self.cost.macs,
                "flops": self.cost.flops,
                "bytes": self.memory,
            },
            "layers": [
                {
                    "name": entry.name,
                    "type": entry.type,
                    "call": entry.call,
                    "output": list(entry.output),
                    "parameters": entry.parameters,
                    "macs": entry.macs,
                    "receptive_field": None if (field := self.field(entry)) is None else _field_json(field),
                }
                for entry in self.entries
            ],
            "uncounted": self.cost.uncounted,
            "exceeds_picture_from": None if (first := self.exceeds) is None else first.name,
            "failure": None
            if failure is None
            else {
                "operation": failure.operation,
                "module": failure.module,
                "shapes": [list(shape) for shape in failure.shapes],
                "message": failure.message,
            },
        }


def inspect(
    model: str | Path | nn.Module,
    *,
    image: tuple[int, int, int] | None = None,
    classes: int | None = None,
    changes: tuple[str, ...] = (),
) -> Inspection:
    """Look at a network by its name, at the one of a run folder or a recipe (.toml), or at any `nn.Module`.

    Args:
        image: (C, H, W) in pixels; default what the network or the run is for.
        classes: default what the network or the run is for.
        changes: as in a recipe, see `wiesel.zoo.surgery`; done after those that `model` names.

    Raises:
        UnknownModel, BadValue, NotARun, PictureTooSmall, UnknownChange, BadChange: see `wiesel.errors`.
        NoForwardPass: a file of weights, which says nothing about what is done with them.
    """
    name, network, image = _network(model, image, classes, changes)
    tape = record(network, image)
    return Inspection(name, network, tape, cost(network, image, tape), ledger(network, tape), fields(tape))


def _network(
    model: str | Path | nn.Module, image: tuple[int, int, int] | None, classes: int | None, changes: tuple[str, ...]
) -> tuple[str, nn.Module, tuple[int, int, int]]:
    if isinstance(model, nn.Module):
        return type(model).__name__, model, image or FOREIGN_IMAGE
    path = Path(model)
    if path.suffix in (".safetensors", ".pt", ".pth", ".ckpt", ".bin", ".onnx", ".h5"):
        raise NoForwardPass(path=str(model))
    if path.suffix == ".toml":
        return _from_recipe(recipes.read(path), image, classes, changes)
    if path.is_dir() or "/" in str(model) or "\\" in str(model):
        run = RunFolder.open(path)
        shape = run.read_preprocessing()
        return _from_recipe(
            run.read_recipe(),
            image or (shape["channels"], shape["height"], shape["width"]),
            classes or len(run.read_classes()),
            changes,
        )
    row = zoo.find(str(model))
    image = image or row.input
    with torch.device("meta"):
        network = zoo.build(str(model), classes=classes or row.classes, channels=image[0], size=image[1:], changes=changes)
    return str(model), network, image


def _from_recipe(
    recipe: recipes.Recipe, image: tuple[int, int, int] | None, classes: int | None, changes: tuple[str, ...]
) -> tuple[str, nn.Module, tuple[int, int, int]]:
    row = zoo.find(recipe.architecture)
    image = image or row.input
    changed = dataclasses.replace(recipe.network, changes=(*recipe.network.changes, *changes))
    with torch.device("meta"):
        network = zoo.of_recipe(dataclasses.replace(recipe, network=changed), classes=classes or row.classes, image=image)
    return recipe.architecture, network, image


def draw(
    found: Inspection,
    path: Path,
    *,
    format: Literal["svg", "dot", "mermaid"] = "svg",
    detail: Literal["blocks", "operations", "autograd"] = "blocks",
) -> None:
    """Write the network's graph into `path`, whole or not at all.

    Raises:
        CannotSave: the file cannot be written.
    """
    image = found.tape.image
    if detail == "autograd":
        output = found.network.eval()(blank(found.network, image))
        text = drawing.draw_autograd(output, dict(found.network.named_parameters()), format=format, name=found.name)
    else:
        text = drawing.draw(found.network, image, detail=detail, format=format, name=found.name)
    commit.write_file(path, text.encode())


def weights(path: Path) -> list[tuple[str, tuple[int, ...], str, int]]:
    """Name, shape, type and size of every tensor of a safetensors file, of which only the header is read.

    Raises:
        NoSuchWeights, DamagedWeights: there is no such file, or it is not one of safetensors.
    """
    import safetensors

    if not path.is_file():
        raise NoSuchWeights(path=str(path))
    try:
        with safetensors.safe_open(path, framework="np") as file:
            slices = {name: file.get_slice(name) for name in file.keys()}  # noqa: SIM118  (a file, no mapping)
            return [(name, tuple(part.get_shape()), part.get_dtype(), prod(part.get_shape())) for name, part in slices.items()]
    except (OSError, safetensors.SafetensorError) as error:
        raise DamagedWeights(path=str(path), cause=str(error)) from None


def _field_json(field: Field) -> dict[str, Any]:
    """`size` and `stride` are those of the longer direction, `sizes` and `strides` those of (rows, columns)."""
    sizes, strides = (None if pair is None else [round(side, 3) for side in pair] for pair in (field.size, field.stride))
    return {
        "size": sizes and max(sizes),
        "stride": strides and max(strides),
        "status": field.status.name,
        "sizes": sizes,
        "strides": strides,
    }


MOST_CHANNELS = 4
"""Of a picture given by two numbers: more were meant as its height."""


def parse_image(text: str) -> tuple[int, int, int]:
    """ "1x28x28" -> (1, 28, 28); "28" is a square picture with one channel, "3x32" one with three. "28x28" is refused: 28 channels?

    Raises:
        BadValue: something else, or a number below 1.
    """
    expected = say(
        en="channels x height x width in pixels, for example 3x224x224",
        de="Kanäle x Höhe x Breite in Pixeln, zum Beispiel 3x224x224",
    )
    parts = text.lower().replace("×", "x").split("x")
    if (
        not all(part.isascii() and part.isdigit() for part in parts)
        or len(parts) > 3
        or "0" in {part.lstrip("0") or "0" for part in parts}
    ):
        raise BadValue(setting="input", value=text, expected=expected)
    numbers = [int(part) for part in parts]
    if len(numbers) == 1:
        return (1, numbers[0], numbers[0])
    if len(numbers) == 2 and numbers[0] > MOST_CHANNELS:
        raise BadValue(setting="input", value=text, expected=expected)
    return (numbers[0], numbers[1], numbers[-1])
