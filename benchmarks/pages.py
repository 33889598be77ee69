"""What it is worth that freed memory stays with the process: training steps with and without `kept_pages`, in turn in one process.

    python benchmarks/pages.py [--model wiesel_m] [--batch 256] [--rounds 20] [--steps 6] [--threads 0]

Without means as glibc does it by itself once it has freed a large block: blocks from 32 MiB are mapped one by one, and more than 64 MiB
of free memory go back to the system. Seconds and page faults per step; medians over the rounds and the ratio with its quartiles.
"""

from __future__ import annotations

import argparse
import resource
import statistics
import time
from contextlib import nullcontext

import torch
import torch.nn.functional as F
from conditions import conditions, in_words

from wiesel import zoo
from wiesel.training.pages import kept_pages
from wiesel.training.threads import usable_cores


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="wiesel_m")
    parser.add_argument("--batch", type=int, default=256)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--steps", type=int, default=6)
    parser.add_argument("--threads", type=int, default=0)
    wanted = parser.parse_args()
    torch.set_num_threads(wanted.threads or usable_cores())
    torch.set_flush_denormal(True)
    torch.manual_seed(0)
    network = zoo.build(wanted.model, classes=10, channels=1, size=28).to(memory_format=torch.channels_last).train()
    pictures = torch.randn(wanted.batch, 1, 28, 28).contiguous(memory_format=torch.channels_last)
    labels = torch.randint(0, 10, (wanted.batch,))

    def step() -> None:
        network.zero_grad()
        F.cross_entropy(network(pictures), labels).backward()  # type: ignore[no-untyped-call]

    seconds: dict[bool, list[float]] = {True: [], False: []}
    faults: dict[bool, list[float]] = {True: [], False: []}
    with kept_pages():  # leaving it sets what glibc does by itself
        step()
    for number in range(wanted.rounds):
        for kept in (True, False) if number % 2 else (False, True):
            with kept_pages() if kept else nullcontext():
                step()
                before, start = resource.getrusage(resource.RUSAGE_SELF).ru_minflt, time.perf_counter()
                for _ in range(wanted.steps):
                    step()
                seconds[kept].append((time.perf_counter() - start) / wanted.steps)
                faults[kept].append((resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before) / wanted.steps)
    for kept, words in ((False, "given back"), (True, "kept")):
        print(
            f"{words:<11} {statistics.median(seconds[kept]):.3f} s and {statistics.median(faults[kept]):,.0f} page faults per step"
        )
    ratios = [a / b for a, b in zip(seconds[True], seconds[False], strict=True)]
    low, middle, high = statistics.quantiles(ratios, n=4)
    print(f"kept / given back: {middle:.2f} (quartiles {low:.2f} to {high:.2f}, n = {len(ratios)}), {wanted.model}")
    print(in_words(conditions()))


if __name__ == "__main__":
    main()
