"""`wiesel report RUN`"""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from wiesel.cli.german import spoken


@spoken
def report(
    run: Path,
    /,
    *,
    output: Annotated[Path | None, Parameter(name=["--output", "-o"])] = None,
    lang: Literal["de", "en", "both"] = "both",
    data_dir: Path | None = None,
) -> None:
    """Write a run's report as one HTML file that needs no network.

    Parameters
    ----------
    run
        The run folder.
    output
        Where to; default `report.html` in the run folder.
    lang
        Language of the report; both: switchable in the page.
    data_dir
        Where named data sets are looked for first.
    """
    from wiesel.jobs.evaluate import report as job

    print(job(run, output=output, lang=lang, data_dir=data_dir, tell=partial(print, file=sys.stderr)))
