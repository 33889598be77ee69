from __future__ import annotations

import json
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wiesel.errors import BadValue, OtherData, TooFewPictures
from wiesel.images import DataSet, apply, divide
from wiesel.images.dataset import from_splits, images_of


def data_of(sizes: list[int], *, copies: int = 0, seed: int = 0, **other: int) -> DataSet:
    """Distinct 2x2 pictures, `sizes[c]` of class c, shuffled; the last `copies` of them repeat the first ones of their class."""
    rng = np.random.default_rng(seed)
    labels = rng.permutation(np.repeat(np.arange(len(sizes)), sizes))
    pixels = np.zeros((len(labels), 2, 2, 1), np.uint8)
    pixels[:, :, 0, 0] = np.stack(np.divmod(np.arange(len(labels)), 256), axis=1)
    for row in range(len(labels) - copies, len(labels)):
        pixels[row] = pixels[np.flatnonzero(labels == labels[row])[0]]
    parts = {"train": images_of(pixels, labels, "train")}
    for split, count in other.items():
        fresh = rng.integers(0, 256, (count, 2, 2, 1), np.uint8)
        fresh[:, 0, 1] = 1
        parts[split] = images_of(fresh, np.arange(count) % len(sizes), split)
    return from_splits("made", [f"c{i}" for i in range(len(sizes))], parts, source="memory")


def test_a_hundred_of_each_of_two_classes():
    divided, record = divide(data_of([100, 100]), validation=0.1, test=0.2, seed=0)
    assert divided.counts == {
        "train": {"c0": 70, "c1": 70},
        "validation": {"c0": 10, "c1": 10},
        "test": {"c0": 20, "c1": 20},
    }
    assert json.loads(json.dumps(record)) == record


def test_largest_remainders_give_the_asked_total():
    # 10 % of 15, 25 and 60 is 1.5, 2.5 and 6: one of the two halves is rounded up, and the total is 10
    divided, _ = divide(data_of([15, 25, 60]), validation=0.1, test=10, seed=0)
    assert sum(divided.counts["validation"].values()) == 10
    assert sum(divided.counts["test"].values()) == 10
    assert divided.counts["test"]["c2"] == 6
    # 1.4, 2.8 and 5.8: the two to be given beyond 1, 2 and 5 go to the remainders 0.8
    divided, _ = divide(data_of([14, 28, 58]), validation=0.1, test=10, seed=0)
    assert divided.counts["test"] == {"c0": 1, "c1": 3, "c2": 6}


sizes = st.lists(st.integers(3, 60), min_size=2, max_size=6)
shares = st.sampled_from([0.05, 0.1, 0.2, 0.3])


@settings(max_examples=60)
@given(sizes, shares, shares, st.integers(0, 2**63 - 1))
def test_a_division_is_a_stratified_partition(sizes, validation, test, seed):
    data = data_of(sizes)
    divided, record = divide(data, validation=validation, test=test, seed=seed)
    assert divided.validation is not None
    assert divided.test is not None

    names = [name for images in divided.splits.values() for name in images.names.tolist()]
    assert sorted(names) == sorted(data.train.names.tolist())
    of = dict(
        zip(
            data.train.names.tolist(),
            zip(data.train.labels.tolist(), data.train.pixels.reshape(-1, 4).tolist(), strict=True),
            strict=True,
        )
    )
    for images in divided.splits.values():
        for name, label, pixels in zip(
            images.names.tolist(), images.labels.tolist(), images.pixels.reshape(-1, 4).tolist(), strict=True
        ):
            assert of[name] == (label, pixels)

    for part, share in (("validation", validation), ("test", test)):
        total = max(1, round(share * sum(sizes)))
        for c, size in enumerate(sizes):
            found = divided.counts[part][f"c{c}"]
            assert found >= 1
            assert abs(found - size * total / sum(sizes)) < 1 or found == 1
    assert all(divided.counts["train"].values())

    again, second = divide(data, validation=validation, test=test, seed=seed)
    assert second == record
    assert again.fingerprint == divided.fingerprint
    repeated = apply(data, json.loads(json.dumps(record)))
    for split, images in divided.splits.items():
        np.testing.assert_array_equal(images.names, repeated.splits[split].names)


@settings(max_examples=40)
@given(sizes, st.integers(1, 40), st.integers(0, 1000))
def test_equal_pictures_stay_on_one_side(sizes, copies, seed):
    data = data_of(sizes, copies=min(copies, sum(sizes)))
    try:
        divided, _ = divide(data, validation=0.2, test=0.2, seed=seed)
    except TooFewPictures:
        return  # nearly everything is a copy
    sides = {split: {pixels.tobytes() for pixels in images.pixels} for split, images in divided.splits.items()}
    assert not sides["train"] & sides["validation"]
    assert not sides["train"] & sides["test"]
    assert not sides["validation"] & sides["test"]


def test_copies_are_drawn_only_where_a_class_has_nothing_else():
    data = data_of([50, 50], copies=20)
    divided, _ = divide(data, validation=0.1, test=0.1, seed=3)
    seen = Counter(pixels.tobytes() for pixels in data.train.pixels)
    for images in (divided.validation, divided.test):
        assert images is not None
        assert all(seen[pixels.tobytes()] == 1 for pixels in images.pixels)


def test_a_picture_under_two_labels_stays_in_training():
    pixels = np.arange(24, dtype=np.uint8).reshape(24, 1, 1, 1)
    pixels[1] = pixels[0]
    data = from_splits("x", ("a", "b"), {"train": images_of(pixels, np.arange(24) % 2, "train")}, source="memory")
    for seed in range(20):
        divided, _ = divide(data, validation=0.3, test=0.3, seed=seed)
        assert {"train/0", "train/1"} <= set(divided.train.names.tolist())


def test_a_picture_under_two_labels_stays_in_training_even_if_its_class_has_little_else():
    pixels = np.array([0, 0, 1, 2, 2, *range(10, 20)], np.uint8).reshape(15, 1, 1, 1)
    labels = np.array([0, 1, 0, 0, 0, *[1] * 10])  # class 0: one contradiction, one single picture, one pair
    data = from_splits("x", ("a", "b"), {"train": images_of(pixels, labels, "train")}, source="memory")
    for seed in range(20):
        divided, _ = divide(data, validation=0.2, test=0.2, seed=seed)
        assert {"train/0", "train/1"} <= set(divided.train.names.tolist())


def test_other_seed_other_division_and_other_fingerprint():
    data = data_of([50, 50])
    one, two = (divide(data, validation=0.1, test=0.1, seed=seed)[0] for seed in (0, 1))
    assert one.test is not None
    assert two.test is not None
    assert set(one.test.names) != set(two.test.names)
    assert len({data.fingerprint, one.fingerprint, two.fingerprint}) == 3


def test_a_test_split_that_the_source_brings_is_left_alone():
    data = data_of([40, 40], test=10)
    divided, record = divide(data, validation=0.25, test=0.5, seed=0)
    assert divided.test is data.test
    assert divided.counts["validation"] == {"c0": 10, "c1": 10}
    assert list(record["made"]) == ["validation"]


def test_a_source_with_all_three_splits_is_left_alone():
    data = data_of([9, 9], validation=4, test=6)
    divided, record = divide(data, validation=0.25, test=0.5, seed=0)
    assert record["made"] == {}
    assert (divided.train, divided.validation, divided.test) == (data.train, data.validation, data.test)
    assert apply(data, record).fingerprint == data.fingerprint


def test_without_a_wish_for_a_test_split_none_is_made():
    divided, record = divide(data_of([40, 40]), validation=0.25, test=None, seed=0)
    assert divided.test is None
    assert list(record["made"]) == ["validation"]


def test_copies_across_the_sources_own_splits_are_told_and_not_moved(monkeypatch):
    data = data_of([20, 20])
    test = images_of(np.concatenate([data.train.pixels[:3], np.full((4, 2, 2, 1), 255, np.uint8)]), np.zeros(7), "test")
    data = from_splits("x", data.classes, {"train": data.train, "test": test}, source="memory")
    divided, record = divide(data, validation=0.1, test=0.1, seed=0)
    assert divided.warnings == ("3 of the 7 test pictures are exact copies of pictures in an earlier split",)
    assert divided.test is not None
    assert len(divided.test) == 7
    monkeypatch.setenv("WIESEL_LANG", "de")
    assert apply(data, record).warnings == ("3 der 7 Bilder in test sind exakte Kopien von Bildern einer früheren Aufteilung",)


def test_another_data_set_is_refused():
    record = divide(data_of([20, 20]), validation=0.1, test=0.1, seed=0)[1]
    with pytest.raises(OtherData, match="belongs to other pictures"):
        apply(data_of([20, 21]), record)


def test_too_few_pictures_are_refused_with_the_number_needed(monkeypatch):
    with pytest.raises(TooFewPictures, match=r"^10 pictures are too few .* at least 12 are needed"):
        divide(data_of([5, 5]), validation=1, test=10, seed=0)
    monkeypatch.setenv("WIESEL_LANG", "de")
    with pytest.raises(TooFewPictures, match=r"^2 Bilder sind zu wenige .* nötig sind mindestens 3\."):
        divide(data_of([1, 1]), validation=0.1, test=0.1, seed=0)


def test_classes_of_one_and_two_pictures_keep_one_for_training():
    for seed in range(10):
        divided, _ = divide(data_of([1, 2, 30]), validation=0.3, test=0.3, seed=seed)
        assert divided.counts["train"]["c0"] == 1
        assert divided.counts["train"]["c1"] >= 1


@pytest.mark.parametrize(("validation", "test"), [(0, 0.1), (0.1, -1), (0.6, 0.4), (float("nan"), 0.1)])
def test_impossible_shares_are_refused(validation, test):
    with pytest.raises(BadValue):
        divide(data_of([20, 20]), validation=validation, test=test, seed=0)
