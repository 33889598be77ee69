"""`wiesel inspect MODEL|RUN|FILE`"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from wiesel.cli.columns import columns
from wiesel.cli.german import spoken
from wiesel.errors import NothingToInspect
from wiesel.language import grouped, number, say

if TYPE_CHECKING:
    from wiesel.analysis.arithmetic import Step
    from wiesel.analysis.receptive_field import Field
    from wiesel.jobs.chapter import Claim
    from wiesel.jobs.inspect import Inspection


@spoken
def inspect(
    model: str | None = None,
    /,
    *,
    input_: Annotated[str | None, Parameter(name="--input")] = None,
    classes: int | None = None,
    change: Annotated[tuple[str, ...], Parameter(negative="")] = (),
    explain: str | None = None,
    table: Literal["chapter", "parameters"] | None = None,
    svg: Path | None = None,
    dot: Path | None = None,
    mermaid: Path | None = None,
    detail: Literal["blocks", "operations", "autograd"] = "blocks",
    json_: Annotated[bool, Parameter(name="--json", negative="")] = False,
) -> None:
    """Show what a network is made of: its layers, sums, receptive fields and graph.

    Parameters
    ----------
    model
        Name of a network, a run folder, a recipe (.toml) or a file of weights (.safetensors).
    input_
        Size of the picture, channels x height x width: 1x28x28.
    classes
        Number of classes.
    change
        A change to the network, such as `activation=sigmoid`; may be given several times.
    explain
        Print the calculation of this layer, step by step.
    table
        chapter: the textbook's table of networks, counted again; parameters: its worked examples.
    svg
        Draw the network into this file.
    dot
        The same for Graphviz.
    mermaid
        The same for Mermaid.
    detail
        What is drawn: blocks, all operations, or the graph of the gradients.
    json_
        Print as JSON.
    """
    if table is not None:
        _chapter(as_json=json_) if table == "chapter" else _worked_examples()
        return
    if model is None:
        raise NothingToInspect()
    if Path(model).suffix == ".safetensors" and not (Path(model).parent / "recipe.toml").is_file():
        _weights(Path(model), as_json=json_)
        return

    from wiesel.jobs.inspect import draw, parse_image
    from wiesel.jobs.inspect import inspect as job

    found = job(model, image=None if input_ is None else parse_image(input_), classes=classes, changes=change)
    for path, kind in ((svg, "svg"), (dot, "dot"), (mermaid, "mermaid")):
        if path is not None:
            draw(found, path, format=kind, detail=detail)  # type: ignore[arg-type]
    if explain is not None:
        _steps(found.explain(explain))
    elif json_:
        print(json.dumps(found.to_json()))
    elif not any((svg, dot, mermaid)):
        _table(found)


def _table(found: Inspection) -> None:
    titles = (
        say(en="layer", de="Schicht"),
        say(en="type", de="Art"),
        say(en="output", de="Ausgabe"),
        say(en="parameters", de="Parameter"),
        say(en="multiply-adds", de="Multiplikationen"),
        say(en="receptive field", de="rezeptives Feld"),
        say(en="step", de="Schritt"),
    )
    rows = []
    for entry in found.entries:
        field = found.field(entry)
        rows.append(
            (
                entry.name + (f" ({entry.call + 1})" if entry.call and entry.type[:1].isupper() else ""),
                entry.type,
                "x".join(map(str, entry.output)),
                grouped(entry.parameters) if entry.parameters else "",
                grouped(entry.macs) if entry.macs else "",
                "" if field is None else _field(field),
                "" if field is None or field.stride is None else _pair(field.stride),
            )
        )
    lines = columns(titles, rows, (False, False, True, True, True, True, True))
    image = "x".join(map(str, found.tape.image))
    print(f"{found.name}, {image}")
    print(lines[0])
    beyond = found.exceeds
    for entry, line in zip(found.entries, lines[1:], strict=True):
        if entry is beyond:
            print(
                say(
                    en=f"--- from here on the receptive field exceeds the picture ({image}) ---",
                    de=f"--- ab hier ist das rezeptive Feld grösser als das Bild ({image}) ---",
                )
            )
        print(line)
    print()
    _sums(found)
    if (failure := found.tape.failure) is not None:
        from wiesel.analysis.cost import failed

        print()
        print(say(en="The forward pass stopped. ", de="Der Vorwärtslauf brach ab. ") + str(failed(found.tape)))
        print(say(en=f"Where: {failure.kind} {failure.module}", de=f"Wo: {failure.kind} {failure.module}"))


def _sums(found: Inspection) -> None:
    table = found.cost
    frozen = table.parameters - found.trainable
    facts = [
        (
            say(en="parameters", de="Parameter"),
            grouped(table.parameters) + (say(en=f", {grouped(frozen)} frozen", de=f", {grouped(frozen)} fest") if frozen else ""),
        ),
        (say(en="multiply-adds (MAC)", de="Multiplikationen mit Addition (MAC)"), grouped(table.macs)),
        (say(en="operations (FLOP = 2 MAC)", de="Operationen (FLOP = 2 MAC)"), grouped(table.flops)),
        (say(en="all outputs, float32", de="alle Ausgaben, float32"), f"{number(found.memory / 2**20, 1)} MiB"),
        (
            say(en="counts as nothing", de="zählt als nichts"),
            ", ".join(f"{name} {count}x" for name, count in table.uncounted.items()) or "-",
        ),
    ]
    width = max(len(name) for name, _ in facts)
    for name, value in facts:
        print(f"{name:<{width}}  {value}")


def _field(field: Field) -> str:
    """29 if exact, "<= 40" for an upper bound, words for the rest."""
    if field.status.name == "WHOLE_INPUT":
        return say(en="whole picture", de="ganzes Bild")
    if field.size is None:
        return say(en=f"unknown after {field.because}", de=f"unbekannt nach {field.because}")
    return ("<= " if field.status.name == "UPPER_BOUND" else "") + _pair(field.size)


def _pair(values: tuple[float, float]) -> str:
    """(2, 2) as 2, (2, 1) as 2x1."""
    return "x".join(f"{value:g}" for value in dict.fromkeys(values))


def _chapter(*, as_json: bool) -> None:
    from wiesel.jobs import chapter

    claims = chapter.table()
    if as_json:
        keys = ("network", "column", "chapter", "paper", "here", "right")
        print(json.dumps([{key: getattr(claim, key) for key in keys} for claim in claims]))
        return
    titles = (
        say(en="network", de="Netz"),
        say(en="what", de="was"),
        say(en="chapter", de="Kapitel"),
        say(en="paper", de="Arbeit"),
        say(en="counted here", de="hier gezählt"),
        say(en="verdict", de="Urteil"),
    )
    rows = [
        (
            claim.network,
            claim.what,
            _localised(claim.chapter),
            "-" if claim.paper is None else _localised(claim.paper),
            "-" if claim.here is None else number(claim.here, 3),
            say(en="right", de="richtig") if claim.right else say(en="wrong", de="falsch") + f" ({_difference(claim)})",
        )
        for claim in claims
    ]
    print("\n".join(columns(titles, rows, (False, False, True, True, True, False))))
    right = sum(claim.right for claim in claims)
    print()
    print(
        say(
            en=f"{right} of {len(claims)} numbers are right to the digits printed; accuracies are held against the papers.",
            de=f"{right} von {len(claims)} Zahlen stimmen auf die gedruckten Stellen; Genauigkeiten sind mit den Arbeiten verglichen.",
        )
    )
    for remark in chapter.remarks():
        print(f"* {remark}")


def _difference(claim: Claim) -> str:
    sign = "+" if claim.off > 0 else "−"
    if claim.column.endswith("%"):
        return f"{sign}{number(abs(claim.off), 1)} " + say(en="points", de="Punkte")
    return f"{sign}{number(abs(100 * claim.off), 1)} %"


def _worked_examples() -> None:
    from wiesel.jobs import chapter

    for layer, steps in chapter.worked_examples():
        print(layer)
        _steps(steps, indent="  ")


def _steps(steps: list[Step], indent: str = "") -> None:
    for step in steps:
        print(f"{indent}{step}")
    if any("(k - 1)" in step.formula for step in steps):
        legend = say(
            en="n: side of the input, p: padding of both sides together, d: dilation, k: side of the window, s: stride",
            de="n: Seite der Eingabe, p: Rand beider Seiten zusammen, d: Dilatation, k: Seite des Fensters, s: Schrittweite",
        )
        print(f"{indent}({legend})")


def _weights(path: Path, *, as_json: bool) -> None:
    from wiesel.jobs.inspect import weights

    tensors = weights(path)
    total = sum(count for _, _, _, count in tensors)
    if as_json:
        print(
            json.dumps(
                {
                    "tensors": [{"name": name, "shape": list(shape), "type": kind} for name, shape, kind, _ in tensors],
                    "totals": {"numbers": total},
                }
            )
        )
        return
    titles = (say(en="tensor", de="Tensor"), say(en="type", de="Art"), say(en="shape", de="Form"), say(en="numbers", de="Zahlen"))
    rows = [(name, kind, "x".join(map(str, shape)), grouped(count)) for name, shape, kind, count in tensors]
    print("\n".join(columns(titles, rows, (False, False, True, True))))
    print()
    print(
        say(
            en=f"{len(rows)} tensors, {grouped(total)} numbers. A file of weights does not say what is done with them.",
            de=f"{len(rows)} Tensoren, {grouped(total)} Zahlen. Eine Datei mit Gewichten sagt nicht, was mit ihnen geschieht.",
        )
    )


def _localised(text: str) -> str:
    return text.replace(".", say(en=".", de=","))
