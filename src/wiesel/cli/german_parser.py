"""The words of the command line's parser itself, in German: titles and notes of `--help`, and what it says about mistakes.

What is not in the tables below stays as the parser says it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from cyclopts.help import DefaultFormatter

if TYPE_CHECKING:
    from cyclopts.exceptions import CycloptsError
    from cyclopts.help import HelpEntry, HelpPanel
    from rich.console import Console, ConsoleOptions, RenderableType
    from rich.panel import Panel

TITLES = {"Commands": "Befehle", "Arguments": "Argumente", "Parameters": "Angaben"}
FLAGS = {"--help": "Diese Hilfe zeigen.", "--version": "Die Version zeigen."}
VALUES = {"True": "an", "False": "aus"}
USAGE = {"COMMAND": "BEFEHL", "[OPTIONS]": "[ANGABEN]", "[ARGS]": "[ARGUMENTE]", "[ARGS...]": "[ARGUMENTE...]"}
KINDS = {"STR": "TEXT", "INT": "ZAHL", "FLOAT": "ZAHL", "PATH": "PFAD", "CHOICE": "WAHL", "BOOL": "JA/NEIN"}
MISTAKES = (  # patterns of whole sentences: `", "` may stand between the names that are listed
    (r'Unknown option: "?(\S+?)"?\.(?= |$)', r"\1 gibt es nicht."),
    (r'Unknown command "(.*?)"\.', r"Den Befehl «\1» gibt es nicht."),
    (r"Available commands: ", "Es gibt: "),
    (r"Did you mean (.+?) instead of (\S+)\?", r"Meinst du \1 statt \2?"),
    (r'Did you mean "?(.+?)"?\?', r"Meinst du \1?"),
    (r"(\S+) is not a recognized option\.", r"\1 gibt es nicht."),
    (r'Invalid value "(.*?)" for (\S+)\. Choose from: (.+?)\.(?= |$)', r"\2 kann nicht «\1» sein. Zur Auswahl stehen: \3."),
    (r'Invalid value for (\S+): unable to convert "(.*?)" into int\.', r"\1 braucht eine ganze Zahl, nicht «\2»."),
    (r'Invalid value for (\S+): unable to convert "(.*?)" into float\.', r"\1 braucht eine Zahl (mit Punkt: 0.5), nicht «\2»."),
    (r'Invalid value for (\S+): unable to convert "(.*?)" into bool\.', r"\1 braucht true oder false, nicht «\2»."),
    (r'Invalid value for (\S+): unable to convert "(.*?)" into (.+)\.', r"\1 kann nicht «\2» sein; nötig ist \3."),
    (r'Command ".*?" parameter (-\S+) requires an argument\.', r"\1 braucht einen Wert."),
    (r'Command "(.*?)" parameter (\S+) requires an argument\.', r"Dem Befehl «\1» fehlt \2."),
    (r"Parameter (\S+) specified multiple times\.", r"\1 steht mehrmals da."),
    (r"Unused Tokens: \[(.*)\]\.", r"Das ist zu viel: \1."),
)


class GermanHelp(DefaultFormatter):
    """The usual help, its titles and notes in German."""

    def __call__(self, console: Console, options: ConsoleOptions, panel: HelpPanel) -> None:
        from cyclopts.help import specs

        usual = specs.get_default_command_columns if panel.format == "command" else specs.get_default_parameter_columns
        *names, description = usual(console, options, panel.entries)
        self.column_specs = (*names, description.copy(renderer=_described))
        title = TITLES.get(str(panel.title), panel.title)
        super().__call__(console, options, panel.copy(title=title, entries=[_entry(entry) for entry in panel.entries]))

    def render_usage(self, console: Console, options: ConsoleOptions, usage: Any) -> None:
        from cyclopts.help.specs import DefaultStyled
        from rich.text import Text

        words = " ".join((USAGE | KINDS).get(word, word) for word in str(usage).split())
        console.print(DefaultStyled(Text(f"Aufruf: {words}\n", style="cyclopts.usage")))


def _entry(entry: HelpEntry) -> HelpEntry:
    said = next((FLAGS[name] for name in entry.names if name in FLAGS), entry.description)
    return entry.copy(
        description=said, metavar=entry.metavar and re.sub("[A-Z]+", lambda kind: KINDS.get(kind[0], kind[0]), entry.metavar)
    )


def _described(entry: HelpEntry) -> RenderableType:
    """The description with its notes: [Auswahl: …] [Vorgabe: …] [nötig]."""
    from cyclopts.help import DescriptionRenderer, InlineText
    from rich.text import Text

    text = DescriptionRenderer()(entry.copy(choices=None, default=None, required=False))
    assert isinstance(text, InlineText)
    notes = {
        "choices": entry.choices and f"[Auswahl: {', '.join(entry.choices)}]",
        "default": entry.default is not None and f"[Vorgabe: {VALUES.get(entry.default, entry.default)}]",
        "required": entry.required and "[nötig]",
    }
    for style, note in notes.items():
        if note:
            text.append(Text(note, f"cyclopts.{style}"))
    return text


def german_mistake(error: CycloptsError) -> Panel:
    """What the parser says about a mistake, as a panel."""
    from cyclopts.panel import CycloptsPanel

    return CycloptsPanel(german(str(error)), title="Fehler")


def german(sentence: str) -> str:
    """The parser's sentence in German."""
    for pattern, words in MISTAKES:
        sentence = re.sub(pattern, words, sentence)
    return sentence
