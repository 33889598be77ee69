"""`wiesel compare ARM ARM`: is the second better than the first?"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import Parameter

from wiesel.cli.columns import columns
from wiesel.cli.german import spoken
from wiesel.errors import BadValue, CannotSave
from wiesel.language import duration, grouped, language, number, say

if TYPE_CHECKING:
    from wiesel.comparison.plan import Plan
    from wiesel.jobs.compare import Burden, Comparison


@spoken
def compare(
    *arms: str,
    data: Annotated[str | None, Parameter(name=["--data", "-d"])] = None,
    epochs: int | None = None,
    margin: float | None = None,
    plan: str | None = None,
    full: Annotated[bool, Parameter(negative="")] = False,
    output: Annotated[Path | None, Parameter(name=["--output", "-o"])] = None,
    show: Path | None = None,
    jobs: int = 0,
    time_limit: float = 900.0,
    ray: str | None = None,
    data_dir: Path | None = None,
    lang: Literal["both", "de", "en"] = "both",
    json_: Annotated[bool, Parameter(name="--json", negative="")] = False,
    markdown: Annotated[bool, Parameter(negative="")] = False,
    quiet: Annotated[bool, Parameter(name=["--quiet", "-q"], negative="")] = False,
) -> None:
    """Train two or more networks several times each and say whether one is better, and how sure that is.

    The same command again goes on where it was interrupted; a run that exists is not made again.

    Parameters
    ----------
    arms
        Networks with their changes, such as `resnet18` and `resnet18:residual=off`; the first is the baseline.
    data
        A named data set (`wiesel data list`), a folder `DIR/class/*`, `DIR/{train,val,test}/class/*`, or a .zip of either.
    epochs
        How often each training picture is seen.
    margin
        The smallest difference worth caring about, as a share: 0.003 is 0.3 points. Default: 5 % of the baseline's errors.
    plan
        A plan instead of networks and flags: a TOML file, or the name of one that comes with wiesel (`residual-depth`, ...).
    full
        The plan's large form: all of the data, more runs.
    output
        The comparison's folder; default `compare/<data>-<arms>`. Alone: go on with the plan in it.
    show
        Show the verdict of this folder and write its page anew; train nothing.
    jobs
        Trainings at the same time, one thread each; 0: as many as there are processors, here or in the cluster.
    time_limit
        Seconds after which a training that shows no sign of life is ended and tried again; 0: never.
    ray
        Train on the Ray cluster at HOST:PORT, whose nodes share this file system; `local`: on one started here for this comparison.
    data_dir
        Where named data sets are looked for first.
    lang
        Language of the page; both: switchable in the page.
    json_
        Print the result as JSON.
    markdown
        Print the result as Markdown.
    quiet
        No progress.
    """
    from wiesel.jobs import compare as job

    def tell(sentence: str) -> None:
        if not quiet:
            print(sentence, file=sys.stderr, flush=True)

    def fairness(burdens: tuple[Burden, ...], decided: Plan) -> None:
        print("\n".join(fairness_page(burdens, decided)), file=sys.stderr if json_ or markdown else sys.stdout, flush=True)

    if json_ and markdown:
        raise BadValue(
            setting="json", value=True, expected=say(en="--json or --markdown, not both", de="--json oder --markdown, nicht beides")
        )
    if show is not None:
        beside = {
            "arms": arms or None,
            "data": data,
            "epochs": epochs,
            "margin": margin,
            "plan": plan,
            "full": full or None,
            "output": output,
            "jobs": jobs or None,
            "ray": ray,
        }
        for name, value in beside.items():
            if value is not None:
                alone = say(en="nothing beside --show, which trains nothing", de="nichts neben --show, das nichts trainiert")
                raise BadValue(setting=name, value=value if isinstance(value, (int, float, str)) else str(value), expected=alone)
        result = job.show(show)
        if not (json_ or markdown):
            try:
                job.show_page(show, data_dir=data_dir, lang=lang)
            except CannotSave as error:  # somebody else's folder: its verdict can be read all the same
                tell(str(error))
    else:
        result = job.compare(
            arms,
            data,
            epochs=epochs,
            margin=margin,
            plan=plan,
            full=full,
            output=output,
            jobs=jobs,
            time_limit=time_limit,
            ray=ray,
            data_dir=data_dir,
            lang=lang,
            fairness=fairness,
            tell=tell,
        )
    if markdown:
        print(result.to_markdown())
    else:
        print(json.dumps(result.to_json()) if json_ else "\n".join(verdict_page(result)))
    sys.stdout.flush()


def fairness_page(burdens: tuple[Burden, ...], plan: Plan) -> list[str]:
    """What the arms do not share, and what they do: read before the first run."""
    none = say(en="none", de="keine")
    rows = [
        (
            one.name,
            grouped(one.parameters),
            grouped(one.macs),
            "–" if one.epochs is None else str(one.epochs),
            "–" if one.seconds is None else duration(one.seconds),
            ", ".join(f"{key}={value}" for key, value in one.settings.items()) or none,
        )
        for one in burdens
    ]
    titles = (
        say(en="arm", de="Arm"),
        say(en="parameters", de="Parameter"),
        say(en="multiply-adds", de="Multiplikationen"),
        say(en="epochs", de="Epochen"),
        say(en="time of a run", de="Zeit je Lauf"),
        say(en="own settings", de="eigene Einstellungen"),
    )
    learning, epochs, rules = plan.training, plan.training.epochs, plan.rules
    count = say(en=f"{epochs} epoch{'s' * (epochs != 1)}", de=f"{epochs} Epoche{'n' * (epochs != 1)}")
    first = plan.arms[0].title
    time = (
        say(en=f"{plan.seconds:g} seconds", de=f"{plan.seconds:g} Sekunden")
        if plan.seconds
        else say(en=f"the time that {first} takes for {count}", de=f"die Zeit, die {first} für {count} braucht")
    )
    alike = {
        "epochs": count + say(en=" (not seconds)", de=" (nicht Sekunden)"),
        "seconds": time + say(en=", in whole epochs", de=", in ganzen Epochen"),
        "free": say(en="no budget", de="kein Budget"),
    }[plan.budget]
    looks = ", ".join(str(runs) for runs in (*(runs for runs in rules.looks if runs < rules.cap), rules.cap))
    return [
        say(en="What the arms do not share:", de="Was die Arme nicht gemeinsam haben:"),
        *columns(titles, rows, (False, True, True, True, True, False)),
        say(
            en=f"Alike: pictures and their division, seeds, {alike}, every setting not named above. "
            "Tuning: no runs for any arm; an arm with settings of its own had what went into them.",
            de=f"Gleich: Bilder und ihre Aufteilung, Startzahlen, {alike}, jede oben nicht genannte Einstellung. "
            "Abstimmung: für keinen Arm Läufe; ein Arm mit eigenen Einstellungen hatte das, was in ihnen steckt.",
        ),
        say(
            en=f"Recipe, where an arm does not say otherwise: {learning.optimiser}, batches of {learning.batch}; `wiesel train` may take another for one "
            "of them (its presets).",
            de=f"Rezept, wo ein Arm nichts anderes sagt: {learning.optimiser}, Batches von {learning.batch}; `wiesel train` nimmt für manchen "
            "vielleicht ein anderes (seine Voreinstellungen).",
        ),
        say(en=f"Looks after {looks} runs each.", de=f"Blicke nach je {looks} Läufen."),
        "",
    ]


def verdict_page(result: Comparison) -> list[str]:
    """The sentence first, then the numbers."""
    found = result.document
    rows = [_row(arm) for arm in found["arms"]]
    titles = (
        say(en="arm", de="Arm"),
        say(en="right", de="richtig"),
        say(en="difference", de="Unterschied"),
        say(en="interval", de="Intervall"),
        say(en="run ahead", de="Lauf liegt vorn"),
        say(en="time of a run", de="Zeit je Lauf"),
    )
    others = [_other(arm) for arm in found["arms"][1:] if arm["name"] != found["challenger"]]
    training = [one["sentence"][language()] for one in found.get("training", ())]
    return [
        result.sentence(),
        *others,
        *training,
        "",
        *columns(titles, rows, (False, True, True, True, True, True)),
        "",
        result.small_print(),
        str(result.page if result.page.is_file() else result.folder),
    ]


def _row(arm: dict[str, Any]) -> tuple[str, ...]:
    seconds = duration(sum(arm["seconds"]) / len(arm["seconds"]))
    right = f"{number(100 * arm['accuracy'], 2)} %"
    if "difference" not in arm:
        return (arm["name"], right, "", "", "", seconds)
    low, high = arm["interval"]
    joint = say(en=" to ", de=" bis ")
    between = f"{_signed(low)}{joint}{_signed(high)}"
    return (arm["name"], right, _signed(arm["difference"]), between, f"{number(100 * arm['beats'], 0)} %", seconds)


def _signed(share: float) -> str:
    from wiesel.comparison.sentences import points

    return points(share, language())


def _other(arm: dict[str, Any]) -> str:
    against = arm.get("against") or say(en="the baseline", de="der erste Arm")
    words = {
        "better": say(en=f"better than {against}", de=f"besser als {against}"),
        "worse": say(en=f"worse than {against}", de=f"schlechter als {against}"),
        "same": say(en=f"practically the same as {against}", de=f"praktisch gleich wie {against}"),
        "undecided": say(en="not enough runs", de="zu wenige Läufe"),
        "test_set_too_small": say(en="the test set is too small to tell", de="der Testsatz ist zu klein, um es zu sagen"),
    }
    return f"{arm['name']}: {words[arm['verdict']]}."
