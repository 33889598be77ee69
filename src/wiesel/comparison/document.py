"""A judgement as plain values for JSON. All accuracies and differences are shares (0..1), all times seconds."""

from __future__ import annotations

from typing import Any

import numpy as np

from wiesel.comparison.exploration import told_apart
from wiesel.comparison.judgement import Finding, Judgement
from wiesel.comparison.outcomes import Arm
from wiesel.comparison.rules import ENGINE
from wiesel.comparison.sentences import sentence


def document(judgement: Judgement, *, plan: str = "") -> dict[str, Any]:
    """The top level speaks of the leading challenger (with two arms: the only one); each challenger has its own finding in `arms`.

    `plan`: its fingerprint. Keys may be added; those that are here stay.
    """
    leading, look = judgement.leading, judgement.look
    findings = {finding.challenger: finding for finding in judgement.findings}
    arms = {arm.name: arm for arm in judgement.outcomes.arms}
    return {
        **_finding(leading),
        "margin": leading.margin,
        "runs": look.runs,
        "sentence": {speaker: sentence(judgement, reader=speaker) for speaker in ("en", "de")},
        "baseline": leading.baseline,
        "challenger": leading.challenger,
        "confidence": judgement.rules.confidence,
        "look": {"number": look.number, "alpha": look.alpha, "last": look.last},
        "exploratory": judgement.exploratory,
        "engine": ENGINE,
        "plan": plan,
        "arms": [
            _arm(arm, arms[findings[arm.name].baseline] if arm.name in findings else arm, findings.get(arm.name))
            for arm in arms.values()
        ],
    }


def _finding(found: Finding) -> dict[str, Any]:
    ahead, seconds = found.outlook, found.more_seconds
    return {
        "verdict": found.word,
        "difference": found.interval.value,
        "interval": [found.interval.low, found.interval.high],
        "more_runs": list(ahead.more) if ahead and ahead.more and not ahead.hopeless else None,
        "more_seconds": list(seconds) if seconds and ahead and not ahead.hopeless else None,
        "more_runs_are_fresh": bool(ahead and ahead.more and ahead.fresh),
        "images_needed": ahead.images if ahead else None,
        "beats": found.beats,
        "error_change": -found.interval.value / (1 - found.accuracies[0]) if found.accuracies[0] < 1 else None,
        "seconds_ratio": [found.seconds.value, found.seconds.low, found.seconds.high] if found.seconds else None,
        "standard_error": {"runs": found.difference.run_part**0.5, "images": found.difference.fixed_part**0.5},
    }


def _arm(arm: Arm, baseline: Arm, found: Finding | None) -> dict[str, Any]:
    own: dict[str, Any] = {
        "name": arm.name,
        "accuracy": float(arm.accuracies.mean()),
        "accuracies": arm.accuracies.tolist(),
        "seconds": arm.seconds.tolist(),
        "seeds": list(arm.seeds),
        "diverged": int(arm.diverged.sum()),
    }
    if found is not None:
        own |= {
            "against": baseline.name,
            **_finding(found),
            "seed_correlation": _seed_correlation(baseline, arm),
            "exploration": _exploration(baseline, arm, found),
        }
    return own


def _seed_correlation(baseline: Arm, arm: Arm) -> float | None:
    """Of the accuracies of runs with equal seeds. Told, not used: runs of different designs are analysed unpaired."""
    if baseline.seeds != arm.seeds or min(baseline.accuracies.std(), arm.accuracies.std()) == 0:
        return None
    return float(np.corrcoef(baseline.accuracies, arm.accuracies)[0, 1])


def _exploration(baseline: Arm, arm: Arm, found: Finding) -> dict[str, Any]:
    """For looking, see `wiesel.comparison.exploration`; test pictures by their number."""
    if arm.correct is None:
        return {"classes": [], "pictures": {"better": [], "worse": []}}
    classes = [
        {
            "name": one.name,
            "images": one.images,
            "difference": one.interval.value,
            "interval": [one.interval.low, one.interval.high],
        }
        for one in found.classes
    ]
    pictures = {"better": told_apart(arm, baseline).tolist(), "worse": told_apart(baseline, arm).tolist()}
    return {"classes": classes, "pictures": pictures}
