"""fastai's Learner on small grey pictures; a process of its own, in an environment that has fastai.

    python benchmarks/peer_fastai.py PICTURES.npz [--steps 40]       each line on stdin starts a round, whose rate is printed as JSON
    python benchmarks/peer_fastai.py PICTURES.npz --epochs 5         a whole training, its seconds and accuracy as JSON

The recipe is fastai's own for few epochs (`train_imagenette.py` among its examples, with which the Imagenette records were made): XResNet with
Mish, label smoothing, the optimiser "ranger", a flat rate of 0.01 that falls as a cosine, weight decay 0.01, batches of 64,
a random crop and a mirror image for each picture. The network is the smallest of that family, xresnet18, with one input channel; the crops
keep three quarters of the picture or more (chapter 7 of fastai's book), because 28 pixels leave little to crop. Loaders as
fastai sets them up.
"""

from __future__ import annotations

import contextlib
import json
import sys
import time
from functools import partial
from typing import Any

import fastai
import numpy as np
import torch
from fastai.vision.all import (
    Callback,
    CancelValidException,
    CategoryBlock,
    DataBlock,
    FlipItem,
    ImageBlock,
    IndexSplitter,
    LabelSmoothingCrossEntropy,
    Learner,
    Mish,
    Normalize,
    PILImageBW,
    RandomResizedCrop,
    ranger,
    set_seed,
    xresnet18,
)
from peer_arguments import arguments

BATCH, RATE, DECAY = 64, 1e-2, 1e-2


class NoValidation(Callback):  # type: ignore[misc]
    def before_validate(self) -> None:
        raise CancelValidException


def learner(pixels: Any, labels: list[int], learns: int) -> Any:
    """Of the pictures (N, H, W), the first `learns` are for training and the others for the end."""
    mean, std = float(pixels[:learns].mean()) / 255, float(pixels[:learns].std()) / 255
    block = DataBlock(
        blocks=(ImageBlock(cls=PILImageBW), CategoryBlock(vocab=list(range(10)))),
        get_x=lambda row: PILImageBW.create(pixels[row]),
        get_y=lambda row: labels[row],
        splitter=IndexSplitter(range(learns, len(pixels))),
        item_tfms=[RandomResizedCrop(pixels.shape[1], min_scale=0.75), FlipItem(0.5)],
        batch_tfms=[Normalize.from_stats([mean], [std])],
    )
    loaders = block.dataloaders(range(len(pixels)), bs=BATCH, device=torch.device("cpu"))
    network = xresnet18(n_out=10, c_in=1, act_cls=Mish)
    optimiser = partial(ranger, mom=0.9, sqr_mom=0.99, eps=1e-6, beta=0.0)
    return Learner(loaders, network, opt_func=optimiser, loss_func=LabelSmoothingCrossEntropy(), cbs=NoValidation())


def main() -> None:
    wanted = arguments(__doc__)
    answers, sys.stdout = sys.stdout, sys.stderr
    with np.load(wanted.pictures, allow_pickle=False) as saved:
        arrays = dict(saved)
    set_seed(wanted.seed)
    learns = len(arrays["pixels"]) if wanted.epochs else BATCH * wanted.steps
    pixels = np.concatenate([arrays["pixels"][:learns], arrays["test_pixels"]])
    labels = [*arrays["labels"][:learns].tolist(), *arrays["test_labels"].tolist()]
    learn = learner(pixels, labels, learns)
    facts = {"fastai": fastai.__version__, "torch": torch.__version__, "threads": torch.get_num_threads()}
    with learn.no_bar(), learn.no_logging(), contextlib.redirect_stdout(sys.stderr):
        if wanted.epochs:
            start = time.perf_counter()
            learn.fit_flat_cos(wanted.epochs, RATE, wd=DECAY)
            seconds = time.perf_counter() - start
            learn.remove_cb(NoValidation)
            found, expected = learn.get_preds(ds_idx=1)
            accuracy = (found.argmax(1) == expected).float().mean().item()
            print(json.dumps({"seconds": seconds, "accuracy": accuracy, "epochs": wanted.epochs, "versions": facts}), file=answers)
            return
        print(json.dumps({"ready": facts}), file=answers, flush=True)
        for _ in sys.stdin:
            start = time.perf_counter()
            learn.fit_flat_cos(1, RATE, wd=DECAY)
            seconds = time.perf_counter() - start
            print(json.dumps({"pictures": len(learn.dls.train) * BATCH, "seconds": seconds}), file=answers, flush=True)


if __name__ == "__main__":
    main()
