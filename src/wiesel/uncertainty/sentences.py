"""An assessment and a table of detections as lines for the terminal, in German or English."""

from __future__ import annotations

from collections.abc import Sequence

from wiesel.evaluation.intervals import Interval, separator
from wiesel.language import number, say
from wiesel.uncertainty.assessment import Assessment, Missing
from wiesel.uncertainty.conformal import Method


def lines(found: Assessment, classes: Sequence[str]) -> list[str]:
    """What `wiesel evaluate` prints below its table."""
    said = [calibrated_on(found), found.temperature.sentence()]
    gain = found.nll_gain
    said.append(
        say(
            en=f"Negative log-likelihood {number(found.nll_before, 4)} -> {number(found.nll_after, 4)} (gain {bounds(gain, 4)}). "
            f"Calibration error {percents(found.before.ece)} -> {percents(found.after.ece)}; chance alone leaves {percent(found.after.noise)}.",
            de=f"Negative Log-Likelihood {number(found.nll_before, 4)} -> {number(found.nll_after, 4)} (Gewinn {bounds(gain, 4)}). "
            f"Kalibrierungsfehler {percents(found.before.ece)} -> {percents(found.after.ece)}; der Zufall allein lässt {percent(found.after.noise)}.",
        )
    )
    points = [point for point in found.selective.points if point.coverage < 1]
    listed = "; ".join(f"{percent(point.coverage, 0)}: {percents(point.accuracy)}" for point in points[-4:])
    if listed:
        said.append(say(en=f"Right among the surest pictures: {listed}.", de=f"Richtig unter den sichersten Bildern: {listed}."))
    for one in found.sets:
        name, coverage = kind(one.threshold.method, one.threshold.by_class), percents(one.found.coverage)
        size = number(one.found.mean_size, 2)
        worst = f"{classes[one.found.worst_class]} ({percent(one.found.worst_coverage.value)})"
        goal = percent(found.level, 0)
        said.append(
            say(
                en=f"Sets at {goal}, {name}: {coverage} contain the truth, mean size {size}; lowest class: {worst}.",
                de=f"Mengen bei {goal}, {name}: {coverage} enthalten die Wahrheit, mittlere Grösse {size}; tiefste Klasse: {worst}.",
            )
        )
    return said + [missing(one) for one in found.missing]


def calibrated_on(found: Assessment) -> str:
    """Which pictures were for calibration, and, where these are test pictures, that they are."""
    if found.calibrated_on == "validation":
        return say(
            en=f"Calibrated on the {found.calibration_pictures} validation pictures, measured on {found.pictures} test pictures.",
            de=f"Kalibriert auf den {found.calibration_pictures} Validierungsbildern, gemessen auf {found.pictures} Testbildern.",
        )
    return say(
        en=f"There are no validation pictures to calibrate on: {found.calibration_pictures} test pictures, drawn at random, were used for it, "
        f"and only the other {found.pictures} for the measurements that follow.",
        de=f"Zum Kalibrieren gibt es keine Validierungsbilder: {found.calibration_pictures} zufällig gezogene Testbilder dienten dazu, "
        f"und nur die übrigen {found.pictures} den folgenden Messungen.",
    )


def kind(method: Method, by_class: bool) -> str:
    return method.upper() + (say(en=" by class", de=" je Klasse") if by_class else "")


def missing(one: Missing) -> str:
    """Why a kind of sets is not there."""
    of = say(en=" of each class", de=" je Klasse") if one.by_class else ""
    name = kind(one.method, one.by_class)
    return say(
        en=f"No sets {name}: they need {one.needed} calibration pictures{of}, there are {one.have}.",
        de=f"Keine Mengen {name}: Sie brauchen {one.needed} Kalibrierungsbilder{of}, vorhanden: {one.have}.",
    )


def percent(value: float, digits: int = 1) -> str:
    return f"{number(100 * value, digits)} %"


def percents(value: Interval) -> str:
    return value.percent()


def bounds(value: Interval, digits: int) -> str:
    shown = [number(one, digits) for one in (value.value, value.low, value.high)]
    return f"{shown[0]} [{shown[1]}{separator()} {shown[2]}]"
