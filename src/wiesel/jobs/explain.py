"""Why a trained network says what it says about pictures from anywhere."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import torch
from torch import Tensor

from wiesel import explanation
from wiesel.errors import BadValue, NoSuchPicture, PictureIsFolder, UnknownClassName, nearest
from wiesel.explanation import LAYER_METHODS, METHODS, Explanation
from wiesel.explanation.scores import scores_of_variants
from wiesel.images.decoding import decode
from wiesel.jobs.evaluate import pictures_of
from wiesel.language import say
from wiesel.reports import explanations as page
from wiesel.reports import kin
from wiesel.reports.explanations import Explained, Neighbour, Pair, Role
from wiesel.runs import commit, trained
from wiesel.runs.trained import Trained


def explain(
    run: Path | str,
    pictures: Sequence[Path | str],
    *,
    methods: Sequence[str] = ("gradcam",),
    layer: str | None = None,
    target: str | None = None,
    check: bool = False,
    neighbours: int = 0,
    data_dir: Path | str | None = None,
) -> list[Explained]:
    """Explain picture files with the same decoding and preprocessing as in training; each for two classes.

    The first class is the predicted one. The second is `target` (a name or a number) if it is given; else the true one, if the
    picture lies in a folder with the name of a class and that is not the predicted one; else the most probable of the others.
    `check` adds the sanity check and the deletion and insertion areas of each method, for the predicted class.
    `neighbours`: so many training pictures that are nearest in feature space; `data_dir`: where named data sets are looked for first.

    Raises:
        NoSuchPicture, PictureIsFolder, Undecodable: the first picture that is not there or cannot be read; nothing is explained then.
        BadValue: no such method. UnknownClassName: no such class. LayerNotFound, WhichCall, NoMap: no such layer, or no map.
        RunError: not a finished run. DataChanged, MissingError: there are no neighbours without the pictures of the run.
    """
    if neighbours < 0:
        raise BadValue(setting="neighbours", value=neighbours, expected="0 or more training pictures")
    for method in methods:
        if method not in METHODS:
            raise BadValue(setting="method", value=method, expected=" | ".join(METHODS))
    if layer is not None and not any(method in LAYER_METHODS for method in methods):
        expected = say(
            en=f"only with a method that looks at a layer: {' | '.join(LAYER_METHODS)}",
            de=f"nur mit einem Verfahren, das eine Schicht ansieht: {' | '.join(LAYER_METHODS)}",
        )
        raise BadValue(setting="layer", value=layer, expected=expected)
    paths = [Path(picture) for picture in pictures]
    for path in paths:
        if not path.is_file():
            raise PictureIsFolder(path=path) if path.is_dir() else NoSuchPicture(path=path)
    model = trained.load(run)
    preparation = model.preprocessing
    asked = None if target is None else _class_number(target, model.classes)
    size = (preparation.height, preparation.width)
    decoded = [
        decode(path.read_bytes(), channels=preparation.channels, size=size, fit=preparation.fit, name=str(path)) for path in paths
    ]
    those = kin.known(model, pictures_of(model.run, data_dir=data_dir)) if neighbours else None
    found = []
    for path, pixels in zip(paths, decoded, strict=True):
        picture = preparation.normalise(torch.from_numpy(pixels[None].copy()))  # decoded pixels are read-only
        classes = _classes(model, picture, path, asked)
        numbers = tuple(number for _, number in classes)
        found.append(
            Explained(
                image=str(path),
                pixels=pixels,
                roles=tuple((role, model.classes[number]) for role, number in classes),
                pairs=tuple(_pair(model, picture, numbers, method, layer, check) for method in methods),
                neighbours=_neighbours(model, those, picture, neighbours, path),
            )
        )
    return found


def _neighbours(model: Trained, those: kin.Known | None, picture: Tensor, number: int, path: Path) -> tuple[Neighbour, ...]:
    if those is None:
        return ()
    (nearest,) = kin.neighbours_of(model, those, iter([picture.clone()]), number + 1)
    place = path.resolve().as_posix()  # a training picture is not its own neighbour
    others = [(row, likeness) for row, likeness in nearest if not place.endswith(f"/{those.data.train.names[those.rows[row]]}")]
    shown = [kin.training_picture(those, row, likeness, page.LONGEST_SIDE) for row, likeness in others[:number]]
    return tuple(Neighbour(one.name, model.classes[one.label], one.likeness, one.png) for one in shown)


def write(explained: list[Explained], output: Path) -> Path:
    """Draw explanations into `output`, a .png or a .html file.

    Raises:
        BadValue: another ending.
        CannotSave: the machine refused.
    """
    if output.suffix.lower() == ".png":
        commit.write_file(output, page.png(explained))
    elif output.suffix.lower() in (".html", ".htm"):
        commit.write_file(output, page.html(explained).encode())
    else:
        raise BadValue(setting="output", value=str(output), expected="FILE.html | FILE.png")
    return output


def _pair(model: Trained, picture: Tensor, targets: tuple[int, ...], method: str, layer: str | None, check: bool) -> Pair:
    wanted = layer if method in LAYER_METHODS else None
    maps = tuple(explanation.explain(model.network, picture, target, method=method, layer=wanted) for target in targets)
    if not check:
        return Pair(method, maps)
    again = partial(_again, picture=picture, target=targets[0], method=method, layer=wanted)
    return Pair(method, maps, explanation.sanity(model.network, again), explanation.faithfulness(model.network, picture, maps[0]))


def _again(network: torch.nn.Module, *, picture: Tensor, target: int, method: str, layer: str | None) -> Explanation:
    return explanation.explain(network, picture, target, method=method, layer=layer)


def _classes(model: Trained, picture: Tensor, path: Path, asked: int | None) -> list[tuple[Role, int]]:
    """The classes to explain: the predicted one, and one to compare it with (none if there is only one class)."""
    ranking = scores_of_variants(model.network, 1, lambda _start, _end: picture.clone())[0].argsort(descending=True).tolist()
    predicted = ranking[0]
    classes: list[tuple[Role, int]] = [("predicted", predicted)]
    folder = path.resolve().parent.name
    if asked is not None and asked != predicted:
        classes.append(("asked", asked))
    elif asked is None and folder in model.classes and model.classes.index(folder) != predicted:
        classes.append(("true", model.classes.index(folder)))
    elif len(ranking) > 1:
        classes.append(("runner-up", ranking[1]))
    return classes


def _class_number(name: str, classes: tuple[str, ...]) -> int:
    """A class by its name, else by its number."""
    if name in classes:
        return classes.index(name)
    if name.isdecimal() and int(name) < len(classes):
        return int(name)
    shown = ", ".join(classes[:20]) + (" …" if len(classes) > 20 else "")
    raise UnknownClassName(name=name, nearest=nearest(name, list(classes)), known=shown)
