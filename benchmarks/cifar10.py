"""Ours against airbench94's design (`airbench.py`) on CIFAR-10: accuracy and seconds of training, seed by seed in turn.

    python benchmarks/cifar10.py [--seeds 3] [--model wiesel_m] [--epochs 10] [--set shift=2 rate=0.24 …] [--baseline-epochs 9.9]
    python benchmarks/cifar10.py --data cifar10.zip …     # the data set's own pictures: original_cifar10.py

Both learn from the same files, in the same precision, with all threads, and look at the test pictures once, plainly and with the same
six views. The baseline learns from all 50,000 pictures, ours keeps `validation` of them for choosing; our seconds contain validation
and checkpoints. Every training is kept in `--cells` when it ends (ours also in the middle), so that a benchmark that was stopped goes on.
"""

from __future__ import annotations

import argparse
import ast
import hashlib
import json
import statistics
from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import torch
from airbench import train as train_airbench
from conditions import (
    CELLS,
    RESULTS,
    cell,
    changed,
    conditions,
    in_words,
    mean_and_spread,
    median_and_range,
    write_json,
    write_text,
)
from scipy.stats import ttest_ind

import wiesel
from wiesel import images
from wiesel.images.cache import cache_folder
from wiesel.jobs.evaluate import evaluate_views
from wiesel.training.precision import choose
from wiesel.training.progress import Lines
from wiesel.training.threads import usable_cores

OURS = {"flip": True, "shift": 2, "validation": 1000}
"""On top of the preset `fast`."""


def settings_from(words: list[str]) -> dict[str, Any]:
    """`rate=0.2` and the like; a word that is no Python literal is a text."""
    found: dict[str, Any] = {}
    for word in words:
        name, _, text = word.partition("=")
        try:
            found[name] = ast.literal_eval({"true": "True", "false": "False"}.get(text, text))
        except (SyntaxError, ValueError):
            found[name] = text
    return found


def ours(place: Path, data: Path, seed: int, settings: dict[str, Any]) -> dict[str, Any]:
    started = (place / "recipe.toml").is_file()
    asked = {"resume": place} if started else {**settings, "data": data, "preset": "fast", "seed": seed, "output": place}
    facts = wiesel.train(**asked, progress=Lines()).to_json()
    return {
        "seed": seed,
        "settings": settings,
        "seconds": facts["seconds"]["train"],
        "accuracy": facts["accuracy"],
        "accuracy_6_views": evaluate_views(place, 6).value,
        "seconds_evaluate": facts["seconds"]["evaluate"],
        "parameters": facts["parameters"],
        "macs": facts["macs"],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("../shared/data/cifar10-images.zip"))
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--model", default="wiesel_m")
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--set", nargs="*", default=[], metavar="NAME=VALUE", help="further settings of a recipe")
    parser.add_argument("--baseline-epochs", type=float, default=9.9)
    parser.add_argument("--baseline-batch", type=int, default=1024)
    parser.add_argument("--only", choices=("ours", "airbench94"))
    parser.add_argument("--threads", type=int, default=0)
    parser.add_argument("--precision", choices=("auto", "fp32", "bf16"), default="auto")
    parser.add_argument("--cells", type=Path, default=CELLS / "cifar10")
    parser.add_argument("--output", type=Path, default=RESULTS / "cifar10.json", help="a .md is written beside it")
    wanted = parser.parse_args()
    threads = wanted.threads or usable_cores()
    torch.set_num_threads(threads)
    precision = choose(cache_folder() / "precision.json").precision if wanted.precision == "auto" else wanted.precision
    settings = {
        "model": wanted.model,
        "epochs": wanted.epochs,
        "precision": precision,
        "threads": threads,
        **OURS,
        **settings_from(wanted.set),
    }
    key = hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()[:8]
    names = {
        "ours": f"{wanted.model}-{wanted.epochs}-{key}",
        "airbench94": f"airbench94-{wanted.baseline_epochs:g}-{wanted.baseline_batch}-{precision}-{threads}",
    }
    data = images.load(wanted.data)
    cells: dict[str, list[dict[str, Any]]] = {name: [] for name in ("airbench94", "ours") if wanted.only in (None, name)}
    for seed in range(wanted.seeds):
        work: dict[str, Callable[[], dict[str, Any]]] = {
            "airbench94": lambda seed=seed: asdict(  # type: ignore[misc]
                train_airbench(
                    data,
                    epochs=wanted.baseline_epochs,
                    batch=wanted.baseline_batch,
                    seed=seed,
                    precision=precision,
                    tell=partial(print, flush=True),
                )
            ),
            "ours": lambda seed=seed: ours(wanted.cells / f"{names['ours']}-{seed}", wanted.data, seed, settings),  # type: ignore[misc]
        }
        for name in cells if seed % 2 == 0 else reversed(cells):
            torch.set_num_threads(threads)
            print(f"seed {seed}: {name}", flush=True)
            found = cell(wanted.cells / f"{names[name]}-{seed}.json", work[name])
            cells[name].append(found)
            print(
                f"  {found['seconds']:.0f} s, {100 * found['accuracy']:.2f} %, six views {100 * found['accuracy_6_views']:.2f} %",
                flush=True,
            )
    lines = table(cells)
    shown = ", ".join(f"{name}={value}" for name, value in settings.items())
    where = conditions()
    lines += ["", f"Ours: `--preset fast` with {shown}; the baseline {wanted.baseline_epochs:g} epochs.", in_words(where)]
    if caution := changed([one for every in cells.values() for one in every]):
        lines += ["", caution]
    print("\n".join(lines))
    named = {"ours": f"wiesel {wanted.model}, {wanted.epochs} epochs", "airbench94": "airbench94's design"}
    points = [
        {
            "data": wanted.data.stem,
            "way": named[name],
            "ours": name == "ours",
            "seed": one["seed"],
            "seconds": one["seconds"],
            "views": views,
            "accuracy": one[field],
        }
        for name, every in cells.items()
        for one in every
        for views, field in ((1, "accuracy"), (6, "accuracy_6_views"))
    ]
    write_json(wanted.output, {"benchmark": "cifar10", "conditions": where, "settings": settings, "points": points, "cells": cells})
    write_text(wanted.output.with_suffix(".md"), "\n".join(lines) + "\n")


def table(cells: dict[str, list[dict[str, Any]]]) -> list[str]:
    lines = [
        "| way | accuracy in % | with six views | seconds of training | seconds of evaluation, plain |",
        "|---|---|---|---|---|",
    ]
    for name, every in cells.items():
        plain, six = ([100 * one[field] for one in every] for field in ("accuracy", "accuracy_6_views"))
        seconds, evaluation = ([one[field] for one in every] for field in ("seconds", "seconds_evaluate"))
        lines.append(
            f"| {name} | {mean_and_spread(plain)} | {mean_and_spread(six)} | {median_and_range(seconds)} | {median_and_range(evaluation, '.1f')} |"
        )
    if len(cells) < 2:
        return lines
    ratios = [a["seconds"] / b["seconds"] for a, b in zip(cells["ours"], cells["airbench94"], strict=True)]
    lines += ["", f"Seconds, ours / airbench94's design: {median_and_range(ratios, '.2f')}, n = {len(ratios)}"]
    for words, field in (("plain", "accuracy"), ("six views", "accuracy_6_views")):
        a, b = ([100 * one[field] for one in cells[name]] for name in ("ours", "airbench94"))
        text = f"Accuracy, ours - airbench94's design, {words}: {statistics.mean(a) - statistics.mean(b):+.2f} points"
        if len(a) > 1:
            interval = ttest_ind(a, b, equal_var=False).confidence_interval()
            text += f" (95 %, Welch, over seeds: {interval.low:+.2f} to {interval.high:+.2f})"
        lines.append(text)
    return lines


if __name__ == "__main__":
    main()
