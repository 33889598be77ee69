"""`wiesel ood RUN… --out DATA`"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from wiesel.cli.columns import columns
from wiesel.cli.german import spoken
from wiesel.language import say


@spoken
def ood(
    run: Path,
    /,
    *more: Path,
    out: str,
    in_: Annotated[str | None, Parameter(name="--in")] = None,
    most: int = 10_000,
    data_dir: Path | None = None,
    json_: Annotated[bool, Parameter(name="--json", negative="")] = False,
) -> None:
    """Measure how well a run tells pictures from elsewhere from those of the kind it learned.

    AUROC and FPR at 95 % TPR, with intervals, for several scores; with several runs also for their ensemble.

    Parameters
    ----------
    run
        A run folder.
    more
        More runs of the same data, as an ensemble.
    out
        Pictures from elsewhere: a named data set, a folder or a .zip. Its test split counts, if it has one.
    in_
        Pictures of the kind learned; default: the run's own test pictures.
    most
        So many pictures of each kind at most; 0: all.
    data_dir
        Where named data sets are looked for first.
    json_
        Print the result as JSON.
    """
    from wiesel.jobs.ood import ood as job
    from wiesel.jobs.ood import sentence

    found = job([run, *more], out=out, inside=in_, most=most, data_dir=data_dir)
    if json_:
        print(json.dumps(found.to_json()))
        return
    titles = (say(en="method", de="Methode"), "AUROC", say(en="FPR at 95 % TPR", de="FPR bei 95 % TPR"))
    rows = [(row.method, row.auroc.percent(2), row.fpr95.percent(1)) for row in found.rows]
    for line in columns(titles, rows, (False, True, True)):
        print(line)
    own, strange = found.rows[0].inside, found.rows[0].outside
    print(
        say(
            en=f"{own} pictures of {found.inside} against {strange} of {found.outside}.",
            de=f"{own} Bilder aus {found.inside} gegen {strange} aus {found.outside}.",
        )
    )
    print(sentence(found))
    for remark in found.remarks:
        print(remark)
