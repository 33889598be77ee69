"""A finding in one sentence, in German or English, and the small print under it.

Differences are spoken of in points (one point is one picture in a hundred), with two decimals. No word claims more than the numbers do.
"""

from __future__ import annotations

from wiesel.comparison.judgement import Finding, Judgement
from wiesel.comparison.outcomes import SplitOutcomes
from wiesel.comparison.planning import MOST
from wiesel.evaluation.intervals import decimal
from wiesel.language import Language, language


def sentence(judgement: Judgement, finding: Finding | None = None, *, reader: Language | None = None) -> str:
    """The verdict on one challenger (None: the leading one); first the word, then the numbers."""
    found, speaker = finding or judgement.leading, reader or language()
    says = {
        "better": _apart,
        "worse": _apart,
        "same": _same,
        "undecided": _undecided,
        "test_set_too_small": _too_small,
    }[found.word]
    parts = [says(judgement, found, speaker), *_seconds(judgement, found, speaker), *_diverged(judgement, found, speaker)]
    if judgement.exploratory:
        parts.insert(0, _in(speaker, en="Exploratory only:", de="Nur erkundend:"))
    return " ".join(parts)


def small_print(judgement: Judgement, *, comparisons: int, tta: bool, reader: Language | None = None) -> str:
    """What every verdict carries: `comparisons` made in this project so far, `tta` whether pictures were seen in several views."""
    speaker, look, arms = reader or language(), judgement.look, judgement.outcomes.arms
    found = judgement.findings[0]
    margin = decimal(100 * found.margin, 2, speaker)
    seeds = ", ".join(str(seed) for seed in arms[0].seeds)
    runs, tested = look.runs, isinstance(judgement.outcomes, SplitOutcomes)
    lost = sum(int(one.diverged.sum()) for one in arms)
    what = _in(
        speaker,
        en="these intervals cover training luck and the luck of the split; not other datasets"
        if tested
        else "these intervals cover training luck and the choice of test images; not other datasets",
        de="diese Intervalle decken das Glück beim Training und das der Aufteilung ab, nicht andere Datensätze"
        if tested
        else "diese Intervalle decken das Glück beim Training und die Wahl der Testbilder ab, nicht andere Datensätze",
    )
    return _in(
        speaker,
        en=f"{runs} runs each (seeds {seeds} of {arms[0].name}), {lost} diverged; margin {margin} points; look {look.number}; "
        f"{comparisons} comparison{'s' * (comparisons != 1)} in this project; test-time augmentation: {'yes' if tta else 'no'}; {what}.",
        de=f"je {runs} Läufe (Startzahlen {seeds} von {arms[0].name}), {lost} divergiert; Grenze {margin} Punkte; Blick {look.number}; "
        f"{comparisons} Vergleich{'e' * (comparisons != 1)} in diesem Projekt; mehrere Ansichten je Testbild: {'ja' if tta else 'nein'}; {what}.",
    )


def points(value: float, reader: Language, *, sign: bool = True) -> str:
    """A difference of accuracies in points: `+0.42`, `-0,12` with a real minus sign, `0.00` without any.

    >>> points(-0.0012, "de")
    '−0,12'
    """
    text = decimal(abs(100 * value), 2, reader)
    if not sign or not text.strip("0.,"):
        return text
    return ("+" if value > 0 else "\u2212") + text


def _in(speaker: Language, *, en: str, de: str) -> str:
    return de if speaker == "de" else en


def _bounds(found: Finding, speaker: Language) -> str:
    joint = _in(speaker, en=" to ", de=" bis ")
    return points(found.interval.low, speaker) + joint + points(found.interval.high, speaker)


def _sure(judgement: Judgement, found: Finding, speaker: Language) -> str:
    level = f"{100 * judgement.rules.confidence:.3g}"
    share = _in(speaker, en=f"{level} % sure", de=f"zu {level.replace('.', ',')} % sicher")
    return f"({share}: {_bounds(found, speaker)})"


def _runs(judgement: Judgement, speaker: Language) -> str:
    return _in(speaker, en=f"{judgement.look.runs} runs each", de=f"je {judgement.look.runs} Läufe")


def _other(judgement: Judgement, found: Finding, joint: str) -> str:
    """The baseline, where it is not the first arm: else everybody knows it."""
    return "" if found.baseline == judgement.outcomes.arms[0].name else f"{joint}{found.baseline}"


def _apart(judgement: Judgement, found: Finding, speaker: Language) -> str:
    better = found.word == "better"
    english, german = ("better", "besser") if better else ("worse", "schlechter")
    if found.clear:
        english, german = f"clearly {english}", f"klar {german}"
    than = _other(judgement, found, _in(speaker, en=" than ", de=" als "))
    text = _in(speaker, en=f"{found.challenger} is {english}{than}: ", de=f"{found.challenger} ist {german}{than}: ")
    text += points(found.interval.value, speaker) + _in(speaker, en=" points ", de=" Punkte ")
    text += f"{_sure(judgement, found, speaker)}, {_runs(judgement, speaker)}"
    error, change = 1 - found.accuracies[0], abs(found.interval.value)
    if error > 0 and 0 < change < error:
        # One error in so many; where that is too coarse (1 in 2 may be 40 or 67 %), so many in ten.
        one_in = round(error / change)
        many, of = (1, one_in) if one_in > 2 else (min(9, round(10 * change / error)), 10)
        errors = _in(speaker, en="error" if many == 1 else "errors", de="Fehler")
        text += _in(
            speaker,
            en=f", about {many} {errors} in {of} fewer" if better else f", about {many} {errors} more for every {of}",
            de=f", etwa {many} {errors} von {of} weniger" if better else f", etwa {many} {errors} mehr auf {of}",
        )
    if found.small:
        limit = points(found.margin, speaker, sign=False)
        text += _in(
            speaker,
            en=f"; but by less than you said matters ({limit})",
            de=f"; aber um weniger, als du für wichtig erklärt hast ({limit})",
        )
    return text + "."


def _same(judgement: Judgement, found: Finding, speaker: Language) -> str:
    # Rounded up: "at most" must stay true after rounding.
    furthest = max(-found.interval.low, found.interval.high)
    most = points(min(furthest + 0.00005, found.margin), speaker, sign=False)
    limit, runs = points(found.margin, speaker, sign=False), judgement.look.runs
    pair = ""
    if len(judgement.findings) > 1:
        pair = _in(speaker, en=f"{found.challenger} and {found.baseline}: ", de=f"{found.challenger} und {found.baseline}: ")
    return pair + _in(
        speaker,
        en=f"Practically the same: the difference is at most {most} points, below your limit of {limit} ({runs} runs each).",
        de=f"Praktisch gleich: der Unterschied beträgt höchstens {most} Punkte, unter deiner Grenze von {limit} (je {runs} Läufe).",
    )


def _so_far(judgement: Judgement, found: Finding, speaker: Language) -> str:
    low, high = points(found.interval.low, speaker), points(found.interval.high, speaker)
    value = points(found.interval.value, speaker)
    return _in(
        speaker,
        en=f"so far {value} points for {found.challenger}{_other(judgement, found, ' against ')}, could be {low} to {high}",
        de=f"bisher {value} Punkte für {found.challenger}{_other(judgement, found, ' gegen ')}, möglich sind {low} bis {high}",
    )


def _undecided(judgement: Judgement, found: Finding, speaker: Language) -> str:
    ahead = found.outlook
    text = _in(speaker, en="Not enough runs: ", de="Zu wenige Läufe: ") + _so_far(judgement, found, speaker) + "."
    if ahead is not None:
        text += " " + (_more(found, speaker) if ahead.more else _no_number(found, speaker))
    if found.edge:
        limit = points(found.margin, speaker, sign=False)
        text += _in(
            speaker,
            en=f" So far it is right on the edge of what you called relevant ({limit}); on which side, more runs may not tell.",
            de=f" Bisher liegt er genau am Rand dessen, was du für wichtig erklärt hast ({limit}); "
            "auf welcher Seite, sagen weitere Läufe vielleicht nie.",
        )
    return text


def _more(found: Finding, speaker: Language) -> str:
    ahead, seconds = found.outlook, found.more_seconds
    assert ahead is not None
    assert ahead.more is not None
    assert seconds is not None
    count = _span(str(ahead.more[0]), str(ahead.more[1]), speaker)
    time = _span(_minutes(seconds[0]), _minutes(seconds[1]), speaker)
    unit = _in(speaker, en="minute" if time == "1" else "minutes", de="Minute" if time == "1" else "Minuten")
    will = _in(
        speaker,
        en=("should" if ahead.sure else "may") + " settle it",
        de="sollten es klären" if ahead.sure else "könnten es klären",
    )
    if ahead.fresh:
        return _in(
            speaker,
            en=f"This plan does not reach far enough; a new one with about {count} fresh runs each (about {time} {unit}) {will}.",
            de=f"Dieser Plan reicht nicht so weit; ein neuer mit etwa {count} frischen Läufen je Arm (etwa {time} {unit}) "
            + ("sollte es klären." if ahead.sure else "könnte es klären."),
        )
    return _in(
        speaker,
        en=f"About {count} more runs each (about {time} {unit}) {will}.",
        de=f"Etwa {count} weitere Läufe je Arm (etwa {time} {unit}) {will}.",
    )


def _no_number(found: Finding, speaker: Language) -> str:
    ahead = found.outlook
    assert ahead is not None
    if ahead.limit >= 0.8:
        return _in(
            speaker,
            en=f"It would take more than {MOST} runs each.",
            de=f"Es bräuchte mehr als {MOST} Läufe je Arm.",
        )
    chance = round(10 * ahead.limit)
    return _in(
        speaker,
        en=f"More runs without end would settle it in about {chance} of 10 cases: the test images are the limit."
        + _images(found, speaker),
        de=f"Weitere Läufe ohne Ende würden es in etwa {chance} von 10 Fällen klären: die Testbilder sind die Grenze."
        + _images(found, speaker),
    )


def _too_small(judgement: Judgement, found: Finding, speaker: Language) -> str:
    if isinstance(judgement.outcomes, SplitOutcomes):
        text = _in(
            speaker,
            en="There are too few images to tell these two apart; more runs will not help, more images will",
            de="Es sind zu wenige Bilder, um die beiden zu unterscheiden; weitere Läufe helfen nicht, weitere Bilder schon",
        )
    else:
        text = _in(
            speaker,
            en="The test set is too small to tell these two apart; more runs will not help, more test images will",
            de="Der Testsatz ist zu klein, um die beiden zu unterscheiden; weitere Läufe helfen nicht, weitere Testbilder schon",
        )
    return f"{text}: {_so_far(judgement, found, speaker)} ({_runs(judgement, speaker)}).{_images(found, speaker)}"


def _images(found: Finding, speaker: Language) -> str:
    if found.outlook is None or found.outlook.images is None:
        return ""
    wanted = float(f"{found.outlook.images:.1e}")  # two digits: it is a rough figure
    return _in(speaker, en=f" About {wanted:.0f} would do.", de=f" Etwa {wanted:.0f} würden reichen.")


def _seconds(judgement: Judgement, found: Finding, speaker: Language) -> list[str]:
    """Only where the interval says which one is faster, and by at least 5 %."""
    ratio = found.seconds
    if ratio is None or ratio.low <= 1 <= ratio.high or 0.95 < ratio.value < 1.05:
        return []
    quick, factor = (found.challenger, 1 / ratio.value) if ratio.value < 1 else (found.baseline, ratio.value)
    many = decimal(factor, 2 if factor < 1.1 else 1, speaker)
    slow = found.baseline if quick == found.challenger else found.challenger
    other = _in(speaker, en=f" as {slow}", de=f" wie {slow}") if _other(judgement, found, " ") else ""
    return [_in(speaker, en=f"{quick} trains {many} times as fast{other}.", de=f"{quick} trainiert {many}-mal so schnell{other}.")]


def _diverged(judgement: Judgement, found: Finding, speaker: Language) -> list[str]:
    said = []
    for name, lost in zip((found.baseline, found.challenger), found.diverged, strict=True):
        if lost:
            runs = judgement.look.runs
            text = _in(
                speaker,
                en=f"{lost} of the {runs} runs of {name} diverged; counted as they are.",
                de=f"{lost} von {runs} Läufen von {name} divergiert; mitgezählt, wie sie sind.",
            )
            said.append(text)
    return said


def _span(low: str, high: str, speaker: Language) -> str:
    return low if low == high else low + _in(speaker, en=" to ", de=" bis ") + high


def _minutes(seconds: float) -> str:
    return str(max(1, round(seconds / 60)))
