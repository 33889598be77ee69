"""The four convolution algorithms of `wiesel.scratch` against torch's own, forward, side by side.

    python benchmarks/convolution.py [--repetitions 7] [--batch 1] [--threads 0]

3x3 kernels with padding 1, as many channels out as in, float32. In each repetition every algorithm gets its turn, in the same order;
shown are the median of the milliseconds and of the ratios to torch in the same repetition, with their range. The loop over output
numbers is measured on one row of the output where the whole would take minutes, and multiplied by the number of rows.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor

from wiesel.scratch import error
from wiesel.scratch.algorithms import Algorithm, by_name
from wiesel.training.threads import usable_cores

SIZES = ((1, 6), (64, 28), (64, 56))
FAST: tuple[Algorithm, ...] = ("im2col", "winograd", "fft")
WHOLE_LOOP_UP_TO = 2_000  # output numbers


def milliseconds(work: Callable[[], Tensor], at_least: float = 0.02) -> float:
    """Of one call, over as many calls as fill `at_least` seconds."""
    start, calls = time.perf_counter(), 0
    while (passed := time.perf_counter() - start) < at_least or not calls:
        work()
        calls += 1
    return 1000 * passed / calls


def contestants(batch: int, channels: int, side: int) -> tuple[dict[str, Callable[[], Tensor]], int]:
    """What is timed, by name, and the factor by which the loop's time is to be multiplied."""
    pictures, weight = torch.randn(batch, channels, side, side), torch.randn(channels, channels, 3, 3)
    ways: dict[str, Callable[[], Tensor]] = {"torch": lambda: F.conv2d(pictures, weight, padding=1)}
    ways |= {name: partial(by_name(name), pictures, weight, None, 1, 1) for name in FAST}
    expected = ways["torch"]()
    for name in FAST:
        torch.testing.assert_close(ways[name](), expected, rtol=1e-4, atol=1e-3)
    if expected.numel() <= WHOLE_LOOP_UP_TO:
        ways["loops"] = lambda: by_name("loops")(pictures, weight, None, 1, 1)
        return ways, 1
    rows = pictures[:1, :, :3]  # one row of the output of one picture
    ways["loops"] = lambda: by_name("loops")(rows, weight, None, 1, (0, 1))
    return ways, side * batch


@torch.no_grad()
def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--repetitions", type=int, default=7)
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument("--threads", type=int, default=0)
    wanted = parser.parse_args()
    torch.set_num_threads(wanted.threads or usable_cores())
    torch.manual_seed(0)
    print(f"torch {torch.__version__}, {torch.get_num_threads()} threads, batch {wanted.batch}, {wanted.repetitions} repetitions")
    print(f"{'pictures':<12} {'algorithm':<10} {'ms':>12} {'times torch':>12}   range")
    for channels, side in SIZES:
        ways, factor = contestants(wanted.batch, channels, side)
        taken: dict[str, list[float]] = {name: [] for name in ways}
        for repetition in range(wanted.repetitions + 1):
            for name, work in ways.items():
                once = milliseconds(work) * (factor if name == "loops" else 1)
                if repetition:  # the first round warms up
                    taken[name].append(once)
        faster = sorted(loop / im2col for loop, im2col in zip(taken["loops"], taken["im2col"], strict=True))
        for name, values in taken.items():
            ratios = sorted(value / own for value, own in zip(values, taken["torch"], strict=True))
            note = f"  (one row of {factor} measured)" if name == "loops" and factor > 1 else ""
            print(
                f"{f'{side}x{side}x{channels}':<12} {name:<10} {statistics.median(values):>12,.3f} "
                f"{statistics.median(ratios):>12,.1f}   {ratios[0]:,.1f} to {ratios[-1]:,.1f}{note}"
            )
        print(f"{'':<12} im2col is {statistics.median(faster):,.0f} times as fast as loops ({faster[0]:,.0f} to {faster[-1]:,.0f})")
    print("\nrounding error of float32, relative to the outputs: largest, root mean square")
    for channels, side in SIZES:
        found = error.measure((wanted.batch, channels, side, side), (channels, channels, 3, 3), padding=1, algorithms=FAST)
        for name, one in found.items():
            shares = one.largest / one.output, one.root_mean_square / one.output
            print(f"{f'{side}x{side}x{channels}':<12} {name:<10} {shares[0]:>12.1e} {shares[1]:>12.1e}")


if __name__ == "__main__":
    main()
