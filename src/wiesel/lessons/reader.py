"""What a lesson says to its reader: how long it may take, predictions, findings, answers to exercises, figures.

guess = prediction(None, en="How many parameters has …?", de="Wie viele Parameter hat …?")
…
finding(en=f"It has {grouped(count)}.", de=f"Es sind {grouped(count)}.")
compare(guess, count)
answer("1", None, 320)
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from wiesel.language import number, say

Value = TypeVar("Value")

_figures = 0


def short() -> bool:
    """Whether lessons run in their short form, as they do unless WIESEL_LESSON=full."""
    return os.environ.get("WIESEL_LESSON") != "full"


def pick(brief: Value, full: Value) -> Value:
    """`brief` in the short form, `full` in the long one."""
    return brief if short() else full


def prediction(guess: float | str | None, *, en: str, de: str) -> float | str | None:
    """Ask, and keep what the reader wrote down before the experiment."""
    print(f"{say(en='Prediction', de='Vorhersage')}: {say(en=en, de=de)}")
    said = (
        say(en="(none yet: write it in place of None)", de="(noch keine: schreibe sie an die Stelle von None)")
        if guess is None
        else guess
    )
    print(f"  {said}")
    return guess


def compare(guess: float | str | None, measured: float | str, digits: int = 2) -> None:
    """The reader's prediction beside what was measured; says nothing if there was none."""
    if guess is None:
        return
    if isinstance(guess, str) or isinstance(measured, str):
        same = str(guess).strip().lower() == str(measured).strip().lower()
        print(
            say(en="You said", de="Du sagtest")
            + f" {guess!r}, "
            + (say(en="and so it is.", de="und so ist es.") if same else f"{measured!r}.")
        )
        return
    distance = abs(guess - measured) / max(abs(measured), 1e-12)
    print(
        say(
            en=f"You said {number(guess, digits)}; measured {number(measured, digits)}: off by {number(100 * distance, 0)} %.",
            de=f"Du sagtest {number(guess, digits)}; gemessen {number(measured, digits)}: um {number(100 * distance, 0)} % daneben.",
        )
    )


def finding(*, en: str, de: str) -> str:
    """What came out, as a sentence made of the numbers that were measured."""
    sentence = say(en=en, de=de)
    print(f"→ {sentence}")
    return sentence


def answer(name: str, given: Any, right: Any | Callable[[Any], bool], *, tolerance: float = 0.005, hint: str = "") -> bool | None:
    """Check an exercise inside a lesson: `given` None is still open. `right` is a value, or a function that judges `given`.

    Whole numbers have to be met exactly, others to `tolerance`, a share of them: three digits are enough.
    """
    label = say(en=f"Exercise {name}", de=f"Aufgabe {name}")
    if given is None:
        print(f"{label}: {say(en='open', de='offen')}.")
        return None
    if isinstance(right, (int, float)) and not isinstance(right, bool):
        whole = float(right).is_integer()
        try:
            fine = abs(float(given) - float(right)) <= (1e-6 if whole else tolerance * abs(float(right)))
        except (TypeError, ValueError):
            fine, hint = (
                False,
                say(
                    en="Write a number with a point and without quotes: 0.25, or 1 / 4.",
                    de="Schreib eine Zahl mit Punkt und ohne Anführungszeichen: 0.25 oder 1 / 4.",
                ),
            )
    elif callable(right):
        try:
            fine = bool(right(given))
        except Exception as error:  # of the reader's making: the lesson goes on
            fine, hint = False, str(error)
    else:
        fine = given == right
    verdict = say(en="right", de="richtig") if fine else say(en="not yet", de="noch nicht")
    print(f"{label}: {verdict}." + (f" {hint}" if hint and not fine else ""))
    return fine


def show(figure: Any, *, en: str = "", de: str = "") -> None:
    """Show a figure or page, where there is something to show it on, with the sentence that it should tell (its own, if none is given).

    In a notebook as its output; in a script in a window, if there is one. WIESEL_FIGURES names a folder in which all are kept.
    """
    global _figures
    _figures += 1
    drawn = hasattr(figure, "savefig")
    print(f"[{say(en='figure', de='Bild')}: {say(en=en, de=de) or getattr(figure, 'alt_text', '')}]")
    if folder := os.environ.get("WIESEL_FIGURES"):
        path = Path(folder) / f"{_figures:02}{'.png' if drawn else '.html'}"
        path.parent.mkdir(parents=True, exist_ok=True)
        if drawn:
            figure.savefig(path, dpi=110)
        else:
            figure.save(path)
    pyplot = sys.modules.get("matplotlib.pyplot")
    if _in_notebook():
        from IPython.display import display

        display(figure)
    elif pyplot is not None and pyplot.get_backend().lower() not in ("agg", "pdf", "svg", "ps", "cairo", "template"):
        pyplot.show()
    elif _figures == 1 and not folder:
        print(say(en="  (to keep the figures: WIESEL_FIGURES=folder)", de="  (um die Bilder aufzuheben: WIESEL_FIGURES=ordner)"))
    if pyplot is not None and drawn:
        pyplot.close(figure)


def scientific(value: float, digits: int = 1) -> str:
    """A very small or large number for reading: 5.3·10⁻¹⁸."""
    if value == 0:
        return "0"
    if 0.01 <= abs(value) < 1000:
        return number(value, 0 if abs(value) >= 100 else digits + 1)
    mantissa, _, exponent = f"{value:.{digits}e}".partition("e")
    raised = str(int(exponent)).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))
    return f"{number(float(mantissa), digits)}·10{raised}"


def _in_notebook() -> bool:
    interactive = sys.modules.get("IPython")
    return interactive is not None and interactive.get_ipython() is not None
