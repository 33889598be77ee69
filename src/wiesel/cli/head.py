"""`wiesel head RUN`"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from wiesel.cli.columns import columns
from wiesel.cli.german import spoken
from wiesel.language import grouped, number, say

if TYPE_CHECKING:
    from wiesel.jobs.head import HeadResult, Row


@spoken
def head(
    run: Path,
    /,
    *,
    kind: Literal["softmax", "laplace", "sngp", "dkl"] = "laplace",
    labels_per_class: int | None = None,
    seed: int = 0,
    against: str | None = None,
    test: Annotated[bool, Parameter(negative="")] = False,
    data_dir: Path | None = None,
    json_: Annotated[bool, Parameter(name="--json", negative="")] = False,
) -> None:
    """Put another head on a finished run, one that knows what it does not know, and measure both.

    The head is kept in `heads/` in the run folder; the run itself stays as it is.

    Parameters
    ----------
    run
        The run folder.
    kind
        softmax, laplace (weights with their uncertainty), sngp (random features, one pass) or dkl (Gaussian processes; needs GPyTorch).
    labels_per_class
        Fit on so few training labels of each class instead of all.
    seed
        Number that decides which labels, and every draw.
    against
        Pictures from elsewhere, a named data set, a folder or a .zip: how well does doubt tell them apart?
    test
        Measure on the test split too; the look is recorded.
    data_dir
        Where named data sets are looked for first.
    json_
        Print the result as JSON.
    """
    from wiesel.jobs.head import head as job

    def tell(words: str) -> None:
        print(words, file=sys.stderr, flush=True)

    result = job(run, kind, labels_per_class=labels_per_class, seed=seed, against=against, test=test, data_dir=data_dir, tell=tell)
    if json_:
        print(json.dumps(result.to_json()))
        return
    for split in dict.fromkeys(row.split for row in result.rows):
        rows = [row for row in result.rows if row.split == split]
        pictures, labels = grouped(rows[0].pictures), grouped(result.labels)
        print(
            say(
                en=f"{split}: {pictures} pictures; head fitted on {labels} labels",
                de=f"{split}: {pictures} Bilder; Kopf auf {labels} Etiketten angepasst",
            )
        )
        print("\n".join(_lines(rows, result)))
    print(result.folder)


def _lines(rows: list[Row], result: HeadResult) -> list[str]:
    scores = list(dict.fromkeys(score for row in rows for score in row.auroc))
    titles = [
        say(en="head", de="Kopf"),
        say(en="accuracy", de="Genauigkeit"),
        say(en="difference, points", de="Unterschied, Punkte"),
        "NLL",
        "ECE",
        *(f"AUROC {score}" for score in scores),
    ]
    cells = []
    for row in rows:
        ahead = "" if row.ahead is None else " … ".join(number(100 * end, 2) for end in (row.ahead.low, row.ahead.high))
        shown = [row.auroc[score].percent(1) if score in row.auroc else "" for score in scores]
        cells.append([_name(row.head, result), row.accuracy.percent(2), ahead, number(row.nll, 4), row.ece.percent(2), *shown])
    return columns(titles, cells, [False] + [True] * (len(titles) - 1))


def _name(head: str, result: HeadResult) -> str:
    if head == "run":
        return say(en="the run's own", de="der eigene des Laufs")
    few = result.labels_per_class
    return head if few is None else say(en=f"{head}, {few} per class", de=f"{head}, {few} je Klasse")
