"""`wiesel evaluate RUN`"""

from __future__ import annotations

import json
import sys
from functools import partial
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from wiesel.cli.german import spoken
from wiesel.language import say


@spoken
def evaluate(
    run: Path,
    /,
    *,
    split: Literal["train", "validation", "test"] = "test",
    views: Literal[1, 2, 6] = 1,
    doubtful: float = 1.0,
    data_dir: Path | None = None,
    json_: Annotated[bool, Parameter(name="--json", negative="")] = False,
    lang: Literal["de", "en", "both"] = "both",
) -> None:
    """Measure a finished run; for the test split, write its report anew.

    On the test split also: how sure the run may be, with temperature, sets of classes and selective accuracy.
    Predictions are made once per split and kept in the run folder; each look at the test split is recorded there.

    Parameters
    ----------
    run
        The run folder.
    split
        Which pictures.
    views
        Tell also the accuracy when so many views of each picture are averaged: 2, it and its mirror image; 6, these moved as well.
    doubtful
        With --views: only for this share of the pictures, those that the network is least sure of. 0.25 costs a quarter of it.
    data_dir
        Where named data sets are looked for first.
    json_
        Print the result as JSON.
    lang
        Language of the report.
    """
    from wiesel.errors import BadValue
    from wiesel.jobs.evaluate import assessment_of, evaluate_views
    from wiesel.jobs.evaluate import evaluate as job
    from wiesel.jobs.twins import scores_of
    from wiesel.runs.folder import RunFolder
    from wiesel.uncertainty.sentences import lines

    if doubtful != 1 and views == 1:
        expected = say(en="1, or something with --views 2 or --views 6", de="1, oder etwas mit --views 2 oder --views 6")
        raise BadValue(setting="doubtful", value=doubtful, expected=expected)
    result = job(run, split=split, data_dir=data_dir, lang=lang, tell=partial(print, file=sys.stderr))
    assessment = assessment_of(RunFolder.open(run)) if split == "test" else None
    twins = scores_of(RunFolder.open(run)) if split == "test" else None
    seen = evaluate_views(run, views, doubtful=doubtful, split=split, data_dir=data_dir) if views > 1 else None
    if json_:
        more = {} if assessment is None else {"uncertainty": assessment.to_json()}
        more |= {} if twins is None else {"twins": twins.to_json()}
        more |= (
            {}
            if seen is None
            else {"views": {"number": views, "doubtful": doubtful, "accuracy": seen.value, "interval": [seen.low, seen.high]}}
        )
        print(json.dumps({**result.to_json(), **more}))
    else:
        print(result.evaluation.classification_report())
        if assessment is not None:
            print("\n".join(lines(assessment, result.evaluation.classes)))
        if twins is not None:
            print(twins.sentence())
        if seen is not None:
            some = ""
            if doubtful < 1:
                some = say(en=" for the least sure {p:g} %", de=" für die unsichersten {p:g} %").format(p=100 * doubtful)
            words = say(en="with {n} views averaged{some}: {a}", de="mit {n} gemittelten Ansichten{some}: {a}")
            print(words.format(n=views, some=some, a=seen.percent()))
        print(result.sentence())
