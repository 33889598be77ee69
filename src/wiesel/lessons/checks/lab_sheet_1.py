"""The lab sheet's first task: a learner's run, and what follows from its predictions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from wiesel.evaluation.result import Evaluation
from wiesel.language import say
from wiesel.lessons.checking import Own, Result
from wiesel.lessons.checks.run_folder import opened, unfinished
from wiesel.lessons.reader import scientific


def check(own: Own) -> Iterator[Result]:
    run = own.get("run")
    yield own.text("(a)", "machine")
    yield own.part("(b)", "drawing", lambda path: _drawing(own, path), say(en="there is a drawing.", de="die Zeichnung ist da."))
    yield own.part(
        "(c)",
        "run",
        lambda path: _trained(own, path),
        say(en="finished, five epochs or more.", de="fertig, fünf Epochen oder mehr."),
    )
    if run is None:
        for part in ("(d)", "(e)"):
            yield Result(part, "open", say(en="needs a run, see (c).", de="braucht einen Lauf, siehe (c)."))
    else:
        yield own.part("(d)", "confused", lambda names: _confused(own, run, names), say(en="those four.", de="diese vier."))
        yield own.part("(e)", "best_f1", lambda name: _best(own, run, name), say(en="so it is.", de="so ist es."))
    yield own.text("(e)", "interpretation")
    yield own.part("(f)", "denormalised", _denormalised, say(en="gives the pixels back.", de="gibt die Pixel zurück."))
    yield own.part("(g)", "softmax", _softmax, say(en="right, for large logits too.", de="richtig, auch für grosse Logits."))


def _drawing(own: Own, path: Any) -> str | None:
    file = own.path.parent / str(path)
    if not file.is_file():
        return say(en=f"there is no file {file}", de=f"es gibt keine Datei {file}")
    if b"<svg" not in file.read_bytes()[:2000] and file.suffix.lower() not in (".png", ".pdf"):
        return say(en=f"{file.name} is no drawing (SVG, PNG or PDF)", de=f"{file.name} ist keine Zeichnung (SVG, PNG oder PDF)")
    return None


def _trained(own: Own, path: Any) -> str | None:
    run = opened(own, path)
    if wrong := unfinished(run):
        return wrong
    recipe = run.read_recipe()
    if recipe.training.epochs < 5:
        return say(
            en=f"{recipe.training.epochs} epochs; asked are at least 5",
            de=f"{recipe.training.epochs} Epochen; gefragt sind mindestens 5",
        )
    if "resnet" not in recipe.architecture:
        return say(en=f"{recipe.architecture} is no ResNet", de=f"{recipe.architecture} ist kein ResNet")
    return None


def _evaluation(own: Own, path: Any) -> Evaluation:
    return Evaluation.from_json(opened(own, path).read_evaluation())


def _confused(own: Own, path: Any, names: Any) -> str | None:
    found = _evaluation(own, path)
    off = found.matrix - np.diag(np.diag(found.matrix))
    errors = off.sum(0) + off.sum(1)
    least = np.sort(errors)[-4]  # classes with as many errors as the fourth count too
    given = [str(name) for name in names]
    if unknown := [name for name in given if name not in found.classes]:
        return say(en=f"no class is called {unknown[0]!r}", de=f"keine Klasse heisst {unknown[0]!r}")
    if len(set(given)) != 4:
        return say(
            en=f"four names are asked for, you give {len(set(given))}", de=f"gefragt sind vier Namen, du gibst {len(set(given))}"
        )
    wrong = [name for name in given if errors[found.classes.index(name)] < least]
    return say(en=f"{wrong[0]} is not among them", de=f"{wrong[0]} gehört nicht dazu") if wrong else None


def _best(own: Own, path: Any, name: Any) -> str | None:
    found = _evaluation(own, path)
    highest = max(one.f1 for one in found.per_class)
    best = [one.name for one in found.per_class if one.f1 >= highest - 1e-9]
    return None if str(name) in best else say(en=f"{name} does not have the highest F1", de=f"{name} hat nicht den höchsten F1")


def _denormalised(theirs: Any) -> str | None:
    pixels = np.random.default_rng(0).random((4, 1, 6, 6))
    apart = float(np.abs(np.asarray(theirs((pixels - 0.3) / 0.4, 0.3, 0.4)) - pixels).max())
    return None if apart < 1e-9 else say(en=f"off by up to {scientific(apart)}", de=f"um bis zu {scientific(apart)} daneben")


def _softmax(theirs: Any) -> str | None:
    logits = np.random.default_rng(0).normal(size=(5, 10)) * 3
    expected = np.array([[1 / np.exp(row - one).sum() for one in row] for row in logits])
    with np.errstate(all="ignore"):
        given, large = np.asarray(theirs(logits)), np.asarray(theirs(logits + 1000))
    if given.shape != expected.shape:
        return say(en=f"gives the shape {given.shape} of {expected.shape}", de=f"macht die Form {given.shape} aus {expected.shape}")
    if not np.allclose(given.sum(1), 1, atol=1e-9):
        return say(en="other numbers: each row has to sum to 1", de="andere Zahlen: jede Zeile muss die Summe 1 haben")
    if not np.allclose(given, expected, atol=1e-9):
        return say(
            en="each row sums to 1, but the shares are others: is it the exponential function, of base e?",
            de="jede Zeile hat die Summe 1, aber die Anteile sind andere: Ist es die Exponentialfunktion zur Basis e?",
        )
    if not np.allclose(large, expected, atol=1e-9):
        return say(
            en="right for small logits; for 1000 exp overflows: subtract the largest first",
            de="für kleine Logits richtig; bei 1000 läuft exp über: zieh zuerst das grösste ab",
        )
    return None
