"""`wiesel doctor`"""

from __future__ import annotations

import json
from typing import Annotated

from cyclopts import Parameter

from wiesel.cli.german import spoken


@spoken
def doctor(*, json_: Annotated[bool, Parameter(name="--json", negative="")] = False) -> None:
    """Say what this machine has and can do: versions, processor, precision, data sets.

    Parameters
    ----------
    json_
        Print as JSON.
    """
    from wiesel.jobs.doctor import doctor as job

    facts = job()
    if json_:
        print(json.dumps(facts))
        return
    width = max(map(len, facts))
    for name, value in facts.items():
        shown = ", ".join(f"{k}: {v}" for k, v in value.items()) if isinstance(value, dict) else value
        print(f"{name:<{width}}  {shown}")
