"""The plot of accuracy against seconds of training, from the results of the other benchmarks, with the Pareto front.

    python benchmarks/pareto.py [RESULT.json …] [--output docs/speed.svg]

By default all of `benchmarks/results/`; what has no points is passed over. One panel for each data set. A point is the mean over seeds, with
its standard deviation; a training that was looked at after every epoch is a line. Filled: one view of each test picture; hollow: six.
The front joins the plain points than which no other is both faster and more accurate.
"""

from __future__ import annotations

import argparse
import json
import statistics
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib as mpl

mpl.use("svg")

import matplotlib.pyplot as plt
from conditions import PROJECT, RESULTS, in_words
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
"""Okabe and Ito 2008: told apart with every kind of colour vision."""
MARKERS = "osD^vPX"
TITLES = {"fashion-mnist": "Fashion-MNIST", "cifar10-images": "CIFAR-10, JPEG files", "cifar10": "CIFAR-10", "mnist": "MNIST"}


@dataclass(frozen=True)
class Spot:
    """Of one way with so many views: the mean over seeds at its end, and the course of each training."""

    way: str
    ours: bool
    views: int
    seconds: float
    accuracy: float
    spread: float
    n: int
    courses: tuple[tuple[tuple[float, float], ...], ...]

    @property
    def label(self) -> str:
        views = f", {self.views} views" if self.views > 1 else ""
        seeds = f", n = {self.n}" if self.n > 1 else ""
        return f"{self.way}{views}\n{100 * self.accuracy:.2f} %, {self.seconds:,.0f} s{seeds}"


def spots(points: Sequence[dict[str, Any]]) -> list[Spot]:
    trainings: dict[tuple[str, int], dict[int, list[dict[str, Any]]]] = defaultdict(lambda: defaultdict(list))
    for point in points:
        trainings[point["way"], point["views"]][point["seed"]].append(point)
    found = []
    for (way, views), seeds in trainings.items():
        runs = [sorted(run, key=lambda point: point["seconds"]) for run in seeds.values()]
        ends = [run[-1] for run in runs]
        accuracies = [end["accuracy"] for end in ends]
        courses = tuple(tuple((point["seconds"], point["accuracy"]) for point in run) for run in runs if len(run) > 1)
        found.append(
            Spot(
                way=way,
                ours=ends[0].get("ours", False),
                views=views,
                seconds=statistics.median(end["seconds"] for end in ends),
                accuracy=statistics.mean(accuracies),
                spread=statistics.stdev(accuracies) if len(accuracies) > 1 else 0.0,
                n=len(ends),
                courses=courses,
            )
        )
    return found


def front(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """The (seconds, accuracy) that no other point beats in both, the fastest first."""
    kept: list[tuple[float, float]] = []
    for seconds, accuracy in sorted(points, key=lambda point: (point[0], -point[1])):
        if not kept or accuracy > kept[-1][1]:
            kept.append((seconds, accuracy))
    return kept


def draw(axes: Axes, found: Sequence[Spot], title: str) -> None:
    ways = list(dict.fromkeys(spot.way for spot in found))
    for spot in found:
        place = ways.index(spot.way)
        colour, marker = COLOURS[place % len(COLOURS)], MARKERS[place % len(MARKERS)]
        for course in spot.courses:
            axes.plot(*zip(*[(s, 100 * a) for s, a in course], strict=True), color=colour, marker=marker, ms=3, lw=1, alpha=0.6)
        axes.errorbar(
            spot.seconds,
            100 * spot.accuracy,
            yerr=100 * spot.spread or None,
            color=colour,
            marker=marker,
            ms=9 if spot.ours else 7,
            mfc=colour if spot.views == 1 else "white",
            mew=1.5,
            capsize=3,
            zorder=3,
        )
    plain = [point for spot in found if spot.views == 1 for point in ((spot.seconds, spot.accuracy), *sum(spot.courses, ()))]
    best = front(plain)
    axes.step([s for s, _ in best], [100 * a for _, a in best], where="post", color="#666666", lw=1, ls="--", zorder=1)
    axes.set_xscale("log")
    axes.set_xlim(min(s for s, _ in plain) / 1.8, max(s for s, _ in plain) * 1.4)
    axes.xaxis.set_major_locator(mpl.ticker.LogLocator(subs=(1, 2, 5)))
    axes.xaxis.set_major_formatter(mpl.ticker.FuncFormatter(lambda s, _: f"{s:,.0f}"))
    axes.xaxis.set_minor_formatter(mpl.ticker.NullFormatter())
    axes.set_title(title, loc="left", fontsize=11)
    axes.set_xlabel("seconds of training (log scale)")
    axes.set_ylabel("test accuracy in %")
    axes.grid(which="major", color="#dddddd", lw=0.6)
    axes.spines[["top", "right"]].set_visible(False)
    axes.margins(y=0.12)
    label(axes, found)


def label(axes: Axes, found: Sequence[Spot], apart: float = 0.11) -> None:
    """Each point's words in a column at the right, in the order of the points' heights and never on top of each other."""
    axes.figure.canvas.draw()
    low, high = axes.get_ylim()
    heights = {spot: (100 * spot.accuracy - low) / (high - low) for spot in found}
    order = sorted(found, key=lambda spot: heights[spot])
    places: list[float] = []
    for spot in order:
        places.append(max(heights[spot], places[-1] + apart if places else 0.0))
    over = max(0.0, places[-1] - 1.0) if places else 0.0
    ways = list(dict.fromkeys(spot.way for spot in found))
    for spot, place in zip(order, places, strict=True):
        axes.annotate(
            spot.label,
            xy=(spot.seconds, 100 * spot.accuracy),
            xytext=(1.03, place - over),
            textcoords="axes fraction",
            fontsize=8,
            va="center",
            color=COLOURS[ways.index(spot.way) % len(COLOURS)],
            weight="bold" if spot.ours else "normal",
            arrowprops={"arrowstyle": "-", "color": "#bbbbbb", "lw": 0.6, "shrinkB": 5},
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("results", nargs="*", type=Path)
    parser.add_argument("--output", type=Path, default=PROJECT / "docs" / "speed.svg")
    wanted = parser.parse_args()
    by_data: dict[str, list[dict[str, Any]]] = defaultdict(list)
    words: list[str] = []
    for path in wanted.results or sorted(RESULTS.glob("*.json")):
        result = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(result, dict) or not result.get("points"):
            continue
        for point in result["points"]:
            by_data[point["data"]].append(point)
        if "conditions" in result:
            words.append(f"{path.name}: {in_words(result['conditions'])}")
    if not by_data:
        raise SystemExit("There is no result with points; run benchmarks/cifar10.py or benchmarks/to_accuracy.py first.")
    settings = {"svg.fonttype": "path", "svg.hashsalt": "wiesel", "font.family": "DejaVu Sans", "font.size": 9}
    with mpl.rc_context(settings):
        figure, panels = plt.subplots(len(by_data), 1, figsize=(9.5, 4.4 * len(by_data)), squeeze=False, facecolor="white")
        figure.subplots_adjust(left=0.08, right=0.66, top=0.95, bottom=0.06 + 0.06 / len(by_data), hspace=0.3)
        for axes, (data, points) in zip(panels[:, 0], by_data.items(), strict=True):
            draw(axes, spots(points), TITLES.get(data, data))
        signs = [
            Line2D([], [], color="#333333", marker="o", lw=0, label="one view"),
            Line2D([], [], color="#333333", marker="o", mfc="white", lw=0, label="six views"),
            Line2D([], [], color="#666666", ls="--", lw=1, label="front, one view"),
        ]
        panels[0, 0].legend(handles=signs, loc="best", fontsize=8, frameon=False)
        wanted.output.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(wanted.output, metadata={"Date": None} if wanted.output.suffix == ".svg" else None, dpi=150)
    print(wanted.output, *words, sep="\n")


if __name__ == "__main__":
    main()
