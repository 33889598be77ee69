"""The numbers that a learner gives about a network; the texts are for a human."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import nn

from wiesel import zoo
from wiesel.errors import WieselError
from wiesel.language import say
from wiesel.lessons.checking import Own, Result


def check(own: Own) -> Iterator[Result]:
    name = own.get("model")
    yield own.part("model", "model", _known, say(en=f"{name} is in the catalogue.", de=f"{name} steht im Verzeichnis."))
    yield own.part("parameters", "parameters", lambda given: _parameters(name, given), say(en="so it is.", de="so ist es."))
    yield own.part("largest_kernel", "largest_kernel", lambda given: _kernel(name, given), say(en="so it is.", de="so ist es."))
    yield own.text("summary", "summary")
    yield own.text("opinion", "opinion")


def _known(name: Any) -> str | None:
    try:
        row = zoo.find(str(name))
    except WieselError as error:
        return str(error)
    if row.year is not None and row.year < 2019:
        return say(en=f"is of {row.year}; choose one from 2019 on", de=f"ist von {row.year}; wähle eines ab 2019")
    return None


def _parameters(name: Any, given: Any) -> str | None:
    right = (zoo.find(str(name)).parameters or 0) / 1e6
    return (
        None
        if abs(float(given) - right) <= 0.1
        else say(en=f"it does not have {given} million", de=f"es hat nicht {given} Millionen")
    )


def _kernel(name: Any, given: Any) -> str | None:
    with torch.device("meta"):
        row = zoo.find(str(name))
        network = zoo.build(str(name), classes=row.classes, channels=row.input[0])
    right = max(max(layer.kernel_size) for layer in network.modules() if isinstance(layer, nn.Conv2d))
    return (
        None
        if int(given) == right
        else say(en=f"the largest convolution does not have side {given}", de=f"die grösste Faltung hat nicht die Seite {given}")
    )
