"""`wiesel bench`"""

from __future__ import annotations

import json
from typing import Annotated

from cyclopts import Parameter

from wiesel.cli.german import spoken
from wiesel.language import number, say


@spoken
def bench(*, rounds: int = 3, json_: Annotated[bool, Parameter(name="--json", negative="")] = False) -> None:
    """Measure how fast this machine trains, ours beside plain PyTorch; less than a minute.

    Parameters
    ----------
    rounds
        How often each way has its turn; the middle figure counts.
    json_
        Print as JSON.
    """
    from wiesel.cli.columns import columns
    from wiesel.errors import BadValue
    from wiesel.jobs.bench import bench as job

    if rounds < 1:
        raise BadValue(setting="rounds", value=rounds, expected="1 or more")
    found = job(rounds=rounds)
    if json_:
        print(json.dumps(found.to_json()))
        return
    titles = (
        say(en="pictures of 28 x 28", de="Bilder von 28 x 28"),
        say(en="per second", de="je Sekunde"),
        say(en="range", de="Bereich"),
        say(en="times plain", de="mal so schnell"),
    )
    print(*columns(titles, found.rows(), (False, True, True, True)), sep="\n")
    if "loader" not in found.rates:
        print(
            say(
                en="DataLoader and transforms: left out, torchvision is missing (`pip install torchvision`)",
                de="DataLoader und transforms: ausgelassen, torchvision fehlt (`pip install torchvision`)",
            )
        )
    facts = found.to_json()
    speed, machine = facts["gflops"], facts["machine"]
    print()
    print(
        say(
            en="Thousand million operations per second: convolution {a}, matrix product {b}, ResNet-18's training step {c} ({share} % of the convolution).",
            de="Milliarden Rechenschritte je Sekunde: Faltung {a}, Matrixprodukt {b}, Trainingsschritt von ResNet-18 {c} ({share} % der Faltung).",
        ).format(
            a=number(speed["convolution"], 0),
            b=number(speed["matrix_product"], 0),
            c=number(speed["training_step"], 0),
            share=number(100 * facts["training_step_share"], 0),
        )
    )
    print(
        say(
            en="{cpu}, {threads} threads, {precision}, torch {torch}; {rounds}, measured in {seconds} s.",
            de="{cpu}, {threads} Threads, {precision}, torch {torch}; {rounds}, gemessen in {seconds} s.",
        ).format(
            cpu=machine["cpu"],
            threads=facts["threads"],
            precision=facts["precision"],
            torch=facts["versions"]["torch"],
            rounds=say(en="1 round", de="1 Runde")
            if rounds == 1
            else say(en=f"{rounds} rounds in turn", de=f"{rounds} Runden im Wechsel"),
            seconds=number(facts["seconds"], 0),
        )
    )
