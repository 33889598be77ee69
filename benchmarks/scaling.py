"""What `wiesel scale` found, as a page and a figure of the documentation.

    wiesel scale resnet20:width=0.5 --size 14 --jobs 2
    python benchmarks/scaling.py scaling [--out docs/experiments/scaling]

The figure draws accuracy on test pictures against multiply-adds: small dots are runs, lines go through their means.
"""

from __future__ import annotations

import argparse
import json
import statistics
from pathlib import Path
from typing import Any

import matplotlib as mpl

mpl.use("svg")

import matplotlib.pyplot as plt

mpl.rcParams["svg.hashsalt"] = "wiesel"  # the same figure for the same numbers

RULES = {
    "compound": ("all three", "#0072B2", "o", "-"),
    "depth": ("depth only", "#D55E00", "s", "--"),
    "width": ("width only", "#009E73", "D", "-."),
    "resolution": ("picture size only", "#CC79A7", "^", ":"),
}


def figure(growth: list[dict[str, Any]], path: Path) -> None:
    drawing, axes = plt.subplots(figsize=(6.4, 3.8))
    for rule, (name, colour, marker, line) in RULES.items():
        mine = [one for one in growth if one["rule"] == rule]
        across = [one["macs"] / 1e6 for one in mine]
        means = [100 * statistics.mean(one["accuracies"]) for one in mine]
        axes.plot(across, means, color=colour, marker=marker, linestyle=line, label=name)
        for place, one in zip(across, mine, strict=True):
            axes.plot([place] * len(one["accuracies"]), [100 * run for run in one["accuracies"]], ".", color=colour, alpha=0.5)
    axes.set_xscale("log", base=2)
    axes.xaxis.set_major_formatter(mpl.ticker.FuncFormatter(lambda macs, _: f"{macs:g}"))
    axes.set(xlabel="million multiply-adds per picture", ylabel="test accuracy in %")
    axes.grid(color="#dddddd", lw=0.6)
    axes.legend(frameon=False)
    drawing.tight_layout()
    drawing.savefig(path, metadata={"Date": None})


def row(one: dict[str, Any]) -> str:
    return f"{one['alpha']:.2f} | {one['beta']:.2f} | {one['gamma']:.2f} | {one['macs'] / 1e6:.2f} M"


def page(document: dict[str, Any], image: str) -> str:
    lines = [
        "# How should a network grow?",
        "",
        f"**{document['sentence']['en']}**",
        "",
        f"![Accuracy against multiply-adds for four ways of growing]({image})",
        "",
        "## Growing",
        "",
        f"{document['runs']} runs each with fresh seeds, {document['epochs'][-1]} epochs; factors of depth, width and picture size.",
        "",
        "| Rule | Doublings | Depth | Width | Size | Multiply-adds | Right, each run |",
        "|---|---|---|---|---|---|---|",
    ]
    for one in document["growth"]:
        runs = ", ".join(f"{100 * run:.2f} %" for run in one["accuracies"])
        lines.append(f"| {RULES[one['rule']][0]} | {one['phi']} | {row(one)} | {runs} |")
    for rung in document["search"]:
        lines += [
            "",
            f"## The search, {rung['epochs']} epoch{'s' * (rung['epochs'] > 1)}",
            "",
            "One run each, judged on validation pictures.",
            "",
            "| Depth | Width | Size | Multiply-adds | Right | |",
            "|---|---|---|---|---|---|",
        ]
        for one in sorted(rung["designs"], key=lambda design: -design["validation"]):
            lines.append(f"| {row(one)} | {100 * one['validation']:.1f} % | {'goes on' if one['kept'] else ''} |")
    lines += [
        "",
        "## The best against each other",
        "",
        document["finalists"]["sentence"]["en"],
        "",
        "## How this was made",
        "",
        f"* Command: `{document['command']}`",
        f"* Pictures: `{document['data']}`, {document['size']} pixels before growing",
        f"* Program: `{', '.join(document['programs'])}`",
        "",
    ]
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--out", type=Path, default=Path("docs/experiments/scaling"))
    wanted = parser.parse_args()
    document = json.loads((wanted.folder / "scaling.json").read_text(encoding="utf-8"))
    image = wanted.out.with_suffix(".svg")
    figure(document["growth"], image)
    wanted.out.with_suffix(".md").write_text(page(document, image.name), encoding="utf-8")


if __name__ == "__main__":
    main()
