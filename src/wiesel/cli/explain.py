"""`wiesel explain RUN IMAGE…`"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from wiesel.cli.german import spoken
from wiesel.language import number, say

if TYPE_CHECKING:
    from wiesel.reports.explanations import Explained, Pair


@spoken
def explain(
    run: Path,
    image: Path,
    /,
    *more: Path,
    method: Annotated[tuple[str, ...], Parameter(negative="")] = ("gradcam",),
    layer: str | None = None,
    target: str | None = None,
    check: Annotated[bool, Parameter(negative="")] = False,
    neighbours: int = 0,
    data_dir: Path | None = None,
    output: Annotated[Path | None, Parameter(name=("--output", "-o"))] = None,
    json_: Annotated[bool, Parameter(name="--json", negative="")] = False,
) -> None:
    """Show where a picture speaks for the predicted class and for another one.

    Parameters
    ----------
    run
        The run folder.
    image
        A picture file.
    more
        More picture files.
    method
        gradcam, gradcam++, layercam, hirescam, occlusion, integrated_gradients, smoothgrad or saliency; may be given several times.
    layer
        The layer that the CAM methods look at; default: the last that puts out a map.
    target
        The class beside the predicted one; default: the name of the picture's folder, else the runner-up.
    check
        Also scramble the weights, and delete and insert pixels, to see how far the maps can be trusted.
    neighbours
        So many training pictures that are nearest in feature space, from the pictures of the run.
    data_dir
        Where named data sets are looked for first.
    output
        The drawing: a .html or .png file; default `explanation.html` in the current folder.
    json_
        Print the raw maps and everything about them as JSON; draw only if -o is given.
    """
    from wiesel.jobs.explain import explain as job
    from wiesel.jobs.explain import write

    explained = job(
        run, [image, *more], methods=method, layer=layer, target=target, check=check, neighbours=neighbours, data_dir=data_dir
    )
    drawn = None if json_ and output is None else write(explained, output or Path("explanation.html"))
    if json_:
        print(json.dumps([one.to_json() for one in explained]))
        return
    for one in explained:
        _told(one)
    print(drawn)


def _told(one: Explained) -> None:
    from wiesel.reports.explanations import role_name

    for pair in one.pairs:
        for (role, label), found in zip(one.roles, pair.explanations, strict=True):
            low, high = (number(value, 4) for value in found.range)
            where = say(en=f" at {found.layer}", de=f" an {found.layer}") if found.layer else ""
            probability = number(100 * found.probability, 1)
            print(f"{one.image}: {label} ({role_name(role)}, {probability} %), {found.method}{where}: {low} … {high}")
            for remark in found.remarks:
                print(f"  {remark}")
        _checked(pair)
    for near in one.neighbours:
        print(
            f"  {say(en='near', de='nah')}: {near.name} ({near.label}), {say(en='cosine', de='Kosinus')} {number(near.likeness, 3)}"
        )


def _checked(pair: Pair) -> None:
    if pair.sanity is None or pair.faithfulness is None:
        return
    same, faith = number(pair.sanity.correlation, 2), pair.faithfulness
    deletion, random_deletion = number(faith.deletion.area, 3), number(faith.random_deletion, 3)
    insertion, random_insertion = number(faith.insertion.area, 3), number(faith.random_insertion, 3)
    print(
        "  "
        + say(
            en=f"Rank correlation with scrambled weights {same} ({'changes' if pair.sanity.passed else 'STAYS THE SAME'}); "
            f"deletion {deletion} (random {random_deletion}), insertion {insertion} (random {random_insertion}).",
            de=f"Rangkorrelation bei verwürfelten Gewichten {same} ({'ändert sich' if pair.sanity.passed else 'BLEIBT GLEICH'}); "
            f"Löschen {deletion} (zufällig {random_deletion}), Einfügen {insertion} (zufällig {random_insertion}).",
        )
    )
