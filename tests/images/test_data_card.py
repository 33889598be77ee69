from __future__ import annotations

import json

import numpy as np
import pytest

from wiesel.images import data_set_of, divide, from_arrays, load
from wiesel.images.card import card, text
from wiesel.images.dataset import from_splits, images_of


def test_the_card_of_a_named_set_says_where_it_comes_from_and_on_what_terms():
    facts = card(load("fashion-mnist-sample"))
    assert json.loads(json.dumps(facts)) == facts
    assert facts["pictures"] == {"train": 10_000, "test": 2_000}
    assert facts["shape"] == [1, 28, 28]
    assert facts["licence"] == "MIT, Copyright 2017 Zalando SE"
    assert facts["duplicates"] == {"train": 0, "test": 0, "across": 0}
    assert facts["counts"]["test"]["Bag"] == 200


def test_brightness_is_that_of_the_training_pictures():
    pixels = np.random.default_rng(0).integers(0, 256, (50, 6, 7, 3), np.uint8)
    facts = card(data_set_of(from_arrays(pixels, np.arange(50) % 2), classes=("a", "b")))
    np.testing.assert_allclose(facts["mean"], (pixels / 255).mean(axis=(0, 1, 2)), rtol=1e-12)
    np.testing.assert_allclose(facts["std"], (pixels / 255).std(axis=(0, 1, 2)), rtol=1e-9)


def test_repeated_pictures_are_counted_within_and_across_splits():
    pixels = np.arange(10, dtype=np.uint8).reshape(10, 1, 1, 1)
    train = np.concatenate([pixels, pixels[:3]])  # 3 repeated
    test = np.array([0, 0, 1, 77, 77], np.uint8).reshape(5, 1, 1, 1)  # 3 of them in training; 2 repeated
    splits = {"train": images_of(train, np.arange(13) % 2, "train"), "test": images_of(test, np.zeros(5), "test")}
    assert card(from_splits("x", ("a", "b"), splits, source="memory"))["duplicates"] == {"train": 3, "test": 2, "across": 3}


def test_a_folder_that_is_named_like_a_known_set_does_not_get_its_licence(folder, tmp_path):
    folder("cat/1.png", "dog/1.png", notes="x").rename(tmp_path / "mnist")
    facts = card(load(tmp_path / "mnist"))
    assert facts["licence"] is None
    assert facts["left_out"] == [{"path": "notes", "reason": "no picture"}]


@pytest.mark.parametrize(
    ("lang", "words"),
    [
        ("en", ("a balanced sample", "grey; embedded sample", "together", "terms: MIT", "9,000       1,000       2,000")),
        (
            "de",
            (
                "ein ausgewogener Auszug",
                "grau; mitgelieferter Auszug",
                "zusammen",
                "Lizenz: MIT",
                "9\u202f000       1\u202f000       2\u202f000",
            ),
        ),
    ],
)
def test_the_card_reads_well_in_both_languages(lang, words, monkeypatch):
    monkeypatch.setenv("WIESEL_LANG", lang)
    data, _ = divide(load("fashion-mnist-sample"), validation=0.1, test=0.1, seed=0)
    page = text(card(data))
    assert all(word in page for word in words)
    assert card(data)["title"] == "Fashion-MNIST, a balanced sample that comes with the package"  # for programs, in any language
