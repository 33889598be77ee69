from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from wiesel.batches import EvaluationBatches, Preprocessing, TrainingBatches, measure
from wiesel.batches.loading import shrink
from wiesel.batches.order import batches_of, shuffled, steps_per_epoch
from wiesel.images import Images
from wiesel.recipe import Augmentation

PLAIN = Augmentation(flip=False, shift=0)


def pictures(count: int, side: int = 8, channels: int = 1, seed: int = 0) -> Images:
    rng = np.random.default_rng(seed)
    pixels = rng.integers(0, 256, (count, side, side, channels), dtype=np.uint8)
    return Images(pixels, rng.integers(0, 3, count), np.array([f"train/{i}" for i in range(count)]))


def training(images: Images, *, batch: int = 4, seed: int = 0, augmentation: Augmentation = PLAIN) -> TrainingBatches:
    return TrainingBatches(images, measure(images.pixels), batch=batch, seed=seed, augmentation=augmentation)


@given(count=st.integers(2, 60), batch=st.integers(2, 17), epoch=st.integers(0, 3))
@settings(max_examples=60)
def test_an_epoch_shows_each_picture_once_and_never_ends_in_a_lone_one(count: int, batch: int, epoch: int) -> None:
    parts = batches_of(shuffled(count, seed=1, epoch=epoch), batch)
    seen = np.concatenate(parts)
    assert len(set(seen.tolist())) == len(seen) >= count - 1
    assert all(len(part) > 1 for part in parts)
    assert len(parts) == steps_per_epoch(count, batch)


def test_order_depends_on_seed_and_epoch_alone() -> None:
    assert shuffled(100, seed=3, epoch=5).tolist() == shuffled(100, seed=3, epoch=5).tolist()
    assert shuffled(100, seed=3, epoch=5).tolist() != shuffled(100, seed=3, epoch=6).tolist()
    assert shuffled(100, seed=3, epoch=5).tolist() != shuffled(100, seed=4, epoch=5).tolist()


def test_an_epoch_that_starts_in_the_middle_is_the_tail_of_the_whole_one() -> None:
    batches = training(pictures(30), augmentation=Augmentation(flip=True, shift=2))
    whole = list(batches.epoch(2))
    tail = list(batches.epoch(2, start=3))
    assert len(tail) == len(whole) - 3
    for a, b in zip(whole[3:], tail, strict=True):
        assert torch.equal(a.pictures, b.pictures)
        assert torch.equal(a.labels, b.labels)


def test_what_chance_does_to_a_picture_does_not_depend_on_the_batch_size() -> None:
    images = pictures(24)
    by_id: list[dict[int, torch.Tensor]] = []
    for size in (3, 8):
        batches = training(images, batch=size, augmentation=Augmentation(flip=True, shift=1))
        by_id.append({int(i): p for b in batches.epoch(1) for i, p in zip(b.ids, b.pictures, strict=True)})
    assert by_id[0].keys() == by_id[1].keys()
    assert all(torch.equal(by_id[0][i], by_id[1][i]) for i in by_id[0])


def test_alternating_flips_show_every_picture_both_ways_in_two_epochs() -> None:
    images = pictures(40)
    batches = training(images, batch=40, augmentation=Augmentation(flip=True, alternate=True))
    shown = []
    for epoch in (0, 1, 2):
        (batch,) = batches.epoch(epoch)
        rows = batches.preprocessing.denormalise(batch.pictures).numpy()[np.argsort(batch.ids.numpy())]
        mirrored = [np.array_equal(row, original[:, ::-1]) for row, original in zip(rows, images.pixels, strict=True)]
        assert all(flip or np.array_equal(row, original) for flip, row, original in zip(mirrored, rows, images.pixels, strict=True))
        shown.append(mirrored)
    assert 5 < sum(shown[0]) < 35
    assert shown[1] == [not flip for flip in shown[0]]
    assert shown[2] == shown[0]


def test_a_flip_mirrors_and_a_shift_repeats_the_edge() -> None:
    images = pictures(64, side=6)
    batches = training(images, batch=64, augmentation=Augmentation(flip=True, shift=2))
    batch = next(batches.epoch(0))
    shown = batches.preprocessing.denormalise(batch.pictures).numpy()
    kinds = set()
    for row, i in zip(shown, batch.ids.tolist(), strict=True):
        original = np.pad(images.pixels[i, :, :, 0], 2, mode="edge")
        matches = [
            (flip, dy, dx)
            for flip in (False, True)
            for dy in range(5)
            for dx in range(5)
            if np.array_equal(row[:, :, 0], (original[:, ::-1] if flip else original)[dy : dy + 6, dx : dx + 6])
        ]
        assert len(matches) == 1
        kinds.add(matches[0])
    assert {flip for flip, _, _ in kinds} == {False, True}
    assert {dy for _, dy, _ in kinds} == {dx for _, _, dx in kinds} == set(range(5))


def test_mean_and_deviation_agree_with_numpy() -> None:
    pixels = pictures(40, channels=3).pixels
    found = measure(pixels, chunk=7)
    scaled = pixels.astype(np.float64) / 255
    assert found.mean == pytest.approx(scaled.mean(axis=(0, 1, 2)), abs=1e-12)
    assert found.std == pytest.approx(scaled.std(axis=(0, 1, 2)), abs=1e-12)
    assert Preprocessing.from_json(found.to_json()) == found


def test_a_channel_without_variation_becomes_zero_and_not_nan() -> None:
    pixels = np.full((5, 4, 4, 1), 77, np.uint8)
    batch = next(iter(EvaluationBatches(Images(pixels, np.zeros(5, np.int64), np.array(list("abcde"))), measure(pixels))))
    assert torch.equal(batch.pictures, torch.zeros(5, 1, 4, 4))


def test_denormalise_is_the_exact_inverse_for_every_byte() -> None:
    every = np.arange(256, dtype=np.uint8).reshape(1, 16, 16, 1)
    preparation = Preprocessing(channels=1, height=16, width=16, mean=(0.2860,), std=(0.3530,))
    assert np.array_equal(preparation.denormalise(preparation.normalise(torch.from_numpy(every))).numpy(), every)


def test_a_split_can_be_looked_at_smaller_and_stays_as_it_is() -> None:
    images = pictures(6)
    whole = EvaluationBatches(images, measure(images.pixels))
    (small,), (full,) = whole.shrunk(4), whole
    assert small.pictures.shape == (6, 1, 4, 4)
    assert torch.equal(small.pictures, shrink(full.pictures, 4))
    assert torch.equal(next(iter(whole.shrunk(4).shrunk(0))).pictures, full.pictures)


def test_batches_are_channels_last_float32() -> None:
    batch = next(training(pictures(8, channels=3)).epoch(0))
    assert batch.pictures.dtype == torch.float32
    assert batch.pictures.is_contiguous(memory_format=torch.channels_last)


def test_evaluation_takes_every_picture_once_in_order() -> None:
    images = pictures(11)
    batches = EvaluationBatches(images, measure(images.pixels), batch=4)
    assert torch.cat([b.ids for b in batches]).tolist() == list(range(11))
    assert len(batches) == len(list(batches)) == 3


def test_shrinking_keeps_the_mean_and_leaves_small_pictures_alone() -> None:
    batch = torch.rand(2, 3, 28, 28)
    small = shrink(batch, 14)
    assert small.shape == (2, 3, 14, 14)
    assert float(small.mean()) == pytest.approx(float(batch.mean()), abs=0.01)
    assert shrink(batch, 0) is batch
    assert shrink(batch, 28) is batch


def test_a_read_only_memory_map_serves_as_well(tmp_path) -> None:  # type: ignore[no-untyped-def]
    images = pictures(10)
    file = tmp_path / "pixels"
    file.write_bytes(images.pixels.tobytes())
    mapped = Images(np.memmap(file, np.uint8, "r", shape=images.pixels.shape), images.labels, images.names)
    for a, b in zip(training(images).epoch(0), training(mapped).epoch(0), strict=True):
        assert torch.equal(a.pictures, b.pictures)
