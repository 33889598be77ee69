"""Small pictures stay small on disk and are enlarged for the network, batch by batch."""

from __future__ import annotations

import dataclasses

import numpy as np
import torch
from PIL import Image

from wiesel.batches import EvaluationBatches, Preprocessing, TrainingBatches
from wiesel.images import Images
from wiesel.recipe import Augmentation

PLAIN = Preprocessing(channels=3, height=16, width=16, mean=(0.5,) * 3, std=(0.25,) * 3)
LARGE = dataclasses.replace(PLAIN, enlarge=64)


def pictures(count: int = 20) -> Images:
    pixels = np.random.default_rng(0).integers(0, 256, (count, 16, 16, 3)).astype(np.uint8)
    return Images(pixels, np.arange(count) % 2, np.array([f"train/{n}" for n in range(count)]))


def test_training_and_evaluation_see_the_enlarged_pictures() -> None:
    assert LARGE.image == (3, 64, 64)
    training = TrainingBatches(pictures(), LARGE, batch=8, seed=0, augmentation=Augmentation(flip=True))
    for batches in (training.epoch(0), EvaluationBatches(pictures(), LARGE)):
        batch = next(iter(batches))
        assert batch.pictures.shape[1:] == (3, 64, 64)
        assert batch.pictures.is_contiguous(memory_format=torch.channels_last)


def test_enlarging_is_bicubic_and_keeps_place_and_grey() -> None:
    ramp = np.repeat(np.arange(0, 256, 16, dtype=np.uint8)[None, :, None], 16, 0).repeat(3, 2)
    ours = LARGE.denormalise(LARGE.normalise(torch.from_numpy(ramp[None])))[0].numpy()
    theirs = np.asarray(Image.fromarray(ramp).resize((64, 64), Image.Resampling.BICUBIC))
    inner = (slice(8, 56), slice(8, 56))
    assert np.abs(ours[inner].astype(int) - theirs[inner].astype(int)).max() <= 2
    assert LARGE.normalise(torch.full((1, 16, 16, 3), 77, dtype=torch.uint8)).std() < 1e-6


def test_batches_of_large_pictures_are_smaller() -> None:
    assert EvaluationBatches(pictures(), PLAIN).batch == 500
    assert EvaluationBatches(pictures(), LARGE).batch == 500
    assert EvaluationBatches(pictures(), dataclasses.replace(PLAIN, enlarge=192)).batch == 125
    assert EvaluationBatches(pictures(), LARGE, batch=7).batch == 7


def test_a_document_of_an_older_version_has_no_enlarging() -> None:
    facts = PLAIN.to_json()
    del facts["enlarge"]
    assert Preprocessing.from_json(facts) == PLAIN
    assert Preprocessing.from_json(LARGE.to_json()) == LARGE
