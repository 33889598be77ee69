"""`wiesel predict RUN IMAGE…`"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from wiesel.cli.german import spoken
from wiesel.language import number


@spoken
def predict(
    run: Path,
    image: Path,
    /,
    *more: Path,
    json_: Annotated[bool, Parameter(name="--json", negative="")] = False,
) -> None:
    """Classify picture files with a trained run.

    Parameters
    ----------
    run
        The run folder.
    image
        A picture file; more may follow.
    json_
        Print class, probability, integer and one-hot of each as JSON.
    """
    from wiesel.jobs.predict import predict as job

    predictions = job(run, [image, *more])
    if json_:
        print(json.dumps([prediction.to_json() for prediction in predictions]))
        return
    for prediction in predictions:
        ranking = sorted(prediction.probabilities.items(), key=lambda entry: -entry[1])[:3]
        print(f"{prediction.image}: " + ", ".join(f"{label} {number(100 * share, 1)} %" for label, share in ranking))
