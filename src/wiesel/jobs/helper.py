"""`python -m wiesel.jobs.helper`: a process that helps another one train. Started by `wiesel.jobs.together`, never by a person.

All that it is given is the run folder, which says the rest: recipe, division, preprocessing, machine, and the checkpoint to go on from.
"""

from __future__ import annotations

import os
import sys
import threading
from pathlib import Path

from wiesel.batches import Preprocessing
from wiesel.errors import WieselError
from wiesel.jobs.evaluate import divided_again
from wiesel.jobs.pictures import load
from wiesel.runs import checkpoints
from wiesel.runs.folder import RunFolder


def main(run: str, meeting: str, rank: int, step: int, data_dir: str) -> None:
    """Args: the run folder; the file where all meet; this process's number; the step to go on from, 0: the start; where named data
    sets are looked for first, "" for nowhere in particular."""
    from wiesel.training.fit import Machine
    from wiesel.training.helper import help_to_fit, ignore_signals
    from wiesel.training.team import Team

    ignore_signals()
    threading.Thread(target=_end_with_the_leader, daemon=True).start()
    folder = RunFolder.open(run)
    recipe, machine = folder.read_recipe(), Machine(**folder.read_provenance()["settled"])
    data = divided_again(folder, load(recipe.data, Path(data_dir) if data_dir else None))
    preprocessing = Preprocessing.from_json(folder.read_preprocessing())
    checkpoint = checkpoints.at(folder, step) if step else None
    state, optimizer = (checkpoint.state(), checkpoint.optimizer()) if checkpoint is not None else (None, None)
    Path(f"{meeting}-{rank}").touch()  # the leader waits for this, so that it notices who dies before
    team = Team(Path(meeting), rank, machine.processes)
    help_to_fit(recipe, data, preprocessing, machine, team, state=state, optimizer=optimizer)


def _end_with_the_leader() -> None:
    """The leader holds the other end of standard input and writes nothing: an end of file means that it is gone."""
    sys.stdin.buffer.read()
    os._exit(1)


if __name__ == "__main__":
    try:
        main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]), sys.argv[5])
    except WieselError as error:
        sys.exit(str(error))
