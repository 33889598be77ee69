"""The statistics of `wiesel compare` on real runs: how often do equal arms look unequal, and are known differences found?

    python benchmarks/real_runs.py [--runs 30] [--splits 10000] [--output runs/real] [--jobs 2]

Trains a short fast preset (`wiesel_s`, 2 epochs of the embedded sample) 2 * `--runs` times as it is, and `--runs` times with 90 % of the
training pictures, one thread each. A stopped benchmark goes on where it was.

A/A     random splits of the 2 * runs into 5 against 5 (fixed look), and into 10 against 10 looked at after 3, 5 and 10 (staged): the share
        in which the rule says "better" or "worse". Splits of a finite pool are not independent of one another: a smoke test.
A/B     random 5 against 5 out of both pools: the share in which the interval holds the difference of the whole pools, in which the sign of
        the difference is right, and in which "better" or "worse" is said with the wrong sign.
spread  standard deviation of a run's accuracy, and what of it is left when the choice of 2,000 test pictures is taken off (sigma_dist: a
        picture's answer has variance a (1 - a) between runs whose chance is independent).
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import math
import platform
import tempfile
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

import wiesel
from wiesel import images
from wiesel.batches import EvaluationBatches
from wiesel.batches.inference import logits_of
from wiesel.comparison.difference import difference
from wiesel.comparison.judgement import judge
from wiesel.comparison.outcomes import Arm, Outcomes, arm
from wiesel.comparison.rules import Rules
from wiesel.evaluation.intervals import wilson
from wiesel.jobs.presets import PRESETS
from wiesel.jobs.train import train_only
from wiesel.runs import trained
from wiesel.training.threads import usable_cores

POOLS: dict[str, tuple[int, int, dict[str, Any]]] = {
    "as it is": (2, 0, {}),
    "90 % of the pictures": (1, 900, {}),
}
"""How many times `--runs` trainings, pictures per class (0: all 1,000), and settings of their own."""


def train(name: str, seed: int, place: Path) -> None:
    """One training with one thread, and which test pictures it gets right."""
    torch.set_num_threads(1)
    _, per_class, settings = POOLS[name]
    whole = images.load("fashion-mnist-sample")
    assert whole.test is not None
    own = {**dataclasses.asdict(PRESETS["fast"].training), "alternate": True, "shift": 1, "architecture": "wiesel_s"}
    own |= {"epochs": 2, "threads": 1, "precision": "fp32", "seed": seed, **settings}
    with tempfile.TemporaryDirectory() as folder:
        run = train_only(images.subset(whole, per_class, seed=0), output=Path(folder) / "run", **own)
        model = trained.load(run)
        logits = logits_of(model.network, EvaluationBatches(whole.test, model.preprocessing))
    np.save(place.with_suffix(".part.npy"), logits.argmax(1) == whole.test.labels)
    place.with_suffix(".part.npy").replace(place)


def pools(chosen: argparse.Namespace) -> dict[str, NDArray[np.bool_]]:
    """(R, n) per pool; runs that are there are not trained again."""
    chosen.output.mkdir(parents=True, exist_ok=True)
    tasks = {
        (name, seed): chosen.output / f"{name.replace(' ', '-').replace('%', 'percent')}-{seed:03d}.npy"
        for name, (times, _, _) in POOLS.items()
        for seed in range(times * chosen.runs)
    }
    missing = [(*task, place) for task, place in sorted(tasks.items(), key=lambda item: item[0][1]) if not place.exists()]
    with ProcessPoolExecutor(chosen.jobs or usable_cores(), mp_context=get_context("spawn")) as workers:
        for number, _ in enumerate(workers.map(train, *zip(*missing, strict=True)) if missing else (), start=1):
            if number % 10 == 0:
                print(f"{number} of {len(missing)} runs", flush=True)
    return {name: np.array([np.load(place) for (own, _), place in tasks.items() if own == name]) for name in POOLS}


def arms(first: NDArray[np.bool_], second: NDArray[np.bool_]) -> tuple[Arm, Arm]:
    return arm("a", first, np.ones(len(first))), arm("b", second, np.ones(len(second)))


def equal_arms(pool: NDArray[np.bool_], splits: int, rng: np.random.Generator) -> dict[str, float]:
    labels = np.zeros(pool.shape[1], np.int64)
    fixed = staged = 0
    for _ in range(splits):
        order = rng.permutation(len(pool))
        interval = difference(*arms(pool[order[:5]], pool[order[5:10]])).interval(0.05)
        fixed += not interval.low <= 0 <= interval.high
    some = splits // 10  # a staged split costs up to three judgements with everything that a page shows
    for _ in range(some):
        order = rng.permutation(len(pool))
        for runs in (3, 5, 10):
            pair = arms(pool[order[:runs]], pool[order[10 : 10 + runs]])
            word = judge(Outcomes(pair, labels=labels, classes=("all",)), Rules()).findings[0].word
            staged += word in ("better", "worse")
            if word != "undecided":
                break
    return {"splits": splits, "fixed": fixed / splits, "staged splits": some, "staged": staged / some}


def unequal_arms(a: NDArray[np.bool_], b: NDArray[np.bool_], splits: int, rng: np.random.Generator) -> dict[str, float]:
    truth = float(b.mean() - a.mean())
    held = right = said = wrong = 0
    for _ in range(splits):
        found = difference(*arms(a[rng.permutation(len(a))[:5]], b[rng.permutation(len(b))[:5]]))
        interval = found.interval(0.05)
        held += interval.low <= truth <= interval.high
        right += found.value * truth > 0
        apart = not interval.low <= 0 <= interval.high
        said += apart
        wrong += apart and found.value * truth < 0
    whole = difference(*arms(a, b)).interval(0.05)
    return {
        "difference": truth,
        "low": whole.low,
        "high": whole.high,
        "interval holds it": held / splits,
        "sign right": right / splits,
        "said": said / splits,
        "said wrongly": wrong / splits,
    }


def spread(pool: NDArray[np.bool_]) -> dict[str, float]:
    accuracies, ease = pool.mean(1), pool.mean(0)
    variance = float(accuracies.var(ddof=1))
    by_pictures = float((ease * (1 - ease)).mean()) * len(pool) / (len(pool) - 1) / pool.shape[1]
    return {
        "runs": len(pool),
        "mean": float(accuracies.mean()),
        "sd": math.sqrt(variance),
        "sd from independent answers": math.sqrt(by_pictures),
        "sigma_dist": math.sqrt(max(0.0, variance - by_pictures)),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=30)
    parser.add_argument("--splits", type=int, default=10_000)
    parser.add_argument("--jobs", type=int, default=0)
    parser.add_argument("--output", type=Path, default=Path("runs/real"))
    chosen = parser.parse_args()
    runs = pools(chosen)
    torch.set_num_threads(1)
    rng = np.random.default_rng(0)
    base = runs["as it is"]
    facts: dict[str, object] = {"spread": {name: spread(pool) for name, pool in runs.items()}}
    facts["equal"] = equal = equal_arms(base, chosen.splits, rng)
    bounds = wilson(round(equal["staged"] * equal["staged splits"]), round(equal["staged splits"]))
    facts["unequal"] = {name: unequal_arms(base, pool, chosen.splits, rng) for name, pool in runs.items() if pool is not base}
    facts["machine"] = {
        "processor": platform.processor() or platform.machine(),
        "torch": torch.__version__,
        "wiesel": wiesel.__version__,
    }
    print(json.dumps(facts, indent=1))
    print(f"staged: {100 * equal['staged']:.1f} % ({100 * bounds.low:.1f} to {100 * bounds.high:.1f})")
    (chosen.output / "real_runs.json").write_text(json.dumps(facts, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
