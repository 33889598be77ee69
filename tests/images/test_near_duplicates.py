"""Copies that were encoded again, mirrored, cropped or shifted are found; pictures that only look alike are not."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from wiesel import images
from wiesel.images.cells import Cells
from wiesel.images.near_duplicates import near_duplicates, pairs_of
from wiesel.images.thumbnails import SIDE, WHOLE, Window, enlarging, likeness, mirror, spectra, through, thumbnails


def scenes(count, *, side=48, channels=3, seed=0):
    """Pictures with structure at several scales, all different: soft noise, the finer the weaker, as in photographs."""
    rng = np.random.default_rng(seed)
    pixels = np.empty((count, side, side, channels), np.uint8)
    for row in range(count):
        total = np.zeros((side, side, channels))
        for cells in (3, 6, 12, 24):
            noise = rng.normal(0, 160 / cells**0.7, (cells, cells, channels)).astype(np.float32)
            for channel in range(channels):
                soft = Image.fromarray(noise[..., channel]).resize((side, side), Image.Resampling.BICUBIC)
                total[..., channel] += np.asarray(soft)
        pixels[row] = np.clip(128 + total, 0, 255)
    return pixels


def changed(pixels, *, quality=None, flip=False, box=None):
    picture = Image.fromarray(pixels)
    if flip:
        picture = picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    if box:
        picture = picture.resize(picture.size, Image.Resampling.BILINEAR, box=box)
    if quality:
        file = io.BytesIO()
        picture.save(file, "JPEG", quality=quality)
        picture = Image.open(io.BytesIO(file.getvalue()))
    return np.asarray(picture.convert("RGB"))


CHANGES = {
    "same": {"quality": 60},
    "mirrored": {"flip": True, "quality": 85},
    "cropped": {"box": (3, 1, 46, 44)},
    "mirrored and cropped": {"flip": True, "box": (0, 4, 43, 47), "quality": 85},
}


def test_copies_are_found_with_what_was_done_to_them_and_nothing_else():
    originals = scenes(120)
    copies = [changed(originals[i], **change) for i, change in enumerate(CHANGES.values())]
    found = near_duplicates(np.concatenate([originals, np.stack(copies)]))
    assert {(min(pair[:2]), max(pair[:2])): pair.how for pair in found.pairs} == {
        (i, 120 + i): how for i, how in enumerate(CHANGES)
    }
    assert found.difference == 0.04  # these pictures are nothing like each other
    assert all(0.96 <= pair.likeness <= 1 for pair in found.pairs)
    assert [pair.likeness for pair in found.pairs] == sorted((pair.likeness for pair in found.pairs), reverse=True)


def test_things_of_one_kind_must_be_much_more_alike_to_count():
    one = scenes(1)[0].astype(int)
    rng = np.random.default_rng(1)
    family = np.clip(one + 12 * rng.normal(0, 1, (60, 12, 12, 1)).repeat(4, 1).repeat(4, 2), 0, 255).astype(np.uint8)
    copy = np.clip(family[:1].astype(int) + rng.integers(-1, 2, family[:1].shape), 0, 255).astype(np.uint8)
    found = near_duplicates(np.concatenate([family, copy]))
    assert found.usual < 0.5
    assert found.difference < 0.02
    assert [(pair.first, pair.second) for pair in found.pairs] in ([(0, 60)], [(60, 0)])


def test_only_pairs_across_the_mark_are_looked_for():
    originals = scenes(60)
    small = thumbnails(np.concatenate([originals, originals[:2], originals[:1]]))  # 60, 61 copy 0, 1; 62 copies 0
    marked = np.zeros(63, bool)
    marked[[60, 61]] = True
    found = {frozenset(pair[:2]) for pair in pairs_of(small, between=marked).pairs}
    assert found == {frozenset((0, 60)), frozenset((1, 61)), frozenset((60, 62))}


@pytest.mark.parametrize("count", [0, 1, 2, 3])
def test_few_and_empty_pictures_are_no_duplicates(count):
    assert near_duplicates(np.full((count, 8, 8, 1), 200, np.uint8)).pairs == []
    assert near_duplicates(scenes(count)).pairs == []


def test_the_answer_is_the_same_every_time():
    pixels = np.concatenate([scenes(40), scenes(3)])
    assert near_duplicates(pixels) == near_duplicates(pixels)


# --- pieces --------------------------------------------------------------------------------------------------------------


def test_a_spectrum_seen_through_a_window_is_that_of_the_window():
    small = thumbnails(scenes(4, side=24)).astype(np.float32)  # 24 pixels: nothing above the frequencies that a spectrum keeps
    place = Window(2, 3, 28)
    seen = enlarging(2, 28) @ small @ enlarging(3, 28).T
    expected = spectra(seen) @ through(WHOLE)
    assert np.abs(spectra(small) @ through(place) - expected).max() < 0.02 * np.abs(expected).max()
    np.testing.assert_allclose(spectra(small[:, :, ::-1]), spectra(small) * mirror(16), atol=0.05)


def test_the_cosine_transform_is_scipys():
    from scipy.fft import dctn

    small = thumbnails(scenes(2)).astype(np.float32)
    expected = dctn(small, axes=(1, 2), norm="ortho")[:, :16, :16].reshape(2, -1)
    np.testing.assert_allclose(spectra(small), expected, atol=0.01)


def test_thumbnails_keep_what_has_their_size_and_average_the_rest():
    pixels = scenes(2, side=48)[:, :SIDE, :SIDE, :1]
    assert np.array_equal(thumbnails(np.ascontiguousarray(pixels)).astype(np.uint8), pixels[..., 0])
    even = np.full((1, 77, 51, 3), 90, np.uint8)
    assert np.abs(thumbnails(even).astype(float) - 90).max() < 0.1


def test_likeness_is_one_for_equals_and_ignores_brightness_and_contrast():
    small = thumbnails(scenes(5)).astype(np.float32)
    assert likeness(small, small) == pytest.approx(1, abs=1e-4)
    assert likeness(small, 0.5 * small + 30) == pytest.approx(1, abs=1e-4)
    assert likeness(small, np.roll(small, 1, axis=0)).max() < 0.8


def test_cells_find_what_comparing_all_finds():
    rng = np.random.default_rng(0)
    base = rng.normal(0, 1, (500, 63)).astype(np.float32)
    base /= np.linalg.norm(base, axis=1, keepdims=True)
    queries = base + 0.02 * rng.normal(0, 1, base.shape).astype(np.float32)
    queries /= np.linalg.norm(queries, axis=1, keepdims=True)
    rows, others, cosines = Cells(base).neighbours(queries, None, least=0.9, most=1)
    best = {int(row): int(other) for row, other in zip(rows, others, strict=True)}
    every = (queries @ base.T).argmax(axis=1)
    assert np.mean([best.get(row) == every[row] for row in range(500)]) > 0.99
    np.testing.assert_allclose(cosines, np.einsum("nd,nd->n", queries[rows], base[others]), atol=1e-5)
    own = np.arange(500)
    rows, others, _ = Cells(base).neighbours(base, own, least=-1, most=2)
    assert (rows != others).all()


@pytest.mark.slow
def test_the_sample_of_fashion_mnist_has_few():  # a minute of a busy machine
    data = images.load("fashion-mnist-sample")
    assert len(near_duplicates(data.train.pixels).pairs) < 10
