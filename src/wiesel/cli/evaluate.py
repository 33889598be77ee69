"""`wiesel evaluate RUN`"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from wiesel.cli.german import spoken


@spoken
def evaluate(
    run: Path,
    /,
    *,
    split: Literal["train", "validation", "test"] = "test",
    data_dir: Path | None = None,
    json_: Annotated[bool, Parameter(name="--json", negative="")] = False,
    lang: Literal["de", "en", "both"] = "both",
) -> None:
    """Measure a finished run; for the test split, write its report anew.

    Predictions are made once per split and kept in the run folder; each look at the test split is recorded there.

    Parameters
    ----------
    run
        The run folder.
    split
        Which pictures.
    data_dir
        Where named data sets are looked for first.
    json_
        Print the result as JSON.
    lang
        Language of the report.
    """
    from wiesel.jobs.evaluate import evaluate as job

    result = job(run, split=split, data_dir=data_dir, lang=lang)
    if json_:
        print(json.dumps(result.to_json()))
    else:
        print(result.evaluation.classification_report())
        print(result.sentence())
