"""Ways in: one file per command; parse, call one library function, print.

Results go to stdout, everything else to stderr. Exit codes: 0 done, 1 failed, 2 wrong usage, 3 a check found problems, 4 missing
data or package, 130/143 interrupted. The commands are named here as strings, so that `wiesel --help` loads none of them.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from cyclopts import App
from cyclopts.exceptions import CycloptsError

from wiesel.errors import NoMemory, WieselError
from wiesel.language import language, say

COMMANDS = {  # name -> (function, what --help says in English, in German)
    "train": ("wiesel.cli.train:train", "Train a network and write its report.", "Ein Netz trainieren und den Bericht schreiben."),
    "evaluate": ("wiesel.cli.evaluate:evaluate", "Measure a run on a split.", "Einen Lauf auf einem Teil der Daten messen."),
    "report": (
        "wiesel.cli.report:report",
        "Write a run's report as one HTML file.",
        "Den Bericht eines Laufs als eine HTML-Datei schreiben.",
    ),
    "predict": ("wiesel.cli.predict:predict", "Classify pictures with a run.", "Bilder mit einem Lauf klassifizieren."),
    "ood": (
        "wiesel.cli.ood:ood",
        "Measure how well a run notices pictures from elsewhere.",
        "Messen, wie gut ein Lauf Bilder von anderswo bemerkt.",
    ),
    "head": (
        "wiesel.cli.head:head",
        "Put a head that knows its doubts on a run.",
        "Einem Lauf einen Kopf geben, der seine Zweifel kennt.",
    ),
    "explain": (
        "wiesel.cli.explain:explain",
        "Show where a picture speaks for its class.",
        "Zeigen, wo ein Bild für seine Klasse spricht.",
    ),
    "models": ("wiesel.cli.models:models", "List the networks.", "Die Netze auflisten."),
    "inspect": (
        "wiesel.cli.inspect:inspect",
        "Show what a network is made of.",
        "Zeigen, woraus ein Netz besteht.",
    ),
    "compare": (
        "wiesel.cli.compare:compare",
        "Train networks several times and say whether one is better.",
        "Netze mehrmals trainieren und sagen, ob eines besser ist.",
    ),
    "scale": (
        "wiesel.cli.scale:scale",
        "Search how a network should grow.",
        "Suchen, wie ein Netz wachsen soll.",
    ),
    "data": (
        "wiesel.cli.data:app",
        "List, fetch, describe and check data sets.",
        "Datensätze auflisten, holen, beschreiben und prüfen.",
    ),
    "lesson": (
        "wiesel.cli.lesson:app",
        "Lessons, and exercises that check themselves.",
        "Lektionen, und Aufgaben, die sich selbst prüfen.",
    ),
    "doctor": ("wiesel.cli.doctor:doctor", "Say what this machine has and can do.", "Sagen, was dieser Rechner hat und kann."),
    "bench": ("wiesel.cli.bench:bench", "Measure how fast this machine trains.", "Messen, wie schnell dieser Rechner trainiert."),
}


def application() -> App:
    from wiesel.cli.version import version

    app = App(
        name="wiesel",
        help=say(
            en="Train, understand and compare convolutional networks for image classification.",
            de="Faltungsnetze für die Bildklassifikation trainieren, verstehen und vergleichen.",
        ),
        version=version,
        version_flags=["--version"],
    )
    if language() == "de":
        from wiesel.cli.german_parser import GermanHelp, german_mistake

        app.help_formatter, app.error_formatter = GermanHelp(), german_mistake
    for name, (target, english, german) in COMMANDS.items():
        app.command(target, name=name, help=say(en=english, de=german))
    return app


def main(arguments: Sequence[str] | None = None) -> None:
    """The command `wiesel`; ends the process with the exit code."""
    sys.exit(run(sys.argv[1:] if arguments is None else arguments))


def run(arguments: Sequence[str]) -> int:
    """Carry out one command line; the exit code. No user's mistake ends in a traceback."""
    try:
        result = application()(
            list(arguments), exit_on_error=False, print_error=True, help_on_error=False, result_action="return_value"
        )
    except CycloptsError:
        return 2
    except WieselError as error:
        print(f"wiesel: {error}", file=sys.stderr)
        return error.exit_code
    except (MemoryError, RuntimeError) as error:
        from wiesel.batches.memory import is_out_of_memory

        if not is_out_of_memory(error):
            raise
        failed = NoMemory(reason=(str(error).splitlines() or [type(error).__name__])[0])
        print(f"wiesel: {failed}", file=sys.stderr)
        return failed.exit_code
    except KeyboardInterrupt:
        print("wiesel: " + say(en="interrupted", de="unterbrochen"), file=sys.stderr)
        return 130
    except BrokenPipeError:  # `wiesel models | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    return result if isinstance(result, int) else 0
