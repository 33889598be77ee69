"""`wiesel predict RUN IMAGE…`"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from wiesel.cli.german import spoken
from wiesel.language import number, say

if TYPE_CHECKING:
    from wiesel.errors import WieselError
    from wiesel.jobs.predict import Sure


@spoken
def predict(
    run: Path,
    image: Path,
    /,
    *more: Path,
    sure: float | None = None,
    json_: Annotated[bool, Parameter(name="--json", negative="")] = False,
) -> int:
    """Classify picture files with a trained run.

    What cannot be read is named, and the rest is answered; the exit code is 1 then.

    Parameters
    ----------
    run
        The run folder.
    image
        A picture file, or a folder of them.
    more
        More of them.
    sure
        Answer with a set of classes that contains the truth in so many percent of cases: 90.
    json_
        Print class, probability, integer and one-hot of each as JSON.
    """
    from wiesel.jobs.predict import predict as job

    skipped: list[WieselError] = []
    predictions = job(run, [image, *more], sure=sure, skipped=skipped.append)
    for error in skipped:
        print(f"wiesel: {error}", file=sys.stderr)
    if json_:
        print(json.dumps([prediction.to_json() for prediction in predictions]))
        return int(bool(skipped))
    for prediction in predictions:
        if prediction.sure is not None:
            print(f"{prediction.image}: {_answer(prediction.sure)}")
            continue
        ranking = sorted(prediction.probabilities.items(), key=lambda entry: -entry[1])[:3]
        print(f"{prediction.image}: " + ", ".join(f"{label} {number(100 * share, 1)} %" for label, share in ranking))
    if predictions and predictions[0].sure is not None:
        print(_promise(predictions[0].sure))
    return max((error.exit_code for error in skipped), default=0) if not predictions else int(bool(skipped))


def _answer(sure: Sure) -> str:
    if len(sure.classes) == 1:
        return sure.classes[0]
    listed = ", ".join(sure.classes)
    return say(en=f"not sure: one of {{{listed}}}", de=f"nicht sicher: eine von {{{listed}}}")


def _promise(sure: Sure) -> str:
    allowed, missed = number(100 * (1 - sure.level), 1), number(100 * (1 - sure.coverage), 1)
    return say(
        en=f"At most {allowed} % of such answers are wrong on pictures like those of calibration; on the test pictures {missed} % were.",
        de=f"Höchstens {allowed} % solcher Antworten sind falsch bei Bildern wie denen der Kalibrierung; auf den Testbildern waren es {missed} %.",
    )
