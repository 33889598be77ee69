"""What the promises about uncertainty are worth on finished runs: sets, temperature, ensembles, and pictures from elsewhere.

    python benchmarks/uncertainty.py RUN [RUN ...] [--splits 5] [--level 0.9]
    python benchmarks/uncertainty.py RUN [RUN ...] --out mnist [--most 0] [--scores NAME=FILE.npz ...]

Each run needs `predictions/test.npz`. For every split the test pictures are halved at random (seeds 0, 1, ...): one half calibrates,
the other is measured. Several runs of the same data are also measured as an ensemble.

With `--out` the AUROC table is made, which needs the pictures of the run as well. `--scores` adds rows of other methods: a file with
the arrays `inside` and `outside`, one number for each test picture of the run and each of `--out`, in their order, larger: stranger.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np

from wiesel.evaluation.calibration import calibration
from wiesel.evaluation.predictions import Predictions
from wiesel.evaluation.probabilities import negative_log_likelihood, outcomes, softmax
from wiesel.uncertainty import conformal
from wiesel.uncertainty.assessment import KINDS, halves
from wiesel.uncertainty.ensemble import of_predictions
from wiesel.uncertainty.out_of_distribution import auroc_difference
from wiesel.uncertainty.temperature import fit_temperature, nll_gain, scaled


def sets_and_temperature(test: Predictions, splits: int, level: float) -> dict[str, Any]:
    coverage: dict[str, list[float]] = {}
    size: dict[str, list[float]] = {}
    worst: dict[str, list[float]] = {}
    temperatures, losses, gains = [], [], []
    for seed in range(splits):
        first, second = halves(len(test), np.random.default_rng(seed))
        labels, new = test.labels[first], test.labels[second]
        temperature = fit_temperature(labels, test.logits[first]).value
        p, q = softmax(scaled(test.logits[first], temperature)), softmax(scaled(test.logits[second], temperature))
        temperatures.append(temperature)
        gain = nll_gain(new, test.logits[second], temperature)
        gains.append([gain.value, gain.low, gain.high])
        losses.append(
            [
                negative_log_likelihood(new, test.logits[second]),
                negative_log_likelihood(new, scaled(test.logits[second], temperature)),
            ]
        )
        for method, by_class in KINDS:
            name = method + (" by class" if by_class else "")
            rng = np.random.default_rng((seed, 1))
            threshold = conformal.calibrate(labels, p, method, level=level, by_class=by_class, rng=rng)
            found = conformal.measure(new, conformal.sets(q, threshold, rng=rng))
            coverage.setdefault(name, []).append(found.coverage.value)
            size.setdefault(name, []).append(found.mean_size)
            worst.setdefault(name, []).append(found.worst_coverage.value)
    return {
        "temperature": temperatures,
        "nll": losses,
        "gain": gains,
        "sets": {
            name: {
                "coverage": coverage[name],
                "mean": float(np.mean(coverage[name])),
                "size": float(np.mean(size[name])),
                "worst class": float(np.mean(worst[name])),
            }
            for name in coverage
        },
    }


def quality(labels: Any, logits: Any) -> dict[str, Any]:
    found = outcomes(labels, logits)
    ece = calibration(found.confidence, found.correct).ece
    return {
        "accuracy": float(found.correct.mean()),
        "nll": float(found.loss.mean()),
        "brier": float(found.squared_error.mean()),
        "ece": [ece.value, ece.low, ece.high],
    }


def strangers(wanted: argparse.Namespace) -> dict[str, Any]:
    from wiesel.jobs.ood import ood

    more = {}
    for text in wanted.scores:
        name, _, file = text.partition("=")
        with np.load(file, allow_pickle=False) as arrays:
            more[name] = (arrays["inside"], arrays["outside"])
    found = ood(wanted.runs, out=wanted.out, inside=wanted.inside, most=0 if more else wanted.most, more=more)
    against = found.scores["max-softmax"]
    print(f"\n{'method':34} {'AUROC %':>22} {'FPR at 95 % TPR, %':>24} {'AUROC - max-softmax':>26}")
    differences = {}
    for row in found.rows:
        scores = found.scores[row.method]
        difference = ""
        if all(a.shape == b.shape for a, b in zip(scores, against, strict=True)):
            d = auroc_difference(scores, against)
            differences[row.method] = [d.value, d.low, d.high]
            difference = f"{100 * d.value:+.2f} [{100 * d.low:+.2f}, {100 * d.high:+.2f}]"
        print(
            f"{row.method:34} {100 * row.auroc.value:6.2f} [{100 * row.auroc.low:.2f}, {100 * row.auroc.high:.2f}]"
            f" {100 * row.fpr95.value:8.2f} [{100 * row.fpr95.low:.2f}, {100 * row.fpr95.high:.2f}] {difference:>26}"
        )
    print(*found.remarks, sep="\n")
    return {**found.to_json(), "minus max-softmax": differences}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", nargs="+", type=Path)
    parser.add_argument("--splits", type=int, default=5)
    parser.add_argument("--level", type=float, default=0.9)
    parser.add_argument("--in", dest="inside")
    parser.add_argument("--out")
    parser.add_argument("--most", type=int, default=10_000)
    parser.add_argument("--scores", action="append", default=[], metavar="NAME=FILE.npz")
    parser.add_argument("--json", type=Path)
    wanted = parser.parse_args()
    result: dict[str, Any] = {}
    saved = [Predictions.from_file(run / "predictions" / "test.npz") for run in wanted.runs]
    for run, test in zip(wanted.runs, saved, strict=True):
        found = sets_and_temperature(test, wanted.splits, wanted.level)
        plain = quality(test.labels, test.logits)
        result[str(run)] = {**found, "test": plain}
        before, after = np.mean(found["nll"], axis=0)
        lowered = sum(gain[1] > 0 for gain in found["gain"])
        print(f"\n{run}: {len(test)} test pictures, accuracy {100 * plain['accuracy']:.2f} %, {wanted.splits} splits in halves")
        print(
            f"  temperature {np.mean(found['temperature']):.3f} ({min(found['temperature']):.3f} to {max(found['temperature']):.3f}); "
            f"held-out NLL {before:.4f} -> {after:.4f}; lower beyond its interval in {lowered} of {wanted.splits}"
        )
        for name, one in found["sets"].items():
            verdict = "within 1 point" if abs(one["mean"] - wanted.level) <= 0.01 else "NOT within 1 point"
            listed = ", ".join(f"{100 * value:.1f}" for value in one["coverage"])
            print(
                f"  {name:13} coverage {100 * one['mean']:.2f} % ({listed}): {verdict}; mean size {one['size']:.3f}; "
                f"lowest class {100 * one['worst class']:.1f} %"
            )
    if len(saved) > 1:
        labels, together = of_predictions(saved)
        result["ensemble"] = quality(labels, together.log_probabilities)
        members = [result[str(run)]["test"] for run in wanted.runs]
        print(f"\nensemble of {len(saved)}: ", end="")
        for key in ("accuracy", "nll", "brier"):
            print(f"{key} {result['ensemble'][key]:.4f} (members {np.mean([one[key] for one in members]):.4f}); ", end="")
        print(f"ECE {result['ensemble']['ece'][0]:.4f} (members {np.mean([one['ece'][0] for one in members]):.4f})")
    if wanted.out:
        result["strangers"] = strangers(wanted)
    if wanted.json:
        wanted.json.write_text(json.dumps(result, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
