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
    from wiesel.jobs.doctor import text

    facts = job()
    print(json.dumps(facts) if json_ else text(facts))
