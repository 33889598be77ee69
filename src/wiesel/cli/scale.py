"""`wiesel scale MODEL`: how should a network grow?"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from wiesel.cli.german import spoken


@spoken
def scale(
    model: str = "resnet20:width=0.5",
    *,
    data: Annotated[str, Parameter(name=["--data", "-d"])] = "fashion-mnist-sample",
    size: int = 14,
    rungs: Annotated[tuple[int, ...], Parameter(negative="")] = (1, 3),
    phi: int = 3,
    runs: int = 2,
    output: Annotated[Path, Parameter(name=["--output", "-o"])] = Path("scaling"),
    jobs: int = 0,
    data_dir: Path | None = None,
    quiet: Annotated[bool, Parameter(name=["--quiet", "-q"], negative="")] = False,
) -> None:
    """Search how depth, width and picture size should grow together, and draw accuracy against multiply-adds.

    The same command again goes on where it was interrupted.

    Parameters
    ----------
    model
        What grows: a network with equally many blocks in each stage, with its changes.
    data
        A named data set (`wiesel data list`), a folder `DIR/class/*`, `DIR/{train,val,test}/class/*`, or a .zip of either.
    size
        Side of the first pictures in pixels.
    rungs
        Epochs of each rung of the search; may be given several times.
    phi
        How often the multiply-adds are doubled.
    runs
        Runs of each grown network.
    output
        The folder for all of it.
    jobs
        Trainings at the same time, one thread each; 0: as many as there are processors.
    data_dir
        Where named data sets are looked for first.
    quiet
        No progress.
    """
    from wiesel.jobs.scale import scale as job

    def tell(sentence: str) -> None:
        if not quiet:
            print(sentence, file=sys.stderr, flush=True)

    found = job(model, data, size=size, rungs=rungs, phi=phi, runs=runs, output=output, jobs=jobs, data_dir=data_dir, tell=tell)
    print(found.sentence())
    print(found.page)
